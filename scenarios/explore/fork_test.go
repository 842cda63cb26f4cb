package explore_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// plain makes a run again from what it says of itself, without a tape.
func plain(t *testing.T, sc *scenario.Scenario, r *explore.Run) *explore.Run {
	t.Helper()
	again, err := explore.Replay(sc, &corpus.Case{Seed: r.Seed, Faults: r.Plan.Faults,
		Branches: r.Branches})
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func same(t *testing.T, a, b *explore.Run) {
	t.Helper()
	if a.Trace != b.Trace || a.Turns != b.Turns || a.Rule != b.Rule || a.Faults != b.Faults ||
		!reflect.DeepEqual(a.States, b.States) || !reflect.DeepEqual(a.Judged, b.Judged) {
		t.Fatalf("seed %d, branches %v: from the tape %s in %d turns, %d faults, %q %s; "+
			"without %s in %d, %d faults, %q %s", a.Seed, a.Branches, a.Trace, a.Turns, a.Faults, a.Rule,
			a.Saw, b.Trace, b.Turns, b.Faults, b.Rule, b.Saw)
	}
}

// A fork that plays what it has in common with another life is the fork that runs it: in what it
// does, in what it is judged by, in the states it reaches.
func TestForksFromATapeAreTheForksThemselves(t *testing.T) {
	sc, err := scenarios.Find("standard")
	if err != nil {
		t.Fatal(err)
	}
	forks := 0
	for _, profile := range []string{fault.Calm, fault.Flaky} {
		p, err := fault.Named(profile)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := explore.Explore(context.Background(), explore.Options{Scenario: sc, Profile: p,
			Seeds: 32, Forks: 7, Jobs: 2, OnSeed: func(r *explore.Run) {
				if len(r.Branches) > 0 {
					forks++
				}
				if r.Forks != nil {
					return // a base
				}
				same(t, r, plain(t, sc, r))
			}}); err != nil {
			t.Fatal(err)
		}
	}
	if forks < 50 {
		t.Errorf("%d forks", forks)
	}
}

// lucky minds a second boot, but only in worlds whose later draws say so.
var lucky = scenario.New("lucky", func(s *scenario.S) {
	d := s.Device("edge")
	d.Boot()
	s.Wait(span + time.Minute)
	if b := d.Twin().Boots(); b > 1 && s.Draw("luck")%8 == 0 {
		s.Fail("it booted %d times", b)
	}
}, scenario.UnderFaults(span))

// A failure of a fork is made small with the fork or, where the faults alone will do, without; both
// are saved, read and replayed.
func TestFailuresOfForksAreShrunkAndReplayed(t *testing.T) {
	for _, x := range []struct {
		sc     *scenario.Scenario
		forked bool
	}{{fragile, false}, {lucky, true}} {
		first := uint64(0)
		for ; ; first++ { // a life that is well and a fork of it that is not
			sum, runs := look(t, explore.Options{Scenario: x.sc, First: 1 + first, Seeds: 8, Forks: 7,
				Profile: hard, Jobs: 2})
			if len(runs) != 8 || sum.Seeds != 8 {
				t.Fatalf("%d runs, %+v", len(runs), sum)
			}
			if runs[0].Rule != "" || len(sum.Failed) == 0 || sum.Forks == 0 {
				if first > 40 {
					t.Fatalf("%s: no fork fails", x.sc.Name)
				}
				continue
			}
			fails(t, x.sc, sum.Failed[0], x.forked)
			break
		}
	}
}

func fails(t *testing.T, sc *scenario.Scenario, f *explore.Failure, forked bool) {
	t.Helper()
	if len(f.Plan.Faults) != 1 || len(f.First.Faults) < 3 || (len(f.Branches) == 1) != forked {
		t.Fatalf("%s: %v of %v, branches %v", sc.Name, f.Plan.Faults, f.First.Faults, f.Branches)
	}
	file, err := corpus.Save(t.TempDir(), f.Case(sc, "abc"))
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, file)
	if !reflect.DeepEqual(c.Branches, f.Branches) || c.Seed != f.Seed {
		t.Errorf("saved %+v", c)
	}
	r, err := explore.Replay(sc, c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rule != f.Rule || r.Trace != f.Trace || r.Saw != f.Saw {
		t.Errorf("replayed %s %s %q, it was %s %s %q", r.Rule, r.Trace, r.Saw, f.Rule, f.Trace, f.Saw)
	}
	if !forked {
		return
	}
	c.Branches = nil
	if r, err = explore.Replay(sc, c); err != nil || r.Rule != "" {
		t.Errorf("without its branch it breaks %q, %v", r.Rule, err)
	}
}

// Forks are the same on any number of cores, however many there are of them, and never more runs
// than were asked for.
func TestForksOnAnyNumberOfJobs(t *testing.T) {
	o := explore.Options{Scenario: fragile, Seeds: 42, Forks: 3, Profile: hard, Jobs: 1,
		Failures: 100, Shrink: 1}
	sum, one := look(t, o)
	o.Jobs = 5
	_, many := look(t, o)
	if !reflect.DeepEqual(one, many) {
		t.Error("another number of jobs gave other runs")
	}
	if sum.Seeds != 42 || len(one) != 42 || sum.Forks < 10 || sum.Forks > 31 {
		t.Errorf("%d seeds, %d forks", sum.Seeds, sum.Forks)
	}
	if _, err := explore.Explore(context.Background(), explore.Options{Scenario: fragile, Forks: -1,
		Profile: hard, Rules: []check.Rule{}}); err == nil {
		t.Error("-1 forks were explored")
	}
	alone := scenario.New("plain", func(*scenario.S) {})
	none, err := fault.Named(fault.None)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := explore.Explore(context.Background(), explore.Options{Scenario: alone, Forks: 2,
		Profile: none, Seeds: 1}); err == nil {
		t.Error("a scenario without a span was forked")
	}
}

func TestJoin(t *testing.T) {
	at := func(list ...fault.Seconds) (p fault.Plan) {
		for _, s := range list {
			p.Faults = append(p.Faults, fault.Fault{Kind: fault.PowerCut, At: s, For: 1000})
		}
		return p
	}
	got := explore.Join(at(1, 59.999, 60, 61), at(2, 60, 70), time.Minute)
	if want := at(1, 59.999, 60, 70); !reflect.DeepEqual(got.Faults, want.Faults) {
		t.Errorf("%v", got.Faults)
	}
}
