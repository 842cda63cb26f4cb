//go:build planted

package explore_test

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// manySeeds is in how many seeds a planted bug must show.
const manySeeds = 3000

func field(t *testing.T, b plant.Bug) (*scenario.Scenario, fault.Profile) {
	t.Helper()
	sc, err := scenarios.Find(b.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fault.Named(b.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return sc, p
}

// Each bug is found, made small and replayed; EVETWIN_PLANT names a single one.
func TestPlantedBugsAreFound(t *testing.T) {
	only := os.Getenv("EVETWIN_PLANT")
	if _, err := plant.Find(only); only != "" && err != nil {
		t.Fatal(err)
	}
	for _, b := range plant.List() {
		if only != "" && only != b.Name {
			continue
		}
		t.Run(b.Name, func(t *testing.T) {
			if err := plant.Set(b.Name); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := plant.Set(""); err != nil {
					t.Error(err)
				}
			})
			found(t, b)
		})
	}
}

func found(t *testing.T, b plant.Bug) {
	t.Helper()
	sc, p := field(t, b)
	began, first := time.Now(), uint64(0)
	sum, err := explore.Explore(context.Background(), explore.Options{Scenario: sc, Profile: p,
		Seeds: manySeeds, Failures: 1, Jobs: runtime.GOMAXPROCS(0),
		OnSeed: func(r *explore.Run) {
			if r.Rule != "" && first == 0 {
				first = r.Seed
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Failed) == 0 {
		t.Fatalf("%q is not found in %d seeds", b.Says, sum.Seeds)
	}
	f := sum.Failed[0]
	t.Logf("found at seed %d in %.1f s: %s, with %d of %d faults; %d of %d seeds show it", first,
		time.Since(began).Seconds(), f.Rule, len(f.Plan.Faults), len(f.First.Faults), sum.Violations,
		sum.Seeds)
	if len(f.Plan.Faults) > 20 {
		t.Errorf("%d faults are left", len(f.Plan.Faults))
	}
	file, err := corpus.Save(t.TempDir(), f.Case(sc, "planted"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := explore.Replay(sc, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rule != f.Rule || r.Trace != f.Trace {
		t.Errorf("the saved case breaks %q with trace %s, not %q with %s", r.Rule, r.Trace, f.Rule,
			f.Trace)
	}
	if err := plant.Set(""); err != nil {
		t.Fatal(err)
	}
	r, err = explore.Replay(sc, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rule != "" {
		t.Errorf("without the bug the case breaks %s: %s", r.Rule, r.Saw)
	}
}

// Where nothing is planted nothing is found.
func TestPlantedNothingFindsNothing(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range plant.List() {
		if seen[b.Scenario+b.Profile] {
			continue
		}
		seen[b.Scenario+b.Profile] = true
		sc, p := field(t, b)
		sum, err := explore.Explore(context.Background(), explore.Options{Scenario: sc, Profile: p,
			Rules: check.Rules(), Seeds: 100, Jobs: runtime.GOMAXPROCS(0)})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range sum.Failed {
			t.Errorf("%s under %s: seed %d breaks %s: %s", sc.Name, p.Name, f.Seed, f.Rule, f.Saw)
		}
	}
}
