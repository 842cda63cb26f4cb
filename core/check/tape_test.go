package check

import (
	"cmp"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// tape is a device made by hand: what happens to it is told to a checker.
type tape struct {
	t      *testing.T
	c      *Checker
	tables map[*bus.Decl]*bus.Cursor
	now    time.Duration
	boots  uint64
	dead   bool
	load   []host.Load
	way    bus.Way
	batch  []Change
	open   bool
}

// start begins a tape for one rule, in its first boot; nothing has been shown yet.
func start(t *testing.T, r Rule) *tape {
	return &tape{t: t, c: New([]Rule{r}, "edge"), tables: map[*bus.Decl]*bus.Cursor{}, boots: 1}
}

func (tp *tape) Head(d *bus.Decl) (bus.Head, bool) {
	return tp.table(d).Head(), true
}

func (tp *tape) Topics() (out []*bus.Decl) {
	for d := range tp.tables { //order: sorted below
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *bus.Decl) int { return cmp.Compare(a.String(), b.String()) })
	return out
}

func (tp *tape) Now() time.Duration { return tp.now }
func (tp *tape) Wall() time.Time    { return time.Unix(1e9, 0).Add(tp.now) }
func (tp *tape) BootCount() uint64  { return tp.boots }
func (tp *tape) Dead() bool         { return tp.dead }
func (tp *tape) Loads() iter.Seq[host.Load] {
	return slices.Values(tp.load)
}

func (tp *tape) table(d *bus.Decl) *bus.Cursor {
	c := tp.tables[d]
	if c == nil {
		c = bus.NewWriter(d, bus.Empty(tp.boots<<32), &tp.way)
		tp.tables[d] = c
	}
	return c
}

// put shows a row as a turn of its own, or as part of one.
func put[V bus.Row](tp *tape, t bus.Topic[V], row V) {
	c := tp.table(t.Decl)
	was := c.Value(row.Key())
	rev := c.Put(row.Key(), &row)
	tp.show(Change{Topic: t.Decl, Key: row.Key(), Rev: rev, Val: &row, Was: was})
}

func del[V bus.Row](tp *tape, t bus.Topic[V], key string) {
	c := tp.table(t.Decl)
	was := c.Value(key)
	rev := c.Put(key, nil)
	tp.show(Change{Topic: t.Decl, Key: key, Rev: rev, Was: was})
}

func whole[V bus.Row](tp *tape, t bus.Topic[V]) { tp.table(t.Decl).SetComplete() }

func (tp *tape) show(r Change) {
	tp.batch = append(tp.batch, r)
	if !tp.open {
		tp.flush()
	}
}

func (tp *tape) flush() {
	rows := tp.batch
	tp.batch = nil
	tp.c.Shown(tp, rows[0].Topic.Owner, rows)
}

// turn shows all that f puts at once.
func (tp *tape) turn(f func()) {
	tp.open = true
	f()
	tp.open = false
	tp.flush()
}

// begin begins a run; ended, called with its result or nil, ends it.
func begin[Req, Res any](tp *tape, o agent.Op[Req, Res], caller, key string,
	req Req) (ended func(*Res)) {
	r := host.Ran{Op: o.Name, Key: key, Caller: caller, Began: tp.now, Req: &req}
	tp.c.Began(tp, &r)
	return func(res *Res) {
		x := r
		if res != nil {
			x.Res = res
		} else {
			x.Fault = &agent.Fault{Code: "made"}
		}
		tp.c.Ended(tp, &x)
	}
}

// wait lets time go by.
func (tp *tape) wait(d time.Duration) { tp.now += d }

// reboot is a new boot of the device, with the persistent rows of keep.
func (tp *tape) reboot(keep func(d *bus.Decl, key string) bool) *tape {
	tp.dead = true
	next := &tape{t: tp.t, c: tp.c, tables: map[*bus.Decl]*bus.Cursor{}, boots: tp.boots + 1}
	for d, c := range tp.tables { //order: each goes to its own table
		if d.Life != bus.Persistent {
			continue
		}
		s := bus.NewShelf(d, next.boots<<32)
		h := c.Head()
		for key, row := range h.All() {
			if keep == nil || keep(d, key) {
				_, rev := h.Get(key)
				s.Load(key, rev, row)
			}
		}
		next.tables[d] = bus.NewWriter(d, s.Head(), &next.way)
	}
	return next
}

// end heals the device, lets it be and ends the run.
func (tp *tape) end() {
	tp.c.Healed()
	tp.wait(Patience)
	tp.c.End()
}

// keeps wants the rule to hold, having judged something.
func (tp *tape) keeps() {
	tp.t.Helper()
	for _, v := range tp.c.Violations() {
		tp.t.Errorf("the rule does not hold: %s", v)
	}
	if tp.c.Judged()[0].N == 0 {
		tp.t.Error("the rule had nothing to judge")
	}
}

// breaks wants the rule to be broken.
func (tp *tape) breaks() {
	tp.t.Helper()
	if len(tp.c.Violations()) == 0 {
		tp.t.Error("the rule holds")
	}
}
