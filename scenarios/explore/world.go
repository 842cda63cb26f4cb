package explore

import (
	"math"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/judge"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
	"github.com/evetwin/evetwin/scenarios/twin"
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
	return one(sc, sim.Options{Seed: seed}, world{plan: plan, rules: rules})
}

// Replay runs a case of the corpus again, under all rules, with others around its devices: a
// recorder, say.
func Replay(sc *scenario.Scenario, c *corpus.Case, around ...scenario.Around) (*Run, error) {
	o := sim.Options{Seed: c.Seed}
	if c.Shaken {
		o.Rebuild, o.FullTurn = 3, 2
	}
	return one(sc, o, world{plan: fault.Plan{Seed: c.Seed, Faults: c.Faults}, branches: c.Branches,
		rules: check.Rules(), around: around, without: c.Without, until: c.Until.Duration()})
}

// world is what a run is made with, beside its scenario and the options of its world.
type world struct {
	plan     fault.Plan
	branches []corpus.Branch
	rules    []check.Rule
	around   []scenario.Around // others
	memory   *twin.Memory      // of worlds that it repeats
	without  []string          // parts of the scenario
	until    time.Duration     // 0: to the end
}

// stop ends the scenario when what is to be seen would have been seen, unless it is over then.
func (w *world) stop(over *bool) *scenario.Instant {
	return scenario.At(w.until+time.Millisecond, func(scenario.World) error {
		if *over {
			return nil
		}
		return scenario.ErrOver
	})
}

func one(sc *scenario.Scenario, o sim.Options, w world) (*Run, error) {
	sc, err := sc.Without(w.without...)
	if err != nil {
		return nil, err
	}
	r := &Run{Seed: o.Seed, Plan: w.plan, Branches: w.branches, Without: w.without}
	weather := storm.New(w.plan)
	rules := judge.New(judge.Options{Rules: w.rules, Stop: true, Healed: weather.Healed})
	reached := newCover()
	around := append([]scenario.Around{weather, rules, reached}, w.around...)
	around = append(around, reseeds(w.branches)...)
	over := false
	stop := w.stop(&over)
	if w.until > 0 {
		around = append(around, stop)
	}
	h, err := scenario.NewRemembering(o, w.memory, nil, around...)
	if err != nil {
		return nil, err
	}
	res := sc.Run(h, o.Seed)
	over = true
	r.At = h.Now()
	if r.Settled = res.OK && (w.until == 0 || !stop.Come()); r.Settled {
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
	branches, without := r.Branches, r.Without
	fails := func(list []fault.Fault, without []string) bool {
		p := r.Plan
		p.Faults = list
		x, err := one(sc, sim.Options{Seed: r.Seed},
			world{plan: p, rules: rules, branches: branches, without: without})
		if err != nil {
			trouble = err
			return false
		}
		if x.Rule == r.Rule {
			f.Run = *x
		}
		return x.Rule == r.Rule
	}
	s := shrinker{left: runs, fails: func(list []fault.Fault) bool { return fails(list, without) }}
	if len(branches) > 0 {
		if branches = nil; !s.try(r.Plan.Faults) {
			branches = r.Branches
		}
	}
	without = s.smaller(sc.Parts, r.Plan.Faults, func(names []string) bool {
		return fails(r.Plan.Faults, names)
	})
	list := s.shrink(r.Plan.Faults, f.At)
	f.Runs = runs - s.left
	f.Plan.Faults = list
	return f, trouble
}

// Case is a failure as a case of the corpus.
func (f *Failure) Case(sc *scenario.Scenario, commit string) *corpus.Case {
	c := &corpus.Case{Scenario: sc.Name, Seed: f.Seed, Faults: f.Plan.Faults, Branches: f.Branches,
		Without: f.Without, Commit: commit, Rule: f.Rule, Story: f.Saw}
	if !f.Settled {
		c.Until = fault.Seconds(math.Ceil(f.At.Seconds()*1000) / 1000)
	}
	return c
}
