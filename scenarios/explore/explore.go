package explore

import (
	"context"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// Options of an exploration.
type Options struct {
	// Scenario is run again and again; it must allow faults unless Profile is none.
	Scenario *scenario.Scenario
	// First is the first seed, 0 means 1; Seeds is how many; 0 means until the context ends.
	First, Seeds uint64
	// Forks is how many of the seeds are forks of each seed that is a whole life.
	Forks int
	// Profile says which faults there are and how many.
	Profile fault.Profile
	// Rules are what devices are held to; nil means all there are.
	Rules []check.Rule
	// Jobs is how many worlds run at a time, at least 1, unless there is a Crew.
	Jobs int
	// Crew carries the runs out; nil means this process.
	Crew Crew
	// Failures ends the exploration when so many failures were found; 0 means 10.
	Failures int
	// Shrink is how many runs may be spent on making a failure small; 0 means 150.
	Shrink int
	// OnSeed is told of each run, in order of the seeds, by one goroutine at a time; may be nil.
	OnSeed func(r *Run)
	// OnFailure is told of each failure when it has been made small; may be nil.
	OnFailure func(f *Failure)
}

// Run is one seed's run.
type Run struct {
	Seed uint64
	Plan fault.Plan
	// Branches are where it took on the draws of other seeds: it is a fork.
	Branches []corpus.Branch
	// Rule is the rule that was violated: one of core/check, or "scenario" for an expectation of the
	// scenario itself, "panic" for a broken invariant of an agent. Empty if all was well.
	Rule string
	// Saw says what was seen, At when, since the scenario began.
	Saw string
	At  time.Duration
	// Settled says that it was seen behind the end of the scenario, or there at the latest.
	Settled bool
	// Without are the parts of the scenario that were left out.
	Without []string
	// Faults counts the faults that were injected, Judged how often each rule had something to judge.
	Faults int
	Judged []check.Count
	// States are the transitions that the run made, as checksums in order.
	States []uint64
	Trace  string
	Turns  uint64
	// Took is how much virtual time it took.
	Took time.Duration
	// Forks are the runs that began as this one.
	Forks []*Run
}

// Failure is a run that broke a rule, with the smallest plan that was found to break it too.
type Failure struct {
	Run
	// First is the plan of the run as it was found, Runs how many it took to shrink it.
	First fault.Plan
	Runs  int
}

// Sum is what an exploration found.
type Sum struct {
	Seeds  uint64
	Forks  uint64 // of Seeds; those that were no whole lives
	Faults uint64
	States int
	// Violations counts the seeds that broke a rule; Failed has one of them for each rule.
	Violations uint64
	Judged     []check.Count
	Failed     []*Failure
	Took       time.Duration
}

// PerMinute is how many seeds were run in a minute.
func (s *Sum) PerMinute() float64 { return float64(s.Seeds) / max(s.Took.Minutes(), 1e-9) }

// Unjudged are the rules that never had anything to judge.
func (s *Sum) Unjudged() []string {
	var out []string
	for _, c := range s.Judged {
		if c.N == 0 {
			out = append(out, c.Rule)
		}
	}
	return out
}

// Explore runs seeds until all were run, the context ends, or there are failures enough.
func Explore(ctx context.Context, o Options) (*Sum, error) {
	if !o.Scenario.Faults && o.Profile.Name != fault.None {
		return nil, fmt.Errorf("explore %s under %s: the scenario does not allow faults", o.Scenario.Name,
			o.Profile.Name)
	}
	if err := CheckForks(o.Scenario, o.Forks); err != nil {
		return nil, err
	}
	o.First = max(o.First, 1)
	if o.Failures == 0 {
		o.Failures = 10
	}
	if o.Shrink == 0 {
		o.Shrink = 150
	}
	if o.Rules == nil {
		o.Rules = check.Rules()
	}
	x := &exploration{o: o, menu: storm.Usual(), sum: &Sum{},
		reached: map[uint64]struct{}{}, known: map[string]bool{}}
	began := time.Now()
	if o.Crew == nil {
		o.Crew = &Pool{Scenario: o.Scenario, Rules: o.Rules, Jobs: o.Jobs}
	}
	if err := x.work(ctx, o.Crew); err != nil {
		return nil, err
	}
	x.sum.Took = time.Since(began)
	return x.sum, nil
}

// exploration is an exploration under way.
type exploration struct {
	o       Options
	menu    fault.Menu
	sum     *Sum
	reached map[uint64]struct{}
	parents []fault.Plan
	known   map[string]bool // rules that have failed
}

// maxParents bounds the plans that are kept for mixing; the newest stay.
const maxParents = 256

// take adds a run and its forks to the sum.
func (x *exploration) take(r *Run) error {
	if err := x.add(r); err != nil {
		return err
	}
	for _, f := range r.Forks {
		if err := x.add(f); err != nil {
			return err
		}
	}
	return nil
}

// add adds one run to the sum.
func (x *exploration) add(r *Run) error {
	s := x.sum
	s.Seeds++
	if len(r.Branches) > 0 {
		s.Forks++
	}
	s.Faults += uint64(r.Faults)
	if s.Judged == nil {
		s.Judged = make([]check.Count, len(r.Judged))
	}
	for i, c := range r.Judged {
		s.Judged[i].Rule = c.Rule
		s.Judged[i].N += c.N
	}
	fresh := false
	for _, h := range r.States {
		if _, ok := x.reached[h]; !ok {
			fresh, x.reached[h] = true, struct{}{}
		}
	}
	s.States = len(x.reached)
	if fresh && r.Rule == "" && len(r.Plan.Faults) > 0 {
		x.parents = append(x.parents, r.Plan)
		x.parents = x.parents[max(0, len(x.parents)-maxParents):]
	}
	if x.o.OnSeed != nil {
		x.o.OnSeed(r)
	}
	if r.Rule == "" {
		return nil
	}
	s.Violations++
	if x.known[r.Rule] {
		return nil
	}
	x.known[r.Rule] = true
	f, err := Shrink(x.o.Scenario, r, x.o.Rules, x.o.Shrink)
	if err != nil {
		return err
	}
	s.Failed = append(s.Failed, f)
	if x.o.OnFailure != nil {
		x.o.OnFailure(f)
	}
	return nil
}
