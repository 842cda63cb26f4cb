package sim

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// Options of a world.
type Options struct {
	Seed uint64
	// Start is the wall clock at the beginning; zero means 2026-01-01.
	Start time.Time
	// Rebuild and FullTurn are as in host.Options; 0 means one in 64, and one in 32.
	Rebuild, FullTurn uint64
	// LateCancel: one in n cancelled calls still takes effect; 0 means one in 2.
	LateCancel uint64
	// Record takes the turns of every boot. Play is played until the instant PlayUntil: the world must
	// be the one that was recorded up to there.
	Record, Play *Tape
	PlayUntil    time.Duration
	// Never turns Rebuild, FullTurn and LateCancel off where they are 0.
	Never bool
}

// World is virtual time and all that happens in it.
type World struct {
	o       Options
	now     time.Duration
	queue   heap
	devices []*Device
	seq     uint64
	events  uint64
	branch  uint64 // of all draws; 0: the seed's own
	marks   []mark
}

// New makes an empty world at time zero.
func New(o Options) *World {
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if !o.Never {
		set := func(v *uint64, def uint64) {
			if *v == 0 {
				*v = def
			}
		}
		set(&o.Rebuild, 64)
		set(&o.FullTurn, 32)
		set(&o.LateCancel, 2)
	}
	w := &World{o: o}
	if o.Play != nil {
		w.Before(o.PlayUntil, w.live)
	}
	return w
}

// Now is the time since the world began.
func (w *World) Now() time.Duration { return w.now }

// Wall is the true wall clock, which a device's own may differ from.
func (w *World) Wall() time.Time { return w.o.Start.Add(w.now) }

// Seed is the world's seed.
func (w *World) Seed() uint64 { return w.o.Seed }

// Events counts what has happened so far.
func (w *World) Events() uint64 { return w.events }

// Devices lists the devices in order of their making.
func (w *World) Devices() []*Device { return w.devices }

// At calls f at a time of the world, or now if that is past: what scenarios and faults do. Equal
// times keep their order.
func (w *World) At(at time.Duration, f func()) {
	w.seq++
	w.queue.push(event{at: max(at, w.now), kind: call, n: w.seq, run: f})
}

// step lets one event happen.
func (w *World) step() {
	w.pass(w.queue[0].at)
	e := w.queue.pop()
	w.now = e.at
	w.events++
	if e.boot != nil && e.boot.k.Dead() {
		return
	}
	switch e.kind {
	case deliver:
		e.boot.k.Arrive(e.link, e.batch)
	case alarm:
		e.boot.k.Alarm(e.proc)
	case turn:
		e.boot.k.Turn(e.proc)
	default:
		e.run()
	}
}

// Run lets the world go on until a time.
func (w *World) Run(until time.Duration) {
	for len(w.queue) > 0 && w.queue[0].at <= until {
		w.step()
	}
	w.pass(until)
	w.now = max(w.now, until)
}

// RunUntil lets the world go on until cond holds, and reports whether it did before the limit. The
// condition is asked whenever time moves, so it must be cheap or ask at intervals of its own.
func (w *World) RunUntil(cond func() bool, limit time.Duration) bool {
	at := time.Duration(-1)
	for {
		if w.now != at {
			at = w.now
			if cond() {
				return true
			}
		}
		if len(w.queue) == 0 || w.queue[0].at > limit {
			w.pass(limit)
			w.now = max(w.now, limit)
			return cond()
		}
		w.step()
	}
}

// Trace is a hash of all that every device did: turns, row changes, calls, deadlines.
func (w *World) Trace() uint64 {
	var s bus.Sum
	for _, d := range w.devices {
		s.String(d.o.Name)
		for _, p := range d.Sums() {
			s.String(p.Name)
			s.Word(p.Sum)
		}
	}
	return s.Value()
}

// Turns counts the turns of all devices.
func (w *World) Turns() uint64 {
	var n uint64
	for _, d := range w.devices {
		n += d.turns
		if d.boot != nil {
			n += d.boot.k.Turns()
		}
	}
	return n
}
