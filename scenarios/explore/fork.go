package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// Fork is a run that begins as another one and goes on with draws and faults of its own.
type Fork struct {
	Seed uint64 `json:"seed"`
	// Plan is a plan for a whole run; the fork has what of it begins behind the branch.
	Plan fault.Plan `json:"plan"`
}

// earliest is the share of a span, one in so many, in which no fork begins: the device boots.
const earliest = 8

// instant is when a fork branches off, within the span of a scenario, to the second. Of two draws
// the later one counts: what comes before is repeated, and most of a life's states come late.
func (f *Fork) instant(span time.Duration) time.Duration {
	from := span / earliest
	room := uint64((span - from) / time.Second)
	if room == 0 {
		return from
	}
	n := max(draw(f.Seed, "instant", 0)%room, draw(f.Seed, "instant", 1)%room)
	return from + time.Duration(n)*time.Second
}

// Join is the plan of a fork: the faults of the run it begins as that have begun by the instant,
// each to its end, and those of another plan that begin at it or later.
func Join(before, behind fault.Plan, at time.Duration) fault.Plan {
	p := fault.Plan{Seed: before.Seed, Profile: behind.Profile, Faults: []fault.Fault{}}
	for _, f := range before.Faults {
		if f.At.Duration() < at {
			p.Faults = append(p.Faults, f)
		}
	}
	for _, f := range behind.Faults {
		if f.At.Duration() >= at {
			p.Faults = append(p.Faults, f)
		}
	}
	return p
}

// reseeds are the branches of a run as those who stand around it.
func reseeds(list []corpus.Branch) []scenario.Around {
	var out []scenario.Around
	for _, b := range list {
		out = append(out, scenario.Reseed(b.At.Duration(), b.Seed))
	}
	return out
}

// forked is the branches of a run and one more.
func forked(list []corpus.Branch, at time.Duration, seed uint64) []corpus.Branch {
	return append(slices.Clone(list), corpus.Branch{At: fault.Seconds(at.Seconds()), Seed: seed})
}

// lives is how many seeds are whole lives, 0 for all there are.
func (x *exploration) lives() uint64 {
	each := uint64(x.o.Forks) + 1
	return (x.o.Seeds + each - 1) / each
}

// job is the run of a seed with its forks. Those have plans of their own that are never mixed: a
// fork is a mix of two lives already.
func (x *exploration) job(seed uint64) Job {
	j := Job{Seed: seed, Plan: x.plan(seed)}
	n := uint64(x.o.Forks)
	if x.o.Seeds > 0 { // the last one has what is left
		n = min(n, x.o.Seeds-(seed-x.o.First)*(n+1)-1)
	}
	for i := range n {
		s := draw(seed, "fork", i)
		j.Forks = append(j.Forks,
			Fork{Seed: s, Plan: fault.Draw(x.o.Profile, s, x.menu, x.o.Scenario.Span)})
	}
	return j
}

// maxForks bounds the forks of a seed.
const maxForks = 63

// CheckForks says why a scenario cannot be explored with so many forks of each seed.
func CheckForks(sc *scenario.Scenario, n int) error {
	if n < 0 || n > maxForks {
		return fmt.Errorf("explore %s with %d forks of each seed: 0 to %d", sc.Name, n, maxForks)
	}
	if n > 0 && sc.Span == 0 {
		return fmt.Errorf("explore %s with forks: it does not allow faults", sc.Name)
	}
	return nil
}
