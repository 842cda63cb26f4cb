package scenarios_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// seedsOf reads EVETWIN_SEEDS, "N..M", the range of seeds to run; without it there is one, beside
// the one that is shaken.
func seedsOf(t *testing.T) (from, to uint64) {
	t.Helper()
	text := os.Getenv("EVETWIN_SEEDS")
	if text == "" {
		return 1, 1
	}
	from, to, err := scenario.Seeds(text)
	if err != nil {
		t.Fatalf("EVETWIN_SEEDS=%v", err)
	}
	return from, to
}

func TestScenariosInVirtualTime(t *testing.T) {
	from, to := seedsOf(t)
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			for seed := from; seed <= to; seed++ {
				if run(t, sc, seed); sc.Slow && os.Getenv("EVETWIN_SEEDS") == "" {
					break
				}
			}
			if t.Failed() {
				return
			}
			for _, id := range sc.Covers {
				fmt.Printf("covers: %s host=virtual name=%s ok\n", id, sc.Name)
			}
		})
	}
}

func run(t *testing.T, sc *scenario.Scenario, seed uint64) scenario.Result {
	t.Helper()
	h, err := scenario.NewVirtual(seed)
	if err != nil {
		t.Fatal(err)
	}
	r := sc.Run(h, seed)
	if !r.OK {
		t.Errorf("seed %d: %s\n%sreplay: evetwin run %s --seed %d", seed, r.Error, r.Causes, sc.Name,
			seed)
	}
	return r
}

func TestSameSeedSameTrace(t *testing.T) {
	quick, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= 5; seed++ {
		a, b := run(t, quick, seed), run(t, quick, seed)
		if a.Trace != b.Trace || a.Turns != b.Turns {
			t.Errorf("seed %d: trace %s in %d turns, then %s in %d", seed, a.Trace, a.Turns, b.Trace,
				b.Turns)
		}
		if c := run(t, quick, seed+100); c.Trace == a.Trace {
			t.Errorf("seeds %d and %d have one trace", seed, seed+100)
		}
	}
}

// However often agents are rebuilt, and turns are repeated in full, nothing else happens.
func TestShakenAgentsLeaveTheTraceAlone(t *testing.T) {
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) || sc.Slow {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			const seed = 4
			calm := run(t, sc, seed)
			h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed, Rebuild: 3, FullTurn: 2}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := sc.Run(h, seed); !r.OK || r.Trace != calm.Trace {
				t.Errorf("trace %s in %d turns, shaken %s in %d: %s", calm.Trace, calm.Turns, r.Trace,
					r.Turns, r.Error)
			}
		})
	}
}

func TestUnknownScenarioIsAnError(t *testing.T) {
	if _, err := scenarios.Find("no-such"); err == nil || !strings.Contains(err.Error(), "no-such") {
		t.Errorf("error %v does not name the scenario", err)
	}
}

// Without any of its parts, and without all of them, a scenario is still as good as with them: what
// fails in a smaller one fails for a reason of its own.
func TestScenariosWithoutTheirParts(t *testing.T) {
	for _, sc := range scenarios.All() {
		lists := [][]string{sc.Parts}
		for i := range sc.Parts {
			lists = append(lists, sc.Parts[i:i+1], append(slices.Clone(sc.Parts[:i]), sc.Parts[i+1:]...))
		}
		for _, list := range lists {
			if len(list) == 0 {
				continue
			}
			t.Run(sc.Name+" without "+strings.Join(list, ", "), func(t *testing.T) {
				t.Parallel()
				less, err := sc.Without(list...)
				if err != nil {
					t.Fatal(err)
				}
				whole, part := run(t, sc, 1), run(t, less, 1)
				if whole.Trace == part.Trace {
					t.Error("nothing is left out")
				}
			})
		}
		if _, err := sc.Without("no such part"); err == nil {
			t.Errorf("%s does without what it does not have", sc.Name)
		}
	}
}
