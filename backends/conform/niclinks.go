package conform

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
)

func (x *nicBench) afterBoot(t *testing.T) {
	x.turn(t, func() {
		for i, name := range []string{"eth0", "eth1"} {
			l := x.links.Get(name)
			if l == nil || !l.Physical || l.Up || l.LowerUp || l.Index <= 0 || l.MTU != 1500 ||
				l.MAC != []string{NicMAC0, NicMAC1}[i] {
				t.Errorf("%s after boot: %+v", name, l)
			}
		}
		if x.links.Len() != 2 || x.items.Len() != 0 {
			t.Errorf("%d interfaces and %d items after boot", x.links.Len(), x.items.Len())
		}
	})
}

func (x *nicBench) wrongRequests(t *testing.T) {
	for _, q := range []nic.SetReq{
		{Item: "link/eth0"},
		{Item: "link/eth0", Spec: vlanSpec("eth1", 5)},
		{Item: "link/", Spec: linkSpec(1500)},
		{Item: "cable/eth0", Spec: linkSpec(1500)},
		{Item: "vlan/v0", Spec: vlanSpec("eth0", 0)},
		{Item: "vlan/v0", Spec: vlanSpec("eth0", 4095)},
		{Item: "static/eth0", Spec: nic.Spec{Static: &nic.StaticSpec{}}},
		{Item: "route/eth0", Spec: routeSpec(5000, 0)},
		{Item: "resolv/global", Spec: linkSpec(1500)},
	} {
		x.set.refuses(t, q, nic.FaultRefused, false)
	}
	x.afterBoot(t)
}

func (x *nicBench) noBase(t *testing.T) {
	for _, q := range []nic.SetReq{
		{Item: "link/eth9", Spec: linkSpec(1500)},
		{Item: "vlan/v0", Spec: vlanSpec("eth9", 5)},
		{Item: "vlan/v0", Spec: vlanSpec("eth0", 5)},
		{Item: "dhcp/eth0", Spec: dhcpSpec("")},
		{Item: "static/eth0", Spec: staticSpec("10.99.0.7/24", "")},
		{Item: "route/eth0", Spec: routeSpec(5000, 500)},
	} {
		x.set.refuses(t, q, nic.FaultMissing, true)
	}
	x.afterBoot(t)
}

func (x *nicBench) linkUp(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.turn(t, func() {
		if l := x.links.Get("eth0"); !l.Up || l.MTU != 1500 {
			t.Errorf("eth0 that is up: %+v", l)
		}
		if l := x.links.Get("eth1"); l.Up {
			t.Errorf("eth1, which nobody asked for: %+v", l)
		}
	})
}

func (x *nicBench) linkAgain(t *testing.T) {
	var link, item uint64
	x.turn(t, func() { link, item = rev(x.links, "eth0"), rev(x.items, "link/eth0") })
	x.apply(t, "link/eth0", linkSpec(1500))
	x.turn(t, func() {
		if rev(x.links, "eth0") != link || rev(x.items, "link/eth0") != item {
			t.Error("setting the same again put rows")
		}
	})
}

func (x *nicBench) linkMTU(t *testing.T) {
	for _, mtu := range []uint16{9000, 1400} {
		x.apply(t, "link/eth0", linkSpec(mtu))
		x.turn(t, func() {
			if l := x.links.Get("eth0"); l.MTU != mtu || !l.LowerUp {
				t.Errorf("eth0 with MTU %d: %+v", mtu, l)
			}
		})
	}
	// A spec that does not care for the MTU leaves it.
	x.apply(t, "link/eth0", linkSpec(0))
	x.turn(t, func() {
		if l := x.links.Get("eth0"); l.MTU != 1400 {
			t.Errorf("MTU %d, want the 1400 it had", l.MTU)
		}
	})
}

func (x *nicBench) limitsMTU(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.set.refuses(t, nic.SetReq{Item: "link/eth0", Spec: linkSpec(nic.LeastMTU - 1)},
		nic.FaultRefused, false)
	x.turn(t, func() {
		if i := x.items.Get("link/eth0"); i == nil || i.Spec.Link.MTU != 1500 {
			t.Errorf("after a spec was refused the one before it is seen as %+v", i)
		}
	})
}

func (x *nicBench) cable(t *testing.T) {
	for _, in := range []bool{false, true} {
		x.outside(t, func() { x.Cable("eth0", in) })
		x.carrier(t, "eth0", in)
		x.turn(t, func() {
			if l := x.links.Get("eth0"); !l.Up || x.items.Get("link/eth0") == nil {
				t.Errorf("with the cable in %v: %+v", in, l)
			}
		})
	}
}

func (x *nicBench) stoppedLink(t *testing.T) {
	x.meddles(t, "link/eth0")
	x.until(t, "eth0 to be down", func() bool { return !x.links.Get("eth0").Up })
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
}

func (x *nicBench) busyLink(t *testing.T) {
	for _, i := range []struct {
		item, addr string
		spec       nic.Spec
	}{{"static/eth0", "10.99.0.7/24", staticSpec("10.99.0.7/24", "")},
		{"dhcp/eth0", nicLease, dhcpSpec("")}} {
		x.apply(t, i.item, i.spec)
		x.has(t, "eth0", i.addr)
		x.unset.refuses(t, nic.ClearReq{Item: "link/eth0"}, nic.FaultBusy, true)
		x.turn(t, func() {
			if !x.links.Get("eth0").Up || x.items.Get("link/eth0") == nil {
				t.Error("a link that was busy is not what it was")
			}
		})
		x.drop(t, i.item)
	}
}

func (x *nicBench) linkDown(t *testing.T) {
	for range 2 {
		x.drop(t, "link/eth0")
		x.turn(t, func() {
			if l := x.links.Get("eth0"); l == nil || l.Up || l.LowerUp {
				t.Errorf("eth0 that is down: %+v", l)
			}
		})
	}
	x.drop(t, "link/eth9")
	x.drop(t, "static/eth0")
	x.drop(t, "resolv/global")
}

func (x *nicBench) counted(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	was := x.counters.does(t, nic.CountersReq{}, nil)
	x.passes(t, settled)
	is := x.counters.does(t, nic.CountersReq{}, nil)
	for _, res := range []nic.CountersRes{was, is} {
		var names []string
		for _, c := range res.Counters {
			names = append(names, c.IfName)
		}
		if !slices.Equal(names, []string{"eth0", "eth1"}) {
			t.Fatalf("counters of %v", names)
		}
	}
	for i, c := range is.Counters {
		if p := was.Counters[i]; c.TxBytes < p.TxBytes || c.RxBytes < p.RxBytes ||
			c.TxPkts < p.TxPkts || c.RxPkts < p.RxPkts {
			t.Errorf("counters of %s went back from %+v to %+v", c.IfName, p, c)
		}
	}
	x.drop(t, "link/eth0")
}

func (x *nicBench) static(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.apply(t, "static/eth0", staticSpec("10.99.0.7/24", "10.99.0.1"))
	x.has(t, "eth0", "10.99.0.7/24")
	if a := x.addrRow(t, "eth0"); !slices.Equal(a.Routers,
		[]netip.Addr{netip.MustParseAddr("10.99.0.1")}) || a.Lease != 0 || len(a.DNS) != 0 {
		t.Errorf("a fixed address shows as %+v", a)
	}
}

func (x *nicBench) staticChange(t *testing.T) {
	x.apply(t, "static/eth0", staticSpec("10.99.0.8/25", "10.99.0.2"))
	x.has(t, "eth0", "10.99.0.8/25")
	if a := x.addrRow(t, "eth0"); len(a.Routers) != 1 || a.Routers[0].String() != "10.99.0.2" {
		t.Errorf("after a change: %+v", a)
	}
}

func (x *nicBench) staticNoGateway(t *testing.T) {
	for _, gateway := range []string{"0.0.0.0", ""} {
		x.apply(t, "static/eth0", staticSpec("10.99.0.8/25", gateway))
		x.has(t, "eth0", "10.99.0.8/25")
		if a := x.addrRow(t, "eth0"); len(a.Routers) != 0 {
			t.Errorf("with gateway %q: %+v", gateway, a)
		}
	}
}

func (x *nicBench) staticTaken(t *testing.T) {
	x.meddles(t, "static/eth0")
	x.has(t, "eth0")
	x.apply(t, "static/eth0", staticSpec("10.99.0.8/25", ""))
	x.has(t, "eth0", "10.99.0.8/25")
}

func (x *nicBench) staticNoCarrier(t *testing.T) {
	for _, in := range []bool{false, true} {
		x.outside(t, func() { x.Cable("eth0", in) })
		x.carrier(t, "eth0", in)
		x.has(t, "eth0", "10.99.0.8/25")
	}
}

func (x *nicBench) staticClear(t *testing.T) {
	x.drop(t, "static/eth0")
	x.has(t, "eth0")
	if a := x.addrRow(t, "eth0"); len(a.Routers) != 0 {
		t.Errorf("after the address: %+v", a)
	}
}

// staticAbandoned is an address that somebody took away, and that nobody wants any more.
func (x *nicBench) staticAbandoned(t *testing.T) {
	x.apply(t, "static/eth0", staticSpec("10.99.0.8/25", ""))
	x.meddles(t, "static/eth0")
	x.drop(t, "link/eth0")
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.has(t, "eth0")
	x.turn(t, func() {
		if x.items.Get("static/eth0") != nil {
			t.Error("an address that nobody wants is seen again")
		}
	})
}

func (x *nicBench) vlan(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.apply(t, "vlan/v0", vlanSpec("eth0", 7))
	x.turn(t, func() {
		if l := x.links.Get("v0"); l == nil || l.Kind != "vlan" || l.Parent != "eth0" || l.VLAN != 7 ||
			l.Physical || !l.Up || l.MAC != NicMAC0 {
			t.Errorf("a VLAN shows as %+v", l)
		}
	})
	x.unset.refuses(t, nic.ClearReq{Item: "link/eth0"}, nic.FaultBusy, true)
}

func (x *nicBench) vlanID(t *testing.T) {
	x.apply(t, "vlan/v0", vlanSpec("eth0", 5))
	x.turn(t, func() {
		if l := x.links.Get("v0"); l == nil || l.VLAN != 5 {
			t.Errorf("a VLAN with another id shows as %+v", l)
		}
	})
}

func (x *nicBench) vlanLease(t *testing.T) {
	x.apply(t, "dhcp/v0", dhcpSpec(""))
	x.has(t, "v0", "10.99.5.50/24")
	x.unset.refuses(t, nic.ClearReq{Item: "vlan/v0"}, nic.FaultBusy, true)
	x.drop(t, "dhcp/v0")
}

func (x *nicBench) vlanTaken(t *testing.T) {
	x.meddles(t, "vlan/v0")
	x.until(t, "v0 to vanish", func() bool { return x.links.Get("v0") == nil })
	x.apply(t, "vlan/v0", vlanSpec("eth0", 5))
	x.drop(t, "vlan/v0")
	x.until(t, "v0 to vanish", func() bool { return x.links.Get("v0") == nil })
}

// vlanLacking is a kernel without VLANs: the port gets an error that names what lacks, and all
// else is applied.
func (x *nicBench) vlanLacking(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	got := x.set.outcome(t, "x", nic.SetReq{Item: "vlan/v0", Spec: vlanSpec("eth0", 5)}, nil)
	if got.Phase != agent.Failed || got.Fault.Code != nic.FaultUnsupported || got.Fault.Retry ||
		!slices.Contains([]string{"set vlan/v0: this kernel lacks " + NeedsVLAN}, got.Fault.Text) {
		t.Errorf("a VLAN on a kernel without: %+v", got.Fault)
	}
	x.apply(t, "static/eth0", staticSpec("10.99.0.7/24", ""))
	x.has(t, "eth0", "10.99.0.7/24")
	x.turn(t, func() {
		if x.links.Len() != 2 || x.items.Get("vlan/v0") != nil {
			t.Errorf("%d links", x.links.Len())
		}
	})
}
