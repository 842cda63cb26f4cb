package storm

import (
	"time"

	"github.com/evetwin/evetwin/core/fault"
)

// driftStep is how often a drifting clock is set: each step is that of a clock that is disciplined.
const driftStep = time.Minute

// setClock makes the wall clock as wrong as all faults that hold have it.
func setClock(s *Storm, _ *act) {
	var skew time.Duration
	s.each(fault.ClockJump, func(a *act) { skew += time.Duration(a.Value) * time.Second })
	s.each(fault.ClockDrift, func(a *act) {
		skew += (s.v.Sim.Now() - a.from) / 1_000_000 * time.Duration(a.Value)
	})
	s.d.SetClock(skew)
}

// drift sets a drifting clock again and again.
func drift(s *Storm, a *act) {
	setClock(s, a)
	s.v.Sim.At(s.v.Sim.Now()+driftStep, func() {
		if a.on {
			drift(s, a)
		}
	})
}

// forgetClock takes away the clock that runs without power, or gives it back. A device that woke up
// without one is told the time then.
func forgetClock(s *Storm, a *act) {
	s.d.Board.Boot.RTC = !s.holds(fault.Clock1970, "")
	if !a.on {
		setClock(s, a)
	}
}
