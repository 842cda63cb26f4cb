package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// mark is an instant at which somebody wants to look at the world.
type mark struct {
	at time.Duration
	f  func()
}

// Before calls f once, when all has happened that happens before a time and nothing of what happens
// at it or later. It is no event: the clock does not stop for it, nobody who waits for a condition
// looks again, and a world goes on as it would without it.
func (w *World) Before(at time.Duration, f func()) {
	w.marks = append(w.marks, mark{at, f})
	slices.SortStableFunc(w.marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
}

// pass is called when the clock is about to move to a time, or stays there for a further event.
func (w *World) pass(to time.Duration) {
	for len(w.marks) > 0 && w.marks[0].at <= to {
		f := w.marks[0].f
		w.marks = w.marks[1:]
		f()
	}
}

// Reseed makes the world one of another seed from here on: every draw that is yet to come, of
// links, calls, parts, networks and the journal, is another; an agent's own are from its next start
// on. What derives from the seed once and for all stays: keys, names, the order of equal times.
// Worlds that are reseeded with the same numbers at the same instants are the same.
func (w *World) Reseed(seed uint64) {
	var s bus.Sum
	s.Word(w.branch)
	s.Word(seed)
	w.branch = s.Value() | 1
	for _, d := range w.devices {
		if d.boot != nil {
			d.boot.k.Reseed(w.branch)
		}
	}
}

// Branch is a number of all that the world was reseeded with, 0 if it never was.
func (w *World) Branch() uint64 { return w.branch }

// draws is where draws of the device begin that are not its kernel's.
func (d *Device) draws() uint64 {
	if d.w.branch == 0 {
		return d.hash
	}
	return bus.Mix(d.hash ^ d.w.branch)
}
