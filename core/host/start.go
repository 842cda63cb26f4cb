package host

import "github.com/evetwin/evetwin/core/bus"

// launch begins a start of an agent: what its topics hold is shown to it, link by link; its first
// turn waits until that has arrived.
func (k *Kernel) launch(p *Proc) {
	var last *Source
	byLink := map[*Source]*Batch{}
	var order []*Source
	for _, s := range p.subs {
		src := s.shelf.owner
		if src == nil || src == &p.Source {
			continue
		}
		b := byLink[src]
		if b == nil {
			b = &Batch{Turn: src.Turn, replay: p.start}
			byLink[src] = b
			order = append(order, src)
		}
		b.moves = append(b.moves, Move{s.shelf, s.shelf.Head()})
		last = src
	}
	if last == nil {
		k.ready(p)
		return
	}
	p.waiting = len(order)
	for _, src := range order {
		k.drv.Deliver(k.link(src, p), byLink[src])
	}
}

// Crash ends an agent as if its process died, and starts it again: its Local rows, its deadlines,
// its calls and what it knew of outcomes are lost. Runs go on or are cancelled, as cancel draws
// for each.
func (k *Kernel) Crash(p *Proc, cancel func(op, key string) bool) {
	if k.dead {
		return
	}
	for _, t := range p.tables {
		for _, c := range t.calls {
			c.off = true
			if r := c.run; r != nil && !r.ended {
				r.call = nil
				if cancel != nil && cancel(t.op.decl.Name, c.key) {
					r.cancel()
				}
			}
		}
		t.calls, t.ended = nil, nil
	}
	for _, b := range p.pubs {
		if b.shelf.Decl.Life == bus.Local {
			// The gap of one says that this history does not go on from the one before.
			h := bus.Empty(b.Head().Rev() + 1)
			b.Reset(h)
			b.shelf.Show(h)
		}
	}
	k.restart(p)
	if k.o.Hooks.Crashed != nil {
		k.o.Hooks.Crashed(k, p.Name)
	}
}

// restart begins a new start of an agent.
func (k *Kernel) restart(p *Proc) {
	p.wakes, p.due, p.panics, p.asked = p.wakes[:0], p.due[:0], 0, nil
	p.start++
	p.reseed()
	p.started, p.ready, p.stopped = false, false, false
	p.rebuild()
	k.launch(p)
}

// Stop gives an agent up: it gets no more turns until the device boots again.
func (k *Kernel) Stop(p *Proc) { p.stopped = true }

// Recover gives an agent whose turn panicked another try, from a full turn; after the third panic
// in a row it is given up, and Recover reports false. For Options.OnPanic.
func (k *Kernel) Recover(p *Proc) bool {
	p.panics++
	if p.panics >= 3 {
		k.Stop(p)
		return false
	}
	p.started = false
	p.rebuild()
	k.ready(p)
	return true
}

// CancelAll asks every run to end, and none begins any more: the host stops.
func (k *Kernel) CancelAll() {
	k.closing = true
	for _, p := range k.procs {
		for _, t := range p.tables {
			for _, r := range append([]*run(nil), t.fences...) {
				r.call = nil
				r.cancel()
			}
		}
	}
}
