package nodeagent

import (
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/topics/node"
)

// maxStack is how much of a recorded stack is kept, from its end.
const maxStack = 1600

// bootedBy fills in how this boot came about.
func bootedBy(s *node.NodeAgentStatus, b *boot.BootSeen) {
	s.BootReason = reasonOf(b)
	s.RebootReason, s.RebootImage, s.RebootTime = b.RebootReason, b.RebootImage, b.RebootTime
	if s.RebootStack = b.RebootStack; len(s.RebootStack) > maxStack {
		s.RebootStack = s.RebootStack[len(s.RebootStack)-maxStack:]
	}
	s.RestartCounter = b.RestartCounter
	if s.RebootReason == "" {
		s.RebootReason = inWords(s.BootReason)
	}
}

// reasonOf is the recorded boot reason or, if none was recorded, the one that the hardware tells.
func reasonOf(b *boot.BootSeen) node.BootReason {
	switch {
	case b.Reason != "":
		return parseReason(b.Reason)
	case b.First:
		return node.BootReasonFirst
	case b.PowerCycled:
		return node.BootReasonPowerFail
	case b.Watchdog:
		return node.BootReasonHWWatchdog
	case b.CountsPower:
		return node.BootReasonKernel // the power was on all the time, and nobody asked for it
	}
	return node.BootReasonUnknown
}

// parseReason finds a reason by its name.
func parseReason(name string) node.BootReason {
	for r := node.BootReasonNone; r <= node.BootReasonHWWatchdog; r++ {
		if r.String() == name {
			return r
		}
	}
	return node.BootReasonParseFail
}

// inWords describes a reason that came without a text.
func inWords(r node.BootReason) string {
	switch r {
	case node.BootReasonFirst:
		return "NORMAL: First boot of device"
	case node.BootReasonPowerFail:
		return "Reboot reason - system reset, reboot or power failure"
	case node.BootReasonHWWatchdog:
		return "Reboot reason - hardware watchdog"
	case node.BootReasonKernel:
		return "Reboot reason - kernel crash"
	}
	return "Unknown reboot reason"
}
