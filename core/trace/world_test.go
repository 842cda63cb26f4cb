package trace_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/trace"
)

type row struct {
	Name string
	N    int
}

// Key is the name.
func (r row) Key() string { return r.Name }

type req struct {
	Name string
	N    int
}
type res struct{ Was int }

var (
	wishes = bus.NewTopic[row](bus.Decl{Owner: "boss", Name: "Wish"})
	saved  = bus.NewTopic[row](bus.Decl{Owner: "boss", Name: "Saved", Life: bus.Persistent})
	dones  = bus.NewTopic[row](bus.Decl{Owner: "worker", Name: "Done"})
	lamps  = bus.NewTopic[row](bus.Decl{Owner: "lamp", Name: "Lamp"})
	set    = agent.NewOp[req, res](agent.OpDecl{Name: "lamp.Set"})
)

type machine func(t *agent.Turn)

// Step calls it.
func (m machine) Step(t *agent.Turn) { m(t) }

// twist is what a world does otherwise, to be found by Diff.
type twist struct {
	at                        time.Duration
	lamp, put, request, alarm bool
	newcomer                  bool
}

func (x *twist) now(t time.Duration) int {
	if x.at > 0 && t >= x.at {
		return 1
	}
	return 0
}

// boss wishes something every half minute and keeps count durably.
func boss(x twist) agent.New {
	return func(p bus.Port) agent.Agent {
		w, s := bus.Publish(p, wishes), bus.Publish(p, saved)
		return machine(func(t *agent.Turn) {
			n := row{Name: "a"}
			if old := s.Get("a"); old != nil {
				n = *old
			}
			if t.IsDue("next") {
				n.N++
			}
			s.Put(n)
			wish := row{"a", n.N}
			if x.put {
				wish.N += 1000 * x.now(t.Now)
			}
			w.Put(wish)
			if n.N%5 == 4 {
				w.Delete("b")
			} else {
				w.Put(row{"b", 10 * n.N})
			}
			w.Complete()
			at := (t.Now/(30*time.Second) + 1) * 30 * time.Second
			if x.alarm {
				at += time.Duration(x.now(t.Now))
			}
			t.WakeAt("next", at)
		})
	}
}

// worker makes the lamps be as wished.
func worker(x twist) agent.New {
	return func(p bus.Port) agent.Agent {
		w, l := bus.Subscribe(p, wishes), bus.Subscribe(p, lamps)
		out, calls := bus.Publish(p, dones), agent.Use(p, set)
		return machine(func(t *agent.Turn) {
			for k, want := range w.All() {
				if have := l.Get(k); have != nil && have.N/100 == want.N {
					calls.Drop(k)
					out.Put(row{k, want.N})
					continue
				}
				q := req{k, want.N}
				if x.request {
					q.Name += "x"[:x.now(t.Now)]
				}
				if c := calls.Want(k, q); c.Over() {
					calls.Redo(k)
				}
			}
		})
	}
}

// watch subscribes to everything and does nothing, at its own pace.
func watch(p bus.Port) agent.Agent {
	bus.Subscribe(p, lamps)
	bus.Subscribe(p, dones, bus.Quiet)
	return machine(func(t *agent.Turn) { t.WakeAt("x", t.Now.Truncate(7*time.Second)+7*time.Second) })
}

// house is a lamp that flickers after each change, fails sometimes, and goes out for a moment.
type house struct{ x twist }

// Wire serves the lamp.
func (h *house) Wire(k *host.Kernel, _ host.Machine) {
	pt := k.Part("lamp")
	out := bus.Publish(pt, lamps)
	host.Serve(pt, set, func(c host.Run[req, res]) {
		r := *c.Req()
		key := r.Name[:1]
		if c.Draw("fail")%4 == 0 {
			c.Fail("dark", "the lamp is dark", true)
			return
		}
		c.After(c.Latency(time.Millisecond, 100*time.Millisecond), func() {
			extra := 0
			if h.x.lamp {
				extra = h.x.now(pt.Now())
			}
			for n := range 20 {
				pt.After(time.Duration(n)*200*time.Microsecond, func() {
					if n == 7 {
						out.Delete(key)
						return
					}
					out.Put(row{key, 100*r.N + n + extra})
				})
			}
			c.Done(res{r.N})
		})
	})
}

// Cut loses nothing.
func (h *house) Cut(func(string) uint64) {}

// world is a device whose turns go to a recorder and to also.
func world(t testing.TB, seed uint64, x twist, r *trace.Recorder,
	also func(*host.Proc, *host.Input, *host.Output),
) (*sim.World, *sim.Device) {
	t.Helper()
	w := sim.New(sim.Options{Seed: seed, LateCancel: 3, Rebuild: 5, FullTurn: 5})
	o := sim.DeviceOptions{Name: "edge", Hardware: &house{x},
		Limits: host.Limits{DurablePerHour: -1, PutsPerMinute: 1000},
		Agents: []agent.Entry{{Name: "boss", New: boss(x)}, {Name: "worker", New: worker(x)},
			{Name: "watch", New: watch}}}
	if x.newcomer {
		o.Agents = append([]agent.Entry{{Name: "early", New: watch}}, o.Agents...)
	}
	var record func(*host.Proc, *host.Input, *host.Output)
	if r != nil {
		record, o.Hooks = r.OnTurn("edge"), r.Hooks("edge")
	}
	if r != nil || also != nil {
		o.OnTurn = func(p *host.Proc, in *host.Input, out *host.Output) {
			if record != nil {
				record(p, in, out)
			}
			if also != nil {
				also(p, in, out)
			}
		}
	}
	d := w.Device(o)
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	w.At(3*time.Minute+time.Millisecond, func() { d.Crash("worker") })
	w.At(5*time.Minute+time.Millisecond, func() { d.Reboot(5 * time.Second) })
	return w, d
}

// recorded is the recording of ten minutes.
func recorded(t testing.TB, seed uint64, x twist) []byte {
	t.Helper()
	var b bytes.Buffer
	r := trace.NewRecorder(&b)
	w, _ := world(t, seed, x, r, func(*host.Proc, *host.Input, *host.Output) {
		if r.Turns()%20 == 0 { // so that there are several blocks
			if err := r.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	})
	w.Run(10 * time.Minute)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r.Bytes() != int64(b.Len()) || r.Turns() != w.Turns() {
		t.Fatalf("%d bytes of %d, %d turns of %d", r.Bytes(), b.Len(), r.Turns(), w.Turns())
	}
	return b.Bytes()
}

// frames reads all frames of a recording.
func frames(t testing.TB, b []byte) (out []trace.Frame) {
	t.Helper()
	r, err := trace.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
}
