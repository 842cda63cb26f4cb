package hub

import (
	"cmp"
	"slices"

	"github.com/evetwin/evetwin/core/bus"
)

// Watch looks at all tables from inside the hub's process.
type Watch struct {
	h    *Hub
	bell chan struct{}
}

// Topic is a table as a Watch sees it.
type Topic struct {
	// Owner and Name are the topic's.
	Owner, Name string
	// Life is what its rows outlive.
	Life bus.Life
	// Rows has a *Row under each key.
	Rows bus.Head
	// Restarts is how often a publisher has declared the table complete since the hub began.
	Restarts int
}

// Watch begins to look. C has something as soon as there is a table.
func (h *Hub) Watch() *Watch {
	w := &Watch{h: h, bell: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watches[w] = true
	w.ring()
	return w
}

// C has something when tables moved since it was last read.
func (w *Watch) C() <-chan struct{} { return w.bell }

// Close ends looking.
func (w *Watch) Close() {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	delete(w.h.watches, w)
}

func (w *Watch) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// Topics are all tables at one instant, in order of their names, but for those whose publisher has
// never been there.
func (w *Watch) Topics() []Topic { return w.h.Topics() }

// Topics are all tables at one instant, in order of their names, but for those whose publisher has
// never been there.
func (h *Hub) Topics() []Topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Topic, 0, len(h.tables))
	for _, t := range h.tables {
		if t.declared {
			out = append(out, t.seen())
		}
	}
	slices.SortFunc(out, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Topic is one table, "owner/Name", as it is at this instant; ok is false where there is none.
func (w *Watch) Topic(name string) (t Topic, ok bool) {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	x := w.h.tables[name]
	if x == nil {
		return t, false
	}
	return x.seen(), true
}

// seen is the table for a Watch; mu is held.
func (t *table) seen() Topic {
	owner := ownerOf(t.name)
	return Topic{Owner: owner, Name: t.name[len(owner)+1:], Life: t.life, Rows: t.head,
		Restarts: t.restarts}
}

// Connected is a process that the hub serves.
type Connected struct {
	// PID is the process.
	PID int
	// Agents run in it; none in one that only looks.
	Agents []string
}

// Connected lists who is served, by process.
func (h *Hub) Connected() []Connected {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Connected
	for s := range h.sessions {
		out = append(out, Connected{PID: s.peer.PID, Agents: s.hello.Agents})
	}
	slices.SortFunc(out, func(a, b Connected) int { return cmp.Compare(a.PID, b.PID) })
	return out
}
