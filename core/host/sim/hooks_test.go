package sim_test

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

// hooked is a world with a boss, a worker and a lamp, and somebody around it.
func hooked(t *testing.T, seed uint64, o sim.DeviceOptions) (*sim.World, *sim.Device, *counted) {
	t.Helper()
	w := sim.New(sim.Options{Seed: seed, Never: true})
	h := &counted{}
	o.Name, o.Hardware, o.Limits = "edge", h, host.Limits{DurablePerHour: -1}
	o.Agents = []agent.Entry{{Name: "boss", New: newBoss}, {Name: "worker", New: newWorker}}
	d := w.Device(o)
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	return w, d, h
}

func TestHooksSeeRunsAndRowsAndMoveNothing(t *testing.T) {
	plain, _, _ := hooked(t, 3, sim.DeviceOptions{})
	plain.Run(time.Hour)
	rows, began, ended, crashed := 0, 0, 0, 0
	open := map[string]bool{}
	w, _, _ := hooked(t, 3, sim.DeviceOptions{Hooks: host.Hooks{
		Shown: func(_ *host.Kernel, s *host.Source, list []host.Change) {
			for _, c := range list {
				rows++
				if l, ok := c.Val.(*lamp); ok && (c.Was == nil) != (l.N == 0) && l.N <= 1 {
					t.Errorf("%s: lamp %d was %v", s.Name, l.N, c.Was)
				}
			}
		},
		Began: func(_ *host.Kernel, r host.Ran) {
			began++
			if open[r.Key] || r.N != uint64(began) || r.Op != "lamp.Set" || r.Caller != "worker" {
				t.Errorf("run %+v begins", r)
			}
			open[r.Key] = true
		},
		Ended: func(_ *host.Kernel, r host.Ran) {
			ended++
			if !open[r.Key] || r.Fault != nil || r.Late {
				t.Errorf("run %+v ends", r)
			}
			delete(open, r.Key)
		},
		Crashed: func(*host.Kernel, string) { crashed++ },
	}})
	w.Run(time.Hour)
	if w.Trace() != plain.Trace() {
		t.Error("watching moved the trace")
	}
	if rows < 300 || began < 100 || ended < began-1 || crashed != 0 {
		t.Errorf("%d rows, %d runs began, %d ended, %d crashes", rows, began, ended, crashed)
	}
}

// The worker does a call again when it is over and the lamp does not show what it should: whatever
// becomes of every third run, all wishes come true.
func TestTroubleOfRuns(t *testing.T) {
	for name, x := range map[string]host.Trouble{
		"fails":            {Lost: true, Fault: &agent.Fault{Code: "x", Retry: true}},
		"late":             {Delay: 10 * time.Second},
		"hangs":            {Lost: true},
		"done, not said":   {Fault: &agent.Fault{Code: "x", Retry: true}},
		"fails after time": {Lost: true, Delay: time.Second, Fault: &agent.Fault{Code: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked, faults, late := 0, 0, 0
			w, d, h := hooked(t, 5, sim.DeviceOptions{Hooks: host.Hooks{
				Trouble: func(_ *host.Kernel, r host.Ran) host.Trouble {
					if asked++; asked%3 == 0 {
						return x
					}
					return host.Trouble{}
				},
				Ended: func(_ *host.Kernel, r host.Ran) {
					if r.Fault != nil {
						faults++
					}
					if r.Late {
						late++
					}
				}}})
			w.Run(2*time.Hour + 20*time.Second)
			if got, want := row(d, dones, "a"), row(d, wishes, "a"); got == nil || got.N < want.N-3 {
				t.Errorf("done %v of %v", got, want)
			}
			if want := !x.Lost && x.Fault == nil; (faults == 0) != want {
				t.Errorf("%d runs ended with a fault", faults)
			}
			if x.Lost && h.sets >= asked || !x.Lost && h.sets < asked-1 {
				t.Errorf("the lamp was set %d times by %d runs", h.sets, asked)
			}
			if hangs := (x == host.Trouble{Lost: true}); hangs && late+faults == 0 {
				t.Error("no run went past its limit")
			}
		})
	}
}

// Wherever in a write the power goes, what was shown before is there afterwards.
func TestCutsAroundWrites(t *testing.T) {
	for _, when := range []sim.CutPoint{sim.CutBefore, sim.CutWithin, sim.CutAfter} {
		kept := 0
		for seed := range uint64(20) {
			writes, cuts, next := 0, 0, -1
			var d *sim.Device
			w, d, _ := hooked(t, seed, sim.DeviceOptions{Cut: func(r *host.Record) sim.Cut {
				if writes++; writes%7 != 0 {
					return sim.Cut{}
				}
				cuts++
				next = row(d, saved, "a").N
				return sim.Cut{When: when, Off: time.Second}
			}})
			for range 200 {
				w.Run(w.Now() + 10*time.Second)
				if k := d.Kernel(); k != nil && next >= 0 && row(d, saved, "a") != nil {
					got := row(d, saved, "a").N
					if got < next {
						t.Fatalf("seed %d: %d after the cut, %d was shown", seed, got, next)
					}
					if got > next {
						kept++
					}
					next = -1
				}
			}
			if cuts < 3 {
				t.Fatalf("seed %d: %d cuts", seed, cuts)
			}
		}
		if when == sim.CutAfter && kept == 0 {
			t.Error("a record that was durable is never there")
		}
	}
}

func TestLagMakesAnAgentSlow(t *testing.T) {
	took := func(lag time.Duration) time.Duration {
		var asked, seen time.Duration
		w, _, _ := hooked(t, 1, sim.DeviceOptions{
			Lag: func(agent string, _ uint64) time.Duration {
				if agent == "worker" {
					return lag
				}
				return 0
			},
			Hooks: host.Hooks{Shown: func(k *host.Kernel, _ *host.Source, rows []host.Change) {
				for _, r := range rows {
					switch r.Val.(type) {
					case *wish:
						asked = k.Now()
					case *done:
						seen = k.Now() - asked
					}
				}
			}}})
		w.Run(10 * time.Minute)
		return seen
	}
	if quick, slow := took(0), took(3*time.Second); quick > time.Second || slow < 6*time.Second {
		t.Errorf("a wish takes %v, and %v where the worker is slow by 3 s in each turn", quick, slow)
	}
}
