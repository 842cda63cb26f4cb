package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	SetPort      Verb = "set-port"      // an interface: Text says how it is to be
	RevertPorts  Verb = "revert-ports"  // nothing: what SetPort did is undone
	SetServer    Verb = "set-server"    // nothing: Text names another controller
)

// verbs are all there are.
var verbs = []Verb{RestartAgent, Reboot, PowerOff, PullCable, PlugCable, SetPort, RevertPorts,
	SetServer}

// ErrReadOnly answers a request where nothing may be changed.
var ErrReadOnly = errors.New("this terminal only shows; start with --allow-write to act")

// Request is one wish of an operator.
type Request struct {
	Verb   Verb   `json:"verb"`
	Target string `json:"target,omitempty"`
	// Text is what the operator typed, for verbs that need it; see Wish.
	Text string `json:"text,omitempty"`
}

// String is the request as it is shown.
func (r Request) String() string {
	return strings.Join(slices.DeleteFunc([]string{string(r.Verb), r.Target, r.Text},
		func(s string) bool { return s == "" }), " ")
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
	case len(r.Text) > maxText:
		return fmt.Errorf("request %s: its text is longer than %d bytes", r.Verb, maxText)
	case r.NeedsText() && strings.TrimSpace(r.Text) == "":
		return fmt.Errorf("request %s: it needs a text", r.Verb)
	}
	return nil
}

// maxText bounds what an operator types.
const maxText = 4 << 10

func (r Request) needsTarget() bool {
	return !slices.Contains([]Verb{Reboot, PowerOff, RevertPorts, SetServer}, r.Verb)
}

// NeedsText reports whether the operator has to type something.
func (r Request) NeedsText() bool { return r.Verb == SetPort || r.Verb == SetServer }
