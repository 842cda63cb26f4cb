package conform

import (
	"encoding/json"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// itemBench is a device that has one part whose items are set and cleared: R is the row of an item,
// S and C are the requests that set and clear one, N is nothing.
type itemBench[R bus.Row, S, C, N any] struct {
	*bench
	items *bus.Sub[R]
	set   *calls[S, N]
	unset *calls[C, N]
	spec  func(*R) any
}

// newItemBench prepares the desk of such a part; spec is what an item's row says of it.
func newItemBench[R bus.Row, S, C, N any](set agent.Op[S, N], unset agent.Op[C, N],
	spec func(*R) any,
) itemBench[R, S, C, N] {
	return itemBench[R, S, C, N]{set: newCalls(set), unset: newCalls(unset), spec: spec}
}

// state is all that is seen of items.
func (x *itemBench[R, S, C, N]) state() string { return rows("item", x.items) }

// attach is part of the wiring of a boot.
func (x *itemBench[R, S, C, N]) attach(b *bench, p bus.Port, items bus.Topic[R]) []looker {
	x.items = bus.Subscribe(p, items)
	x.set.attach(b, p)
	x.unset.attach(b, p)
	return []looker{x.set, x.unset}
}

// sets sets an item and wants it seen, as it was set, in the turn that brings the outcome.
func (x *itemBench[R, S, C, N]) sets(t *testing.T, item string, req S, spec any) {
	t.Helper()
	x.set.does(t, req, func() {
		if row := x.items.Get(item); row == nil || specText(x.spec(row)) != specText(spec) {
			t.Errorf("%s is set and seen as %+v", item, row)
		}
	})
}

// clears clears an item and wants it gone in the turn that brings the outcome.
func (x *itemBench[R, S, C, N]) clears(t *testing.T, item string, req C) {
	t.Helper()
	x.unset.does(t, req, func() {
		if x.items.Get(item) != nil {
			t.Errorf("%s is cleared and still seen", item)
		}
	})
}

// lost waits until an item is not seen any more.
func (x *itemBench[R, S, C, N]) lost(t *testing.T, item string) {
	t.Helper()
	x.until(t, item+" to vanish", func() bool { return x.items.Get(item) == nil })
}

// specText is a spec as text.
func specText(s any) string {
	text, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
