package host_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// desk drives one boot of a device by hand. All that is under way waits in queues, one for each
// link, for the journal and for turns, and pick chooses which queue moves next; time moves when
// nothing else can.
type desk struct {
	pick   func(n int) int // one of n; nil takes the first
	k      *host.Kernel
	now    time.Duration
	wall   time.Time
	links  []*flow
	ready  []*host.Proc
	timers []timer
	writes []write
	hold   bool // the journal stands still
	stored map[string]host.Stored
	lines  []string
}

type flow struct {
	link    *host.Link
	batches []*host.Batch
}

type timer struct {
	at  time.Duration
	run func()
}

type write struct {
	rec  *host.Record
	then func()
}

func newDesk() *desk {
	return &desk{wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), stored: map[string]host.Stored{}}
}

// boot starts a kernel on the desk; rows stored by boots before are there.
func (d *desk) boot(t testing.TB, o host.Options) *host.Kernel {
	t.Helper()
	k, err := d.wire(o)
	if err != nil {
		t.Fatal(err)
	}
	k.Start()
	return k
}

func (d *desk) wire(o host.Options) (*host.Kernel, error) {
	o.Device, o.Seed = "desk", 1
	if o.Boot == 0 {
		o.Boot = 1
	}
	for _, id := range sortedKeys(d.stored) {
		o.Stored = append(o.Stored, d.stored[id])
	}
	if o.OnLine == nil {
		o.OnLine = func(from string, _ time.Duration, l agent.Line) {
			d.lines = append(d.lines, from+": "+l.Text)
		}
	}
	k, err := host.New(d, o)
	d.k = k
	return k, err
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// cut takes the power away: what was not durable is gone but for the first keep records under way.
func (d *desk) cut(keep int) {
	d.k.Kill()
	for _, w := range d.writes[:min(keep, len(d.writes))] {
		d.store(w.rec)
	}
	*d = desk{pick: d.pick, wall: d.wall, stored: d.stored, lines: d.lines}
}

func (d *desk) store(r *host.Record) {
	for _, s := range r.Rows {
		if id := s.Topic + "\x00" + s.Key; s.Val == nil {
			delete(d.stored, id)
		} else {
			d.stored[id] = s
		}
	}
}

// Now is the time since boot.
func (d *desk) Now() time.Duration { return d.now }

// Wall is the wall clock.
func (d *desk) Wall() time.Time { return d.wall.Add(d.now) }

// Deliver queues a batch on its link.
func (d *desk) Deliver(l *host.Link, b *host.Batch) {
	i := slices.IndexFunc(d.links, func(f *flow) bool { return f.link == l })
	if i < 0 {
		i = len(d.links)
		d.links = append(d.links, &flow{link: l})
	}
	d.links[i].batches = append(d.links[i].batches, b)
}

// Ready queues a turn.
func (d *desk) Ready(p *host.Proc) { d.ready = append(d.ready, p) }

// Alarm queues a deadline.
func (d *desk) Alarm(p *host.Proc, at time.Duration) { d.at(at, func() { p.Kernel().Alarm(p) }) }

// After queues a callback.
func (d *desk) After(after time.Duration, f func()) { d.at(d.now+after, f) }

func (d *desk) at(at time.Duration, f func()) {
	i := len(d.timers)
	for i > 0 && d.timers[i-1].at > at {
		i--
	}
	d.timers = slices.Insert(d.timers, i, timer{at, f})
}

// Durable queues a record.
func (d *desk) Durable(r *host.Record, then func()) { d.writes = append(d.writes, write{r, then}) }

// Go does the work at once and queues what comes behind it.
func (d *desk) Go(work, then func()) {
	work()
	d.After(0, then)
}

// Post queues f.
func (d *desk) Post(f func()) { d.After(0, f) }

// step moves one queue, or the time up to limit; it reports false when nothing is left to do.
func (d *desk) step(limit time.Duration) bool {
	var moves []func()
	for i := range d.links {
		if f := d.links[i]; len(f.batches) > 0 {
			moves = append(moves, func() {
				b := f.batches[0]
				f.batches = f.batches[1:]
				d.k.Arrive(f.link, b)
			})
		}
	}
	for i := range d.ready {
		moves = append(moves, func() {
			p := d.ready[i]
			d.ready = slices.Delete(d.ready, i, i+1)
			d.k.Turn(p)
		})
	}
	if len(d.writes) > 0 && !d.hold {
		moves = append(moves, func() {
			w := d.writes[0]
			d.writes = d.writes[1:]
			d.store(w.rec)
			w.then()
		})
	}
	if len(d.timers) > 0 && d.timers[0].at <= d.now {
		moves = append(moves, d.fire)
	}
	if len(moves) == 0 {
		if len(d.timers) == 0 || d.timers[0].at > limit {
			return false
		}
		d.now = d.timers[0].at
		moves = append(moves, d.fire)
	}
	n := 0
	if d.pick != nil {
		n = d.pick(len(moves))
	}
	moves[n]()
	return true
}

func (d *desk) fire() {
	t := d.timers[0]
	d.timers = d.timers[1:]
	t.run()
}

// run goes on until nothing is left to do by then.
func (d *desk) run(until time.Duration) {
	for d.step(until) {
	}
	d.now = max(d.now, until)
}

// settle goes on until nothing is left to do at this instant.
func (d *desk) settle() { d.run(d.now) }

// machine is an agent written as a function.
type machine func(t *agent.Turn)

// Step calls it.
func (m machine) Step(t *agent.Turn) { m(t) }

// row is the row of most topics here.
type row struct {
	Name string
	N    int
}

// Key is the name.
func (r row) Key() string { return r.Name }

func get(k *host.Kernel, t bus.Topic[row], key string) *row {
	h, ok := k.Head(t.Decl)
	if !ok {
		return nil
	}
	v, _ := h.Get(key)
	r, _ := v.(*row)
	return r
}

func entry(name string, n agent.New) agent.Entry { return agent.Entry{Name: name, New: n} }

// dump lists the rows of a kernel.
func dump(k *host.Kernel) (out string) {
	for _, d := range k.Topics() {
		h, _ := k.Head(d)
		for key, v := range h.All() {
			_, rev := h.Get(key)
			out += fmt.Sprintf("%s/%s@%d %+v\n", d, key, rev, v)
		}
	}
	return out
}

var _ host.Driver = (*desk)(nil)
