package join

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/bus"
)

// note is a row of the tests.
type note struct {
	Name string
	N    uint64
}

// Key is the name.
func (n note) Key() string { return n.Name }

func told(full, open bool, rev uint64, rows ...wire.Row) *wire.Table {
	return &wire.Table{Full: full, Open: open, Rev: rev, Complete: true, Rows: rows}
}

func row(key string, rev uint64, js string) wire.Row {
	return wire.Row{Key: key, Rev: rev, JSON: []byte(js)}
}

// look is the table as subscribers see it.
func (t *table) look() string {
	var s []string
	for key, v := range t.head.All() {
		_, rev := t.head.Get(key)
		s = append(s, fmt.Sprintf("%s=%d@%d", key, v.(*note).N, rev))
	}
	return fmt.Sprintf("%s %d %v", strings.Join(s, ","), t.head.Rev(), t.head.Complete())
}

// A table follows its publisher's, revisions included. After the hub was away it stays until the
// publisher is back there; a row that cannot be read is absent, and the table not complete.
func TestTable(t *testing.T) {
	topic := bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Note"})
	x := &table{decl: topic.Decl, head: bus.Empty(0)}
	gone := wire.Row{Key: "a", Rev: 12}
	for _, s := range []struct {
		in    *wire.Table
		again bool
		want  string
	}{
		{told(true, true, 10, row("a", 9, `{"N":18446744073709551615}`), row("b", 10, `{"N":1}`)),
			false, "a=18446744073709551615@9,b=1@10 10 true"},
		{told(false, true, 11, row("b", 11, `{"N":2,"New":[1]}`)), true,
			"a=18446744073709551615@9,b=2@11 11 true"},
		{told(true, false, 99), true, "a=18446744073709551615@9,b=2@11 11 true"},
		{told(false, false, 99, row("c", 99, `{}`)), true, "a=18446744073709551615@9,b=2@11 11 true"},
		{told(true, true, 12, gone, row("b", 11, `{"N":2}`)), true, "b=2@11 12 true"},
		{told(false, true, 13, row("b", 13, `{"N":"two"}`)), true, " 13 false"},
		{told(false, true, 14, row("c", 14, `{"N":3}`)), true, "c=3@14 14 false"},
		{told(false, true, 15, row("b", 15, `{"N":4}`)), true, "b=4@15,c=3@14 15 true"},
		{told(false, true, 16, wire.Row{Key: "b", Rev: 16, Version: 1, JSON: []byte(`{}`)}), true,
			"c=3@14 16 false"},
		{told(false, true, 17, wire.Row{Key: "b", Rev: 17}), true, "c=3@14 17 true"},
	} {
		before := x.head
		if shown := x.take(s.in, s.again); shown == before.Same(x.head) {
			t.Errorf("%s: shown %v", s.want, shown)
		}
		if got := x.look(); got != s.want {
			t.Errorf("%q, want %q", got, s.want)
		}
	}
	if len(x.fresh) != 2 || !strings.Contains(x.fresh[1], "its version is 1, known is 0") {
		t.Errorf("%q", x.fresh)
	}
}

// A row whose revision is known is not read again, so nobody is told that it changed.
func TestKnownRowsAreKept(t *testing.T) {
	topic := bus.NewTopic[note](bus.Decl{Owner: "a", Name: "Note"})
	x := &table{decl: topic.Decl, head: bus.Empty(0)}
	x.take(told(true, true, 10, row("a", 9, `{"N":1}`)), false)
	was, _ := x.head.Get("a")
	x.take(told(true, true, 10, row("a", 9, `{"N":1}`)), true)
	if now, _ := x.head.Get("a"); now != was {
		t.Error("a row of the same revision is another one")
	}
}
