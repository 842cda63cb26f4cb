package rig

import (
	"sort"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// bench drives one kernel by hand: deliveries are at once, time moves when told.
type bench struct {
	k     *host.Kernel
	now   time.Duration
	wall  time.Time // at boot
	ready []*host.Proc
	later []event
	seq   int
	store map[string]host.Stored
}

type event struct {
	at  time.Duration
	seq int
	run func()
}

// Now is the time since boot.
func (b *bench) Now() time.Duration { return b.now }

// Wall is the wall clock.
func (b *bench) Wall() time.Time { return b.wall.Add(b.now) }

// Deliver brings a batch at once.
func (b *bench) Deliver(l *host.Link, x *host.Batch) { l.To.Kernel().Arrive(l, x) }

// Ready notes a turn for settle.
func (b *bench) Ready(p *host.Proc) { b.ready = append(b.ready, p) }

// Alarm notes a deadline.
func (b *bench) Alarm(p *host.Proc, at time.Duration) {
	b.at(at, func() { p.Kernel().Alarm(p) })
}

// After notes a callback.
func (b *bench) After(d time.Duration, f func()) {
	k := b.k
	b.at(b.now+d, func() {
		if k == nil || !k.Dead() {
			f()
		}
	})
}

// Durable stores at once.
func (b *bench) Durable(r *host.Record, then func()) {
	for _, s := range r.Rows {
		id := s.Topic + "\x00" + s.Key
		if s.Val == nil {
			delete(b.store, id)
		} else {
			b.store[id] = s
		}
	}
	then()
}

// Go refuses: nothing blocks on the bench.
func (b *bench) Go(func(), func()) { panic("rig: real work on the bench") }

// Post notes f for settle.
func (b *bench) Post(f func()) { b.After(0, f) }

func (b *bench) at(at time.Duration, f func()) {
	b.seq++
	b.later = append(b.later, event{at, b.seq, f})
	sort.Slice(b.later, func(i, j int) bool {
		x, y := &b.later[i], &b.later[j]
		return x.at < y.at || x.at == y.at && x.seq < y.seq
	})
}

func (b *bench) settle() {
	for len(b.ready) > 0 || len(b.later) > 0 && b.later[0].at <= b.now {
		for len(b.later) > 0 && b.later[0].at <= b.now {
			e := b.later[0]
			b.later = b.later[1:]
			e.run()
		}
		if len(b.ready) > 0 {
			p := b.ready[0]
			b.ready = b.ready[1:]
			b.k.Turn(p)
		}
	}
}

func (b *bench) advance(to time.Duration) {
	b.settle()
	for len(b.later) > 0 && b.later[0].at <= to {
		b.now = b.later[0].at
		b.settle()
	}
	b.now = to
}

var _ host.Driver = (*bench)(nil)
