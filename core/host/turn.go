package host

import (
	"fmt"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Alarm gives p a turn if a deadline has passed, and asks for the next alarm.
func (k *Kernel) Alarm(p *Proc) {
	if k.dead || p.stopped {
		return
	}
	for n := len(p.alarms); n > 0 && p.alarms[n-1] <= k.drv.Now(); n-- {
		p.alarms = p.alarms[:n-1]
	}
	if len(p.wakes) > 0 && p.wakes[0].at <= k.drv.Now() {
		k.ready(p)
		return
	}
	k.setAlarm(p)
}

// setAlarm asks for an alarm at the first deadline, unless one is asked for by then: the alarms
// that are under way stand on a stack, the next one on top.
func (k *Kernel) setAlarm(p *Proc) {
	if len(p.wakes) == 0 {
		return
	}
	if at, n := p.wakes[0].at, len(p.alarms); n == 0 || at < p.alarms[n-1] {
		p.alarms = append(p.alarms, at)
		k.drv.Alarm(p, at)
	}
}

// Turn runs one step of p and commits it.
func (k *Kernel) Turn(p *Proc) {
	if k.dead || p.stopped || p.busy || p.waiting > 0 || !p.ready {
		return
	}
	p.ready = false
	now := k.drv.Now()
	k.turns++
	p.Source.Turn++
	k.burn(p, now)
	p.begin(now)
	in := k.input(p)
	if k.o.Play != nil {
		k.o.Play.play(p)
		p.started = true
		k.commit(p, in)
		return
	}
	if n := k.o.Rebuild; n > 0 && p.started && k.chance(p, 1, n) {
		p.rebuild()
	}
	if !k.step(p) {
		return
	}
	p.started = true
	if k.o.Record != nil {
		k.o.Record.take(p)
	}
	if n := k.o.FullTurn; n > 0 && k.chance(p, 2, n) {
		k.again(p)
	}
	k.commit(p, in)
}

// spend forgets what the turn was told; what arrives from now on belongs to the next one.
func (p *Proc) spend() {
	p.k.settled()
	p.due = p.due[:0]
	for _, t := range p.tables {
		t.ended = t.ended[:0]
	}
}

// settled makes what this turn was shown no change any more.
func (k *Kernel) settled() {
	for i, s := range k.settle {
		s.Settle()
		k.settle[i] = nil
	}
	k.settle = k.settle[:0]
}

// chance draws one in n for this turn of p.
func (k *Kernel) chance(p *Proc, what, n uint64) bool {
	return (p.draw^(p.Source.Turn*4+what)*0xBF58476D1CE4E5B9)>>20%n == 0
}

// begin moves what the turn sees: clocks, spent deadlines, tables.
func (p *Proc) begin(now time.Duration) {
	t := p.turn
	t.Now, t.Wall, t.Full = now, p.k.drv.Wall(), !p.started
	n := 0
	for n < len(p.wakes) && p.wakes[n].at <= now {
		p.due = append(p.due, p.wakes[n].key)
		n++
	}
	if n > 0 {
		p.wakes = slices.Delete(p.wakes, 0, n)
		slices.Sort(p.due)
	}
	p.out, p.k.spare = p.k.spare, Output{}
	for _, s := range p.moved {
		s.Advance(s.next)
		s.moved = false
		p.k.settle = append(p.k.settle, s)
	}
	p.moved = p.moved[:0]
	if t.Full {
		p.full()
	}
}

// full makes every row count as changed in this turn.
func (p *Proc) full() {
	k := p.k
	k.settle = k.settle[:0]
	for _, s := range p.subs {
		s.Full()
		k.settle = append(k.settle, s)
	}
}

// rebuild makes the agent anew from its wiring; nothing may depend on what it kept to itself.
func (p *Proc) rebuild() { p.agent = p.entry.New(p) }

// step runs the agent and reports whether the turn stands.
func (k *Kernel) step(p *Proc) (stands bool) {
	if k.o.OnPanic == nil {
		p.agent.Step(p.turn)
		k.seal(p)
		return true
	}
	was := p.sum
	defer func() {
		if r := recover(); r != nil {
			stands, p.sum = false, was
			p.discard()
			k.o.OnPanic(p, r)
		}
	}()
	p.agent.Step(p.turn)
	k.seal(p)
	p.panics = 0
	return true
}

// again forces a full turn behind the one that just ran: the world stands still, so it must do
// nothing.
func (k *Kernel) again(p *Proc) {
	was, lines := p.out.mark(), len(p.out.Lines)
	due := p.due
	full := p.turn.Full
	p.due, p.turn.Full = nil, true
	p.full()
	p.agent.Step(p.turn)
	p.due, p.turn.Full = due, full
	if p.out.mark() != was {
		panic(fmt.Sprintf("host: %s is not idempotent: a full turn in which nothing moved did:%s",
			p.Name, p.out.since(was)))
	}
	p.out.Lines = p.out.Lines[:lines]
}

// giveBack ends the use of the memory of the turn's output.
func (p *Proc) giveBack() {
	p.out.reset()
	p.k.spare, p.out = p.out, Output{}
}

// discard undoes a turn that panicked.
func (p *Proc) discard() {
	for _, b := range p.pubs {
		if b.dirty {
			b.Reset(b.was)
			b.dirty = false
		}
	}
	for i := len(p.out.Calls) - 1; i >= 0; i-- {
		p.out.Calls[i].undo()
	}
	for i := len(p.out.Wakes) - 1; i >= 0; i-- {
		p.setDeadline(p.out.Wakes[i].Key, p.out.Wakes[i].was)
	}
	p.giveBack()
	p.k.settled()
}

var _ agent.Host = (*Proc)(nil)
