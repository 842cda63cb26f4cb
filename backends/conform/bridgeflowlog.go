package conform

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

// BridgeTalk is datagrams that are sent and, unless they get lost on their way, answered by as
// many.
type BridgeTalk struct {
	Vif string
	// Inbound says that somebody outside, 10.99.0.1, sends them from RPort to port To of the device;
	// else the guest sends them from LPort to port RPort of 10.99.0.1.
	Inbound      bool
	LPort, RPort uint16
	To           uint16
	Count        int
	// Lost says that no answer is expected: nobody waits long for one. Silent has nobody give one.
	Lost, Silent bool
}

// bridgeFlowCases are those of the flow log.
func bridgeFlowCases() []Case[*bridgeBench] {
	return []Case[*bridgeBench]{
		{Name: "nothing", Run: (*bridgeBench).flowNothing,
			Clause: "what every guest needs is no flow; without FlowLog nothing is recorded"},
		{Name: "admitted", Run: (*bridgeBench).flowAdmitted,
			Clause: "a flow is the packets between two ends, with the rule that admitted it"},
		{Name: "dropped", Run: (*bridgeBench).flowDropped,
			Clause: "RuleID is 0 if no rule matched, so that it was dropped"},
		{Name: "inbound", Run: (*bridgeBench).flowInbound,
			Clause: "Inbound says that the other end opened it; Local is the guest's end"},
		{Name: "until it is safe", Run: (*bridgeBench).flowSafe,
			Clause: "records are told until a mark behind them is given"},
		{Name: "goes on", Run: (*bridgeBench).flowGoesOn,
			Clause: "if it goes on after that, what is new is another record"},
		{Name: "other rules", Run: (*bridgeBench).flowRules,
			Clause: "a change of rules never touches the interface; the rule in force is told"},
		{Name: "names", Run: (*bridgeBench).flowNames,
			Clause: "Lookup is a name that a guest asked for, with its addresses"},
		{Name: "turned off", Run: (*bridgeBench).flowOff,
			Clause: "what was recorded is forgotten when the flow log is turned off"},
		{Name: "the last ones", Run: (*bridgeBench).flowLast,
			Clause: "what is known of an interface is told after its item was cleared; May is false " +
				"only while there is nothing to tell"},
		{Name: "a power cut", Run: (*bridgeBench).flowPower,
			Clause: "a mark of another life is before all records; records go with the power"},
	}
}

// flowRules are the rules of vifA: 3 admits port 9, 4 drops port 11, 5 is that of a mapped port.
func flowRules() []bridge.Rule {
	return []bridge.Rule{{RuleID: 4, Protocol: "udp", FPort: 11, Drop: true},
		{RuleID: 3, Protocol: "udp", FPort: 9}, {RuleID: 5, Protocol: "udp", LPort: 7}}
}

// flowSpec is vifA with a flow log; port 700 of the device leads to its port 7.
func flowSpec(on bool, rules []bridge.Rule) bridge.Spec {
	s := vifSpec(macA, ipA, rules, bridge.PortMap{Protocol: "udp", In: []string{"eth0"}, Port: 700,
		RuleID: 5, Target: netip.MustParseAddr(ipA), ToPort: 7})
	s.Vif.FlowLog = on
	return s
}

// flowNet sets an instance up whose guests have flow logs, but the one of vifB.
func (x *bridgeBench) flowNet(t *testing.T) {
	t.Helper()
	x.apply(t, "bridge/bn1", brSpec())
	s := serviceSpec(hostOf(macA, ipA), hostOf(macB, ipB))
	s.Service.FlowLog = true
	x.apply(t, "service/bn1", s)
	x.apply(t, "nat/bn1", natSpec(801))
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()))
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, allRules()))
	x.appears(t, vifA, macA, true, true)
	x.uses(t, vifA, ipA)
	x.appears(t, vifB, macB, true, true)
	x.uses(t, vifB, ipB)
}

func (x *bridgeBench) talks(t *testing.T, list ...BridgeTalk) {
	t.Helper()
	do := func(f func()) { x.outside(t, f) }
	x.Rest(do)
	for _, k := range list {
		if k.Vif == "" {
			k.Vif = vifA
		}
		x.Talk(do, k)
	}
	x.Rest(do)
}

// collects reads the records behind a mark, as text, sorted.
func (x *bridgeBench) collects(t *testing.T, after bridge.FlowMark) (flows, names []string,
	upto bridge.FlowMark,
) {
	t.Helper()
	res := x.flows.does(t, bridge.FlowsReq{After: after}, nil)
	for _, f := range res.Flows {
		what, dir := "admitted", "to"
		if f.Dropped {
			what = "dropped"
		}
		if f.Inbound {
			dir = "from"
		}
		flows = append(flows, fmt.Sprintf("%s %s:%d %s %s:%d proto %d %s by %d, %d there, %d back",
			f.Vif, f.Local, f.LocalPort, dir, f.Remote, f.RemotePort, f.Protocol, what, f.RuleID,
			f.TxPkts, f.RxPkts))
		if f.Ended.Before(f.Began) || f.Began.IsZero() || f.App != "app" || f.Adapter != "eth0" ||
			f.Network != "net" || (f.TxBytes > 0) != (f.TxPkts > 0) ||
			(f.RxBytes > 0) != (f.RxPkts > 0) {
			t.Errorf("a record %+v", f)
		}
	}
	for _, l := range res.Lookups {
		names = append(names, fmt.Sprintf("%s %s %v", l.Vif, l.Name, l.Addrs))
		if l.At.IsZero() || l.App != "app" {
			t.Errorf("a record %+v", l)
		}
	}
	slices.Sort(flows)
	slices.Sort(names)
	if res.More || res.Lost > 0 {
		t.Errorf("more %v, %d lost", res.More, res.Lost)
	}
	return flows, names, res.Upto
}

// recorded wants records since the last time, and that they are safe then.
func (x *bridgeBench) recorded(t *testing.T, want ...string) {
	t.Helper()
	got, _, upto := x.collects(t, x.mark)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("recorded\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	x.mark = upto
}

// may waits until the part says that there may be something to tell, or that there is not.
func (x *bridgeBench) may(t *testing.T, want bool) {
	t.Helper()
	x.until(t, fmt.Sprintf("records: %v", want), func() bool {
		r := x.records.Get("records")
		return r != nil && r.May == want
	})
}

func (x *bridgeBench) flowNothing(t *testing.T) {
	x.flowNet(t)
	x.talks(t, BridgeTalk{Vif: vifB, LPort: 1000, RPort: 9, Count: 1})
	x.Resolve(func(f func()) { x.outside(t, f) }, vifB, "router.apps.example")
	if flows, names, upto := x.collects(t, bridge.FlowMark{}); len(flows)+len(names) > 0 ||
		upto.Life == 0 {
		t.Errorf("recorded %v and %v up to %v", flows, names, upto)
	}
}

func (x *bridgeBench) flowAdmitted(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1001, RPort: 9, Count: 3})
	x.may(t, true)
	x.recorded(t, "nbu1x1 10.1.0.2:1001 to 10.99.0.1:9 proto 17 admitted by 3, 3 there, 3 back")
}

func (x *bridgeBench) flowDropped(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1002, RPort: 10, Count: 2, Lost: true},
		BridgeTalk{LPort: 1002, RPort: 11, Count: 1, Lost: true})
	x.recorded(t, "nbu1x1 10.1.0.2:1002 to 10.99.0.1:10 proto 17 dropped by 0, 2 there, 0 back",
		"nbu1x1 10.1.0.2:1002 to 10.99.0.1:11 proto 17 dropped by 4, 1 there, 0 back")
}

func (x *bridgeBench) flowInbound(t *testing.T) {
	x.talks(t, BridgeTalk{Inbound: true, LPort: 7, RPort: 3000, To: 700, Count: 1})
	x.recorded(t, "nbu1x1 10.1.0.2:7 from 10.99.0.1:3000 proto 17 admitted by 5, 1 there, 1 back")
	x.talks(t, BridgeTalk{Inbound: true, LPort: 7, RPort: 3002, To: 700, Count: 2, Lost: true,
		Silent: true})
	x.recorded(t, "nbu1x1 10.1.0.2:7 from 10.99.0.1:3002 proto 17 admitted by 5, 0 there, 2 back")
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()[:2]))
	x.talks(t, BridgeTalk{Inbound: true, LPort: 7, RPort: 3001, To: 700, Count: 1, Lost: true})
	x.recorded(t, "nbu1x1 10.1.0.2:7 from 10.99.0.1:3001 proto 17 dropped by 0, 0 there, 1 back")
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()))
}

func (x *bridgeBench) flowSafe(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1003, RPort: 9, Count: 1})
	first, _, _ := x.collects(t, x.mark)
	again, _, _ := x.collects(t, bridge.FlowMark{Life: x.mark.Life + 1, Number: 1 << 40})
	if len(first) != 1 || !slices.Equal(first, again) {
		t.Errorf("told %v, then %v", first, again)
	}
	x.recorded(t, first...)
	x.recorded(t)
}

func (x *bridgeBench) flowGoesOn(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1003, RPort: 9, Count: 2},
		BridgeTalk{LPort: 1002, RPort: 11, Count: 2, Lost: true})
	x.recorded(t, "nbu1x1 10.1.0.2:1003 to 10.99.0.1:9 proto 17 admitted by 3, 2 there, 2 back",
		"nbu1x1 10.1.0.2:1002 to 10.99.0.1:11 proto 17 dropped by 4, 2 there, 0 back")
}

func (x *bridgeBench) flowRules(t *testing.T) {
	var was uint64
	x.turn(t, func() { was = x.vifs.Rev(vifA) })
	x.apply(t, "vif/"+vifA, flowSpec(true, []bridge.Rule{{RuleID: 6, Protocol: "udp", FPort: 11,
		Remote: netip.MustParsePrefix("10.99.0.0/24")}, {RuleID: 7, Protocol: "udp", Drop: true}}))
	x.talks(t, BridgeTalk{LPort: 1004, RPort: 11, Count: 1},
		BridgeTalk{LPort: 1004, RPort: 9, Count: 1, Lost: true})
	x.recorded(t, "nbu1x1 10.1.0.2:1004 to 10.99.0.1:11 proto 17 admitted by 6, 1 there, 1 back",
		"nbu1x1 10.1.0.2:1004 to 10.99.0.1:9 proto 17 dropped by 7, 1 there, 0 back")
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()))
	x.turn(t, func() {
		if x.vifs.Rev(vifA) != was {
			t.Error("other rules put a row of the interface")
		}
	})
}

func (x *bridgeBench) flowNames(t *testing.T) {
	do := func(f func()) { x.outside(t, f) }
	x.Resolve(do, vifA, "router")
	x.Resolve(do, vifA, "nobody.apps.example")
	flows, names, upto := x.collects(t, x.mark)
	if want := []string{"nbu1x1 nobody.apps.example []", "nbu1x1 router [10.1.0.1]"}; len(flows) > 0 ||
		!slices.Equal(names, want) {
		t.Errorf("flows %v, names %v, want %v", flows, names, want)
	}
	x.mark = upto
}

func (x *bridgeBench) flowOff(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1005, RPort: 9, Count: 1})
	if first, _, _ := x.collects(t, x.mark); len(first) != 1 {
		t.Errorf("recorded %v", first)
	}
	var was uint64
	x.turn(t, func() { was = x.vifs.Rev(vifA) })
	x.apply(t, "vif/"+vifA, flowSpec(false, flowRules()))
	x.talks(t, BridgeTalk{LPort: 1006, RPort: 9, Count: 1},
		BridgeTalk{LPort: 1006, RPort: 11, Count: 1, Lost: true})
	x.Resolve(func(f func()) { x.outside(t, f) }, vifA, "router")
	x.recorded(t)
	x.turn(t, func() {
		if x.vifs.Rev(vifA) != was {
			t.Error("the flow log put a row of the interface")
		}
	})
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()))
	x.talks(t, BridgeTalk{LPort: 1007, RPort: 9, Count: 1})
	x.recorded(t, "nbu1x1 10.1.0.2:1007 to 10.99.0.1:9 proto 17 admitted by 3, 1 there, 1 back")
}

func (x *bridgeBench) flowLast(t *testing.T) {
	x.talks(t, BridgeTalk{LPort: 1008, RPort: 9, Count: 1},
		BridgeTalk{LPort: 1008, RPort: 10, Count: 1, Lost: true})
	x.vanishes(t, vifA)
	x.drop(t, "vif/"+vifA)
	x.recorded(t, "nbu1x1 10.1.0.2:1008 to 10.99.0.1:9 proto 17 admitted by 3, 1 there, 1 back",
		"nbu1x1 10.1.0.2:1008 to 10.99.0.1:10 proto 17 dropped by 0, 1 there, 0 back")
	x.may(t, true)
	x.recorded(t) // they are safe now
	x.may(t, false)
}

func (x *bridgeBench) flowPower(t *testing.T) {
	x.apply(t, "vif/"+vifA, flowSpec(true, flowRules()))
	x.appears(t, vifA, macA, true, true)
	x.uses(t, vifA, ipA)
	x.talks(t, BridgeTalk{LPort: 1009, RPort: 9, Count: 1})
	x.cycle(t)
	x.booted(t)
	was := x.mark
	x.flowNet(t)
	x.recorded(t)
	if x.mark.Life == was.Life {
		t.Error("another boot is the same life")
	}
	x.talks(t, BridgeTalk{LPort: 1010, RPort: 9, Count: 1})
	x.mark = was
	x.recorded(t, "nbu1x1 10.1.0.2:1010 to 10.99.0.1:9 proto 17 admitted by 3, 1 there, 1 back")
}
