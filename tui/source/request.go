package source

import (
	"errors"
	"fmt"
	"slices"
)

// Verb is what an operator can ask for.
type Verb string

// Verbs and what their Target names.
const (
	RestartAgent Verb = "restart-agent" // an agent: it crashes, and starts again
	Reboot       Verb = "reboot"        // nothing: the device resets
	PowerOff     Verb = "power-off"     // nothing: the device turns itself off
	PullCable    Verb = "pull-cable"    // an interface: its link goes down
	PlugCable    Verb = "plug-cable"    // an interface: its link comes up
)

// verbs are all there are.
var verbs = []Verb{RestartAgent, Reboot, PowerOff, PullCable, PlugCable}

// ErrReadOnly answers a request where nothing may be changed.
var ErrReadOnly = errors.New("this terminal only shows; start with --allow-write to act")

// Request is one wish of an operator.
type Request struct {
	Verb   Verb   `json:"verb"`
	Target string `json:"target,omitempty"`
}

// String is the request as it is shown.
func (r Request) String() string {
	if r.Target == "" {
		return string(r.Verb)
	}
	return string(r.Verb) + " " + r.Target
}

// Check refuses a request that makes no sense.
func (r Request) Check() error {
	switch {
	case !slices.Contains(verbs, r.Verb):
		return fmt.Errorf("request %q: no such verb", string(r.Verb))
	case r.needsTarget() && r.Target == "":
		return fmt.Errorf("request %s: it needs a target", r.Verb)
	case len(r.Target) > 250:
		return fmt.Errorf("request %s: its target is longer than 250 bytes", r.Verb)
	}
	return nil
}

func (r Request) needsTarget() bool { return r.Verb != Reboot && r.Verb != PowerOff }
