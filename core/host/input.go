package host

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// asked is a call that was asked for and has not been seen to run.
type asked struct {
	t    *table
	c    *call
	told bool // a turn was told that it is queued
}

// input notes what a turn is told, nil where nobody wants to know.
func (k *Kernel) input(p *Proc) *Input {
	if k.o.OnTurn == nil {
		return nil
	}
	in := &k.in
	*in = Input{Agent: p.Name, Boot: k.o.Boot, Start: p.start, Turn: p.Source.Turn, Now: p.turn.Now,
		Wall: p.turn.Wall, Full: p.turn.Full, Due: p.due, Moves: in.Moves[:0], Starts: in.Starts[:0],
		Ends: in.Ends[:0]}
	for _, s := range k.settle {
		in.Moves = append(in.Moves, Move{s.shelf, s.next})
	}
	p.starts(in)
	for _, t := range p.tables {
		for _, key := range t.ended {
			if c := t.find(key); c != nil {
				in.Ends = append(in.Ends, End{t.op.decl.Name, key, c.state})
			}
		}
	}
	return in
}

// starts tells how far the calls are that were asked for.
func (p *Proc) starts(in *Input) {
	for _, a := range p.asked {
		queued := a.c.state.Phase == agent.Queued
		if a.c.off || queued && a.told {
			continue
		}
		in.Starts = append(in.Starts, Start{Op: a.t.op.decl.Name, Key: a.c.key, Fresh: !a.told,
			Queued: queued, Began: a.c.state.Began})
	}
}

// ask notes the calls that a turn asks for, beside those of earlier turns that wait.
func (p *Proc) ask() {
	left := p.asked[:0]
	for _, a := range p.asked {
		if !a.c.off && a.c.state.Phase == agent.Queued {
			left = append(left, asked{a.t, a.c, true})
		}
	}
	for i := range p.out.Calls {
		if o := &p.out.Calls[i]; o.c != nil && !o.c.off {
			left = append(left, asked{t: o.t, c: o.c})
		}
	}
	p.asked = left
}

// Life is what an agent has beside the rows of others: with the tables it was shown, enough to go
// on with its next turn elsewhere.
type Life struct {
	Agent string
	// Start counts the starts since boot, Turn the turns; Draw is where the draws of this start begin.
	Start, Turn, Draw uint64
	// Begun says that it had a turn since its start.
	Begun bool
	// Shown is what its last turn was shown, Own are its own tables as it left them.
	Shown, Own []Move
	Calls      []Held
	Wakes      []Wake
}

// Held is a call as its agent has it.
type Held struct {
	Op    *agent.OpDecl
	Key   string
	Req   any // a pointer to the op's request type
	State agent.CallState
}

// Life is what the agent has between two turns.
func (p *Proc) Life() Life {
	l := Life{Agent: p.Name, Start: p.start, Turn: p.Source.Turn, Draw: p.draw, Begun: p.started}
	for _, s := range p.subs {
		l.Shown = append(l.Shown, Move{s.shelf, s.Head()})
	}
	for _, b := range p.pubs {
		l.Own = append(l.Own, Move{b.shelf, b.Head()})
	}
	for _, t := range p.tables {
		for _, c := range t.calls {
			l.Calls = append(l.Calls, Held{t.op.decl, c.key, c.req, c.state})
		}
	}
	for _, w := range p.wakes {
		l.Wakes = append(l.Wakes, Wake{Key: w.key, At: w.at})
	}
	return l
}

// Draws is where the draws of this start begin: a number of the seed, the device, the agent and the
// count of its starts.
func (p *Proc) Draws() uint64 { return p.draw }

// DrawOf is the random number of a key for an agent whose draws begin at base.
func DrawOf(base uint64, key string) uint64 {
	var s bus.Sum
	s.Word(base)
	s.String(key)
	return s.Value()
}
