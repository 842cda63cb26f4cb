// Package exploretest has what tests of explorations explore.
package exploretest

import (
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// Span is how long faults come in Fragile.
const Span = 5 * time.Minute

// Fragile is a device whose owner minds a reboot behind a crash of an agent.
func Fragile() *scenario.Scenario {
	return scenario.New("fragile", func(s *scenario.S) {
		d := s.Device("edge")
		d.Boot()
		s.Wait(Span + time.Minute)
		if b := d.Twin().Boots(); b > 1 && d.Machine().Kernel() != nil {
			s.Fail("it booted %d times", b)
		}
	}, scenario.UnderFaults(Span))
}

// Hard has power cuts in half of the seeds, among other things.
func Hard() fault.Profile {
	return fault.Profile{Name: "hard", Rates: []fault.Rate{
		{Kind: fault.PowerCut, Seeds: 50, PerHour: 12, Least: 1, Most: 5},
		{Kind: fault.AgentCrash, Seeds: 100, PerHour: 60},
		{Kind: fault.LinkDown, Seeds: 100, PerHour: 60, Least: 1, Most: 60},
	}}
}
