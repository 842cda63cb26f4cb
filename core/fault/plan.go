package fault

import (
	"fmt"
	"math"
	"time"
)

// Seconds is a time or a duration, in seconds.
type Seconds float64

// Duration is it to the nanosecond.
func (s Seconds) Duration() time.Duration {
	return time.Duration(math.Round(float64(s) * float64(time.Second)))
}

// maxSeconds bounds times: 30 years.
const maxSeconds Seconds = 30 * 365 * 86400

// Fault is one thing that goes wrong.
type Fault struct {
	Kind Kind `json:"kind"`
	// At is when it begins, in seconds since the world began.
	At Seconds `json:"at_s"`
	// For is how long it lasts or waits for its occasion. 0: only an instant.
	For Seconds `json:"for_s,omitempty"`
	// On names what it is about: an op, an agent, an interface, ... as the kind says.
	On string `json:"on,omitempty"`
	// Key is the key of the runs it is about; empty: any.
	Key string `json:"key,omitempty"`
	// N picks one occasion since At, from 1; 0: each, or the first where there can be only one.
	N uint64 `json:"n,omitempty"`
	// Value is a number whose meaning the kind states.
	Value int64 `json:"value,omitempty"`
}

// End is when it is over; a device whose power it takes is on again by then, and what it holds back
// has arrived.
func (f *Fault) End() time.Duration {
	end := f.At + f.For
	switch f.Kind {
	case DHCPMoved:
		end += SwitchRestart
	case PowerBefore, PowerWithin, PowerAfter:
		end += PowerOff
	case ControllerLate, ControllerAgain:
		end += Seconds(f.Value) / 1000
	case PowerInOp:
		end += PowerOff + Seconds(f.Value)/1000
	}
	return end.Duration()
}

// String is the fault in a line.
func (f *Fault) String() string {
	out := fmt.Sprintf("%s at %gs", f.Kind, float64(f.At))
	if f.For > 0 {
		out += fmt.Sprintf(" for %gs", float64(f.For))
	}
	if f.On != "" {
		out += " on " + f.On
	}
	if f.Key != "" {
		out += " key " + f.Key
	}
	if f.N > 0 {
		out += fmt.Sprintf(" n %d", f.N)
	}
	if f.Value != 0 {
		out += fmt.Sprintf(" value %d", f.Value)
	}
	return out
}

// Plan is what goes wrong in a run.
type Plan struct {
	// Seed and Profile are what it was drawn from, for people: a plan is carried out as it stands.
	Seed    uint64  `json:"seed"`
	Profile string  `json:"profile,omitempty"`
	Faults  []Fault `json:"faults"`
}

// Healed is when the last fault is over, 0 without any.
func (p *Plan) Healed() time.Duration {
	var at time.Duration
	for i := range p.Faults {
		at = max(at, p.Faults[i].End())
	}
	return at
}

// Check finds the first fault of a plan that makes no sense; where names the plan.
func (p *Plan) Check(where string) error {
	for i := range p.Faults {
		if field, why := p.Faults[i].wrong(); why != "" {
			return fmt.Errorf("%s: faults[%d].%s: %s", where, i, field, why)
		}
	}
	return nil
}

// wrong is the field that makes no sense, and why.
func (f *Fault) wrong() (field, why string) {
	s, ok := specOf(f.Kind)
	if !ok {
		return "kind", fmt.Sprintf("there is no fault %q", f.Kind)
	}
	for _, t := range []struct {
		name string
		v    Seconds
	}{{"at_s", f.At}, {"for_s", f.For}} {
		if !(t.v >= 0 && t.v <= maxSeconds) {
			return t.name, fmt.Sprintf("%g is no time, want 0 to %g", float64(t.v), float64(maxSeconds))
		}
	}
	switch {
	case s.on == Nothing && f.On != "":
		return "on", fmt.Sprintf("%s is about nothing by name", f.Kind)
	case s.on != Nothing && !s.any && f.On == "":
		return "on", fmt.Sprintf("%s must name what it is about", f.Kind)
	case f.Key != "" && !s.key:
		return "key", fmt.Sprintf("%s has no key", f.Kind)
	case f.N != 0 && !s.nth:
		return "n", fmt.Sprintf("%s has no occasions to count", f.Kind)
	case f.Value < s.low || f.Value > s.top:
		return "value", fmt.Sprintf("%d is outside %d to %d", f.Value, s.low, s.top)
	}
	return "", ""
}
