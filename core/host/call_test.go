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

type req struct {
	Name string
	N    int
}
type res struct{ N int }

var (
	set  = agent.NewOp[req, res](agent.OpDecl{Name: "lamp.Set", Limit: time.Minute})
	dim  = agent.NewOp[req, res](agent.OpDecl{Name: "lamp.Dim", Limit: time.Hour})
	look = agent.NewOp[req, res](agent.OpDecl{Name: "lamp.Look", Query: true, Class: "eyes",
		Width: 3})
	lamps = bus.NewTopic[row](bus.Decl{Owner: "lamp", Name: "Lamp"})
	notes = bus.NewTopic[row](bus.Decl{Owner: "worker", Name: "Note", Life: bus.Persistent})
)

// bench is a kernel with one agent, whose next turn is given as a function, and a lamp whose runs
// are kept until they are ended by hand.
type bench struct {
	*desk
	t       *testing.T
	k       *host.Kernel
	next    func(b *bench, t *agent.Turn)
	set     *agent.Calls[req, res]
	dim     *agent.Calls[req, res]
	look    *agent.Calls[req, res]
	notes   *bus.Pub[row]
	lamps   *bus.Sub[row]
	served  []string // "key N"
	runs    map[string]host.Run[req, res]
	onServe func(c host.Run[req, res])
	lamp    *host.Part
	out     *bus.Pub[row]
}

func newBench(t *testing.T, o host.Options) *bench {
	b := &bench{desk: newDesk(), t: t, runs: map[string]host.Run[req, res]{}}
	b.start(o)
	return b
}

func (b *bench) start(o host.Options) {
	b.t.Helper()
	serve := func(c host.Run[req, res]) {
		b.served = append(b.served, fmt.Sprintf("%s %d", c.Key(), c.Req().N))
		b.runs[c.Key()] = c
		if b.onServe != nil {
			b.onServe(c)
		}
	}
	o.Agents = append(o.Agents, entry("worker", func(p bus.Port) agent.Agent {
		b.set, b.dim, b.look = agent.Use(p, set), agent.Use(p, dim), agent.Use(p, look)
		b.notes, b.lamps = bus.Publish(p, notes), bus.Subscribe(p, lamps)
		return machine(func(t *agent.Turn) {
			if next := b.next; next != nil {
				b.next = nil
				next(b, t)
			}
		})
	}))
	o.Wire = func(k *host.Kernel) {
		b.lamp = k.Part("lamp")
		b.out = bus.Publish(b.lamp, lamps)
		host.Serve(b.lamp, set, serve)
		host.Serve(b.lamp, dim, serve)
		host.Serve(b.lamp, look, serve)
	}
	b.k = b.boot(b.t, o)
	b.settle()
}

// turn gives the agent a turn that does f.
func (b *bench) turn(f func(b *bench, t *agent.Turn)) {
	b.t.Helper()
	b.next = f
	b.lamp.Do(func() { b.out.Put(row{"tick", len(b.lines) + int(b.k.Turns())}) })
	b.settle()
	if b.next != nil {
		b.t.Fatal("the agent had no turn")
	}
}

func (b *bench) want(key string, n int) {
	b.t.Helper()
	b.turn(func(b *bench, _ *agent.Turn) { b.set.Want(key, req{key, n}) })
}

func (b *bench) expect(served ...string) {
	b.t.Helper()
	if !slices.Equal(b.served, served) {
		b.t.Fatalf("served %q, want %q", b.served, served)
	}
}

func (b *bench) phase(key string) agent.Phase { return b.set.Get(key).Phase }

func TestTheSameRequestJoinsAndAnotherWaitsForTheEnd(t *testing.T) {
	b := newBench(t, host.Options{})
	b.onServe = func(c host.Run[req, res]) { c.OnCancel(func() {}) } // ends when it is told to
	b.want("a", 1)
	b.want("a", 1)
	b.expect("a 1")
	b.want("a", 2)
	if b.expect("a 1"); b.phase("a") != agent.Queued || b.runs["a"].Live() {
		t.Fatalf("phase %v, live %v", b.phase("a"), b.runs["a"].Live())
	}
	b.runs["a"].Done(res{1})
	b.settle()
	b.expect("a 1", "a 2")
	if c := b.set.Get("a"); c.Phase != agent.Running || c.Tries != 1 {
		t.Fatalf("%+v", c)
	}
	b.runs["a"].Done(res{2})
	b.settle()
	if c := b.set.Get("a"); c.Phase != agent.Done || c.Res.N != 2 {
		t.Fatalf("%+v", c)
	}
}

func TestADroppedKeyStaysFenced(t *testing.T) {
	b := newBench(t, host.Options{})
	b.onServe = func(c host.Run[req, res]) { c.OnCancel(func() {}) }
	b.want("a", 1)
	b.turn(func(b *bench, _ *agent.Turn) { b.set.Drop("a") })
	b.want("a", 1)
	if b.expect("a 1"); b.phase("a") != agent.Queued {
		t.Fatalf("phase %v behind a call that has not ended", b.phase("a"))
	}
	b.runs["a"].Fail("x", "gone", false)
	b.settle()
	b.expect("a 1", "a 1")
	if b.phase("a") != agent.Running {
		t.Fatalf("the outcome of the dropped call was taken for the new one: %v", b.phase("a"))
	}
}

// A part that answers at once ends the old call, and so starts the new one, while the turn that
// wants it is being committed: it must start once.
func TestASupersededCallIsFollowedByOneStart(t *testing.T) {
	b := newBench(t, host.Options{})
	b.want("a", 1)
	b.onServe = func(c host.Run[req, res]) { c.Done(res{c.Req().N}) }
	b.want("a", 2)
	b.expect("a 1", "a 2")
	if c := b.set.Get("a"); c.Phase != agent.Done || c.Tries != 1 || c.Res.N != 2 {
		t.Fatalf("%+v", c)
	}
}

// The end of a call must not start the next one of its key while the turn that wants it is not
// durable yet.
func TestNoCallStartsBeforeItsTurnIsDurable(t *testing.T) {
	b := newBench(t, host.Options{})
	b.want("a", 1)
	b.hold = true
	b.turn(func(b *bench, _ *agent.Turn) {
		b.notes.Put(row{"a", 2})
		b.set.Want("a", req{"a", 2})
		b.look.Want("b", req{"b", 1})
	})
	if b.expect("a 1"); get(b.k, notes, "a") != nil {
		t.Fatal("a row is visible before it is durable")
	}
	b.runs["a"].Done(res{1})
	b.settle()
	b.expect("a 1")
	b.hold = false
	b.settle()
	b.expect("a 1", "a 2", "b 1")
	if get(b.k, notes, "a") == nil {
		t.Fatal("the row is durable and does not show")
	}
}

func TestAClassRunsAsManyCallsAsItIsWide(t *testing.T) {
	b := newBench(t, host.Options{})
	b.turn(func(b *bench, _ *agent.Turn) {
		for i := range 5 {
			k := fmt.Sprint("l", i)
			b.look.Want(k, req{k, i})
		}
		b.set.Want("s", req{"s", 0})
		b.dim.Want("d", req{"d", 0}) // of the same class, with the part's name
	})
	b.expect("l0 0", "l1 1", "l2 2", "s 0")
	b.turn(func(b *bench, _ *agent.Turn) { b.look.Drop("l3") })
	b.runs["l1"].Done(res{})
	b.runs["s"].Fail("x", "", false)
	b.settle()
	b.expect("l0 0", "l1 1", "l2 2", "s 0", "l4 4", "d 0")
	b.turn(func(b *bench, _ *agent.Turn) {
		if got := b.look.Keys(); !slices.Equal(got, []string{"l0", "l1", "l2", "l4"}) {
			t.Errorf("keys %v", got)
		}
		b.look.Keep(func(k string) bool { return k == "l4" })
	})
	if got := b.look.Keys(); !slices.Equal(got, []string{"l4"}) {
		t.Errorf("kept %v", got)
	}
}

func TestRedoCountsTries(t *testing.T) {
	b := newBench(t, host.Options{})
	b.want("a", 1)
	b.turn(func(b *bench, _ *agent.Turn) { b.set.Redo("a") }) // runs: nothing to redo
	b.expect("a 1")
	var seen []string
	for try := 1; try <= 3; try++ {
		if got := b.runs["a"].Try(); got != try {
			t.Fatalf("try %d is served as %d", try, got)
		}
		b.runs["a"].Fail("busy", "busy", true)
		b.turn(func(b *bench, _ *agent.Turn) {
			c := b.set.Get("a")
			seen = append(seen, fmt.Sprint(c.Phase, c.Tries, b.set.Ended()))
			b.set.Redo("a")
		})
	}
	if want := []string{"4 1 [a]", "4 2 [a]", "4 3 [a]"}; !slices.Equal(seen, want) {
		t.Fatalf("seen %q, want %q", seen, want)
	}
	b.expect("a 1", "a 1", "a 1", "a 1")
}

func TestACallThatTakesTooLongFailsAndKeepsItsFence(t *testing.T) {
	b := newBench(t, host.Options{})
	b.onServe = func(c host.Run[req, res]) { c.OnCancel(func() {}) } // ignores its cancellation
	b.want("a", 1)
	b.run(59 * time.Second)
	if b.phase("a") != agent.Running || b.k.Stuck() != nil {
		t.Fatalf("phase %v, stuck %v", b.phase("a"), b.k.Stuck())
	}
	b.run(61 * time.Second)
	c := b.set.Get("a")
	if c.Phase != agent.Failed || c.Fault.Code != agent.FaultLimit || !c.Fault.Retry {
		t.Fatalf("%+v", c)
	}
	if got := b.k.Stuck(); !slices.Equal(got, []string{"lamp.Set/a"}) {
		t.Fatalf("stuck %q", got)
	}
	b.want("a", 2)
	b.want("b", 1)
	b.expect("a 1") // a's fence and the class are held
	b.runs["a"].Done(res{9})
	b.settle()
	if b.expect("a 1", "a 2"); b.k.Stuck() != nil || b.phase("a") != agent.Running {
		t.Fatalf("stuck %v, phase %v", b.k.Stuck(), b.phase("a"))
	}
}

func TestACancelledCallMayStillTakeEffect(t *testing.T) {
	late, real := 0, 0
	for i := range 40 {
		b := newBench(t, host.Options{Limits: host.Limits{LateCancel: 2}})
		key := fmt.Sprint("k", i)
		b.want(key, 1)
		b.turn(func(b *bench, _ *agent.Turn) { b.set.Drop(key) })
		if b.runs[key].Live() {
			late++
			b.lamp.Do(func() { b.out.Put(row{key, 1}) })
			b.runs[key].Done(res{1})
			b.settle()
			if b.set.Get(key).Phase != agent.None || get(b.k, lamps, key) == nil {
				t.Fatalf("the outcome of a dropped call came back: %+v", b.set.Get(key))
			}
		} else {
			real++
		}
	}
	if late < 10 || real < 10 {
		t.Fatalf("%d of 40 took effect", late)
	}
}

// Rows that a call causes arrive before its outcome, in one turn or an earlier one, also when the
// part feeds them long before the end.
func TestTheOutcomeTravelsBehindItsRows(t *testing.T) {
	b := newBench(t, host.Options{})
	b.onServe = func(c host.Run[req, res]) {
		c.After(time.Second, func() { b.out.Put(row{c.Key(), c.Req().N}) })
		c.After(2*time.Second, func() {
			b.out.Put(row{c.Key(), c.Req().N * 10})
			c.Done(res{})
		})
	}
	b.want("a", 4)
	b.run(b.now + 1500*time.Millisecond)
	if b.lamps.Get("a") == nil || b.phase("a") != agent.Running {
		t.Fatalf("halfway: %v, %v", b.lamps.Get("a"), b.phase("a"))
	}
	b.run(b.now + time.Second)
	if r := b.lamps.Get("a"); b.phase("a") != agent.Done || r.N != 40 {
		t.Fatalf("in the end: %v, %v", r, b.phase("a"))
	}
}

// A crash takes the call table; what runs goes on, keeps its key, and its outcome is nobody's.
func TestACrashLosesOutcomesAndKeepsFences(t *testing.T) {
	b := newBench(t, host.Options{})
	b.want("a", 1)
	b.k.Crash(b.k.Proc("worker"), nil)
	b.settle()
	if b.phase("a") != agent.None {
		t.Fatalf("phase %v after the crash", b.phase("a"))
	}
	b.want("a", 1)
	b.expect("a 1")
	b.runs["a"].Done(res{7})
	b.settle()
	if b.expect("a 1", "a 1"); b.phase("a") != agent.Running {
		t.Fatalf("phase %v: the outcome of the call before the crash", b.phase("a"))
	}
	b.k.Crash(b.k.Proc("worker"), func(op, key string) bool { return op == "lamp.Set" && key == "a" })
	if b.runs["a"].Live() {
		t.Fatal("the call that the crash cancels goes on")
	}
}

func TestStoppingStartsNothing(t *testing.T) {
	b := newBench(t, host.Options{})
	b.turn(func(b *bench, _ *agent.Turn) {
		b.set.Want("a", req{"a", 1})
		b.set.Want("b", req{"b", 1}) // waits for its class
	})
	b.want("a", 2) // waits behind its predecessor's end, which is at once
	b.expect("a 1", "a 2")
	b.k.CancelAll()
	b.settle()
	if b.expect("a 1", "a 2"); b.runs["a"].Live() {
		t.Fatal("a call goes on")
	}
}

func TestStoppingStartsNothingBehindAFence(t *testing.T) {
	b := newBench(t, host.Options{})
	b.onServe = func(c host.Run[req, res]) { c.OnCancel(func() {}) }
	b.want("a", 1)
	b.want("a", 2)
	b.k.CancelAll()
	b.runs["a"].Done(res{})
	b.settle()
	b.expect("a 1")
}

func TestWhatPanicsInAPartFailsItsCallOnADevice(t *testing.T) {
	b := newBench(t, host.Options{OnPanic: func(*host.Proc, any) {}})
	b.onServe = func(c host.Run[req, res]) {
		switch c.Key() {
		case "now":
			panic("lamp broke")
		case "later":
			c.After(time.Second, func() { panic("lamp broke") })
		case "work":
			c.OnCancel(nil)
		}
	}
	for _, key := range []string{"now", "later"} {
		b.want(key, 1)
		b.run(b.now + 2*time.Second)
		if c := b.set.Get(key); c.Phase != agent.Failed || c.Fault.Code != agent.FaultPanic {
			t.Fatalf("%s: %+v", key, c)
		}
	}
	if s := strings.Join(b.lines, "\n"); strings.Count(s, "lamp: lamp.Set broke: lamp broke") != 2 {
		t.Fatalf("lines:\n%s", s)
	}
	b.want("ok", 1)
	b.runs["ok"].Done(res{})
	b.settle()
	if b.phase("ok") != agent.Done {
		t.Fatal("the class did not move on")
	}
}
