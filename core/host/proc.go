package host

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Proc is an agent on a device.
type Proc struct {
	Source
	// Slot is the driver's.
	Slot any

	k       *Kernel
	idx     int
	entry   agent.Entry
	agent   agent.Agent
	subs    []*sub
	byID    []uint8 // shelf id → index into subs, plus 1
	moved   []*sub  // to be shown in the next turn
	pubs    []*pub
	tables  []*table
	wakes   []wake // by time
	due     []string
	turn    *agent.Turn
	out     Output
	rec     *Record // what of out is to be durable, nil if nothing is
	start   uint64  // counts the agent's starts since boot, from 1
	draw    uint64  // base of this start's draws
	waiting int     // replays that must arrive before the first turn
	started bool    // had its first turn since its start
	ready   bool    // a turn is asked for
	busy    bool    // its last turn is not durable yet
	stopped bool
	panics  int
	fuel    fuel
	health  health
	alarms  []time.Duration // asked for and not come, latest first
	asked   []asked         // calls that were not seen to run, where a recorder wants to know
}

type sub struct {
	shelf *shelf
	*bus.Cursor
	next  bus.Head
	mode  bus.Mode
	moved bool
}

type pub struct {
	shelf *shelf
	*bus.Cursor
	was   bus.Head // before the turn
	dirty bool
}

type wake struct {
	key string
	at  time.Duration
}

func newProc(k *Kernel, i int, e agent.Entry) *Proc {
	p := &Proc{k: k, idx: i, entry: e, start: 1}
	p.Name = e.Name
	p.turn = agent.NewTurn(p)
	p.reseed()
	return p
}

func (p *Proc) reseed() {
	var s bus.Sum
	s.Word(p.k.base)
	s.String(p.Name)
	s.Word(p.start)
	p.draw = s.Value()
}

// Agent is the name, for package bus.
func (p *Proc) Agent() string { return p.Name }

// Started counts the agent's starts since boot.
func (p *Proc) Started() uint64 { return p.start }

// Stopped reports whether the agent was given up after panics.
func (p *Proc) Stopped() bool { return p.stopped }

// Subscribe attaches the agent to a topic; see bus.Port.
func (p *Proc) Subscribe(d *bus.Decl, m bus.Mode) *bus.Cursor {
	if d.Life == bus.Local {
		refuse("%s subscribes to %s, which is private", p.Name, d)
	}
	sh := p.k.shelf(d)
	for len(p.byID) <= int(sh.id) {
		p.byID = append(p.byID, 0)
	}
	if i := p.byID[sh.id]; i > 0 {
		s := p.subs[i-1]
		s.mode = min(s.mode, m)
		return s.Cursor
	}
	s := &sub{shelf: sh, Cursor: bus.NewCursor(d, sh.Head()), next: sh.Head(), mode: m}
	if p.subs = append(p.subs, s); len(p.subs) > math.MaxUint8 {
		refuse("%s subscribes to too many topics, the last is %s", p.Name, d)
	}
	p.byID[sh.id] = uint8(len(p.subs))
	sh.mask |= 1 << p.idx
	return s.Cursor
}

func (p *Proc) subOf(sh *shelf) *sub { return p.subs[p.byID[sh.id]-1] }

// Publish claims a topic for the agent; see bus.Port.
func (p *Proc) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	sh := p.k.claim(&p.Source, d)
	for _, b := range p.pubs {
		if b.shelf == sh {
			return b.Cursor, p
		}
	}
	b := &pub{shelf: sh, Cursor: bus.NewWriter(d, sh.Head(), &p.k.way)}
	p.pubs = append(p.pubs, b)
	return b.Cursor, p
}

// Use declares an op the agent calls; see bus.Port.
func (p *Proc) Use(v any) any {
	d := v.(*agent.OpDecl)
	o := p.k.op(d)
	for _, t := range p.tables {
		if t.op == o {
			return t
		}
	}
	o.caller(p.Name)
	t := &table{p: p, op: o}
	p.tables = append(p.tables, t)
	return t
}

// Write takes a put or delete of the turn; see bus.Outlet.
func (p *Proc) Write(c *bus.Cursor, key string, val any) {
	b := p.pubOf(c)
	b.touch()
	was := c.Value(key)
	rev := c.Put(key, val)
	p.out.Rows = append(p.out.Rows,
		Change{Topic: c.Decl, Key: key, Rev: rev, Val: val, Was: was, shelf: b.shelf})
}

// Complete takes a declaration of the turn; see bus.Outlet.
func (p *Proc) Complete(c *bus.Cursor) {
	b := p.pubOf(c)
	if len(b.shelf.aside) > 0 {
		return // rows that cannot be read are part of the truth
	}
	b.touch()
	c.SetComplete()
	p.out.Whole = append(p.out.Whole, c.Decl)
}

func (p *Proc) pubOf(c *bus.Cursor) *pub {
	for _, b := range p.pubs {
		if b.Cursor == c {
			return b
		}
	}
	panic("host: " + p.Name + " writes " + c.Decl.String() + " through a foreign cursor")
}

func (b *pub) touch() {
	if !b.dirty {
		b.dirty, b.was = true, b.Head()
	}
}

// Wake sets a deadline; see agent.Host.
func (p *Proc) Wake(key string, at time.Duration) {
	was := p.deadline(key)
	if was == at {
		return
	}
	p.setDeadline(key, at)
	p.out.Wakes = append(p.out.Wakes, Wake{Key: key, At: at, was: was})
	if len(p.wakes) > p.k.o.Limits.Deadlines {
		panic("host: " + p.Name + " has too many deadlines, the newest is " + key)
	}
}

// none is the time of a deadline that is not set.
const none time.Duration = -1

// deadline is when the deadline of a key passes.
func (p *Proc) deadline(key string) time.Duration {
	for i := range p.wakes {
		if p.wakes[i].key == key {
			return p.wakes[i].at
		}
	}
	return none
}

// setDeadline moves a deadline, or drops it.
func (p *Proc) setDeadline(key string, at time.Duration) {
	for i := range p.wakes {
		if p.wakes[i].key == key {
			p.wakes = slices.Delete(p.wakes, i, i+1)
			break
		}
	}
	if at == none {
		return
	}
	i := sort.Search(len(p.wakes), func(i int) bool {
		w := &p.wakes[i]
		return w.at > at || w.at == at && w.key > key
	})
	p.wakes = slices.Insert(p.wakes, i, wake{key, at})
}

// Unwake drops a deadline; see agent.Host.
func (p *Proc) Unwake(key string) {
	if was := p.deadline(key); was != none {
		p.setDeadline(key, none)
		p.out.Wakes = append(p.out.Wakes, Wake{Key: key, At: none, was: was})
	}
}

// Due lists spent deadlines; see agent.Host.
func (p *Proc) Due() []string { return p.due }

// Draw is the random number of a key; see agent.Host.
func (p *Proc) Draw(key string) uint64 { return DrawOf(p.draw, key) }

// Log takes a line of the turn; see agent.Host.
func (p *Proc) Log(l agent.Line) { p.out.Lines = append(p.out.Lines, l) }

// Kernel is the boot the agent belongs to.
func (p *Proc) Kernel() *Kernel { return p.k }
