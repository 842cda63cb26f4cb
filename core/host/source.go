package host

import (
	"math/bits"

	"github.com/evetwin/evetwin/core/bus"
)

// Source is a publisher: an agent or a device part.
type Source struct {
	Name string
	// Turn counts what it published: an agent's turns, a part's batches.
	Turn  uint64
	sum   bus.Sum
	links []*Link // by the agent's index
}

// Sum is a checksum of all it did since boot: turns, rows, calls, outcomes, deadlines.
func (s *Source) Sum() uint64 { return s.sum.Value() }

// Link is the FIFO from one publisher to one agent.
type Link struct {
	From *Source
	To   *Proc
	// Base stands for the link: seed, device, publisher and subscriber. It orders equal times.
	Base uint64
	// draws is where the draws of this link start: Base, until the kernel is reseeded.
	draws uint64
	// Last and Count are the driver's: when the newest delivery lands, and how many there were.
	Last  int64
	Count uint64
}

// Draw is the random number of the link's nth event.
func (l *Link) Draw(n uint64) uint64 { return bus.Mix(l.draws + n*0x9E3779B97F4A7C15) }

// Batch is what one turn of a publisher shows.
type Batch struct {
	Turn   uint64
	moves  []Move
	end    *run
	replay uint64 // what its topics hold, for this start of the subscriber; 0: a turn
}

// Move says up to where a topic is shown.
type Move struct {
	shelf *shelf
	Head  bus.Head
}

// Topic is the topic that moved.
func (m Move) Topic() *bus.Decl { return m.shelf.Decl }

func (k *Kernel) link(s *Source, p *Proc) *Link {
	if p.idx < len(s.links) && s.links[p.idx] != nil {
		return s.links[p.idx]
	}
	l := &Link{From: s, To: p, Base: linkBase(k.name, s, p), draws: linkBase(k.base, s, p)}
	for len(s.links) <= p.idx {
		s.links = append(s.links, nil)
	}
	s.links[p.idx] = l
	return l
}

func linkBase(base uint64, s *Source, p *Proc) uint64 {
	var sum bus.Sum
	sum.Word(base)
	sum.String(s.Name)
	sum.String(p.Name)
	return sum.Value()
}

// spread delivers a batch to all who subscribe to what moved, and to the caller whose call ended.
func (k *Kernel) spread(s *Source, b *Batch) {
	var mask uint64
	for i := range b.moves {
		mask |= b.moves[i].shelf.mask
	}
	if b.end != nil && b.end.call != nil {
		mask |= 1 << b.end.p.idx
	}
	for ; mask != 0; mask &= mask - 1 {
		k.drv.Deliver(k.link(s, k.procs[bits.TrailingZeros64(mask)]), b)
	}
}

// Arrive brings a batch to its subscriber.
func (k *Kernel) Arrive(l *Link, b *Batch) {
	p := l.To
	if k.dead || p.stopped {
		return
	}
	wake := false
	for i := range b.moves {
		m := &b.moves[i]
		if m.shelf.mask&(1<<p.idx) == 0 {
			continue
		}
		s := p.subOf(m.shelf)
		if s.next.Same(m.Head) {
			continue
		}
		s.next = m.Head
		if !s.moved {
			s.moved = true
			p.moved = append(p.moved, s)
		}
		wake = wake || s.mode != bus.Quiet
	}
	if b.end != nil && b.end.p == p {
		wake = p.outcome(b.end) || wake
	}
	if b.replay == p.start {
		p.waiting--
		wake = true
	}
	if wake {
		k.ready(p)
	}
}

// ready asks for a turn of p.
func (k *Kernel) ready(p *Proc) {
	if p.ready || p.stopped || p.waiting > 0 {
		return
	}
	p.ready = true
	if !p.busy {
		k.drv.Ready(p)
	}
}
