package bus_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
)

func keys(h bus.Head) []string {
	var out []string
	for k := range h.All() {
		out = append(out, k)
	}
	return out
}

func TestStoredRowsKeepTheirRevisionAndNewOnesAreAbove(t *testing.T) {
	s := bus.NewShelf(items.Decl, 3<<32)
	s.Load("b", 2<<32+7, &item{Name: "b"})
	s.Load("a", 1<<32+9, &item{Name: "a"})
	h := s.Head()
	if _, rev := h.Get("a"); rev != 1<<32+9 {
		t.Fatalf("revision %d of a stored row", rev)
	}
	if h.Rev() != 3<<32 || h.Len() != 2 || !slices.Equal(keys(h), []string{"a", "b"}) {
		t.Fatalf("at %d: %v", h.Rev(), keys(h))
	}
	c := bus.NewCursor(items.Decl, h)
	if rev := c.Put("a", &item{Name: "a", N: 1}); rev != 3<<32+1 {
		t.Fatalf("the first put has revision %d", rev)
	}
	s.Load("z", 5<<32, &item{Name: "z"}) // the count of boots was lost
	if s.Head().Rev() != 5<<32 {
		t.Fatalf("revisions would go back to %d", s.Head().Rev())
	}
}

func TestAHeadStaysAsItWas(t *testing.T) {
	s := bus.NewShelf(items.Decl, 0)
	c := bus.NewCursor(items.Decl, s.Head())
	var heads []bus.Head
	var want [][]string
	for n := range 300 {
		k := string(rune('a' + n*7%26))
		if n%3 == 2 {
			c.Put(k, nil)
		} else {
			c.Put(k, &item{Name: k, N: n})
		}
		heads, want = append(heads, c.Head()), append(want, keys(c.Head()))
	}
	for n, h := range heads {
		if !slices.Equal(keys(h), want[n]) || h.Len() != len(want[n]) {
			t.Fatalf("head %d became %v, it was %v", n, keys(h), want[n])
		}
	}
}

func TestSinceLeadsFromOneHeadToTheNext(t *testing.T) {
	c := bus.NewCursor(items.Decl, bus.NewShelf(items.Decl, 0).Head())
	was, table := bus.Head{}, map[string]any{}
	for n := range 200 {
		for m := range n % 5 {
			k := string(rune('a' + (n*7+m)%26))
			if (n+m)%4 == 0 {
				c.Put(k, nil)
			} else {
				c.Put(k, &item{Name: k, N: n})
			}
		}
		for k, v := range c.Head().Since(was) {
			if v == nil {
				delete(table, k)
			} else {
				table[k] = v
			}
		}
		was = c.Head()
		if !maps.Equal(table, maps.Collect(was.All())) {
			t.Fatalf("step %d: %v is not %v", n, table, maps.Collect(was.All()))
		}
	}
}

func TestADiscardedTurnLeavesNothing(t *testing.T) {
	s := bus.NewShelf(items.Decl, 0)
	c := bus.NewCursor(items.Decl, s.Head())
	c.Put("a", &item{Name: "a"})
	s.Show(c.Head())
	shown := s.Head()
	c.Put("b", &item{Name: "b"})
	c.Put("a", nil)
	c.Reset(shown)
	if !slices.Equal(keys(c.Head()), []string{"a"}) || !c.Head().Same(shown) {
		t.Fatalf("after the reset: %v", keys(c.Head()))
	}
	if rev := c.Put("c", &item{Name: "c"}); rev != 2 {
		t.Fatalf("revision %d after a discarded turn", rev)
	}
	var got []string
	for k := range c.Head().Since(shown) {
		got = append(got, k)
	}
	if !slices.Equal(got, []string{"c"}) {
		t.Fatalf("changed since: %v", got)
	}
}

func TestDeletingNothingIsNoChange(t *testing.T) {
	c := bus.NewCursor(items.Decl, bus.NewShelf(items.Decl, 0).Head())
	was := c.Head()
	if rev := c.Put("a", nil); rev != was.Rev() || !c.Head().Same(was) {
		t.Fatalf("revision %d, %d before", rev, was.Rev())
	}
}
