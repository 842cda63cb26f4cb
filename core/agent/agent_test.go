package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host/rig"
)

type app struct{ Name, Volume string }

func (a app) Key() string { return a.Name }

type req struct{ Name string }
type res struct{ N int }

var (
	apps = bus.NewTopic[app](bus.Decl{Owner: "boss", Name: "App"})
	ping = agent.NewOp[req, res](agent.OpDecl{Name: "net.Ping", Query: true, Width: 2})
)

type machine func(t *agent.Turn)

func (m machine) Step(t *agent.Turn) { m(t) }

// Work is a set in key order, whatever is added when.
func TestWorkIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w agent.Work
		var model []string
		for range rapid.IntRange(0, 6).Draw(t, "times") {
			keys := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d"}), 0, 5).Draw(t, "add")
			w.Add(keys...)
			model = append(model, keys...)
			slices.Sort(model)
			model = slices.Compact(model)
			if rapid.Bool().Draw(t, "look") && !slices.Equal(w.All(), without(model, "")) {
				t.Fatalf("%q, want %q", w.All(), model)
			}
		}
		if !slices.Equal(w.All(), without(model, "")) {
			t.Fatalf("%q, want %q", w.All(), model)
		}
	})
}

func without(s []string, x string) []string {
	return slices.DeleteFunc(slices.Clone(s), func(v string) bool { return v == x })
}

// A row that moves from one entity to another makes both be looked at.
func TestFromNotesTheEntitiesBeforeAndAfter(t *testing.T) {
	var got [][]string
	r := rig.New(t, "worker", func(p bus.Port) agent.Agent {
		s := bus.Subscribe(p, apps)
		return machine(func(t *agent.Turn) {
			var w, keys agent.Work
			agent.From(&w, s, func(a *app) string { return a.Volume })
			agent.Keys(&keys, s)
			if !t.Full {
				got = append(got, w.All(), keys.All())
			}
		})
	})
	r.Step()
	rig.Put(r, apps, app{"a1", "v1"})
	r.Step()
	rig.Put(r, apps, app{"a1", "v2"})
	rig.Put(r, apps, app{"a2", ""})
	r.Step()
	rig.Delete(r, apps, "a1")
	r.Step()
	want := [][]string{{"v1"}, {"a1"}, {"v1", "v2"}, {"a1", "a2"}, {"v2"}, {"a1"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("looked at %q, want %q", got, want)
	}
}

// A call goes through its phases, and its outcome stays until it is dropped.
func TestPhases(t *testing.T) {
	var calls *agent.Calls[req, res]
	var log []string
	wanted := []string{"a", "b", "c"}
	r := rig.New(t, "worker", func(p bus.Port) agent.Agent {
		calls = agent.Use(p, ping)
		return machine(func(t *agent.Turn) {
			for _, k := range wanted {
				calls.Want(k, req{k})
			}
			calls.Keep(func(k string) bool { return slices.Contains(wanted, k) })
			if !t.Full {
				log = append(log, strings.Join(calls.Ended(), "+"))
			}
			t.WakeAt("again", t.Now.Truncate(time.Second)+time.Second)
		})
	})
	expect := func(phases ...agent.Phase) {
		t.Helper()
		for i, k := range []string{"a", "b", "c"} {
			if c := calls.Get(k); c.Phase != phases[i] || c.Over() != (phases[i] >= agent.Done) {
				t.Errorf("%s: %+v, want phase %v", k, c, phases[i])
			}
		}
	}
	expect(agent.None, agent.None, agent.None)
	r.Step()
	expect(agent.Running, agent.Running, agent.Queued) // two at once
	r.Advance(time.Second)
	rig.Done(r, ping, "a", res{7})
	rig.Fail(r, ping, "b", agent.Fault{Code: "x", Text: "no answer", Retry: true})
	r.Step()
	expect(agent.Done, agent.Failed, agent.Running)
	r.Advance(time.Hour) // the outcome stays; c takes too long
	expect(agent.Done, agent.Failed, agent.Failed)
	a, b, c := calls.Get("a"), calls.Get("b"), calls.Get("c")
	if a.Res.N != 7 || a.Fault != nil || a.Ended != time.Second || a.Began != 0 || a.Tries != 1 {
		t.Errorf("a: %+v", a)
	}
	if b.Res != nil || b.Fault.Error() != "no answer" || !b.Fault.Retry {
		t.Errorf("b: %+v", b)
	}
	if c.Fault.Code != agent.FaultLimit || c.Began != time.Second {
		t.Errorf("c: %+v", c)
	}
	wanted = nil
	r.Advance(time.Second)
	expect(agent.None, agent.None, agent.None)
	if s := strings.Join(log, " "); strings.Count(s, "a") != 1 || strings.Count(s, "b") != 1 ||
		strings.Count(s, "c") != 1 {
		t.Errorf("ended: %q", s)
	}
}

func TestOpsHaveDefaults(t *testing.T) {
	if ping.Class != "net" || ping.Part() != "net" || ping.Limit != time.Minute || ping.Width != 2 {
		t.Errorf("%+v", ping.OpDecl)
	}
	plain := agent.NewOp[req, res](agent.OpDecl{Name: "plain"})
	if plain.Part() != "plain" || plain.Width != 1 {
		t.Errorf("%+v", plain.OpDecl)
	}
	defer func() {
		if recover() == nil {
			t.Error("a request may hold a map")
		}
	}()
	agent.NewOp[struct{ M map[string]int }, res](agent.OpDecl{Name: "bad.Op"})
}

// Draws depend on the agent, its start and the key; nothing else moves them.
func TestDrawsAreKeyed(t *testing.T) {
	draws := func(name string, crash bool) map[string]time.Duration {
		out := map[string]time.Duration{}
		r := rig.New(t, name, func(bus.Port) agent.Agent {
			return machine(func(t *agent.Turn) {
				for _, k := range []string{"x/1", "x/2", "y/1"} {
					out[k] = t.Between(k, time.Minute, time.Hour)
					out["rand "+k] = time.Duration(t.Rand(k).Int64N(1 << 40))
				}
				out["none"] = t.Between("x/1", time.Hour, time.Minute)
			})
		})
		r.Step()
		if crash {
			r.Crash()
			r.Step()
		}
		return out
	}
	a, b, other, restarted := draws("a", false), draws("a", false), draws("b", false), draws("a", true)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Fatalf("%v, then %v", a, b)
	}
	seen := map[time.Duration]string{}
	for who, m := range map[string]map[string]time.Duration{"a": a, "b": other, "a again": restarted} {
		if m["none"] != time.Hour {
			t.Errorf("an empty range gives %v", m["none"])
		}
		for k, v := range m {
			if k == "none" {
				continue
			}
			if seen[v] != "" {
				t.Errorf("%s of %s is %s", k, who, seen[v])
			}
			if seen[v] = k + " of " + who; !strings.HasPrefix(k, "rand") &&
				(v < time.Minute || v >= time.Hour) {
				t.Errorf("%s is %v", k, v)
			}
		}
	}
}

func TestLevelsHaveEVEsNames(t *testing.T) {
	for l, want := range map[agent.Level]string{agent.Debug: "debug", agent.Info: "info",
		agent.Warn: "warning", agent.Err: "error"} {
		if l.String() != want {
			t.Errorf("%d is %q", l, l.String())
		}
	}
}
