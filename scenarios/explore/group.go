package explore

import (
	"fmt"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// group is a run and its forks. What they have in common is carried out for each of them, but by
// heart: from a tape of what the agents did.
type group struct {
	job    *Job
	sc     *scenario.Scenario
	rules  []check.Rule
	tape   sim.Tape
	memory twin.Memory
	base   *Run
	marks  []*crossing
}

// crossing is the instant of a fork in the run it begins as.
type crossing struct {
	*scenario.Instant
	trace uint64
	known bool // a device is onboarded
}

// carry makes the run and its forks, which stand in Run.Forks.
func (g *group) carry() (*Run, error) {
	var around []scenario.Around
	for i := range g.job.Forks {
		c := &crossing{}
		c.Instant = scenario.At(g.job.Forks[i].instant(g.sc.Span), func(w scenario.World) error {
			c.trace, c.known = w.Sim.Trace(), onboarded(w)
			return nil
		})
		g.marks = append(g.marks, c)
		around = append(around, c)
	}
	var err error
	if g.base, err = one(g.sc, sim.Options{Seed: g.job.Seed, Record: &g.tape},
		world{plan: g.job.Plan, rules: g.rules, around: around,
			memory: &g.memory}); err != nil {
		return nil, err
	}
	for i := range g.job.Forks {
		r, err := g.fork(i)
		if err != nil {
			return nil, err
		}
		g.base.Forks = append(g.base.Forks, r)
	}
	return g.base, nil
}

// onboarded reports whether any device of a world knows who it is.
func onboarded(w scenario.World) bool {
	for _, d := range w.Sim.Devices() {
		if o := twin.Row(d.Kernel(), node.Onboarding, entity.Global); o != nil && o.DeviceUUID != "" {
			return true
		}
	}
	return false
}

// fork makes a fork. Where there is nothing to fork, because the run failed or was not under way,
// it is a whole life of its own.
func (g *group) fork(i int) (*Run, error) {
	f, c := &g.job.Forks[i], g.marks[i]
	if g.base.Rule != "" || !c.known {
		return one(g.sc, sim.Options{Seed: f.Seed}, world{plan: f.Plan, rules: g.rules})
	}
	at := f.instant(g.sc.Span)
	w := world{plan: Join(g.job.Plan, f.Plan, at), rules: g.rules,
		branches: forked(nil, at, f.Seed), memory: &g.memory}
	w.around = []scenario.Around{scenario.At(at, func(w scenario.World) error {
		if got := w.Sim.Trace(); got != c.trace {
			panic(fmt.Sprintf("explore: a fork of seed %d is not as it begins: trace %016x, not %016x",
				g.job.Seed, got, c.trace))
		}
		return nil
	})}
	r, err := one(g.sc, sim.Options{Seed: g.job.Seed, Play: &g.tape, PlayUntil: at}, w)
	if err != nil || r.Rule == "" {
		return r, err
	}
	// What fails must do so without the tape.
	w.around, w.memory = nil, nil
	again, err := one(g.sc, sim.Options{Seed: g.job.Seed}, w)
	if err == nil && (again.Rule != r.Rule || again.Trace != r.Trace) {
		err = fmt.Errorf("fork seed %d at %v by seed %d: breaks %q (%s), and without the tape %q (%s)",
			g.job.Seed, at, f.Seed, r.Rule, r.Saw, again.Rule, again.Saw)
	}
	return again, err
}
