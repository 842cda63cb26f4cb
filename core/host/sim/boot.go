package sim

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// boot drives one boot of a device.
type boot struct {
	d   *Device
	k   *host.Kernel
	at  time.Duration // of the world, when it began
	seq uint64
	// waits are records that found no room on the disk, in order.
	waits []wait
}

// Delays of deliveries and of writes to the journal.
const (
	minHop   = 10 * time.Microsecond
	maxHop   = 2 * time.Millisecond
	minWrite = 200 * time.Microsecond
	maxWrite = 5 * time.Millisecond
)

// Now is the time since the boot.
func (b *boot) Now() time.Duration { return b.d.w.now - b.at }

// Wall is the device's wall clock.
func (b *boot) Wall() time.Time { return b.d.w.Wall().Add(b.d.skew) }

// Deliver brings a batch after a drawn delay, behind what the link carries already.
func (b *boot) Deliver(l *host.Link, x *host.Batch) {
	hop := minHop + time.Duration(l.Draw(x.Turn)%uint64(maxHop-minHop))
	at := max(b.d.w.now+hop, time.Duration(l.Last))
	l.Last = int64(at)
	l.Count++
	b.d.w.queue.push(event{at: at, tie: l.Base, n: l.Count, kind: deliver, boot: b, link: l,
		batch: x})
}

// Ready asks for a turn at the end of this instant.
func (b *boot) Ready(p *host.Proc) {
	at := b.d.w.now
	if b.d.o.Lag != nil {
		at += b.d.o.Lag(p.Name, p.Source.Turn+1)
	}
	b.d.w.queue.push(event{at: at, phase: stepping, tie: b.tie(p), n: p.Turn, kind: turn,
		boot: b, proc: p})
}

// Alarm wakes an agent at a time, or now where that has passed while its turn became durable.
func (b *boot) Alarm(p *host.Proc, at time.Duration) {
	b.d.w.queue.push(event{at: max(b.at+at, b.d.w.now), tie: b.tie(p), n: p.Turn, kind: alarm,
		boot: b, proc: p})
}

func (b *boot) tie(p *host.Proc) uint64 {
	if p.Slot == nil {
		var s bus.Sum
		s.Word(b.d.hash)
		s.String(p.Name)
		p.Slot = s.Value()
	}
	return p.Slot.(uint64)
}

// After calls back on the device's own count of callbacks.
func (b *boot) After(d time.Duration, f func()) {
	b.seq++
	b.d.w.queue.push(event{at: b.d.w.now + max(d, 0), tie: b.d.hash, n: b.seq, kind: call, boot: b,
		run: f})
}

// store writes a record for which there is room.
func (b *boot) store(r *host.Record, then func()) {
	var s bus.Sum
	s.Word(b.d.draws())
	s.Word(b.d.boots)
	s.String(r.Agent)
	s.Word(r.Turn)
	d := minWrite + time.Duration(s.Value()%uint64(maxWrite-minWrite))
	if b.d.o.Cut != nil && b.cutAt(b.d.o.Cut(r), r, d) {
		return
	}
	b.d.journal.write(r, b.d.w.now, b.d.w.now+d)
	b.After(d, then)
}

// Cut is when the power goes around a write to the journal. The zero value is: not at all.
type Cut struct {
	When CutPoint
	// Off is how long the device stays without power.
	Off time.Duration
}

// CutPoint is a place in a write to the journal.
type CutPoint uint8

// Places in a write.
const (
	NoCut     CutPoint = iota
	CutBefore          // nothing of the record has been written
	CutWithin          // the record is under way: it is there whole or not at all, by draw
	CutAfter           // it is durable, and nobody has seen it yet
)

// cutAt takes the power away around a write that takes d, and reports whether there was a cut.
func (b *boot) cutAt(c Cut, r *host.Record, d time.Duration) bool {
	switch c.When {
	case NoCut:
		return false
	case CutWithin:
		b.d.journal.write(r, b.d.w.now, b.d.w.now+d)
		d /= 2
	case CutAfter:
		b.d.journal.write(r, b.d.w.now, b.d.w.now+d)
	case CutBefore:
		d = 0
	}
	b.After(d, func() {
		b.d.Cut()
		b.d.w.At(b.d.w.now+c.Off, func() { must(b.d.Boot()) })
	})
	return true
}

// Go refuses: real work has no place in virtual time.
func (b *boot) Go(func(), func()) { panic("sim: real work in virtual time") }

// Post runs f behind this instant; in virtual time nobody else may call.
func (b *boot) Post(f func()) { b.After(0, f) }

var _ host.Driver = (*boot)(nil)
