package host

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Part is a device part on its device: a publisher of what it sees and a server of ops. It is a
// bus.Port for publishing only: bus.Publish(part, topic) gives its tables. What part code puts is
// shown when the step of it that runs ends.
type Part struct {
	Source
	k     *Kernel
	pubs  []*pub
	rows  []Change
	whole []*bus.Decl
	shown bool // a table kept elsewhere moved
}

// Part adds a device part; call it from Options.Wire.
func (k *Kernel) Part(name string) *Part {
	for _, p := range k.parts {
		if p.Name == name {
			return p
		}
	}
	pt := &Part{k: k}
	pt.Name = name
	k.parts = append(k.parts, pt)
	return pt
}

// Serve has f carry an op out. f runs on the device's loop and must not block.
func Serve[Req, Res any](pt *Part, o agent.Op[Req, Res], f func(c Run[Req, Res])) {
	x := pt.k.op(o.OpDecl)
	if x.serve != nil {
		refuse("two serve %s", o.Name)
	}
	if o.Part() != pt.Name {
		refuse("%s serves %s", pt.Name, o.Name)
	}
	x.part = pt
	x.serve = func(r *run) { f(Run[Req, Res]{r}) }
}

// Agent is the part's name, for package bus.
func (pt *Part) Agent() string { return pt.Name }

// Subscribe refuses: parts see their hardware, not topics.
func (pt *Part) Subscribe(d *bus.Decl, _ bus.Mode) *bus.Cursor {
	refuse("part %s subscribes to %s", pt.Name, d)
	return nil
}

// Use refuses: parts do not call ops.
func (pt *Part) Use(any) any {
	refuse("part %s calls ops", pt.Name)
	return nil
}

// Publish claims a topic for the part; see bus.Port.
func (pt *Part) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	sh := pt.k.claim(&pt.Source, d)
	for _, b := range pt.pubs {
		if b.shelf == sh {
			return b.Cursor, pt
		}
	}
	b := &pub{shelf: sh, Cursor: bus.NewWriter(d, sh.Head(), &pt.k.way)}
	pt.pubs = append(pt.pubs, b)
	return b.Cursor, pt
}

// Write takes a put or delete; see bus.Outlet.
func (pt *Part) Write(c *bus.Cursor, key string, val any) {
	for _, b := range pt.pubs {
		if b.Cursor == c {
			b.touch()
			was := c.Value(key)
			rev := c.Put(key, val)
			pt.rows = append(pt.rows,
				Change{Topic: c.Decl, Key: key, Rev: rev, Val: val, Was: was, shelf: b.shelf})
			return
		}
	}
	panic("host: part " + pt.Name + " writes " + c.Decl.String() + " through a foreign cursor")
}

// Complete takes a declaration; see bus.Outlet.
func (pt *Part) Complete(c *bus.Cursor) {
	for _, b := range pt.pubs {
		if b.Cursor == c {
			b.touch()
			c.SetComplete()
			pt.whole = append(pt.whole, c.Decl)
		}
	}
}

// Do runs f as a step of the part: what it puts is shown behind it. For things that happen by
// themselves: a cable is pulled.
func (pt *Part) Do(f func()) {
	if pt.k.dead {
		return
	}
	f()
	pt.flush(nil)
}

// Post runs f as a step of the part; real work may call it from its own goroutine.
func (pt *Part) Post(f func()) { pt.k.drv.Post(func() { pt.Do(f) }) }

// After runs f as a step of the part after d, unless the boot has ended by then.
func (pt *Part) After(d time.Duration, f func()) {
	pt.k.drv.After(d, func() { pt.Do(f) })
}

// Now is the time since boot.
func (pt *Part) Now() time.Duration { return pt.k.drv.Now() }

// Wall is the device's wall clock.
func (pt *Part) Wall() time.Time { return pt.k.drv.Wall() }

// Kernel is the boot the part belongs to.
func (pt *Part) Kernel() *Kernel { return pt.k }

// Draw is a random number for the nth occasion of a kind.
func (pt *Part) Draw(what string, n uint64) uint64 {
	var s bus.Sum
	s.Word(pt.k.base)
	s.Word(pt.k.o.Boot)
	s.String(pt.Name)
	s.String(what)
	s.Word(n)
	return s.Value()
}

// flush shows what the part put, with the end of a run behind it.
func (pt *Part) flush(end *run) {
	if len(pt.rows) == 0 && len(pt.whole) == 0 && end == nil && !pt.shown {
		return
	}
	pt.shown = false
	k := pt.k
	pt.Source.Turn++
	k.sumPart(pt, end)
	b := &Batch{Turn: pt.Source.Turn, end: end}
	for _, x := range pt.pubs {
		if x.dirty {
			x.dirty = false
			if text := x.tooMany(); text != "" {
				k.beyond(x.shelf, text)
			}
			x.shelf.Show(x.Head())
			b.moves = append(b.moves, Move{x.shelf, x.Head()})
		}
	}
	if k.o.Hooks.Shown != nil && len(pt.rows) > 0 {
		k.o.Hooks.Shown(k, &pt.Source, pt.rows)
	}
	clear(pt.rows)
	pt.rows, pt.whole = pt.rows[:0], pt.whole[:0]
	k.spread(&pt.Source, b)
}
