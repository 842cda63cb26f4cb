package snapshot

import (
	"fmt"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/scenarios/judge"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// Instead is what happens in a run from an instant on instead of what its scenario would do: the
// controller gives the device another configuration, and the rules judge what becomes of it.
type Instead struct {
	*scenario.Instant
	judge  *judge.Judge
	config *config.EdgeDevConfig
}

// Configure has the device of a run of a life take a configuration at an instant and then live on
// for a while under the faults of the life. The run is judged by all rules from its beginning.
func Configure(l *Life, at, during time.Duration, cfg *config.EdgeDevConfig) *Instead {
	i := &Instead{config: proto.CloneOf(cfg)}
	i.config.Id = nil // whatever version the file was made for
	plan := l.Plan()
	i.judge = judge.New(judge.Options{Rules: check.Rules(), Stop: true,
		Healed: func() time.Duration { return max(at+during, plan.Healed()) }})
	i.Instant = scenario.At(at, i.give)
	return i
}

// Around is who must stand around the run.
func (i *Instead) Around() []scenario.Around { return []scenario.Around{i.judge, i.Instant} }

// give gives the configuration to the one device there is.
func (i *Instead) give(w scenario.World) error {
	list := w.Site.Controller.Fleet().Devices()
	if len(list) != 1 {
		return fmt.Errorf("give a configuration at this instant: the controller knows %d devices, "+
			"it must be one", len(list))
	}
	_, err := list[0].SetConfig(fleet.Change{Config: i.config, At: w.Sim.Wall().Add(w.Site.Skew)})
	if err != nil {
		return fmt.Errorf("give a configuration at this instant: %w", err)
	}
	return scenario.ErrOver
}

// Finish goes on behind the instant and completes the result of the run.
func (i *Instead) Finish(h scenario.Host, r *scenario.Result) {
	if r.OK && !i.Come() {
		r.OK, r.Error = false, fmt.Sprintf("it ended at %v, before the configuration", h.Now())
	}
	if r.OK {
		_ = i.judge.Settle() // what it finds stands among the violations
	}
	if v := i.judge.Violations(); len(v) > 0 {
		r.OK, r.Error = false, v[0].String()
	}
	r.VirtualS, r.Turns, r.Trace = h.Now().Seconds(), h.Turns(), h.Trace()
}
