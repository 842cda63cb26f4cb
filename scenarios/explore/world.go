package explore

import (
	"strings"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/judge"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// Rules that are not of core/check.
const (
	// RuleScenario: an expectation of the scenario itself did not hold.
	RuleScenario = "scenario"
	// RulePanic: an invariant of an agent or of the host was broken.
	RulePanic = "panic"
)

// One runs a scenario for a seed under a plan, holds it to rules and sees which states it reaches.
// An error means that the run could not be made.
func One(sc *scenario.Scenario, seed uint64, plan fault.Plan, rules []check.Rule) (*Run, error) {
	return one(sc, sim.Options{Seed: seed}, plan, rules)
}

// Replay runs a case of the corpus again, under all rules, with others around its devices: a
// recorder, say.
func Replay(sc *scenario.Scenario, c *corpus.Case, around ...scenario.Around) (*Run, error) {
	o := sim.Options{Seed: c.Seed}
	if c.Shaken {
		o.Rebuild, o.FullTurn = 3, 2
	}
	return one(sc, o, fault.Plan{Seed: c.Seed, Faults: c.Faults}, check.Rules(), around...)
}

func one(sc *scenario.Scenario, o sim.Options, plan fault.Plan, list []check.Rule,
	around ...scenario.Around,
) (*Run, error) {
	r := &Run{Seed: o.Seed, Plan: plan}
	weather := storm.New(plan)
	rules := judge.New(judge.Options{Rules: list, Stop: true, Healed: weather.Healed})
	reached := newCover()
	around = append([]scenario.Around{weather, rules, reached}, around...)
	h, err := scenario.NewVirtualWorld(o, nil, around...)
	if err != nil {
		return nil, err
	}
	res := sc.Run(h, o.Seed)
	r.At = h.Now()
	if res.OK {
		// What the run left behind must settle, too; a violation stands among the others.
		if err := rules.Settle(); err != nil {
			r.At = h.Now()
		}
	}
	if v := rules.Violations(); len(v) > 0 {
		r.Rule, r.Saw = v[0].Rule, v[0].String()
	} else if !res.OK {
		r.Rule, r.Saw = RuleScenario, strings.Join(strings.Fields(res.Error), " ")
		if strings.HasPrefix(res.Error, "panic: ") {
			r.Rule = RulePanic
		}
	}
	r.Faults, r.Judged, r.States = weather.Injected(), rules.Judged(), reached.list()
	r.Trace, r.Turns, r.Took = h.Trace(), h.Turns(), h.Now()
	return r, nil
}

// Shrink looks for the smallest plan that breaks the same rule as a run did, in at most so many
// runs.
func Shrink(sc *scenario.Scenario, r *Run, rules []check.Rule, runs int) (*Failure, error) {
	f := &Failure{Run: *r, First: r.Plan}
	var trouble error
	s := shrinker{left: runs, fails: func(list []fault.Fault) bool {
		p := r.Plan
		p.Faults = list
		x, err := One(sc, r.Seed, p, rules)
		if err != nil {
			trouble = err
			return false
		}
		if x.Rule == r.Rule {
			f.Run = *x
		}
		return x.Rule == r.Rule
	}}
	list := s.shrink(r.Plan.Faults, r.At)
	f.Runs = runs - s.left
	f.Plan.Faults = list
	return f, trouble
}

// Case is a failure as a case of the corpus.
func (f *Failure) Case(sc *scenario.Scenario, commit string) *corpus.Case {
	return &corpus.Case{Scenario: sc.Name, Seed: f.Seed, Faults: f.Plan.Faults, Commit: commit,
		Rule: f.Rule, Story: f.Saw}
}
