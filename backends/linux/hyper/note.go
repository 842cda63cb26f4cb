package hyper

import (
	"encoding/json"
	"fmt"
	"time"

	device "github.com/evetwin/evetwin/core/device/hyper"
)

// note is what a domain's description says about it, for whoever finds it.
type note struct {
	Spec     device.Spec
	ID       int
	Boots    int       // starts so far
	BootedAt time.Time // the last start
	Asked    bool      // since then, to power off
	End      *end      // of that run, once it was seen
	// Starting says that the guest was not told to execute yet, as far as we got.
	Starting bool
}

// end is how a run ended.
type end struct {
	State  device.State
	Reason string
	Guest  bool // the guest turned itself off
}

func (n *note) text() ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("write the note of domain %s: %w", n.Spec.Name, err)
	}
	return text, nil
}

// readNote reads what text wrote; nil for domains of others.
func readNote(text []byte) (*note, error) {
	if text == nil {
		return nil, nil
	}
	n := &note{}
	if err := json.Unmarshal(text, n); err != nil {
		return nil, fmt.Errorf("read the note of a domain: %w", err)
	}
	return n, nil
}

// ended says how a run ended, which was still going when it was last seen.
func (n *note) ended(is condition) *end {
	switch {
	case n.Starting && is != offShutdown:
		return &end{State: device.Broken, Reason: "its start was interrupted"}
	case is == offShutdown && n.Asked:
		return &end{State: device.Halted, Reason: "the guest powered off as it was asked"}
	case is == offShutdown:
		return &end{State: device.Halted, Reason: "the guest turned itself off", Guest: true}
	case is == offKilled:
		return &end{State: device.Halted, Reason: "turned off by force"}
	}
	return &end{State: device.Broken, Reason: "the virtual machine monitor is gone"}
}

// row is the domain as it is seen.
func (n *note) row(is condition) device.DomainSeen {
	r := device.DomainSeen{Spec: n.Spec, ID: n.ID, BootedAt: n.BootedAt}
	switch {
	case n.Asked && (is == executing || is == goingDown):
		r.State = device.Halting
	case is == executing, is == goingDown: // which by itself is only a moment
		r.State = device.Running
	case is == paused:
		r.State = device.Paused
	case n.End != nil:
		r.State, r.Reason, r.Guest = n.End.State, n.End.Reason, n.End.Guest
	default:
		r.State = device.Defined
	}
	return r
}
