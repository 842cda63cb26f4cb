package nodeagent

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	// announce is how long the others have to take note.
	announce = 30 * time.Second
	// haltWait bounds the wait for guests.
	haltWait = 300 * time.Second
	// linger lets what was written reach the disk.
	linger = 30 * time.Second
	// again is the time between two tries of an op that failed.
	again = 10 * time.Second
)

// command takes up what zedagent asks for, each kind of operation once per boot.
func (a *nodeagent) command(t *agent.Turn) {
	z := a.zedagent.Get("zedagent")
	if z == nil {
		return
	}
	for _, c := range [...]struct {
		asked  bool
		kind   string
		reason node.BootReason
	}{
		{z.RebootCmd, kindReboot, node.BootReasonRebootCmd},
		{z.ShutdownCmd, kindShutdown, node.BootReasonNone},
		{z.PoweroffCmd, kindPoweroff, node.BootReasonPoweroffCmd},
	} {
		if !c.asked {
			continue
		}
		o := operation{Kind: c.kind, At: t.Now, Reason: c.reason, Text: z.RequestedRebootReason}
		if z.RequestedBootReason != node.BootReasonNone {
			o.Reason = z.RequestedBootReason
		}
		a.begin(t, o)
	}
}

// begin starts an operation unless one of its kind was started in this boot. What takes the device
// down is one kind: the first one goes on with its reason.
func (a *nodeagent) begin(t *agent.Turn, o operation) {
	if a.operations.Get(o.Kind) != nil {
		return
	}
	down := a.operations.Get(kindReboot) != nil || a.operations.Get(kindPoweroff) != nil
	if down && o.Kind != kindShutdown {
		return
	}
	t.Log(agent.Info, "", o.Kind+": "+o.Text)
	a.operations.Put(o)
}

// carryOut takes an operation as far as it goes now.
func (a *nodeagent) carryOut(t *agent.Turn, o *operation, s *node.NodeAgentStatus) {
	switch o.Kind {
	case kindReboot:
		s.DeviceReboot = true
	case kindShutdown:
		s.DeviceShutdown = true
	case kindPoweroff:
		s.DevicePoweroff = true
	}
	if at := o.At + announce; t.Now < at {
		t.WakeAt(o.Kind, at)
		return
	}
	if o.Kind != kindShutdown && !a.recorded(t, o) {
		return
	}
	if !o.Halted {
		if at := o.At + announce + haltWait; a.guestsRun() && t.Now < at {
			t.WakeAt(o.Kind, at)
			return
		}
		n := *o
		n.Halted, n.HaltedAt = true, t.Now
		a.operations.Put(n)
		o = a.operations.Get(o.Kind)
	}
	s.AllDomainsHalted = true
	if o.Kind == kindShutdown {
		return
	}
	if at := o.HaltedAt + linger; t.Now < at {
		t.WakeAt(o.Kind, at)
		return
	}
	a.goDown(t, o)
}

// recorded has the reason written down, and reports whether that is over. A disk that does not take
// it does not keep the device from rebooting.
func (a *nodeagent) recorded(t *agent.Turn, o *operation) bool {
	call := a.setReason.Want(o.Kind, boot.ReasonReq{Reason: o.Reason.String(), Text: o.Text})
	if call.Phase == agent.Failed && call.Tries < 3 {
		if at := call.Ended + again; t.Now < at {
			t.WakeAt("reason", at)
		} else {
			a.setReason.Redo(o.Kind)
		}
		return false
	}
	return call.Over()
}

// guestsRun reports whether a guest exists.
func (a *nodeagent) guestsRun() bool {
	for _, d := range a.domains.All() {
		if d.DomainId != 0 {
			return true
		}
	}
	return false
}

// goDown resets the device or turns it off, again and again until it is down.
func (a *nodeagent) goDown(t *agent.Turn, o *operation) {
	call := a.reset.Want("down", power.Req{Off: o.Kind == kindPoweroff})
	if !call.Over() {
		return
	}
	if at := call.Ended + again; t.Now < at {
		t.WakeAt("down", at)
	} else {
		a.reset.Redo("down")
	}
}
