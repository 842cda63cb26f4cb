package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

type wish struct {
	Name string
	N    int
}

func (w wish) Key() string { return w.Name }

type done struct {
	Name string
	N    int
	Of   uint64
}

func (d done) Key() string { return d.Name }

type lamp struct {
	Name string
	N    int
}

func (l lamp) Key() string { return l.Name }

type clockRow struct {
	N  int
	At time.Duration
}

func (clockRow) Key() string { return "clock" }

type setReq struct {
	Name string
	N    int
}
type none struct{}

var (
	wishes = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Wish"})
	saved  = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Saved", Life: bus.Persistent})
	ticks  = bus.NewTopic[clockRow](bus.Decl{Owner: "boss", Name: "Tick", Life: bus.Local})
	dones  = bus.NewTopic[done](bus.Decl{Owner: "worker", Name: "Done"})
	lamps  = bus.NewTopic[lamp](bus.Decl{Owner: "lamp", Name: "Lamp"})
	set    = agent.NewOp[setReq, none](agent.OpDecl{Name: "lamp.Set", Limit: time.Minute})
)

// boss wishes something new every 30 s, and keeps count durably.
type boss struct {
	wishes *bus.Pub[wish]
	saved  *bus.Pub[wish]
	ticks  *bus.Pub[clockRow]
	dones  *bus.Sub[done]
}

func newBoss(p bus.Port) agent.Agent {
	return &boss{bus.Publish(p, wishes), bus.Publish(p, saved), bus.Publish(p, ticks),
		bus.Subscribe(p, dones, bus.Quiet)}
}

func (b *boss) Step(t *agent.Turn) {
	s := wish{Name: "a"}
	if old := b.saved.Get("a"); old != nil {
		s = *old
	}
	c := b.ticks.Get("clock")
	if c == nil {
		c = &clockRow{At: t.Now + t.Between("first", time.Second, 30*time.Second)}
	}
	if t.Now >= c.At {
		s.N++
		c = &clockRow{N: c.N + 1, At: c.At + 30*time.Second}
		for c.At <= t.Now { // this turn came late
			c.At += 30 * time.Second
		}
	}
	b.ticks.Put(*c)
	b.saved.Put(s)
	b.wishes.Put(s)
	b.wishes.Complete()
	t.WakeAt("tick", c.At)
}

// worker makes the lamp be as wished.
type worker struct {
	wishes *bus.Sub[wish]
	lamps  *bus.Sub[lamp]
	dones  *bus.Pub[done]
	set    *agent.Calls[setReq, none]
}

func newWorker(p bus.Port) agent.Agent {
	return &worker{bus.Subscribe(p, wishes), bus.Subscribe(p, lamps), bus.Publish(p, dones),
		agent.Use(p, set)}
}

func (a *worker) Step(*agent.Turn) {
	for k, w := range a.wishes.All() {
		l := a.lamps.Get(k)
		if l != nil && l.N == w.N {
			a.set.Drop(k)
			a.dones.Put(done{k, w.N, a.wishes.Rev(k)})
			continue
		}
		if c := a.set.Want(k, setReq{k, w.N}); c.Over() {
			a.set.Redo(k)
		}
	}
}

type idle struct{ w *bus.Sub[wish] }

func newIdle(p bus.Port) agent.Agent { return idle{bus.Subscribe(p, wishes)} }

func (idle) Step(t *agent.Turn) { t.WakeAt("x", t.Now-t.Now%time.Second+time.Second) }

// house is the hardware: a lamp that forgets when the power goes.
type house struct{ n map[string]int }

func (h *house) Wire(k *host.Kernel, _ host.Machine) {
	pt := k.Part("lamp")
	out := bus.Publish(pt, lamps)
	h.n = map[string]int{}
	host.Serve(pt, set, func(c host.Run[setReq, none]) {
		r := *c.Req()
		c.After(c.Latency(time.Millisecond, 100*time.Millisecond), func() {
			h.n[r.Name] = r.N
			out.Put(lamp(r))
			c.Done(none{})
		})
	})
}

func (h *house) Cut(func(string) uint64) {}

func world(t testing.TB, seed uint64, o sim.Options,
	more ...agent.Entry,
) (*sim.World, *sim.Device) {
	t.Helper()
	o.Seed = seed
	w := sim.New(o)
	d := w.Device(sim.DeviceOptions{Name: "edge", Hardware: &house{},
		Limits: host.Limits{DurablePerHour: -1},
		Agents: append([]agent.Entry{{Name: "boss", New: newBoss}, {Name: "worker", New: newWorker}},
			more...)})
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	return w, d
}

func row[V bus.Row](d *sim.Device, t bus.Topic[V], key string) *V {
	h, _ := d.Kernel().Head(t.Decl)
	v, _ := h.Get(key)
	p, _ := v.(*V)
	return p
}

func sumOf(d *sim.Device, name string) uint64 {
	for _, s := range d.Sums() {
		if s.Name == name {
			return s.Sum
		}
	}
	return 0
}

func TestSameSeedSameTrace(t *testing.T) {
	var first uint64
	for range 5 {
		w, d := world(t, 7, sim.Options{})
		w.At(10*time.Minute, func() { d.Crash("worker") })
		w.At(20*time.Minute, func() { d.Reboot(5 * time.Second) })
		w.Run(time.Hour)
		if first == 0 {
			first = w.Trace()
		}
		if got := w.Trace(); got != first {
			t.Fatalf("trace %x, before it was %x", got, first)
		}
	}
	w, _ := world(t, 8, sim.Options{})
	w.Run(time.Hour)
	if w.Trace() == first {
		t.Fatal("another seed gave the same trace")
	}
}

func TestRebuiltAgentsAndFullTurnsLeaveTheTrace(t *testing.T) {
	for seed := range uint64(50) {
		a, _ := world(t, seed, sim.Options{Never: true, LateCancel: 2})
		b, _ := world(t, seed, sim.Options{Rebuild: 3, FullTurn: 3, LateCancel: 2})
		a.Run(time.Hour)
		b.Run(time.Hour)
		if a.Trace() != b.Trace() || a.Turns() != b.Turns() {
			t.Fatalf("seed %d: trace %x in %d turns became %x in %d", seed, a.Trace(), a.Turns(),
				b.Trace(), b.Turns())
		}
	}
}

func TestNewcomersMoveNobody(t *testing.T) {
	for seed := range uint64(50) {
		a, da := world(t, seed, sim.Options{})
		b, db := world(t, seed, sim.Options{}, agent.Entry{Name: "idle1", New: newIdle},
			agent.Entry{Name: "idle2", New: newIdle})
		a.Run(time.Hour)
		b.Run(time.Hour)
		for _, name := range []string{"boss", "worker", "lamp"} {
			if sumOf(da, name) != sumOf(db, name) {
				t.Fatalf("seed %d: the trace of %s moved when two agents were added", seed, name)
			}
		}
	}
}

func TestPowerCutKeepsWhatWasShown(t *testing.T) {
	for seed := range uint64(200) {
		w, d := world(t, seed, sim.Options{})
		var shown int
		cut := 5*time.Minute + time.Duration(seed)*1117*time.Microsecond
		w.At(cut, func() {
			shown = row(d, saved, "a").N
			d.Cut()
		})
		w.Run(cut)
		if err := d.Boot(); err != nil {
			t.Fatal(err)
		}
		w.Run(w.Now() + time.Second/2)
		if got := row(d, saved, "a"); got == nil || got.N < shown {
			t.Fatalf("seed %d: %v after the cut, %d was visible before", seed, got, shown)
		}
		w.Run(w.Now() + 5*time.Minute)
		if got, want := row(d, dones, "a"), row(d, saved, "a").N; got == nil || got.N < want-1 {
			t.Fatalf("seed %d: the device did not come back: %v of %d", seed, got, want)
		}
	}
}

func TestRevisionsGrowOverReboots(t *testing.T) {
	w, d := world(t, 1, sim.Options{})
	w.Run(5 * time.Minute)
	was := row(d, dones, "a").Of
	d.Reboot(time.Second)
	w.Run(10 * time.Minute)
	if now := row(d, dones, "a").Of; now <= was {
		t.Fatalf("revision %d after reboot, %d before", now, was)
	}
}

func TestLivelockFailsTheRunWithItsCauses(t *testing.T) {
	spin := func(p bus.Port) agent.Agent { return spinner{bus.Publish(p, dones)} }
	w := sim.New(sim.Options{Seed: 1, Never: true})
	d := w.Device(sim.DeviceOptions{Name: "edge", Hardware: &house{},
		Limits: host.Limits{DurablePerHour: -1},
		Agents: []agent.Entry{{Name: "worker", New: spin}}})
	defer func() {
		if r := fmt.Sprint(recover()); len(r) < 100 {
			t.Fatalf("a spinning agent ended with %q", r)
		}
	}()
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	w.Run(time.Hour)
}

type spinner struct{ d *bus.Pub[done] }

func (s spinner) Step(t *agent.Turn) {
	n := 0
	if o := s.d.Get("x"); o != nil {
		n = o.N
	}
	s.d.Put(done{Name: "x", N: n + 1})
	t.WakeAt("x", t.Now+time.Millisecond)
}

func BenchmarkWorld(b *testing.B) {
	w, _ := world(b, 1, sim.Options{})
	b.ReportAllocs()
	b.ResetTimer()
	w.Run(time.Duration(b.N) * time.Minute)
	b.ReportMetric(float64(w.Events())/float64(b.N), "events/op")
	b.ReportMetric(float64(w.Turns())/float64(b.N), "turns/op")
}
