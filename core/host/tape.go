package host

import (
	"fmt"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Tape holds what the agents did in the turns of one boot. A boot of another world that is the same
// up to an instant plays it instead of running the agents: parts, links, calls and whoever watches
// see the same, and what Step costs is saved. Rows, requests and records on it are shared by all
// who play it. The zero value is empty; Options.Record fills it, Options.Play plays it.
type Tape struct {
	agents []string
	turns  [][]taken // by agent, in order
}

// taken is one turn on a tape: when it was, and its output with nothing in it of its own device.
type taken struct {
	start uint64
	now   time.Duration
	rows  []takenRow
	calls []takenCall
	wakes []Wake
	lines []agent.Line
	whole []uint8 // of the agent's topics
	sum   bus.Sum // of the agent, behind the turn
	rec   *Record
}

type takenRow struct {
	pub uint8
	key string
	rev uint64
	val any
}

type takenCall struct {
	table uint8
	verb  Verb
	key   string
	req   any
}

// Turns counts the turns on the tape.
func (t *Tape) Turns() (n int) {
	for _, list := range t.turns {
		n += len(list)
	}
	return n
}

// load makes a tape one of a device's agents, or finds that it is of others.
func (t *Tape) load(k *Kernel) {
	var names []string
	for _, p := range k.procs {
		names = append(names, p.Name)
	}
	if t.agents == nil {
		t.agents, t.turns = names, make([][]taken, len(names))
	}
	if !slices.Equal(t.agents, names) {
		panic(fmt.Sprintf("host: the tape is of agents %v, the device has %v", t.agents, names))
	}
}

// take puts the turn that was sealed on the tape.
func (t *Tape) take(p *Proc) {
	x := taken{start: p.start, now: p.turn.Now, wakes: slices.Clone(p.out.Wakes),
		lines: slices.Clone(p.out.Lines), sum: p.sum, rec: p.rec}
	if n := len(p.out.Rows); n > 0 {
		x.rows = make([]takenRow, n)
	}
	for i := range p.out.Rows {
		r := &p.out.Rows[i]
		x.rows[i] = takenRow{p.pubIndex(r.Topic), r.Key, r.Rev, r.Val}
	}
	for _, d := range p.out.Whole {
		x.whole = append(x.whole, p.pubIndex(d))
	}
	for i := range p.out.Calls {
		o := &p.out.Calls[i]
		x.calls = append(x.calls, takenCall{uint8(slices.Index(p.tables, o.t)), o.Verb, o.Key, o.Req})
	}
	t.turns[p.idx] = append(t.turns[p.idx], x)
	if len(t.turns[p.idx]) != int(p.Source.Turn) {
		panic(fmt.Sprintf("host: turn %d of %s is number %d on the tape", p.Source.Turn, p.Name,
			len(t.turns[p.idx])))
	}
}

func (p *Proc) pubIndex(d *bus.Decl) uint8 {
	return uint8(slices.IndexFunc(p.pubs, func(b *pub) bool { return b.shelf.Decl == d }))
}

// play does what the tape has for the turn that has begun. A turn that is not on it, or that was at
// another time, is no turn of the world that was recorded.
func (t *Tape) play(p *Proc) {
	n, list := p.Source.Turn, t.turns[p.idx]
	if n > uint64(len(list)) {
		panic(fmt.Sprintf("host: the tape has %d turns of %s, and no turn %d at %v", len(list), p.Name,
			n, p.turn.Now))
	}
	x := &list[n-1]
	if x.now != p.turn.Now || x.start != p.start {
		panic(fmt.Sprintf("host: turn %d of %s is at %v in start %d, on the tape at %v in start %d", n,
			p.Name, p.turn.Now, p.start, x.now, x.start))
	}
	for i := range x.rows {
		r := &x.rows[i]
		p.Write(p.pubs[r.pub].Cursor, r.key, r.val)
		c := &p.out.Rows[i]
		if c.Rev != r.rev {
			panic(fmt.Sprintf("host: row %s of %s is revision %d, on the tape %d", r.key, c.Topic, c.Rev,
				r.rev))
		}
		p.k.beat(&p.Source, c)
	}
	for _, i := range x.whole {
		p.Complete(p.pubs[i].Cursor)
	}
	for i := range x.calls {
		switch c, tab := &x.calls[i], p.tables[x.calls[i].table]; c.verb {
		case Want:
			tab.Want(c.key, c.req)
		case Redo:
			tab.Redo(c.key)
		case Drop:
			tab.Drop(c.key)
		}
	}
	for _, w := range x.wakes {
		if w.At == none {
			p.Unwake(w.Key)
		} else {
			p.Wake(w.Key, w.At)
		}
	}
	p.out.Lines = append(p.out.Lines, x.lines...)
	if p.sum, p.rec = x.sum, x.rec; p.rec != nil {
		p.k.wear(p)
	}
}

// Live ends the playing of a tape: from here on agents run. Each is as one that was rebuilt.
func (k *Kernel) Live() { k.o.Play = nil }
