package explore

import (
	"context"
	"sync"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// Job is a run to be made: all that it depends on beside the scenario, the rules and the code, so
// that the run is the same wherever it is made.
type Job struct {
	Seed uint64     `json:"seed"`
	Plan fault.Plan `json:"plan"`
	// Forks are runs that begin as this one; they are made with it.
	Forks []Fork `json:"forks,omitempty"`
}

// Carry makes the run. An error means that it could not be made.
func (j *Job) Carry(sc *scenario.Scenario, rules []check.Rule) (*Run, error) {
	if len(j.Forks) > 0 {
		g := &group{job: j, sc: sc, rules: rules}
		return g.carry()
	}
	return One(sc, j.Seed, j.Plan, rules)
}

// Done is what came of a job.
type Done struct {
	Job Job
	// Run is the run, nil if Err says why there is none.
	Run *Run
	Err error
}

// Crew carries jobs out. Neither their order nor who does what moves what an exploration finds.
type Crew interface {
	// Work takes jobs until their channel is closed, and sends what came of each, once, in any order.
	// When the context ends it may drop what it has not finished. It returns when it sends nothing
	// more; an error says why nothing more can be carried out.
	Work(ctx context.Context, jobs <-chan Job, done chan<- Done) error
}

// Pool is the crew of this process.
type Pool struct {
	Scenario *scenario.Scenario
	Rules    []check.Rule
	// Jobs is how many worlds run at a time, at least 1.
	Jobs int
}

var _ Crew = (*Pool)(nil)

// Work finishes what is under way when the context ends.
func (p *Pool) Work(_ context.Context, jobs <-chan Job, done chan<- Done) error {
	var wg sync.WaitGroup
	for range max(p.Jobs, 1) {
		wg.Go(func() {
			for j := range jobs {
				r, err := j.Carry(p.Scenario, p.Rules)
				done <- Done{Job: j, Run: r, Err: err}
			}
		})
	}
	wg.Wait()
	return nil
}
