package bus_test

import (
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
)

type item struct {
	Name string
	N    int
	Tags []string
}

func (i item) Key() string { return i.Name }

var (
	items  = bus.NewTopic[item](bus.Decl{Owner: "maker", Name: "Item"})
	shared = bus.NewFamily[item](bus.Decl{Name: "Shared"}, "maker", "other", "third")
)

// desk is a host for one agent: it applies writes at once and moves what subscribers see when told.
type desk struct {
	name    string
	shelves map[*bus.Decl]*bus.Shelf
	subs    map[*bus.Decl]*bus.Cursor
	writes  int
}

func newDesk(name string) *desk {
	return &desk{name: name, shelves: map[*bus.Decl]*bus.Shelf{}, subs: map[*bus.Decl]*bus.Cursor{}}
}

func (d *desk) shelf(t *bus.Decl) *bus.Shelf {
	if d.shelves[t] == nil {
		d.shelves[t] = bus.NewShelf(t, 1<<32)
	}
	return d.shelves[t]
}

// Agent is the name under which the desk publishes.
func (d *desk) Agent() string { return d.name }

// Subscribe attaches to a topic of this desk.
func (d *desk) Subscribe(t *bus.Decl, _ bus.Mode) *bus.Cursor {
	if d.subs[t] == nil {
		d.subs[t] = bus.NewCursor(t, d.shelf(t).Head())
	}
	return d.subs[t]
}

// Publish claims a topic.
func (d *desk) Publish(t *bus.Decl) (*bus.Cursor, bus.Outlet) {
	return bus.NewCursor(t, d.shelf(t).Head()), d
}

// Use refuses: a desk carries no ops.
func (d *desk) Use(any) any { panic("a desk carries no ops") }

// Write applies a write.
func (d *desk) Write(c *bus.Cursor, key string, val any) {
	d.writes++
	c.Put(key, val)
	d.shelf(c.Decl).Show(c.Head())
}

// Complete declares a table whole.
func (d *desk) Complete(c *bus.Cursor) {
	d.writes++
	c.SetComplete()
	d.shelf(c.Decl).Show(c.Head())
}

// turn shows subscribers what there is.
func (d *desk) turn() {
	for t, c := range d.subs {
		c.Advance(d.shelf(t).Head())
	}
}

type seenDelta struct {
	key      string
	old, new int // -1: absent
}

func changes(s *bus.Sub[item]) (out []seenDelta) {
	for k, d := range s.Changed() {
		x := seenDelta{k, -1, -1}
		if d.Old != nil {
			x.old = d.Old.N
		}
		if d.New != nil {
			x.new = d.New.N
		}
		out = append(out, x)
	}
	return out
}

func TestPutOfAnEqualRowIsNoWrite(t *testing.T) {
	d := newDesk("maker")
	p := bus.Publish(d, items)
	p.Put(item{"a", 1, []string{"x"}})
	rev := p.Rev("a")
	p.Put(item{"a", 1, []string{"x"}})
	if d.writes != 1 || p.Rev("a") != rev {
		t.Fatalf("%d writes, revision %d after %d", d.writes, p.Rev("a"), rev)
	}
	p.Put(item{"a", 1, []string{"y"}})
	if d.writes != 2 || p.Rev("a") != rev+1 || p.Get("a").Tags[0] != "y" {
		t.Fatalf("%d writes, revision %d, row %v", d.writes, p.Rev("a"), p.Get("a"))
	}
	p.Delete("b")
	if d.writes != 2 {
		t.Fatal("deleting what is not there was a write")
	}
	if p.Rev("b") != 0 || p.Get("b") != nil {
		t.Fatal("an absent row has a revision")
	}
}

// A put that changes nothing must leave no trace in the rows before it.
func TestRowsStayAsTheyWerePut(t *testing.T) {
	d := newDesk("maker")
	p := bus.Publish(d, items)
	var rows []*item
	for n := range 50 {
		p.Put(item{"a", n / 2, nil}) // every other one is equal
		rows = append(rows, p.Get("a"))
	}
	for n, r := range rows {
		if r.N != n/2 {
			t.Fatalf("the row of put %d became %v", n, r)
		}
	}
}

// A put that changes nothing costs no memory, however large the row; where pointers are checked
// it costs the row itself (heapRows).
func TestAnEqualPutAllocatesNothing(t *testing.T) {
	d := newDesk("maker")
	p := bus.Publish(d, items)
	v := item{"a", 1, []string{"x"}}
	p.Put(v)
	if n := testing.AllocsPerRun(100, func() { p.Put(v) }); n != heapRows {
		t.Fatalf("%v allocations per put, not %d", n, heapRows)
	}
}

func TestASubscriberSeesDeltasAndMissesNothing(t *testing.T) {
	d := newDesk("maker")
	p, s := bus.Publish(d, items), bus.Subscribe(d, items)
	p.Put(item{"a", 1, nil})
	p.Put(item{"b", 1, nil})
	if s.Len() != 0 {
		t.Fatal("the table moved during a turn")
	}
	d.turn()
	if got := changes(s); !slices.Equal(got, []seenDelta{{"a", -1, 1}, {"b", -1, 1}}) {
		t.Fatalf("first turn: %v", got)
	}
	p.Put(item{"a", 2, nil})
	p.Put(item{"a", 3, nil})
	p.Delete("b")
	p.Put(item{"c", 1, nil})
	p.Delete("c")
	d.turn()
	if got := changes(s); !slices.Equal(got, []seenDelta{{"a", 1, 3}, {"b", 1, -1}}) {
		t.Fatalf("coalesced: %v", got)
	}
	d.turn()
	if got := changes(s); len(got) != 0 || s.Moved() {
		t.Fatalf("nothing moved, but %v", got)
	}
	d.subs[items.Decl].Full()
	if got := changes(s); !slices.Equal(got, []seenDelta{{"a", -1, 3}}) {
		t.Fatalf("full turn: %v", got)
	}
}

func TestOnlyAbsenceFromACompleteTableIsGone(t *testing.T) {
	d := newDesk("maker")
	p, s := bus.Publish(d, items), bus.Subscribe(d, items)
	p.Put(item{"a", 1, nil})
	d.turn()
	if s.Gone("b") || s.Complete() || p.IsComplete() {
		t.Fatal("a table that nobody declared is complete")
	}
	p.Complete()
	p.Complete()
	if d.writes != 2 {
		t.Fatalf("declaring twice was %d writes", d.writes-1)
	}
	if s.Gone("b") {
		t.Fatal("complete before it was shown")
	}
	d.turn()
	if !s.Gone("b") || s.Gone("a") || len(changes(s)) != 0 || !s.Moved() {
		t.Fatalf("gone b %v, gone a %v, changes %v", s.Gone("b"), s.Gone("a"), changes(s))
	}
	p.Delete("a")
	d.turn()
	if !s.Gone("a") || !s.Complete() {
		t.Fatal("a delete made the table incomplete")
	}
}

func TestKeepWithdrawsTheRest(t *testing.T) {
	d := newDesk("maker")
	p := bus.Publish(d, items)
	for _, k := range []string{"a", "b", "c", "d"} {
		p.Put(item{Name: k})
	}
	p.Keep(func(k string) bool { return k == "b" || k == "d" })
	var got []string
	for k := range p.All() {
		got = append(got, k)
	}
	if !slices.Equal(got, []string{"b", "d"}) || p.Len() != 2 {
		t.Fatalf("kept %v", got)
	}
}

// An iteration sees the table as it was when it began, whatever is put meanwhile.
func TestAllIsASnapshot(t *testing.T) {
	d := newDesk("maker")
	p := bus.Publish(d, items)
	for _, k := range []string{"a", "b", "c"} {
		p.Put(item{Name: k})
	}
	n := 0
	for k := range p.All() {
		p.Put(item{Name: k + k})
		p.Delete(k)
		n++
	}
	if n != 3 || p.Len() != 3 || p.Get("aa") == nil {
		t.Fatalf("%d rows seen, %d left", n, p.Len())
	}
}

func TestFamily(t *testing.T) {
	d := newDesk("maker")
	s := bus.SubscribeFamily(d, shared)
	if s.Of("maker") != nil || s.Of("nobody") != nil || s.Of("third") == nil {
		t.Fatal("a family shows all members but the subscriber itself")
	}
	if got := shared.Owners(); !slices.Equal(got, []string{"maker", "other", "third"}) {
		t.Fatalf("owners %v", got)
	}
	for _, o := range []string{"third", "other"} {
		p := bus.Publish(d, shared.Of(o))
		p.Put(item{"z", 1, nil})
		p.Put(item{"a", 2, nil})
	}
	d.turn()
	var all, changed []string
	for o, v := range s.All() {
		all = append(all, o+"/"+v.Name)
	}
	for o, c := range s.Changed() {
		changed = append(changed, o+"/"+c.New.Name)
	}
	want := []string{"other/a", "other/z", "third/a", "third/z"}
	if !slices.Equal(all, want) || !slices.Equal(changed, want) {
		t.Fatalf("all %v, changed %v", all, changed)
	}
	defer func() {
		if recover() == nil {
			t.Fatal("a stranger is of the family")
		}
	}()
	shared.Of("stranger")
}

func TestATopicNeedsAnOwnerAndAName(t *testing.T) {
	for _, d := range []bus.Decl{{Name: "X"}, {Owner: "x"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was accepted", d)
				}
			}()
			bus.NewTopic[item](d)
		}()
	}
	if items.MaxRows != bus.DefaultMaxRows || items.MaxBytes != bus.DefaultMaxBytes {
		t.Fatalf("limits %d rows, %d bytes", items.MaxRows, items.MaxBytes)
	}
}
