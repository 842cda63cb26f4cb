package conform

import (
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
)

// instance sets up a local network instance with both guests' addresses.
func (x *bridgeBench) instance(t *testing.T) {
	t.Helper()
	x.apply(t, "bridge/bn1", brSpec())
	x.apply(t, "service/bn1", serviceSpec(hostOf(macA, ipA), hostOf(macB, ipB)))
	x.apply(t, "nat/bn1", natSpec(801))
}

func (x *bridgeBench) vifBefore(t *testing.T) {
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
	x.turn(t, func() {
		if x.vifs.Len() != 0 {
			t.Error("an interface that is not there is seen")
		}
	})
}

func (x *bridgeBench) vifAppears(t *testing.T) { x.appears(t, vifA, macA, true, true) }

func (x *bridgeBench) vifAgain(t *testing.T) {
	x.again(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
}

func (x *bridgeBench) vifAddress(t *testing.T) { x.uses(t, vifA, ipA) }

func (x *bridgeBench) vifAfter(t *testing.T) {
	x.appears(t, vifB, macB, false, false)
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, allRules()))
	x.attaches(t, vifB, true)
}

func (x *bridgeBench) vifRules(t *testing.T) {
	var was uint64
	x.turn(t, func() { was = x.vifs.Rev(vifA) })
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, []bridge.Rule{
		{RuleID: 1, Protocol: "udp", FPort: 53, Remote: netip.MustParsePrefix("10.99.0.0/24")},
		{RuleID: 2, Host: "example.com", Protocol: "tcp", FPort: 443},
		{RuleID: 3, Protocol: "icmp", Rate: 5, Unit: "s", Burst: 10},
		{RuleID: 4, Protocol: "47", Drop: true},
		{RuleID: 5, Remote: netip.MustParsePrefix("fd00::/8")}}))
	x.turn(t, func() {
		if x.vifs.Rev(vifA) != was {
			t.Error("other rules put a row of the interface")
		}
	})
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, nil))
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
}

func (x *bridgeBench) vifPlug(t *testing.T) {
	s := vifSpec(macB, ipB, allRules())
	s.Vif.Up = false
	x.apply(t, "vif/"+vifB, s)
	x.attaches(t, vifB, false)
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, allRules()))
	x.attaches(t, vifB, true)
}

func (x *bridgeBench) vifVanish(t *testing.T) {
	x.vanishes(t, vifB)
	x.turn(t, func() {
		if x.items.Get("vif/"+vifB) == nil {
			t.Error("the item went with the interface")
		}
	})
	x.appears(t, vifB, macB, false, true)
}

func (x *bridgeBench) vifCounters(t *testing.T) {
	was := x.counters.does(t, bridge.CountersReq{}, nil)
	x.passes(t, settled)
	is := x.counters.does(t, bridge.CountersReq{}, nil)
	for _, r := range []bridge.CountersRes{was, is} {
		if len(r.Counters) != 2 || r.Counters[0].Vif != vifA || r.Counters[1].Vif != vifB {
			t.Fatalf("counters %+v", r.Counters)
		}
	}
	for i, c := range is.Counters {
		if p := was.Counters[i]; c.TxBytes < p.TxBytes || c.RxBytes < p.RxBytes ||
			c.TxPkts < p.TxPkts || c.RxPkts < p.RxPkts || c.TxACLDrops < p.TxACLDrops {
			t.Errorf("counters of %s went back from %+v to %+v", c.Vif, p, c)
		}
	}
}

func (x *bridgeBench) vifVLAN(t *testing.T) {
	s := vifSpec(macB, ipB, allRules())
	s.Vif.VLAN = 7
	x.apply(t, "vif/"+vifB, s)
	x.attaches(t, vifB, true)
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, allRules()))
}

func (x *bridgeBench) vifNoVLAN(t *testing.T) {
	s := vifSpec(macB, ipB, allRules())
	s.Vif.VLAN = 7
	got := x.set.outcome(t, "x", bridge.SetReq{Item: "vif/" + vifB, Spec: s}, nil)
	if got.Phase != agent.Failed || got.Fault.Code != bridge.FaultUnsupported || got.Fault.Retry ||
		got.Fault.Text != "set vif/"+vifB+": this kernel lacks "+NeedsBridgeVLAN {
		t.Errorf("an access VLAN on a kernel without: %+v", got.Fault)
	}
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, allRules()))
}

func (x *bridgeBench) vifClear(t *testing.T) {
	for range 2 {
		x.drop(t, "vif/"+vifB)
	}
	x.attaches(t, vifB, false)
	x.vanishes(t, vifB)
}

func (x *bridgeBench) mapOpen(t *testing.T) {
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8080, ipA)))
	x.appears(t, vifA, macA, true, true)
	x.uses(t, vifA, ipA)
	x.reach(t, 8080, true)
	x.reach(t, 8081, false)
}

func (x *bridgeBench) mapRules(t *testing.T) {
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(true), mapped(8080, ipA)))
	x.reach(t, 8080, false)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8080, ipA)))
	x.reach(t, 8080, true)
}

func (x *bridgeBench) mapMoves(t *testing.T) {
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8081, ipA)))
	x.reach(t, 8080, false)
	x.reach(t, 8081, true)
}

func (x *bridgeBench) mapFrom(t *testing.T) {
	p := mapped(8081, ipA)
	for _, from := range []string{"192.0.2.0/24", "10.99.0.0/24"} {
		p.From = netip.MustParsePrefix(from)
		x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), p))
		x.reach(t, 8081, from == "10.99.0.0/24")
	}
}

func (x *bridgeBench) mapTaken(t *testing.T) {
	x.set.refuses(t, bridge.SetReq{Item: "vif/" + vifB,
		Spec: vifSpec(macB, ipB, webRules(false), mapped(8081, ipB))}, bridge.FaultRefused, false)
	x.apply(t, "vif/"+vifB, vifSpec(macB, ipB, webRules(false), mapped(8080, ipB)))
	x.drop(t, "vif/"+vifB)
}

func (x *bridgeBench) mapDown(t *testing.T) {
	s := vifSpec(macA, ipA, webRules(false), mapped(8081, ipA))
	s.Vif.Up = false
	x.apply(t, "vif/"+vifA, s)
	x.reach(t, 8081, false)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8081, ipA)))
	x.attaches(t, vifA, true)
	x.reach(t, 8081, true)
}

func (x *bridgeBench) killed(t *testing.T) {
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8080, ipA)))
	x.appears(t, vifA, macA, true, true)
	x.uses(t, vifA, ipA)
	for range 2 {
		x.meddles(t, "service/bn1", "service/bn1")
		x.until(t, "the service again", func() bool { return x.items.Get("service/bn1") != nil })
	}
}

func (x *bridgeBench) unfenced(t *testing.T) {
	x.meddles(t, BridgeFirewall, "nat/bn1", "vif/"+vifA)
	x.apply(t, "nat/bn1", natSpec(801))
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8080, ipA)))
	x.attaches(t, vifA, true)
	x.reach(t, 8080, true)
}

func (x *bridgeBench) unbridged(t *testing.T) {
	x.meddles(t, "bridge/bn1", "bridge/bn1", "nat/bn1", "service/bn1", "vif/"+vifA)
	x.attaches(t, vifA, false)
	x.set.refuses(t, bridge.SetReq{Item: "nat/bn1", Spec: natSpec(801)}, bridge.FaultMissing, true)
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, webRules(false), mapped(8080, ipA)))
	x.attaches(t, vifA, true)
	x.reach(t, 8080, true)
}

func (x *bridgeBench) abandoned(t *testing.T) {
	x.meddles(t, "bridge/bn1", "bridge/bn1", "vif/"+vifA)
	x.drop(t, "bridge/bn1")
	x.apply(t, "bridge/bn1", brSpec())
	x.turn(t, func() {
		if x.items.Len() != 1 {
			t.Errorf("%d items, want the bridge alone", x.items.Len())
		}
	})
	x.drop(t, "bridge/bn1")
}

func (x *bridgeBench) power(t *testing.T) {
	x.instance(t)
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
	x.cycle(t)
	x.booted(t)
	x.turn(t, func() {
		if x.items.Len() != 0 {
			t.Errorf("%d items after a power cut", x.items.Len())
		}
	})
}

func (x *bridgeBench) poweredAgain(t *testing.T) {
	for range 2 {
		x.instance(t)
		x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
	}
}
