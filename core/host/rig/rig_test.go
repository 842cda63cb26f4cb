package rig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host/rig"
)

type wish struct{ Name, Want string }

func (w wish) Key() string { return w.Name }

type seen struct{ Name, Spec string }

func (s seen) Key() string { return s.Name }

type state struct {
	Name  string
	Of    uint64
	Text  string
	Tries int
}

func (s state) Key() string { return s.Name }

type count struct{ N int }

func (count) Key() string { return "count" }

type req struct{ Name, Spec string }
type none struct{}

var (
	wishes = bus.NewTopic[wish](bus.Decl{Owner: "boss", Name: "Wish"})
	seens  = bus.NewTopic[seen](bus.Decl{Owner: "part", Name: "Seen"})
	states = bus.NewTopic[state](bus.Decl{Owner: "worker", Name: "State"})
	counts = bus.NewTopic[count](bus.Decl{Owner: "worker", Name: "Count", Life: bus.Persistent})
	apply  = agent.NewOp[req, none](agent.OpDecl{Name: "part.Apply", Limit: time.Hour})
)

type worker struct {
	wishes *bus.Sub[wish]
	seens  *bus.Sub[seen]
	states *bus.Pub[state]
	counts *bus.Pub[count]
	apply  *agent.Calls[req, none]
}

func newWorker(p bus.Port) agent.Agent {
	return &worker{bus.Subscribe(p, wishes), bus.Subscribe(p, seens), bus.Publish(p, states),
		bus.Publish(p, counts), agent.Use(p, apply)}
}

func (a *worker) Step(t *agent.Turn) {
	var w agent.Work
	agent.Keys(&w, a.wishes)
	agent.Keys(&w, a.seens)
	w.Add(a.apply.Ended()...)
	w.Add(t.Due()...)
	for _, k := range w.All() {
		a.one(t, k)
	}
}

func (a *worker) one(t *agent.Turn, k string) {
	want, have := a.wishes.Get(k), a.seens.Get(k)
	if want == nil {
		if a.wishes.Gone(k) {
			a.apply.Drop(k)
			a.states.Delete(k)
		}
		return
	}
	st := state{Name: k, Of: a.wishes.Rev(k), Text: "applying"}
	if have != nil && have.Spec == want.Want {
		if old := a.states.Get(k); old == nil || old.Text != "done" {
			n := count{1}
			if c := a.counts.Get("count"); c != nil {
				n.N = c.N + 1
			}
			a.counts.Put(n)
		}
		a.apply.Drop(k)
		st.Text = "done"
		a.states.Put(st)
		return
	}
	c := a.apply.Want(k, req{k, want.Want})
	st.Tries = c.Tries
	if c.Phase == agent.Failed {
		st.Text = "failed: " + c.Fault.Text
		if again := c.Ended + time.Minute; t.Now >= again {
			a.apply.Redo(k)
		} else {
			t.WakeAt(k, again)
		}
	}
	a.states.Put(st)
}

func TestAgentOnTheBench(t *testing.T) {
	r := rig.New(t, "worker", newWorker)
	rig.Put(r, wishes, wish{"a", "x"})
	r.Step()
	if got := rig.Calls(r, apply); len(got) != 1 || got[0].Req.Spec != "x" {
		t.Fatalf("calls %+v\n%s", got, r.Dump())
	}
	rig.Fail(r, apply, "a", agent.Fault{Code: "busy", Text: "busy"})
	r.Step()
	if s := rig.Get(r, states, "a"); s == nil || s.Text != "failed: busy" {
		t.Fatalf("state %+v", s)
	}
	if n := len(rig.Calls(r, apply)); n != 0 {
		t.Fatalf("%d calls run during the back-off", n)
	}
	r.Advance(61 * time.Second)
	if got := rig.Calls(r, apply); len(got) != 1 {
		t.Fatalf("no second try\n%s", r.Dump())
	}
	rig.Put(r, seens, seen{"a", "x"})
	rig.Done(r, apply, "a", none{})
	r.Step()
	if s := rig.Get(r, states, "a"); s.Text != "done" || s.Of != rig.Rev(r, wishes, "a") {
		t.Fatalf("state %+v", s)
	}
}

func TestFenceHoldsUntilTheOldCallHasEnded(t *testing.T) {
	r := rig.New(t, "worker", newWorker)
	rig.Put(r, wishes, wish{"a", "x"})
	r.Step()
	r.Crash() // the call goes on without anybody waiting
	rig.Put(r, wishes, wish{"a", "y"})
	r.Step()
	if got := rig.Calls(r, apply); len(got) != 1 || got[0].Req.Spec != "x" {
		t.Fatalf("the second call did not wait: %+v", got)
	}
	rig.Done(r, apply, "a", none{})
	r.Step()
	if got := rig.Calls(r, apply); len(got) != 1 || got[0].Req.Spec != "y" {
		t.Fatalf("the second call did not start: %+v", got)
	}
}

func TestOnlyGoneDeletes(t *testing.T) {
	r := rig.New(t, "worker", newWorker)
	rig.Put(r, wishes, wish{"a", "x"})
	r.Step()
	rig.Delete(r, wishes, "a")
	r.Step()
	if rig.Get(r, states, "a") == nil {
		t.Fatal("a row missing from a table that is not complete was taken for a deletion")
	}
	rig.Complete(r, wishes)
	rig.Put(r, wishes, wish{"a", "z"})
	r.Step()
	rig.Delete(r, wishes, "a")
	r.Step()
	if rig.Get(r, states, "a") != nil {
		t.Fatal("still there after it was gone from a complete table")
	}
}

func TestPersistentRowsOutliveAReboot(t *testing.T) {
	r := rig.New(t, "worker", newWorker)
	rig.Put(r, wishes, wish{"a", "x"})
	rig.Put(r, seens, seen{"a", "x"})
	r.Step()
	was := rig.Rev(r, counts, "count")
	r.Reboot()
	if rig.Get(r, states, "a") != nil {
		t.Fatal("a row of life Boot outlived the boot")
	}
	if c := rig.Get(r, counts, "count"); c == nil || c.N != 1 {
		t.Fatalf("count %+v after reboot", c)
	}
	rig.Put(r, wishes, wish{"a", "x"})
	rig.Put(r, seens, seen{"a", "x"})
	r.Step()
	if c := rig.Get(r, counts, "count"); c.N != 2 || rig.Rev(r, counts, "count") <= was {
		t.Fatalf("count %+v, revision %d after %d", c, rig.Rev(r, counts, "count"), was)
	}
}

type sloppy struct {
	wishes *bus.Sub[wish]
	states *bus.Pub[state]
}

func (s *sloppy) Step(*agent.Turn) {
	for range s.wishes.Changed() {
		st := state{Name: "n"}
		if old := s.states.Get("n"); old != nil {
			st = *old
		}
		st.Tries++
		s.states.Put(st)
	}
}

func TestAFullTurnMustPutNothing(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "not idempotent") {
			t.Fatalf("an agent that counts its turns got away with it: %v", r)
		}
	}()
	r := rig.New(t, "worker", func(p bus.Port) agent.Agent {
		return &sloppy{bus.Subscribe(p, wishes), bus.Publish(p, states)}
	})
	for i := range 20 {
		rig.Put(r, wishes, wish{"a", strings.Repeat("x", i)})
		r.Step()
	}
}
