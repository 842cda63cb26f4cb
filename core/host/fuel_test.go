package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// spend runs an agent for as long as told and returns the panic that ended the run.
func spend(t *testing.T, o host.Options, d time.Duration, n agent.New) (broke string) {
	t.Helper()
	desk := newDesk()
	if o.Agents == nil {
		o.Agents = []agent.Entry{entry("maker", n)}
	}
	defer func() {
		if x := recover(); x != nil {
			broke = fmt.Sprint(x)
		}
	}()
	desk.boot(t, o)
	desk.run(d)
	return ""
}

// every has a turn at an interval and puts the number of the turn under a key.
func every(topic bus.Topic[row], gap time.Duration, key func(n int) string) agent.New {
	return func(p bus.Port) agent.Agent {
		out := bus.Publish(p, topic)
		n := 0
		return machine(func(t *agent.Turn) {
			n++
			out.Put(row{key(n), n})
			t.WakeAt("next", t.Now+gap)
		})
	}
}

// An agent may declare that it takes more turns than others, and is held to that.
func TestDeclaredBurstOfTurns(t *testing.T) {
	boots := bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Churn"})
	busy := every(boots, 50*time.Millisecond, func(n int) string { return fmt.Sprint(n % 50) })
	for turns, want := range map[int]string{1300: "", 1100: "maker took 1101 turns in a minute",
		500: "maker took 1001 turns in a minute"} {
		e := entry("maker", busy)
		e.Turns = turns
		broke := spend(t, host.Options{Agents: []agent.Entry{e}}, time.Minute, nil)
		if want == "" && broke != "" || !strings.Contains(broke, want) {
			t.Errorf("%d turns declared: %q, want %q", turns, broke, want)
		}
	}
}

func TestChurnEndsTheRunWithItsCauses(t *testing.T) {
	one := func(int) string { return "x" }
	half := func(n int) string { return []string{"x", fmt.Sprint(n % 50)}[n%2] }
	ten := func(n int) string { return fmt.Sprint(n % 10) }
	boots := bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Churn"})
	for _, c := range []struct {
		says string
		in   time.Duration
		o    host.Options
		n    agent.New
	}{
		{"maker took 1001 turns in a minute", time.Minute, host.Options{},
			every(boots, 50*time.Millisecond, func(n int) string { return fmt.Sprint(n % 50) })},
		{"", time.Hour, host.Options{}, every(boots, 61*time.Millisecond,
			func(n int) string { return fmt.Sprint(n % 50) })},
		{"maker put row x of maker/Churn 101 times in a minute", time.Minute, host.Options{},
			every(boots, 250*time.Millisecond, one)},
		{"", time.Hour, host.Options{}, every(boots, 601*time.Millisecond, one)},
		{"maker put row x of maker/Churn 101 times in a minute", time.Minute, host.Options{},
			every(boots, 590*time.Millisecond, one)},
		{"maker put row x of maker/Churn 101 times in a minute", time.Minute, host.Options{},
			every(boots, 295*time.Millisecond, half)},
		{"maker put row x of maker/Churn 301 times in a minute", time.Minute,
			host.Options{Limits: host.Limits{PutsPerMinute: 300}},
			every(boots, 99*time.Millisecond, half)},
		{"", time.Minute, host.Options{Limits: host.Limits{PutsPerMinute: 310}},
			every(boots, 99*time.Millisecond, half)},
		{"", time.Minute, host.Options{Limits: host.Limits{PutsPerMinute: -1}},
			every(boots, 61*time.Millisecond, one)},
		{"", time.Hour, host.Options{}, every(boots, 61*time.Millisecond, ten)},
		{"maker wrote 61 durable turns in an hour", 3 * time.Hour, host.Options{},
			every(counts, 59*time.Second, one)},
		{"", time.Hour, host.Options{}, every(counts, 2*time.Second, one)}, // not calm yet
		{"", 9 * time.Hour, host.Options{}, every(counts, 61*time.Second, one)},
		{"", 9 * time.Hour, host.Options{Limits: host.Limits{DurablePerHour: -1}},
			every(counts, 10*time.Second, one)},
	} {
		got := spend(t, c.o, c.in, c.n)
		if c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%q does not say %q", got, c.says)
		}
		if got != "" && (!strings.Contains(got, "the last turns:") ||
			strings.Count(got, "maker turn") < 50) {
			t.Errorf("no ring of causes in %q", got)
		}
	}
}

// Two agents that answer each other without end stand still in time; that must not hang a run.
func TestALivelockEndsTheRun(t *testing.T) {
	pings := bus.NewFamily[row](bus.Decl{Name: "Ping"}, "maker", "other")
	player := func(own, from string) agent.Entry {
		return entry(own, func(p bus.Port) agent.Agent {
			out, in := bus.Publish(p, pings.Of(own)), bus.Subscribe(p, pings.Of(from))
			return machine(func(*agent.Turn) {
				n := row{Name: fmt.Sprint(in.Len())}
				if r := in.Get("x"); r != nil {
					n = *r
				}
				out.Put(row{"x", n.N + 1})
			})
		})
	}
	d := newDesk()
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "took 101 turns in one instant") ||
			!strings.Contains(r, "moved Ping, put Ping x") {
			t.Fatalf("ended with %q", r)
		}
	}()
	d.boot(t, host.Options{Agents: []agent.Entry{player("maker", "other"), player("other", "maker")}})
	d.run(time.Second)
}

// A device tells who spins, and goes on.
func TestADeviceIsToldOfChurn(t *testing.T) {
	told := 0
	o := host.Options{Limits: host.Limits{Throttle: func(p *host.Proc, why string) {
		if p.Name != "maker" || !strings.Contains(why, "turns in a minute") &&
			!strings.Contains(why, "times in a minute") {
			t.Errorf("%s %s", p.Name, why)
		}
		told++
	}}}
	broke := spend(t, o, time.Minute,
		every(shows, 50*time.Millisecond, func(int) string { return "x" }))
	if broke != "" || told < 300 {
		t.Fatalf("told %d times, ended with %q", told, broke)
	}
}

// A part that puts too much ends a simulation; a device goes on and says it once.
func TestAPartThatPutsTooMuch(t *testing.T) {
	small := bus.NewTopic[row](bus.Decl{Owner: "part", Name: "Small", MaxRows: 2})
	long := bus.NewTopic[text](bus.Decl{Owner: "part", Name: "Long", MaxBytes: 50})
	for _, c := range []struct {
		says string
		put  func(k *host.Kernel)
	}{
		{"part/Small has 3 rows, its limit is 2", func(k *host.Kernel) {
			out := bus.Publish(k.Part("part"), small)
			for i := range 3 {
				out.Put(row{fmt.Sprint(i), 1})
			}
		}},
		{"row x of part/Long has 61 bytes, its limit is 50", func(k *host.Kernel) {
			bus.Publish(k.Part("part"), long).Put(text{"x", strings.Repeat("x", 60)})
		}},
		{"part part put row x of part/Small 101 times in a minute", func(k *host.Kernel) {
			pt := k.Part("part")
			out := bus.Publish(pt, small)
			for i := range 300 {
				pt.After(0, func() { out.Put(row{"x", i}) })
			}
		}},
	} {
		for _, device := range []bool{false, true} {
			d, broke := newDesk(), ""
			o := host.Options{Wire: c.put}
			if device {
				o.OnPanic = func(*host.Proc, any) {}
			}
			func() {
				defer func() {
					if x := recover(); x != nil {
						broke = fmt.Sprint(x)
					}
				}()
				d.boot(t, o)
				d.run(time.Second)
			}()
			lines := strings.Join(d.lines, "\n")
			if !device && !strings.Contains(broke, c.says) {
				t.Errorf("%q does not say %q", broke, c.says)
			}
			if device && (broke != "" || strings.Count(lines, c.says) != 1 || len(d.lines) != 1) {
				t.Errorf("ended with %q; lines %q, want %q", broke, lines, c.says)
			}
		}
	}
}

func TestTooManyCalls(t *testing.T) {
	b := newBench(t, host.Options{Limits: host.Limits{Calls: 3}})
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "too many calls of lamp.Set, the newest k3") {
			t.Fatalf("ended with %q", r)
		}
	}()
	b.turn(func(b *bench, _ *agent.Turn) {
		for i := range 5 {
			b.set.Want(fmt.Sprint("k", i), req{})
		}
	})
}
