package judge_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/judge"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// seedsOf reads EVETWIN_SEEDS, "N..M"; without it there are two seeds, in short mode one.
func seedsOf(t *testing.T) (from, to uint64) {
	t.Helper()
	text := os.Getenv("EVETWIN_SEEDS")
	if text == "" {
		if testing.Short() {
			return 1, 1
		}
		return 1, 2
	}
	from, to, err := scenario.Seeds(text)
	if err != nil {
		t.Fatalf("EVETWIN_SEEDS=%v", err)
	}
	return from, to
}

// judged runs a scenario under all rules and returns its judge.
func judged(t *testing.T, sc *scenario.Scenario, seed uint64) (*judge.Judge, scenario.Result) {
	t.Helper()
	j := judge.New(judge.Options{Rules: check.Rules()})
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, j)
	if err != nil {
		t.Fatal(err)
	}
	r := sc.Run(h, seed)
	if !r.OK {
		t.Errorf("seed %d: %s\n%s", seed, r.Error, r.Causes)
		return j, r
	}
	_ = j.Settle() // its violations are among the others
	for _, v := range j.Violations() {
		t.Errorf("%s seed %d: %s", sc.Name, seed, v)
	}
	return j, r
}

// No scenario breaks a rule, and each rule has something to judge in one of them.
// EVETWIN_SEEDS=1..20 runs more seeds.
func TestScenariosKeepTheRules(t *testing.T) {
	from, to := seedsOf(t)
	total := make([]uint64, len(check.Rules()))
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, sc := range scenarios.All() {
			if !sc.RunsOn(scenario.Virtual) || sc.Slow && testing.Short() {
				continue
			}
			t.Run(sc.Name, func(t *testing.T) {
				t.Parallel()
				for seed := from; seed <= to; seed++ {
					j, _ := judged(t, sc, seed)
					mu.Lock()
					for i, c := range j.Judged() {
						total[i] += c.N
					}
					mu.Unlock()
				}
			})
		}
	})
	for i, r := range check.Rules() {
		t.Logf("%-22s judged %d times", r.Name, total[i])
		if total[i] == 0 {
			t.Errorf("rule %s had nothing to judge", r.Name)
		}
	}
}

// A violation ends the run at once, names its rule, and changes nothing of what went before.
func TestViolationEndsTheRun(t *testing.T) {
	rule := check.Rule{Name: "no-onboarding", Says: "Nobody is onboarded.", New: func(e *check.Ear) {
		check.OnRow(e, node.Onboarding, func(key string, _, now *node.OnboardingStatus) {
			if e.Judged(); now != nil && now.DeviceUUID != "" {
				e.Break(node.Onboarding.String(), key, "the device is called %s", now.DeviceUUID)
			}
		})
	}}
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	run := func(around ...scenario.Around) scenario.Result {
		h, err := scenario.NewVirtualWorld(sim.Options{Seed: 1}, nil, around...)
		if err != nil {
			t.Fatal(err)
		}
		return sc.Run(h, 1)
	}
	j := judge.New(judge.Options{Rules: []check.Rule{rule}, Stop: true})
	r := run(j)
	if v := j.Violations(); len(v) != 1 || v[0].Rule != rule.Name || v[0].Device != "edge" ||
		v[0].Boot != 1 || j.Judged()[0].N == 0 {
		t.Errorf("violations %v, judged %v", v, j.Judged())
	}
	if r.OK || !strings.Contains(r.Error, rule.Name) {
		t.Errorf("the run ended with %q", r.Error)
	}
	plain, watched := run(), run(judge.New(judge.Options{Rules: check.Rules()}))
	if plain.Trace != watched.Trace {
		t.Errorf("the trace is %s, under the rules %s", plain.Trace, watched.Trace)
	}
}
