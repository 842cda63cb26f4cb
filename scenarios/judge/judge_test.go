package judge_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/host/sim"
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
	a, b, ok := strings.Cut(text, "..")
	from, err := strconv.ParseUint(a, 10, 64)
	to = from
	if err == nil && ok {
		to, err = strconv.ParseUint(b, 10, 64)
	}
	if err != nil || to < from {
		t.Fatalf("EVETWIN_SEEDS is %q, want N or N..M", text)
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
func TestScenariosKeepTheRules(t *testing.T) {
	from, to := seedsOf(t)
	total := map[string]uint64{}
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) || sc.Slow && testing.Short() {
			continue
		}
		t.Run(sc.Name, func(t *testing.T) {
			for seed := from; seed <= to; seed++ {
				j, _ := judged(t, sc, seed)
				for _, c := range j.Judged() {
					total[c.Rule] += c.N
				}
			}
		})
	}
	for _, r := range check.Rules() {
		t.Logf("%-22s judged %d times", r.Name, total[r.Name])
		if total[r.Name] == 0 {
			t.Errorf("rule %s had nothing to judge", r.Name)
		}
	}
}
