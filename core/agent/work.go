package agent

import (
	"slices"

	"github.com/evetwin/evetwin/core/bus"
)

// Work collects the entities that a turn has to look at again.
type Work struct {
	keys   []string
	sorted bool
}

// Add notes entities by key; empty keys are passed over.
func (w *Work) Add(keys ...string) {
	for _, k := range keys {
		if k != "" && (len(w.keys) == 0 || w.keys[len(w.keys)-1] != k) {
			w.keys = append(w.keys, k)
			w.sorted = false
		}
	}
}

// All lists them once each, in key order.
func (w *Work) All() []string {
	if !w.sorted {
		slices.Sort(w.keys)
		w.keys = slices.Compact(w.keys)
		w.sorted = true
	}
	return w.keys
}

// From notes the entities that changed rows belong to, before and after.
func From[V bus.Row](w *Work, s *bus.Sub[V], of func(*V) string) {
	for _, d := range s.Changed() {
		if d.Old != nil {
			w.Add(of(d.Old))
		}
		if d.New != nil {
			w.Add(of(d.New))
		}
	}
}

// Keys notes changed rows by their own keys.
func Keys[V bus.Row](w *Work, s *bus.Sub[V]) {
	for k := range s.Changed() {
		w.Add(k)
	}
}
