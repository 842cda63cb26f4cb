package live_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// bench is hardware whose one op does what the test says, on a goroutine of its own.
type bench struct {
	work  func(ctx context.Context, n int) (res, *agent.Fault)
	reset func(m host.Machine)
	cuts  atomic.Int32
}

func (h *bench) Wire(k *host.Kernel, m host.Machine) {
	pt := k.Part("calc")
	host.Serve(pt, double, func(c host.Run[req, res]) {
		n := c.Req().N
		c.Go(func(ctx context.Context) (res, *agent.Fault) { return h.work(ctx, n) }, c.Finish)
	})
	host.Serve(pt, reset, func(c host.Run[req, res]) {
		h.reset(m)
		c.Done(res{})
	})
}

func (h *bench) Cut(func(string) uint64) { h.cuts.Add(1) }

// caller calls once and shows how far the call is.
func caller(p bus.Port) agent.Agent {
	return &callAgent{bus.Publish(p, dones), agent.Use(p, double)}
}

type callAgent struct {
	dones  *bus.Pub[done]
	double *agent.Calls[req, res]
}

func (a *callAgent) Step(*agent.Turn) {
	for n, k := range []string{"a", "b"} {
		switch c := a.double.Want(k, req{n}); c.Phase {
		case agent.Done:
			a.dones.Put(done{k, c.Res.N})
		case agent.Failed:
			a.dones.Put(done{k + " " + c.Fault.Code, 0})
		}
	}
}

func within(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal(what + " did not happen")
	}
}

// Stopping cancels what runs, starts nothing that waited, and waits for what ends.
func TestStoppingWithManners(t *testing.T) {
	began, ended := make(chan int, 9), make(chan struct{})
	h := &bench{work: func(ctx context.Context, n int) (res, *agent.Fault) {
		began <- n
		<-ctx.Done()
		close(ended)
		return res{}, &agent.Fault{Code: "gone"}
	}}
	_, stop := run(t, live.Options{Name: "edge", Hardware: h,
		Agents: []agent.Entry{{Name: "worker", New: caller}}})
	<-began
	stop()
	within(t, "the end of the call", ended)
	if len(began) != 0 || h.cuts.Load() != 1 {
		t.Fatalf("%d calls began while the device stopped, %d cuts", len(began), h.cuts.Load())
	}
}

// A call that does not react to its cancellation is given up after the grace.
func TestACallThatDoesNotEndIsGivenUp(t *testing.T) {
	began, free, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h := &bench{work: func(context.Context, int) (res, *agent.Fault) {
		close(began)
		<-free
		close(ended)
		return res{}, nil
	}}
	lines := make(chan string, 64)
	_, stop := run(t, live.Options{Name: "edge", Hardware: h, Grace: 20 * time.Millisecond,
		Agents: []agent.Entry{{Name: "worker", New: caller}},
		OnLine: func(_ string, _ time.Duration, l agent.Line) { lines <- l.Text }})
	<-began
	at := time.Now()
	stop()
	if took := time.Since(at); took < 20*time.Millisecond || took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if l := <-lines; !strings.Contains(l, "gave up waiting for calls") {
		t.Errorf("line %q", l)
	}
	close(free)
	within(t, "the end of the call", ended)
}

// Real work that panics fails its call; the device and the class go on.
func TestWorkThatPanicsFailsItsCall(t *testing.T) {
	h := &bench{work: func(_ context.Context, n int) (res, *agent.Fault) {
		if n == 0 {
			panic("calc broke")
		}
		return res{7}, nil
	}}
	rows, lines := make(chan done, 8), make(chan string, 8)
	_, stop := run(t, live.Options{Name: "edge", Hardware: h,
		Agents: []agent.Entry{{Name: "worker", New: caller}},
		OnLine: func(_ string, _ time.Duration, l agent.Line) { lines <- l.Text },
		OnTurn: func(_ *host.Proc, _ *host.Input, out *host.Output) {
			for _, r := range out.Rows {
				rows <- *r.Val.(*done)
			}
		}})
	a, b := <-rows, <-rows
	stop()
	if a.Name != "a panic" || b.Name != "b" || b.N != 7 {
		t.Fatalf("rows %v, %v", a, b)
	}
	if l := <-lines; !strings.Contains(l, "calc.Double broke: calc broke") ||
		!strings.Contains(l, "device_test.go") {
		t.Fatalf("line %q", l)
	}
}

// The power cut of a reboot ends the contexts of real work, and the next boot waits for its end.
func TestRealWorkDoesNotRunIntoTheNextBoot(t *testing.T) {
	var running, most, boots atomic.Int32
	began := make(chan struct{}, 8)
	h := &bench{work: func(ctx context.Context, _ int) (res, *agent.Fault) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		began <- struct{}{}
		<-ctx.Done()
		return res{}, &agent.Fault{Code: "gone"}
	}, reset: func(m host.Machine) { m.Reboot(0) }}
	d, stop := run(t, live.Options{Name: "edge", Hardware: h,
		Agents: []agent.Entry{{Name: "worker", New: caller}},
		OnBoot: func(*host.Kernel) { boots.Add(1) }})
	for range 5 {
		<-began
		d.Post(func() { d.Reboot(time.Millisecond) })
	}
	<-began
	stop()
	if boots.Load() != 6 || most.Load() != 1 || running.Load() != 0 || h.cuts.Load() != 6 {
		t.Fatalf("%d boots, %d cuts, at most %d calls at once, %d left", boots.Load(), h.cuts.Load(),
			most.Load(), running.Load())
	}
}

func TestPowerOffEndsRun(t *testing.T) {
	h := &bench{}
	d, err := live.New(live.Options{Name: "edge", Hardware: h})
	if err != nil {
		t.Fatal(err)
	}
	d.Post(d.PowerOff)
	if err := d.Run(t.Context()); err != nil || h.cuts.Load() != 1 {
		t.Fatalf("%v, %d cuts", err, h.cuts.Load())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(nil)
	if err := d.Do(ctx, func(*host.Kernel) { t.Error("the loop runs") }); err == nil ||
		!errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
}

// Post keeps the order of each goroutine, and everything that is posted runs.
func TestPostsOfManyGoroutines(t *testing.T) {
	d, stop := run(t, live.Options{Name: "edge", Hardware: &bench{}})
	const from, each = 8, 500
	done := make(chan struct{})
	last, left := [from]int{}, from*each
	for g := range from {
		go func() {
			for n := 1; n <= each; n++ {
				d.Post(func() {
					if last[g] != n-1 {
						t.Errorf("%d of goroutine %d after %d", n, g, last[g])
					}
					last[g] = n
					if left--; left == 0 {
						close(done)
					}
				})
			}
		}()
	}
	within(t, "the last post", done)
	var k *host.Kernel
	if err := d.Do(t.Context(), func(x *host.Kernel) { k = x }); err != nil || k.Device() != "edge" {
		t.Fatalf("%v, %v", err, k)
	}
	stop()
}

// A slowed agent has some ten turns a second, and the others are not held up.
func TestThrottling(t *testing.T) {
	const burst = 50
	spin := func(p bus.Port) agent.Agent { return spinner{bus.Publish(p, dones)} }
	turns := make(chan time.Duration, 1000)
	slow := make(chan string, 8)
	_, stop := run(t, live.Options{Name: "edge", Hardware: &bench{},
		Limits: host.Limits{TurnsPerMinute: burst, PutsPerMinute: 1 << 20},
		Agents: []agent.Entry{{Name: "worker", New: spin}},
		OnTurn: func(_ *host.Proc, in *host.Input, _ *host.Output) { turns <- in.Now },
		OnLine: func(_ string, _ time.Duration, l agent.Line) { slow <- l.Text }})
	var at []time.Duration
	for len(at) < burst+4 {
		at = append(at, <-turns)
	}
	stop()
	for i := burst + 2; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap < 90*time.Millisecond {
			t.Errorf("turn %d came %v after the one before", i, gap)
		}
	}
	if at[burst-1] > 5*time.Second {
		t.Errorf("the first %d turns took %v", burst, at[burst-1])
	}
	if l := <-slow; !strings.Contains(l, fmt.Sprintf("took %d turns in a minute; slowed", burst+1)) ||
		len(slow) != 0 {
		t.Errorf("line %q and %d more", l, len(slow))
	}
}

// Puts of one row are limited as in a simulation, and whoever is asked to is told.
func TestThrottleIsToldOfPuts(t *testing.T) {
	why, slow := make(chan string, 64), ""
	spin := func(p bus.Port) agent.Agent { return spinner{bus.Publish(p, dones)} }
	d, stop := run(t, live.Options{Name: "edge", Hardware: &bench{},
		Limits: host.Limits{TurnsPerInstant: 1 << 20, TurnsPerMinute: 1 << 20, PutsPerMinute: 20,
			Throttle: func(p *host.Proc, text string) {
				select {
				case why <- p.Name + " " + text:
				default:
				}
			}},
		Agents: []agent.Entry{{Name: "worker", New: spin}}})
	for n := 21; n < 24; n++ {
		want := fmt.Sprintf("worker put row x of worker/Done %d times in a minute", n)
		if got := <-why; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := d.Do(t.Context(), func(k *host.Kernel) { slow = k.Procs()[0].Slow() }); err != nil ||
		!strings.Contains(slow, "times in a minute") {
		t.Errorf("it is slow because %q, %v", slow, err)
	}
	stop()
}

// A turn that takes too long makes the agent slow.
func TestLongTurnsAreShown(t *testing.T) {
	lines, slow := make(chan string, 64), ""
	spin := func(p bus.Port) agent.Agent { return spinner{bus.Publish(p, dones)} }
	d, stop := run(t, live.Options{Name: "edge", Hardware: &bench{}, SlowStep: 1,
		Agents: []agent.Entry{{Name: "worker", New: spin}},
		OnLine: func(_ string, _ time.Duration, l agent.Line) {
			select {
			case lines <- l.Text:
			default:
			}
		}})
	if l := <-lines; !strings.HasPrefix(l, "a turn of worker took ") {
		t.Errorf("line %q", l)
	}
	if err := d.Do(t.Context(), func(k *host.Kernel) { slow = k.Procs()[0].Slow() }); err != nil ||
		slow == "" {
		t.Errorf("it is slow because %q, %v", slow, err)
	}
	stop()
}

// A journal that was torn is used as far as it is whole, and a line says so.
func TestATornJournalIsReported(t *testing.T) {
	dir := t.TempDir()
	got := make(chan int, 8)
	o := live.Options{Name: "edge", Dir: dir, Agents: entries(), Hardware: &calc{},
		OnTurn: func(_ *host.Proc, _ *host.Input, out *host.Output) {
			for _, r := range out.Rows {
				if v, ok := r.Val.(*wish); ok && r.Topic.Name == "Wish" {
					got <- v.N
				}
			}
		}}
	_, stop := run(t, o)
	n := <-got
	stop()
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("half a rec"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 8)
	o.OnLine = func(_ string, _ time.Duration, l agent.Line) { lines <- l.Text }
	_, stop = run(t, o)
	if next := <-got; next != n+1 {
		t.Errorf("%d boots after %d", next, n)
	}
	if l := <-lines; !strings.Contains(l, "the last 10 bytes of journal ") {
		t.Errorf("line %q", l)
	}
	stop()
}

// A device that is never run leaves nothing behind.
func TestCloseWithoutRun(t *testing.T) {
	dir := t.TempDir()
	d, err := live.New(live.Options{Name: "edge", Dir: dir, Hardware: &bench{}})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := live.New(live.Options{Name: "edge", Dir: filepath.Join(dir, "journal"),
		Hardware: &bench{}}); err == nil || !strings.Contains(err.Error(), "device edge: open journal ") {
		t.Fatalf("error %v", err)
	}
}

// A device boots on a full disk. Agents that keep rows wait until there is room, and then have lost
// nothing; lines say both.
func TestAFullDiskHoldsUpWhoKeepsRows(t *testing.T) {
	var free atomic.Int64
	retry, lines, wished := make(chan time.Time), make(chan string, 8), make(chan int, 8)
	d, err := live.New(live.Options{Name: "edge", Dir: t.TempDir(), Agents: entries(),
		Hardware: &calc{},
		OnLine: func(from string, _ time.Duration, l agent.Line) {
			if l.About == "journal" {
				lines <- l.Text
			}
		},
		OnTurn: func(_ *host.Proc, _ *host.Input, out *host.Output) {
			for _, r := range out.Rows {
				if v, ok := r.Val.(*wish); ok && r.Topic.Name == "Wish" {
					wished <- v.N
				}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	d.Squeeze(&free, retry)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	if l := <-lines; !strings.Contains(l, "no space left on device; agents that keep rows wait") {
		t.Errorf("line %q", l)
	}
	for range 3 {
		retry <- time.Time{}
	}
	if err := d.Do(ctx, func(k *host.Kernel) {
		if p := k.Proc("boss"); k.BootCount() != 1 || p.Turn != 1 {
			t.Errorf("boot %d, turn %d of the agent that waits", k.BootCount(), p.Turn)
		}
	}); err != nil {
		t.Error(err)
	}
	free.Store(1 << 20)
	close(retry)
	if n := <-wished; n != 2 {
		t.Errorf("the second boot counts %d", n)
	}
	if l := <-lines; !strings.Contains(l, "there is room again") {
		t.Errorf("line %q", l)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
