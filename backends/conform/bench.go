package conform

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// patience is how long a check waits for what has to come; a guest boots in a part of it.
const patience = 40 * time.Second

// promptly is how soon a cancelled call ends.
const promptly = time.Second

// Part is a device part of a backend.
type Part interface {
	// Wire declares the part's topics and ops on a boot; see host.Kernel.Part.
	Wire(k *host.Kernel)
}

// Setup is a part to check.
type Setup struct {
	// Part is wired anew at each boot.
	Part Part
	// Cut is what the backend does when the power goes, before the next boot; nil: nothing.
	Cut func()
}

// ring wakes the desk.
type ring struct{ N int }

// Key is "bell".
func (ring) Key() string { return "bell" }

// rings is how a test gets a turn of the desk.
var rings = bus.NewTopic[ring](bus.Decl{Owner: "bell", Name: "Ring"})

// bench is a device that has one part and one agent, which does what the test asks.
type bench struct {
	device *live.Device
	setup  Setup
	bind   func(b *bench, p bus.Port) []looker
	state  func() string // of all rows that are seen; for a turn of the desk
	tape   transcript

	// The rest belongs to the device's loop.
	boot  uint64
	now   time.Duration
	bells *host.Part
	bell  *bus.Pub[ring]
	rung  int
	todo  []func()
	waits []wait
}

// wait is a condition that a test waits for.
type wait struct {
	holds func() bool
	met   chan struct{}
}

// looker is a table of calls whose outcomes are handed on in each turn.
type looker interface{ look() }

// newBench boots a device with a part. bind attaches the desk to tables and ops, at each boot;
// state tells all rows it sees. The desk goes by the name of an agent that may call the ops.
func newBench(t *testing.T, s Setup, name string, state func() string,
	bind func(b *bench, p bus.Port) []looker,
) *bench {
	t.Helper()
	b := &bench{setup: s, bind: bind, state: state}
	var err error
	b.device, err = live.New(live.Options{Name: "conform", Seed: 1, Hardware: b, Apart: true,
		Limits: host.Limits{PutsPerMinute: 10_000, TurnsPerMinute: 100_000},
		Hooks:  host.Hooks{Shown: b.tape.rows},
		Agents: []agent.Entry{{Name: name, New: b.newDesk}}, SlowStep: time.Minute,
		OnLine: func(from string, _ time.Duration, l agent.Line) {
			if l.Level >= agent.Warn {
				t.Errorf("%s about %s: %s", from, l.About, l.Text)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.device.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return b
}

// watch is what writes down what is seen.
func (b *bench) watch() *transcript { return &b.tape }

// Wire makes the hardware of a boot: the part, and the bell.
func (b *bench) Wire(k *host.Kernel, _ host.Machine) {
	b.boot = k.BootCount()
	b.bells = k.Part("bell")
	b.bell = bus.Publish(b.bells, rings)
	b.bell.Complete()
	b.setup.Part.Wire(k)
}

// Cut is a power cut.
func (b *bench) Cut(func(string) uint64) {
	if b.setup.Cut != nil {
		b.setup.Cut()
	}
}

// desk is the only agent.
type desk struct {
	b     *bench
	calls []looker
}

func (b *bench) newDesk(p bus.Port) agent.Agent {
	bus.Subscribe(p, rings)
	return &desk{b, b.bind(b, p)}
}

// Step does what was asked, hands on outcomes with what is seen in the same turn, and looks whether
// what tests wait for has come.
func (d *desk) Step(t *agent.Turn) {
	b := d.b
	b.now = t.Now
	todo := b.todo
	b.todo = nil
	for _, f := range todo {
		f()
	}
	for _, c := range d.calls {
		c.look()
	}
	var left []wait
	for _, w := range b.waits {
		if w.holds() {
			close(w.met)
		} else {
			left = append(left, w)
		}
	}
	b.waits = left
}

// ask has f run in a turn of the desk, soon.
func (b *bench) ask(f func()) {
	b.device.Post(func() {
		b.todo = append(b.todo, f)
		b.bells.Do(func() {
			b.rung++
			b.bell.Put(ring{b.rung})
		})
	})
}

// turn runs f in a turn of the desk and waits for it.
func (b *bench) turn(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	b.ask(func() { f(); close(done) })
	await(t, "a turn", done)
}

// until waits for a turn in which something holds.
func (b *bench) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	met := make(chan struct{})
	b.ask(func() { b.waits = append(b.waits, wait{holds, met}) })
	await(t, what, met)
}

// outside runs f on the device's loop, between two turns: something happens to the hardware.
func (b *bench) outside(t *testing.T, f func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.device.Do(ctx, func(*host.Kernel) { f() }); err != nil {
		t.Fatal(err)
	}
}

// passes lets time pass on the device.
func (b *bench) passes(t *testing.T, d time.Duration) {
	t.Helper()
	over := make(chan struct{})
	b.outside(t, func() { b.bells.After(d, func() { close(over) }) })
	await(t, "the end of "+d.String(), over)
}

// cycle cuts the power and waits for the next boot.
func (b *bench) cycle(t *testing.T) {
	t.Helper()
	var before uint64
	b.outside(t, func() {
		before = b.boot
		b.device.Reboot(time.Millisecond)
	})
	b.until(t, "the next boot", func() bool { return b.boot > before })
}

// rows tells the rows of a table and what they are at.
func rows[V bus.Row](name string, s *bus.Sub[V]) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s complete=%v\n", name, s.Complete())
	for key := range s.All() {
		fmt.Fprintf(&out, "%s %s revision %d\n", name, key, s.Rev(key))
	}
	return out.String()
}

// await waits for a channel to be closed.
func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-c:
	case <-limit.C:
		t.Fatal(what + " did not come within " + fmt.Sprint(patience))
	}
}
