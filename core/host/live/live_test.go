package live_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type wish struct {
	Name string
	N    int
}

func (w wish) Key() string { return w.Name }

type done struct {
	Name string
	N    int
}

func (d done) Key() string { return d.Name }

type req struct{ N int }
type res struct{ N int }

var (
	wishes = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Wish"})
	boots  = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Boots", Life: bus.Persistent})
	dones  = bus.NewTopic[done](bus.Decl{Owner: "worker", Name: "Done"})
	double = agent.NewOp[req, res](agent.OpDecl{Name: "calc.Double", Limit: 5 * time.Second})
	reset  = agent.NewOp[req, res](agent.OpDecl{Name: "calc.Reset"})
)

// boss counts its boots durably and asks for a reset until there were two.
type boss struct {
	wishes *bus.Pub[wish]
	boots  *bus.Pub[wish]
	reset  *agent.Calls[req, res]
	local  *bus.Pub[wish]
}

var local = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Seen", Life: bus.Local})

func newBoss(p bus.Port) agent.Agent {
	return &boss{bus.Publish(p, wishes), bus.Publish(p, boots), agent.Use(p, reset),
		bus.Publish(p, local)}
}

func (b *boss) Step(*agent.Turn) {
	n := 0
	if o := b.boots.Get("n"); o != nil {
		n = o.N
	}
	if b.local.Get("n") == nil {
		n++
		b.boots.Put(wish{"n", n})
		b.local.Put(wish{"n", n})
	}
	if n < 2 {
		b.reset.Want("x", req{n})
		return
	}
	b.wishes.Put(wish{"a", n})
}

// worker has the wish doubled by real work.
type worker struct {
	wishes *bus.Sub[wish]
	dones  *bus.Pub[done]
	double *agent.Calls[req, res]
}

func newWorker(p bus.Port) agent.Agent {
	return &worker{bus.Subscribe(p, wishes), bus.Publish(p, dones), agent.Use(p, double)}
}

func (a *worker) Step(*agent.Turn) {
	for k, w := range a.wishes.All() {
		if c := a.double.Want(k, req{w.N}); c.Phase == agent.Done {
			a.dones.Put(done{k, c.Res.N})
		}
	}
}

type calc struct{ cuts atomic.Int32 }

func (h *calc) Wire(k *host.Kernel, m host.Machine) {
	pt := k.Part("calc")
	host.Serve(pt, double, func(c host.Run[req, res]) {
		n := c.Req().N
		c.Go(func(context.Context) (res, *agent.Fault) { return res{2 * n}, nil }, c.Finish)
	})
	host.Serve(pt, reset, func(host.Run[req, res]) { m.Reboot(0) })
}

func (h *calc) Cut(func(string) uint64) { h.cuts.Add(1) }

func entries() []agent.Entry {
	return []agent.Entry{{Name: "boss", New: newBoss}, {Name: "worker", New: newWorker}}
}

func run(t *testing.T, o live.Options) (*live.Device, func()) {
	t.Helper()
	d, err := live.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return d, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

func TestRebootsAndKeepsWhatIsDurable(t *testing.T) {
	hw := &calc{}
	got := make(chan done, 1)
	d, stop := run(t, live.Options{Name: "edge", Dir: t.TempDir(), Agents: entries(), Hardware: hw,
		OnTurn: func(_ *host.Proc, _ *host.Input, out *host.Output) {
			for _, r := range out.Rows {
				if v, ok := r.Val.(*done); ok {
					got <- *v
				}
			}
		}})
	if v := <-got; v.N != 4 {
		t.Fatalf("the second boot doubled its count to %d", v.N)
	}
	var n uint64
	if err := d.Do(t.Context(), func(k *host.Kernel) { n = k.BootCount() }); err != nil {
		t.Fatal(err)
	}
	stop()
	if n != 2 || hw.cuts.Load() != 2 {
		t.Fatalf("boot %d, %d cuts", n, hw.cuts.Load())
	}
}

func TestTheJournalOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	for want := 2; want <= 4; want++ {
		got := make(chan int, 8)
		_, stop := run(t, live.Options{Name: "edge", Dir: dir, Agents: entries(), Hardware: &calc{},
			OnTurn: func(_ *host.Proc, _ *host.Input, out *host.Output) {
				for _, r := range out.Rows {
					if v, ok := r.Val.(*wish); ok && r.Topic.Name == "Wish" {
						got <- v.N
					}
				}
			}})
		if n := <-got; n != want {
			t.Fatalf("run %d counts %d boots", want, n)
		}
		stop()
	}
}

func TestAnAgentThatBreaksIsGivenUpAndTheOthersGoOn(t *testing.T) {
	lines := make(chan string, 64)
	bad := func(p bus.Port) agent.Agent { return breaker{bus.Publish(p, dones)} }
	d, stop := run(t, live.Options{Name: "edge", Hardware: &calc{},
		Agents: []agent.Entry{{Name: "boss", New: newQuiet}, {Name: "worker", New: bad}},
		OnLine: func(_ string, _ time.Duration, l agent.Line) { lines <- l.Text }})
	for l := range lines {
		if strings.Contains(l, "given up") {
			break
		}
	}
	if err := d.Do(t.Context(), func(k *host.Kernel) {
		if h, _ := k.Head(dones.Decl); h.Len() != 0 {
			t.Error("a row of a turn that broke is visible")
		}
		if !k.Proc("worker").Stopped() || k.Proc("boss").Stopped() {
			t.Error("the wrong agent was given up")
		}
	}); err != nil {
		t.Fatal(err)
	}
	stop()
}

type quiet struct{}

func newQuiet(bus.Port) agent.Agent { return quiet{} }

func (quiet) Step(*agent.Turn) {}

type breaker struct{ d *bus.Pub[done] }

func (b breaker) Step(*agent.Turn) {
	b.d.Put(done{"x", 1})
	panic("broken on purpose")
}

func TestASpinningAgentIsSlowed(t *testing.T) {
	lines := make(chan string, 64)
	spin := func(p bus.Port) agent.Agent { return spinner{bus.Publish(p, dones)} }
	_, stop := run(t, live.Options{Name: "edge", Hardware: &calc{},
		Agents: []agent.Entry{{Name: "worker", New: spin}},
		OnLine: func(_ string, _ time.Duration, l agent.Line) { lines <- l.Text }})
	for l := range lines {
		if strings.Contains(l, "slowed down") {
			break
		}
	}
	stop()
}

type spinner struct{ d *bus.Pub[done] }

func (s spinner) Step(t *agent.Turn) {
	n := 0
	if o := s.d.Get("x"); o != nil {
		n = o.N
	}
	s.d.Put(done{"x", n + 1})
	t.WakeAt("x", t.Now+time.Microsecond)
}
