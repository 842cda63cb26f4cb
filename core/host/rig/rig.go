// Package rig is a bench for one agent: the test plays everybody else. It puts rows in the place of
// other agents and parts, gives turns, looks at what the agent put, and ends its calls by hand.
//
// Every turn runs as in the virtual host: the agent is rebuilt before one turn in four and a full
// turn that must do nothing is forced behind every second one.
package rig

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// Rig holds one agent on its bench.
type Rig struct {
	t     testing.TB
	entry agent.Entry
	d     *bench
	k     *host.Kernel
	boot  uint64
	store map[string]host.Stored
	calls []host.AnyRun
	lines []agent.Line
	pubs  map[*bus.Decl]any
}

// New puts an agent on the bench; nothing is published and it has had no turn.
func New(t testing.TB, name string, mk agent.New) *Rig {
	t.Helper()
	r := &Rig{t: t, entry: agent.Entry{Name: name, New: mk}, store: map[string]host.Stored{}}
	r.d = &bench{wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), store: r.store}
	r.power()
	return r
}

func (r *Rig) power() {
	r.boot++
	r.calls, r.pubs = nil, map[*bus.Decl]any{}
	stored := slices.SortedFunc(maps.Values(r.store), func(a, b host.Stored) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Key, b.Key))
	})
	k, err := host.New(r.d, host.Options{Device: "rig", Seed: 1, Boot: r.boot,
		Agents: []agent.Entry{r.entry}, Stored: stored, Rebuild: 4, FullTurn: 2,
		AnyOp:  func(c host.AnyRun) { r.calls = append(r.calls, c) },
		OnLine: func(_ string, _ time.Duration, l agent.Line) { r.lines = append(r.lines, l) }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.k = k
	r.d.k = k
	k.Start()
}

// Step gives turns until nothing moves at this instant.
func (r *Rig) Step() {
	r.t.Helper()
	r.d.settle()
}

// Advance moves time on, giving turns at every deadline on the way.
func (r *Rig) Advance(d time.Duration) {
	r.t.Helper()
	r.d.advance(r.d.now + d)
}

// Now is the time since boot.
func (r *Rig) Now() time.Duration { return r.d.now }

// Wall is the wall clock; it starts at the beginning of 2026 and moves with the time.
func (r *Rig) Wall() time.Time { return r.d.Wall() }

// SetWall makes the wall clock jump.
func (r *Rig) SetWall(t time.Time) { r.d.wall = t.Add(-r.d.now) }

// Crash ends the agent as if its process died, and starts it again. Running calls go on.
func (r *Rig) Crash() { r.k.Crash(r.k.Procs()[0], nil) }

// Reboot cuts the power and boots again: only Persistent rows of the agent are left.
func (r *Rig) Reboot() {
	r.k.Kill()
	r.d.wall = r.d.Wall().Add(10 * time.Second)
	*r.d = bench{wall: r.d.wall, store: r.store}
	r.power()
}

// Lines are the agent's log lines so far.
func (r *Rig) Lines() []agent.Line { return r.lines }

func pub[V bus.Row](r *Rig, t bus.Topic[V]) *bus.Pub[V] {
	if p, ok := r.pubs[t.Decl]; ok {
		return p.(*bus.Pub[V])
	}
	p := bus.Publish(r.k.Part(t.Owner), t)
	r.pubs[t.Decl] = p
	return p
}

// Put publishes a row as the topic's owner.
func Put[V bus.Row](r *Rig, t bus.Topic[V], row V) {
	r.k.Part(t.Owner).Do(func() { pub(r, t).Put(row) })
}

// Delete withdraws a row as the topic's owner.
func Delete[V bus.Row](r *Rig, t bus.Topic[V], key string) {
	r.k.Part(t.Owner).Do(func() { pub(r, t).Delete(key) })
}

// Complete declares a topic whole as its owner.
func Complete[V bus.Row](r *Rig, t bus.Topic[V]) {
	r.k.Part(t.Owner).Do(func() { pub(r, t).Complete() })
}

// Rev is the revision of a row, 0 if absent.
func Rev[V bus.Row](r *Rig, t bus.Topic[V], key string) uint64 {
	h, _ := r.k.Head(t.Decl)
	if !hasHead(r, t.Decl) {
		return 0
	}
	_, rev := h.Get(key)
	return rev
}

func hasHead(r *Rig, d *bus.Decl) bool { _, ok := r.k.Head(d); return ok }

// Get is a row of any topic, nil if absent.
func Get[V bus.Row](r *Rig, t bus.Topic[V], key string) *V {
	h, ok := r.k.Head(t.Decl)
	if !ok {
		return nil
	}
	v, _ := h.Get(key)
	p, _ := v.(*V)
	return p
}

// Rows are all rows of a topic in key order.
func Rows[V bus.Row](r *Rig, t bus.Topic[V]) []V {
	h, ok := r.k.Head(t.Decl)
	if !ok {
		return nil
	}
	var out []V
	for _, v := range h.All() {
		out = append(out, *v.(*V))
	}
	return out
}

// IsComplete reports whether a topic was declared whole.
func IsComplete[V bus.Row](r *Rig, t bus.Topic[V]) bool {
	h, ok := r.k.Head(t.Decl)
	return ok && h.Complete()
}

// Pending is a call that runs.
type Pending[Req any] struct {
	Key string
	Req Req
}

// Calls are the calls of an op that run, in key order. Queued ones are not among them.
func Calls[Req, Res any](r *Rig, o agent.Op[Req, Res]) []Pending[Req] {
	var out []Pending[Req]
	for _, c := range r.calls {
		if c.Op() == o.OpDecl && !c.Over() {
			out = append(out, Pending[Req]{c.Key(), *c.Req().(*Req)})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

func find[Req, Res any](r *Rig, o agent.Op[Req, Res], key string) host.AnyRun {
	r.t.Helper()
	var have []string
	for _, c := range r.calls {
		if c.Op() == o.OpDecl && !c.Over() {
			if c.Key() == key {
				return c
			}
			have = append(have, c.Key())
		}
	}
	r.t.Fatalf("no call of %s with key %q runs; there are %q", o.Name, key, have)
	return host.AnyRun{}
}

// Done ends a call with a result; Step shows it to the agent.
func Done[Req, Res any](r *Rig, o agent.Op[Req, Res], key string, res Res) {
	r.t.Helper()
	c := find(r, o, key)
	r.forget()
	c.Done(&res)
}

// Fail ends a call with a fault; Step shows it to the agent.
func Fail[Req, Res any](r *Rig, o agent.Op[Req, Res], key string, f agent.Fault) {
	r.t.Helper()
	c := find(r, o, key)
	r.forget()
	c.Fail(f)
}

func (r *Rig) forget() {
	live := r.calls[:0]
	for _, c := range r.calls {
		if !c.Over() {
			live = append(live, c)
		}
	}
	r.calls = live
}

// Dump lists every row that is visible, for failure messages.
func (r *Rig) Dump() string {
	out := fmt.Sprintf("at %v:\n", r.d.now)
	for _, d := range r.k.Topics() {
		h, _ := r.k.Head(d)
		for k, v := range h.All() {
			out += fmt.Sprintf("  %s/%s %+v\n", d, k, v)
		}
	}
	return out
}
