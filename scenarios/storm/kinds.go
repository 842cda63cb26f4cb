package storm

import (
	"fmt"

	"github.com/evetwin/evetwin/core/fault"
)

// kind is how faults of a kind are carried out. One without inject waits for its occasion.
type kind struct {
	name fault.Kind
	// available says whether there is anything to act on; nil: always.
	available func(s *Storm, a *act) bool
	inject    func(s *Storm, a *act)
	heal      func(s *Storm, a *act)
}

func actName(i int) string { return fmt.Sprintf("storm/%d", i) }

// kinds are all kinds.
func kinds() []kind {
	out := []kind{
		{name: fault.OpFail}, {name: fault.OpDelay}, {name: fault.OpHang}, {name: fault.OpDeny},
		{name: fault.PowerInOp},
		{name: fault.AgentCrash, available: hasAgent,
			inject: func(s *Storm, a *act) { s.d.Crash(a.On) }},
		{name: fault.AgentSlow, available: hasAgent, inject: func(*Storm, *act) {}},
		{name: fault.PowerCut, available: isOn,
			inject: func(s *Storm, a *act) { s.d.Reboot(a.For.Duration()) }},
		{name: fault.PowerBefore}, {name: fault.PowerWithin}, {name: fault.PowerAfter},
		{name: fault.DiskFull, inject: fillDisk, heal: emptyDisk},
		{name: fault.BitRot, available: hasBlob, inject: rot, heal: func(_ *Storm, a *act) { a.undo() }},
		{name: fault.Clock1970, inject: forgetClock, heal: forgetClock},
		{name: fault.ClockJump, inject: setClock, heal: setClock},
		{name: fault.ClockDrift, inject: drift, heal: setClock},
	}
	out = append(out, cableKinds()...)
	out = append(out, networkKinds()...)
	return append(out, controllerKinds()...)
}

// isOn reports whether the device runs.
func isOn(s *Storm, _ *act) bool { return s.d.Kernel() != nil }

// hasAgent reports whether the device runs and has the agent.
func hasAgent(s *Storm, a *act) bool {
	k := s.d.Kernel()
	return k != nil && k.Proc(a.On) != nil
}
