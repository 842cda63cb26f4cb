package host

import (
	"github.com/evetwin/evetwin/core/bus"
)

// commit makes a turn's effects real: durable, visible, started.
func (k *Kernel) commit(p *Proc, in *Input) {
	out := &p.out
	k.ring.add(p, out)
	if in != nil {
		k.o.OnTurn(p, in, out)
		p.ask()
	}
	if k.o.OnLine != nil {
		for _, l := range out.Lines {
			k.o.OnLine(p.Name, p.turn.Now, l)
		}
	}
	p.spend()
	if p.rec == nil {
		k.publish(p, true)
		return
	}
	p.busy = true
	start := p.start
	k.drv.Durable(p.rec, func() {
		if k.dead {
			return
		}
		k.publish(p, p.start == start)
		p.busy = false
		if p.ready {
			k.drv.Ready(p)
		}
	})
}

// seal holds a turn against the limits, sums it and encodes what is to be durable: all that may
// find a turn unfit, before anything of it has effect.
func (k *Kernel) seal(p *Proc) {
	for _, b := range p.pubs {
		if b.dirty {
			if text := b.tooMany(); text != "" {
				panic(text)
			}
		}
	}
	k.sumTurn(p)
	p.rec = k.record(p)
}

// publish shows the rows of a durable turn and starts its calls.
func (k *Kernel) publish(p *Proc, alive bool) {
	p.replace()
	n := 0
	for _, b := range p.pubs {
		if b.dirty && b.shelf.Decl.Life != bus.Local {
			n++
		}
	}
	var batch *Batch
	if n > 0 {
		batch = &Batch{Turn: p.Source.Turn, moves: make([]Move, 0, n)}
	}
	for _, b := range p.pubs {
		if !b.dirty {
			continue
		}
		b.dirty = false
		b.shelf.Show(b.Head())
		if b.shelf.Decl.Life != bus.Local {
			batch.moves = append(batch.moves, Move{b.shelf, b.Head()})
		}
	}
	if k.o.Hooks.Shown != nil && len(p.out.Rows) > 0 {
		k.o.Hooks.Shown(k, &p.Source, p.out.Rows)
	}
	if batch != nil {
		k.spread(&p.Source, batch)
	}
	if alive {
		for i := range p.out.Calls {
			k.carry(&p.out.Calls[i])
		}
		k.setAlarm(p)
	}
	p.giveBack()
}

// replace forgets the rows that were set aside and are put anew.
func (p *Proc) replace() {
	for i := range p.out.Rows {
		r := &p.out.Rows[i]
		delete(r.shelf.aside, r.Key)
	}
}
