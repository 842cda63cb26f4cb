package explore_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/explore/exploretest"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

const span = exploretest.Span

// What is explored.
var (
	fragile = exploretest.Fragile()
	hard    = exploretest.Hard()
)

func look(t *testing.T, o explore.Options) (*explore.Sum, []*explore.Run) {
	t.Helper()
	var runs []*explore.Run
	o.Rules = []check.Rule{}
	o.OnSeed = func(r *explore.Run) { runs = append(runs, r) }
	sum, err := explore.Explore(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return sum, runs
}

func TestAFailureIsFoundShrunkAndReplayed(t *testing.T) {
	sum, runs := look(t, explore.Options{Scenario: fragile, Seeds: 12, Profile: hard, Jobs: 2})
	if len(sum.Failed) != 1 || sum.Violations < 2 || sum.Violations > 11 || sum.Seeds != 12 ||
		len(runs) != 12 || sum.States == 0 || sum.Faults == 0 {
		t.Fatalf("%+v", sum)
	}
	f := sum.Failed[0]
	if len(f.Plan.Faults) != 1 || f.Plan.Faults[0].Kind != fault.PowerCut || len(f.First.Faults) < 5 ||
		f.Rule != explore.RuleScenario {
		t.Fatalf("rule %s, with %v of %v", f.Rule, f.Plan.Faults, f.First.Faults)
	}
	if d := f.Plan.Faults[0].For; d > 1.1 {
		t.Errorf("the cut lasts %g s", d)
	}
	file, err := corpus.Save(t.TempDir(), f.Case(fragile, "abc"))
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, file)
	if c.Rule != f.Rule || c.Seed != f.Seed || c.Commit != "abc" || c.Story != f.Saw {
		t.Errorf("saved %+v", c)
	}
	again, err := explore.One(fragile, c.Seed, fault.Plan{Seed: c.Seed, Profile: f.Plan.Profile,
		Faults: c.Faults}, []check.Rule{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Rule != f.Rule || again.Trace != f.Trace || again.Saw != f.Saw {
		t.Errorf("replayed %s %s %q, it was %s %s %q", again.Rule, again.Trace, again.Saw, f.Rule,
			f.Trace, f.Saw)
	}
}

// What is run does not depend on how many cores there are, nor on what else is explored.
func TestTheSameSeedsOnAnyNumberOfJobs(t *testing.T) {
	o := explore.Options{Scenario: fragile, Seeds: 70, Profile: hard, Jobs: 1,
		Failures: 100, Shrink: 1}
	_, one := look(t, o)
	o.Jobs = 7
	_, many := look(t, o)
	mixed := 0
	for i := range one {
		if !reflect.DeepEqual(one[i], many[i]) {
			t.Fatalf("seed %d: %+v, and %+v", one[i].Seed, one[i], many[i])
		}
		if one[i].Seed != uint64(i)+1 {
			t.Fatalf("run %d is of seed %d", i, one[i].Seed)
		}
		seen := map[fault.Fault]bool{}
		for _, p := range one[:i] {
			for _, f := range p.Plan.Faults {
				seen[f] = true
			}
		}
		for _, f := range one[i].Plan.Faults {
			if seen[f] {
				mixed++
				break
			}
		}
	}
	if mixed == 0 {
		t.Error("no plan was mixed with one that reached something new")
	}
}

func TestWithoutFaultsNothingFails(t *testing.T) {
	none, err := fault.Named(fault.None)
	if err != nil {
		t.Fatal(err)
	}
	sum, _ := look(t, explore.Options{Scenario: fragile, First: 5, Seeds: 3, Profile: none})
	if sum.Violations != 0 || sum.Faults != 0 || sum.Seeds != 3 {
		t.Errorf("%+v", sum)
	}
	calm, err := fault.Named(fault.Calm)
	if err != nil {
		t.Fatal(err)
	}
	plain := scenario.New("plain", func(*scenario.S) {})
	if _, err := explore.Explore(context.Background(), explore.Options{Scenario: plain,
		Profile: calm}); err == nil {
		t.Error("a scenario that does not allow faults was explored under faults")
	}
}

func TestAnExplorationEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	n := 0
	sum, err := explore.Explore(ctx, explore.Options{Scenario: fragile, Profile: hard, Jobs: 2,
		Rules:    []check.Rule{},
		Failures: 100, Shrink: 1, OnSeed: func(*explore.Run) {
			if n++; n == 3 {
				stop()
			}
		}})
	if err != nil || sum.Seeds < 3 || sum.Seeds > 70 {
		t.Errorf("%+v, %v", sum, err)
	}
}
