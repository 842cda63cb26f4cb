package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// recovering has agents that panic tried again, as a device does.
func recovering(b **bench, panics *int) host.Options {
	return host.Options{OnPanic: func(p *host.Proc, _ any) {
		*panics++
		(*b).k.Recover(p)
	}}
}

func TestATurnThatPanicsHasNoEffect(t *testing.T) {
	var b *bench
	panics := 0
	b = newBench(t, recovering(&b, &panics))
	b.turn(func(b *bench, t *agent.Turn) {
		b.notes.Put(row{"kept", 1})
		b.notes.Put(row{"gone", 1})
		b.set.Want("a", req{"a", 1})
		b.dim.Want("d", req{"d", 1})
		t.WakeAt("soon", t.Now+time.Second)
		t.WakeAt("later", t.Now+time.Hour)
	})
	b.turn(func(*bench, *agent.Turn) {})
	before, served := dump(b.k), slices.Clone(b.served)
	b.turn(func(b *bench, t *agent.Turn) {
		b.notes.Put(row{"kept", 2})
		b.notes.Put(row{"new", 1})
		b.notes.Delete("gone")
		b.notes.Complete()
		b.set.Want("a", req{"a", 2})
		b.set.Want("b", req{"b", 1})
		b.dim.Drop("d")
		t.WakeAt("soon", t.Now+time.Minute)
		t.WakeAt("soon", t.Now+2*time.Minute)
		t.WakeAt("new", t.Now+time.Second)
		t.Unwake("later")
		t.Log(agent.Info, "", "a line of a turn that broke")
		panic("on purpose")
	})
	if panics != 1 {
		t.Fatalf("%d panics", panics)
	}
	if got := strip(dump(b.k)); got != strip(before) {
		t.Fatalf("rows:\n%s\nwere\n%s", got, before)
	}
	if !slices.Equal(b.served, served) || !b.runs["a"].Live() || b.set.Get("b").Phase != agent.None ||
		b.dim.Get("d").Phase == agent.None {
		t.Fatalf("served %q; a %+v, b %+v, d %+v", b.served, b.set.Get("a"), b.set.Get("b"),
			b.dim.Get("d"))
	}
	if len(b.lines) != 0 {
		t.Fatalf("lines %q", b.lines)
	}
	b.runs["a"].Done(res{5})
	b.settle()
	if c := b.set.Get("a"); c.Phase != agent.Done || c.Res.N != 5 {
		t.Fatalf("the outcome of a call that was superseded in vain: %+v", c)
	}
	var due []string
	var keep func(b *bench, t *agent.Turn)
	keep = func(b *bench, t *agent.Turn) {
		b.next = keep
		for _, k := range t.Due() {
			due = append(due, fmt.Sprint(k, " ", t.Now))
		}
	}
	b.next = keep
	b.run(b.now + 2*time.Hour)
	if want := []string{"soon 1s", "later 1h0m0s"}; !slices.Equal(due, want) {
		t.Fatalf("due %q, want %q, as it was before", due, want)
	}
}

// strip leaves the rows that move with every turn of a bench out.
func strip(dump string) string {
	var out []string
	for l := range strings.Lines(dump) {
		if !strings.HasPrefix(l, "lamp/Lamp/tick") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

// What was due in a turn that panicked is due in the next try, and every row counts as changed.
func TestTheNextTryHasTheWholeInput(t *testing.T) {
	var b *bench
	panics := 0
	b = newBench(t, recovering(&b, &panics))
	b.turn(func(b *bench, t *agent.Turn) { t.WakeAt("x", t.Now+time.Second) })
	var tries []string
	var again func(b *bench, t *agent.Turn)
	again = func(b *bench, t *agent.Turn) {
		changed := 0
		for range b.lamps.Changed() {
			changed++
		}
		tries = append(tries, fmt.Sprint(t.Full, t.Due(), changed))
		if len(tries) < 3 {
			b.next = again
			panic("on purpose")
		}
	}
	b.next = again
	b.run(b.now + 2*time.Second)
	if want := []string{"false [x] 0", "true [x] 1", "true [x] 1"}; !slices.Equal(tries, want) {
		t.Fatalf("tries %q, want %q", tries, want)
	}
	if b.k.Proc("worker").Stopped() {
		t.Fatal("given up after two panics")
	}
}

func TestTheThirdPanicInARowGivesUp(t *testing.T) {
	var b *bench
	panics := 0
	b = newBench(t, recovering(&b, &panics))
	var again func(*bench, *agent.Turn)
	again = func(b *bench, _ *agent.Turn) { b.next = again; panic("on purpose") }
	b.next = again
	b.lamp.Do(func() { b.out.Put(row{"x", 1}) })
	b.settle()
	if p := b.k.Proc("worker"); panics != 3 || !p.Stopped() {
		t.Fatalf("%d panics, stopped %v", panics, p.Stopped())
	}
	b.next = nil
	b.k.Crash(b.k.Proc("worker"), nil) // it is started anew
	b.settle()
	b.turn(func(b *bench, _ *agent.Turn) { b.notes.Put(row{"back", 1}) })
	if get(b.k, notes, "back") == nil {
		t.Fatal("the agent did not come back")
	}
}

// A turn that breaks a limit is discarded like one that panics.
func TestLimitsArePartOfTheTurn(t *testing.T) {
	big := bus.NewTopic[text](bus.Decl{Owner: "maker", Name: "Text", MaxRows: 3, MaxBytes: 100})
	float := bus.NewTopic[number](bus.Decl{Owner: "maker", Name: "Number", Life: bus.Persistent})
	for name, f := range map[string]func(*bus.Pub[text], *bus.Pub[number], *agent.Turn){
		"has 5 rows, its limit is 3": func(p *bus.Pub[text], _ *bus.Pub[number], _ *agent.Turn) {
			for i := range 4 {
				p.Put(text{fmt.Sprint(i), ""})
			}
		},
		"has 102 bytes, its limit is 100": func(p *bus.Pub[text], _ *bus.Pub[number], _ *agent.Turn) {
			p.Put(text{"k", strings.Repeat("x", 101)})
		},
		"encode row nan of maker/Number": func(_ *bus.Pub[text], n *bus.Pub[number], _ *agent.Turn) {
			zero := 0.0
			n.Put(number{"nan", zero / zero})
		},
		"too many deadlines": func(_ *bus.Pub[text], _ *bus.Pub[number], t *agent.Turn) {
			for i := range 1001 {
				t.WakeAt(fmt.Sprint(i), t.Now+time.Hour)
			}
		},
	} {
		for _, device := range []bool{true, false} {
			d, broke := newDesk(), ""
			o := host.Options{Agents: []agent.Entry{entry("maker", func(p bus.Port) agent.Agent {
				x, n := bus.Publish(p, big), bus.Publish(p, float)
				return machine(func(t *agent.Turn) {
					x.Put(text{"first", ""})
					f(x, n, t)
				})
			})}}
			if device {
				o.OnPanic = func(_ *host.Proc, cause any) { broke = fmt.Sprint(cause) }
			}
			func() {
				defer func() {
					if x := recover(); x != nil {
						broke = fmt.Sprint(x)
					}
				}()
				d.boot(t, o)
				d.settle()
			}()
			if !strings.Contains(broke, name) {
				t.Errorf("device %v: %q does not say %q", device, broke, name)
			}
			if device && dump(d.k) != "" {
				t.Errorf("%s: the turn left rows:\n%s", name, dump(d.k))
			}
		}
	}
}

type text struct{ Name, Text string }

// Key is the name.
func (t text) Key() string { return t.Name }

type number struct {
	Name string
	X    float64
}

// Key is the name.
func (n number) Key() string { return n.Name }

func TestDeadlines(t *testing.T) {
	b := newBench(t, host.Options{})
	b.turn(func(b *bench, t *agent.Turn) {
		t.WakeAt("b", 10*time.Second)
		t.WakeAt("a", 10*time.Second)
		t.WakeAt("c", 20*time.Second)
		t.WakeAt("d", 5*time.Second)
		t.WakeAt("d", 30*time.Second) // moved
		t.WakeAt("e", 15*time.Second)
		t.Unwake("e")
		t.Unwake("nothing")
	})
	var due []string
	turns := b.k.Turns()
	var keep func(b *bench, t *agent.Turn)
	keep = func(b *bench, t *agent.Turn) {
		b.next = keep
		due = append(due, fmt.Sprint(t.Now, t.Due(), t.IsDue("a"), t.IsDue("c")))
		if t.Now < 20*time.Second {
			t.WakeAt("c", 20*time.Second) // as it is
			t.Unwake("c")
			t.WakeAt("c", 20*time.Second)
		}
	}
	b.next = keep
	b.run(time.Minute)
	want := []string{"10s [a b] true false", "20s [c] false true", "30s [d] false false"}
	if !slices.Equal(due, want) || b.k.Turns() != turns+3 {
		t.Fatalf("due %q in %d turns, want %q", due, b.k.Turns()-turns, want)
	}
}

func TestADeadlineThatIsNotInTheFuturePanics(t *testing.T) {
	b := newBench(t, host.Options{})
	b.run(time.Minute)
	for _, at := range []time.Duration{0, time.Second, time.Minute} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, "is not after 1m0s") {
					t.Errorf("deadline at %v: %q", at, r)
				}
			}()
			b.turn(func(_ *bench, t *agent.Turn) { t.WakeAt("x", at) })
		}()
		b.next = nil
	}
}

// Deadlines that come and go before a far one leave no trail of alarms for the far one.
func TestAlarmsDoNotPileUp(t *testing.T) {
	b := newBench(t, host.Options{})
	for range 100 {
		b.turn(func(_ *bench, t *agent.Turn) {
			t.WakeAt("far", 100*time.Hour)
			t.WakeAt("soon", t.Now+time.Second)
		})
		b.run(b.now + 2*time.Second)
	}
	if len(b.timers) > 2 {
		t.Fatalf("%d timers wait", len(b.timers))
	}
	due := false
	b.next = func(_ *bench, t *agent.Turn) { due = t.IsDue("far") }
	b.run(100 * time.Hour)
	if !due {
		t.Fatal("the far deadline did not come")
	}
}

func TestACrashLosesLocalRowsAndDeadlinesAndKeepsTheRest(t *testing.T) {
	mem := bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Memory", Life: bus.Local})
	out := bus.NewTopic[row](bus.Decl{Owner: "maker", Name: "Out"})
	d := newDesk()
	var log []string
	k := d.boot(t, host.Options{Agents: []agent.Entry{entry("maker", func(p bus.Port) agent.Agent {
		m, o := bus.Publish(p, mem), bus.Publish(p, out)
		return machine(func(t *agent.Turn) {
			log = append(log, fmt.Sprint(m.Get("x") != nil, o.Get("x") != nil, t.Full, t.Due()))
			m.Put(row{"x", 1})
			o.Put(row{"x", 1})
			if t.Now < time.Minute {
				t.WakeAt("soon", time.Minute)
			}
		})
	})}})
	d.settle()
	was, _ := k.Head(mem.Decl)
	k.Crash(k.Proc("maker"), nil)
	if get(k, mem, "x") != nil || get(k, out, "x") == nil {
		t.Fatalf("rows after the crash:\n%s", dump(k))
	}
	gone := 0
	now, _ := k.Head(mem.Decl)
	for _, v := range now.Since(was) {
		if v == nil {
			gone++
		}
	}
	if gone != 1 || now.Rev() <= was.Rev() {
		t.Fatalf("%d rows gone, revision %d after %d", gone, now.Rev(), was.Rev())
	}
	d.run(30 * time.Second)
	k.Crash(k.Proc("maker"), nil)
	d.now = time.Minute + time.Second // the deadline has passed, but it was lost
	d.run(2 * time.Minute)
	want := []string{"false false true []", "false true true []", "false true true []"}
	if !slices.Equal(log, want) {
		t.Fatalf("turns %q, want %q", log, want)
	}
}

// The rows of a turn that is on its way to the disk when its agent crashes show when they are
// durable; its calls and deadlines are lost with the agent.
func TestACrashDuringTheWriting(t *testing.T) {
	b := newBench(t, host.Options{})
	b.hold = true
	b.turn(func(b *bench, t *agent.Turn) {
		b.notes.Put(row{"a", 1})
		b.set.Want("a", req{"a", 1})
		t.WakeAt("x", t.Now+time.Second)
	})
	b.k.Crash(b.k.Proc("worker"), nil)
	b.settle()
	if get(b.k, notes, "a") != nil {
		t.Fatal("the row shows before it is durable")
	}
	var first []bool
	b.next = func(b *bench, t *agent.Turn) { first = append(first, t.Full, b.notes.Get("a") != nil) }
	b.hold = false
	b.run(b.now + time.Minute)
	if b.expect(); get(b.k, notes, "a") == nil || !slices.Equal(first, []bool{true, true}) {
		t.Fatalf("first turn: full and sees its row: %v\n%s", first, dump(b.k))
	}
}
