package conform

import (
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
)

func (x *bridgeBench) afterBoot(t *testing.T) {
	x.turn(t, func() {
		if x.items.Len() != 0 || x.vifs.Len() != 0 {
			t.Errorf("%d items and %d interfaces after boot", x.items.Len(), x.vifs.Len())
		}
	})
}

func (x *bridgeBench) wrongRequests(t *testing.T) {
	bad := func(change func(v *bridge.VifSpec)) bridge.Spec {
		s := vifSpec(macA, ipA, allRules())
		change(s.Vif)
		return s
	}
	service := serviceSpec()
	service.Service.Gateway = netip.MustParseAddr("10.2.0.1")
	for _, q := range []bridge.SetReq{
		{Item: "bridge/bn1"},
		{Item: "bridge/bn1", Spec: natSpec(801)},
		{Item: "bridge/", Spec: brSpec()},
		{Item: "bridge/a-name-that-is-too-long", Spec: brSpec()},
		{Item: "tunnel/bn1", Spec: brSpec()},
		{Item: "bridge/bn1", Spec: bridge.Spec{Bridge: &bridge.BridgeSpec{MAC: "none"}}},
		{Item: "service/bn1", Spec: service},
		{Item: "nat/bn1", Spec: natSpec(0)},
		{Item: "vif/" + vifA, Spec: bad(func(v *bridge.VifSpec) { v.Rules[0].Protocol = "ipx" })},
		{Item: "vif/" + vifA, Spec: bad(func(v *bridge.VifSpec) { v.Rules[0].FPort = 80 })},
		{Item: "vif/" + vifA, Spec: bad(func(v *bridge.VifSpec) {
			v.PortMaps = []bridge.PortMap{mapped(8080, ipA)}
			v.PortMaps[0].Protocol = "icmp"
		})},
	} {
		x.set.refuses(t, q, bridge.FaultRefused, false)
	}
	x.afterBoot(t)
}

func (x *bridgeBench) noBase(t *testing.T) {
	for _, q := range []bridge.SetReq{
		{Item: "service/bn1", Spec: serviceSpec()},
		{Item: "nat/bn1", Spec: natSpec(801)},
		{Item: "vif/" + vifA, Spec: vifSpec(macA, ipA, allRules())},
	} {
		x.set.refuses(t, q, bridge.FaultMissing, true)
	}
	x.afterBoot(t)
}

func (x *bridgeBench) aBridge(t *testing.T) { x.apply(t, "bridge/bn1", brSpec()) }

func (x *bridgeBench) bridgeAgain(t *testing.T) { x.again(t, "bridge/bn1", brSpec()) }

func (x *bridgeBench) bridgeChange(t *testing.T) {
	for i, addr := range []string{"10.3.0.1/16", "", "fd00:1::1/64", "10.1.0.1/24"} {
		s := brSpec()
		s.Bridge.Addr, s.Bridge.MTU = netip.Prefix{}, uint16(1300+i)
		if addr != "" {
			s.Bridge.Addr = netip.MustParsePrefix(addr)
		}
		x.apply(t, "bridge/bn1", s)
	}
	x.apply(t, "bridge/bn1", brSpec())
}

func (x *bridgeBench) bridgePorts(t *testing.T) {
	s := bridge.Spec{Bridge: &bridge.BridgeSpec{MAC: "00:16:3e:01:02:02", MTU: 1500,
		Ports: []string{"eth1"}}}
	x.apply(t, "bridge/bn2", s)
	x.again(t, "bridge/bn2", s)
	s.Bridge = &bridge.BridgeSpec{MAC: "00:16:3e:01:02:02", MTU: 1500}
	x.apply(t, "bridge/bn2", s)
	x.drop(t, "bridge/bn2")
}

func (x *bridgeBench) bridgeModes(t *testing.T) {
	for _, on := range []bool{true, false} {
		s := bridge.Spec{Bridge: &bridge.BridgeSpec{MAC: "00:16:3e:01:02:02", MTU: 1500, STP: on,
			ForwardLLDP: on}}
		x.apply(t, "bridge/bn2", s)
	}
	x.drop(t, "bridge/bn2")
}

func (x *bridgeBench) bridgeNoPort(t *testing.T) {
	x.set.refuses(t, bridge.SetReq{Item: "bridge/bn2", Spec: bridge.Spec{Bridge: &bridge.BridgeSpec{
		MAC: "00:16:3e:01:02:02", Ports: []string{"eth9"}}}}, bridge.FaultMissing, true)
	x.turn(t, func() {
		if x.items.Get("bridge/bn2") != nil {
			t.Error("a bridge without its port is seen")
		}
	})
}

func (x *bridgeBench) bridgeClear(t *testing.T) {
	for range 2 {
		x.drop(t, "bridge/bn1")
	}
	x.drop(t, "service/bn1")
	x.drop(t, "vif/"+vifA)
	x.afterBoot(t)
}

func (x *bridgeBench) aService(t *testing.T) {
	x.apply(t, "bridge/bn1", brSpec())
	x.apply(t, "service/bn1", serviceSpec(hostOf(macA, ipA)))
}

func (x *bridgeBench) serviceAgain(t *testing.T) {
	x.again(t, "service/bn1", serviceSpec(hostOf(macA, ipA)))
}

func (x *bridgeBench) serviceHosts(t *testing.T) {
	x.apply(t, "service/bn1", serviceSpec(hostOf(macA, ipA), hostOf(macB, ipB)))
	x.apply(t, "service/bn1", serviceSpec(hostOf(macB, ipB)))
	x.apply(t, "service/bn1", serviceSpec(hostOf(macB, ipA)))
}

func (x *bridgeBench) aNAT(t *testing.T) {
	x.apply(t, "nat/bn1", natSpec(801))
	x.again(t, "nat/bn1", natSpec(801))
}

func (x *bridgeBench) natTable(t *testing.T) {
	for _, via := range []string{"eth0", ""} {
		s := natSpec(802)
		s.NAT.Via = via
		s.NAT.Routes = []bridge.Route{{Dst: netip.MustParsePrefix("192.0.2.0/24"), Out: "eth0",
			Gateway: netip.MustParseAddr("10.99.0.9")}}
		x.apply(t, "nat/bn1", s)
	}
}

func (x *bridgeBench) busyBridge(t *testing.T) {
	for _, item := range []string{"service/bn1", "nat/bn1"} {
		x.unset.refuses(t, bridge.ClearReq{Item: "bridge/bn1"}, bridge.FaultBusy, true)
		x.drop(t, item)
	}
	x.apply(t, "vif/"+vifA, vifSpec(macA, ipA, allRules()))
	x.unset.refuses(t, bridge.ClearReq{Item: "bridge/bn1"}, bridge.FaultBusy, true)
	x.drop(t, "vif/"+vifA)
}

func (x *bridgeBench) serviceClear(t *testing.T) {
	x.apply(t, "service/bn1", serviceSpec())
	for _, item := range []string{"service/bn1", "service/bn1", "nat/bn1", "bridge/bn1"} {
		x.drop(t, item)
	}
	x.afterBoot(t)
}
