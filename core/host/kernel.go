package host

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Driver is what a host must know and do for its kernels. All calls happen on the device's loop,
// and it calls the kernel back there only.
type Driver interface {
	// Now is the time since the device booted.
	Now() time.Duration
	// Wall is the device's wall clock; it may jump.
	Wall() time.Time
	// Deliver calls Kernel.Arrive(l, b) later, behind all that was delivered over l before.
	Deliver(l *Link, b *Batch)
	// Ready calls Kernel.Turn(p) at this instant, behind the deliveries of this instant.
	Ready(p *Proc)
	// Alarm calls Kernel.Alarm(p) at the given time.
	Alarm(p *Proc, at time.Duration)
	// After calls f after d, unless the boot has ended by then.
	After(d time.Duration, f func())
	// Durable stores a record and calls then when it survives a power cut.
	Durable(r *Record, then func())
	// Go runs work where it may block and then calls then on the loop. Virtual hosts refuse.
	Go(work, then func())
	// Post runs f on the loop; the only method that other goroutines may call.
	Post(f func())
}

// Options of a kernel.
type Options struct {
	Device string // name, part of every draw
	Seed   uint64
	// Branch is what the draws were mixed with before this boot, see Kernel.Reseed; 0: with nothing.
	Branch uint64
	Boot   uint64 // counts from 1; revisions grow with it
	Agents []agent.Entry
	// Wire is called once, before any agent starts: it declares parts, what they publish and serve.
	Wire func(k *Kernel)
	// Stored are the persistent rows of earlier boots.
	Stored []Stored
	// Rebuild and FullTurn are how often an agent is rebuilt before a turn and a full turn is forced
	// behind one: one in n turns by draw, 0 never.
	Rebuild, FullTurn uint64
	// Record takes every turn. Play is played until Kernel.Live, while agents keep still: they are not
	// run, nor rebuilt. Either may be nil.
	Record, Play *Tape
	// Limits on churn; the zero value has the defaults.
	Limits Limits
	// Causes is how many of the last turns Kernel.Causes tells about; 0 means 64.
	Causes int
	// AnyOp serves ops that no part serves, and lets a topic that nobody publishes be published by a
	// part of its owner's name: for tests of one agent alone. nil refuses such a wiring.
	AnyOp func(c AnyRun)
	// Elsewhere is the rest of a device whose agents run in several processes; nil: there is none.
	Elsewhere *Elsewhere
	// OnTurn sees each turn after it was committed to; nil costs nothing.
	OnTurn func(p *Proc, in *Input, out *Output)
	// OnLine takes log lines.
	OnLine func(from string, at time.Duration, l agent.Line)
	// Hooks are for those around the device.
	Hooks Hooks
	// OnPanic decides what happens to a broken agent: nil lets the panic through.
	OnPanic func(p *Proc, cause any)
	// Stack is the stack of the goroutine that calls it, for lines about parts that panic.
	Stack func() string
}

// Kernel is one boot of one device.
type Kernel struct {
	o       Options
	drv     Driver
	name    uint64 // of seed and device: what orders equal times
	base    uint64 // of all draws
	procs   []*Proc
	parts   []*Part
	shelves []*shelf
	byName  map[string]*shelf // while the wiring is made
	ops     []*op
	classes []*class
	stored  map[string][]Stored
	dead    bool
	closing bool // no call starts any more
	ring    ring
	turns   uint64
	sweep   time.Duration    // when limits of runs are looked at; 0: no run
	runs    map[runID]uint64 // counts of runs since the boot, where hooks want to know
	empty   bus.Head         // of every topic, before anything is put

	// Memory that is used for one turn after the other, whoever takes it.
	way    bus.Way
	settle []*sub // shown in this turn
	spare  Output // empty
	in     Input
}

// shelf is a topic on this device.
type shelf struct {
	bus.Shelf
	owner *Source
	mask  uint64 // procs that subscribe
	churn churn
	aside map[string]bool // keys of stored rows that cannot be read
	id    uint16
	over  bool // a line has said that it is beyond its limits
}

// maxProcs bounds the agents of a device: a set of them is one word.
const maxProcs = 64

// New builds a device's kernel: parts first, then the agents. Nothing runs before Start. It fails
// if two publish one topic, two call one op, or a needed topic or an op has nobody behind it.
func New(drv Driver, o Options) (k *Kernel, err error) {
	defer func() {
		if r := recover(); r != nil {
			w, ok := r.(wiringError)
			if !ok {
				panic(r)
			}
			k, err = nil, fmt.Errorf("wire device %s: %s", o.Device, string(w))
		}
	}()
	if o.Boot == 0 {
		o.Boot = 1
	}
	if len(o.Agents) > maxProcs {
		return nil, fmt.Errorf("wire device %s: %d agents, at most %d", o.Device, len(o.Agents), maxProcs)
	}
	k = &Kernel{o: o, drv: drv, byName: map[string]*shelf{}, stored: map[string][]Stored{},
		empty: bus.Empty(o.Boot << 32)}
	k.o.Limits.defaults()
	if o.Elsewhere != nil {
		k.o.AnyOp = o.Elsewhere.Call
	}
	if k.o.Causes == 0 {
		k.o.Causes = 64
	}
	var s bus.Sum
	s.Word(o.Seed)
	s.String(o.Device)
	k.name = s.Value()
	k.base = branch(k.name, o.Branch)
	for _, r := range o.Stored {
		k.stored[r.Topic] = append(k.stored[r.Topic], r)
	}
	if o.Wire != nil {
		o.Wire(k)
	}
	for i, e := range o.Agents {
		if k.Proc(e.Name) != nil {
			refuse("agent %s is there twice", e.Name)
		}
		p := newProc(k, i, e)
		k.procs = append(k.procs, p)
		p.agent = e.New(p)
	}
	k.check()
	k.byName, k.stored, k.o.Stored = nil, nil, nil
	k.clip()
	for _, t := range []*Tape{o.Record, o.Play} {
		if t != nil {
			t.load(k)
		}
	}
	return k, nil
}

// clip gives back the room that lists had to grow: from here on they have the length they have.
func (k *Kernel) clip() {
	k.shelves, k.parts, k.ops = slices.Clone(k.shelves), slices.Clone(k.parts), slices.Clone(k.ops)
	for _, p := range k.procs {
		p.subs, p.pubs, p.tables = slices.Clone(p.subs), slices.Clone(p.pubs), slices.Clone(p.tables)
	}
	for _, pt := range k.parts {
		pt.pubs = slices.Clone(pt.pubs)
	}
}

type wiringError string

func refuse(format string, args ...any) { panic(wiringError(fmt.Sprintf(format, args...))) }

// check refuses a wiring with loose ends.
func (k *Kernel) check() {
	if k.o.AnyOp != nil {
		k.serveRest()
		return
	}
	for _, p := range k.procs {
		for _, s := range p.subs {
			if s.mode == bus.Needed && s.shelf.owner == nil {
				refuse("%s needs %s, which nobody publishes", p.Name, s.shelf.Decl)
			}
		}
		for _, t := range p.tables {
			if t.op.serve == nil {
				refuse("%s calls %s, which no part serves", p.Name, t.op.decl.Name)
			}
		}
	}
}

// shelf finds or makes the table of a topic.
func (k *Kernel) shelf(d *bus.Decl) *shelf {
	if s := k.find(d); s != nil {
		return s
	}
	name := d.String()
	if k.named(name) {
		refuse("topic %s is declared twice", name)
	}
	s := &shelf{Shelf: bus.ShelfAt(d, k.empty), id: uint16(len(k.shelves))}
	if k.o.Elsewhere != nil {
		k.hold(s)
	} else if d.Life == bus.Persistent {
		for _, r := range k.stored[name] {
			k.load(s, r)
		}
	}
	if k.byName != nil {
		k.byName[name] = s
	}
	k.shelves = append(k.shelves, s)
	return s
}

// named reports whether there is a topic of that name.
func (k *Kernel) named(name string) bool {
	if k.byName != nil {
		return k.byName[name] != nil
	}
	return slices.ContainsFunc(k.shelves, func(s *shelf) bool { return s.Decl.String() == name })
}

// find is the table of a topic, nil if the device has none.
func (k *Kernel) find(d *bus.Decl) *shelf {
	for _, s := range k.shelves {
		if s.Decl == d {
			return s
		}
	}
	return nil
}

// say writes an error of the host's own.
func (k *Kernel) say(from, about, text string) {
	if k.o.OnLine != nil {
		k.o.OnLine(from, k.drv.Now(), agent.Line{Level: agent.Err, About: about, Text: text})
	}
}

// claim makes src the publisher of a topic.
func (k *Kernel) claim(src *Source, d *bus.Decl) *shelf {
	if d.Owner != src.Name {
		refuse("%s publishes %s, which is %s's", src.Name, d, d.Owner)
	}
	s := k.shelf(d)
	if s.owner != nil && s.owner != src {
		refuse("two publish %s", d)
	}
	s.owner = src
	return s
}

// Start lets the agents begin: what their topics hold is shown to them, then they get first turns.
func (k *Kernel) Start() {
	for _, pt := range k.parts {
		pt.flush(nil)
	}
	for _, p := range k.procs {
		k.launch(p)
	}
}

// Kill ends the boot at this instant: power is gone. Nothing of it runs or lands any more; the
// contexts of real work end.
func (k *Kernel) Kill() {
	k.dead = true
	for _, p := range k.procs {
		for _, t := range p.tables {
			for _, r := range t.fences {
				if r.stop != nil {
					r.stop()
				}
			}
		}
	}
}

// Dead reports whether the boot has ended.
func (k *Kernel) Dead() bool { return k.dead }

// Device is the device's name.
func (k *Kernel) Device() string { return k.o.Device }

// BootCount is the number of this boot, from 1.
func (k *Kernel) BootCount() uint64 { return k.o.Boot }

// Now is the time since boot.
func (k *Kernel) Now() time.Duration { return k.drv.Now() }

// Wall is the device's wall clock.
func (k *Kernel) Wall() time.Time { return k.drv.Wall() }

// Turns counts the turns of all agents since boot.
func (k *Kernel) Turns() uint64 { return k.turns }

// Procs are the agents in roster order.
func (k *Kernel) Procs() []*Proc { return k.procs }

// Proc finds an agent by name, nil if it is not on this device.
func (k *Kernel) Proc(name string) *Proc {
	for _, p := range k.procs {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Head is what a topic shows at this instant; ok is false where the device does not have the topic.
func (k *Kernel) Head(d *bus.Decl) (h bus.Head, ok bool) {
	s := k.find(d)
	if s == nil {
		return bus.Head{}, false
	}
	return s.Head(), true
}

// Topics are all topics of the device, in order of their names; Local ones included.
func (k *Kernel) Topics() []*bus.Decl {
	out := make([]*bus.Decl, len(k.shelves))
	for i, s := range k.shelves {
		out[i] = s.Decl
	}
	sort.Slice(out, func(i, j int) bool { return out[i].String() < out[j].String() })
	return out
}

// Stuck lists runs that went past their limit and have not ended: "op/key".
func (k *Kernel) Stuck() []string {
	var out []string
	for _, p := range k.procs {
		for _, t := range p.tables {
			for _, r := range t.fences {
				if r.over && !r.ended {
					out = append(out, t.op.decl.Name+"/"+r.key)
				}
			}
		}
	}
	return out
}
