package conform

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
)

// leaseHour is for how long servers give addresses.
const leaseHour = time.Hour

func (x *nicBench) lease(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.apply(t, "dhcp/eth0", dhcpSpec(""))
	x.has(t, "eth0", nicLease)
	a := x.addrRow(t, "eth0")
	got := fmt.Sprintf("%v %v %v %s %s", a.Routers, a.DNS, a.NTP, a.Domain, a.WPAD)
	if got != "[10.99.0.1] [10.99.0.1 10.99.0.2] [10.99.0.3] lan.example "+
		"http://wpad.example/wpad.dat" {
		t.Errorf("learned %s", got)
	}
	x.turn(t, func() {
		if left := a.Lease - x.now; left > leaseHour || left < leaseHour-time.Minute {
			t.Errorf("the lease ends in %v, want an hour", left)
		}
	})
}

func (x *nicBench) leaseAgain(t *testing.T) {
	var addr, item uint64
	x.turn(t, func() { addr, item = rev(x.addrs, "eth0"), rev(x.items, "dhcp/eth0") })
	x.apply(t, "dhcp/eth0", dhcpSpec(""))
	x.passes(t, settled)
	x.turn(t, func() {
		if is := rev(x.items, "dhcp/eth0"); is != item {
			t.Errorf("setting the same again put the item: revision %d was %d", is, item)
		}
		// The link-local address may have been confirmed meanwhile, which is one revision.
		if is := rev(x.addrs, "eth0"); is > addr+1 {
			t.Errorf("setting the same again put addresses: revision %d was %d", is, addr)
		}
	})
	x.has(t, "eth0", nicLease)
}

func (x *nicBench) leaseGateway(t *testing.T) {
	end := x.addrRow(t, "eth0").Lease
	for _, g := range [][2]string{{"10.99.0.254", "[10.99.0.254]"}, {"0.0.0.0", "[]"},
		{"", "[10.99.0.1]"}} {
		x.set.does(t, nic.SetReq{Item: "dhcp/eth0", Spec: dhcpSpec(g[0])}, func() {
			a := x.addrs.Get("eth0")
			if fmt.Sprint(a.Routers) != g[1] || !slices.Equal(x.usable("eth0"), []string{nicLease}) ||
				a.Lease != end {
				t.Errorf("with gateway %q: %+v", g[0], a)
			}
		})
	}
}

func (x *nicBench) leaseTaken(t *testing.T) {
	x.meddles(t, "dhcp/eth0")
	x.has(t, "eth0")
	x.apply(t, "dhcp/eth0", dhcpSpec(""))
	x.has(t, "eth0", nicLease)
}

func (x *nicBench) leaseCable(t *testing.T) {
	for _, in := range []bool{false, true} {
		x.outside(t, func() { x.Cable("eth0", in) })
		x.carrier(t, "eth0", in)
		if in {
			x.has(t, "eth0", nicLease)
		} else {
			x.has(t, "eth0")
			if a := x.addrRow(t, "eth0"); len(a.DNS)+len(a.Routers)+len(a.NTP) != 0 || a.Domain != "" ||
				a.Lease != 0 {
				t.Errorf("without a carrier: %+v", a)
			}
		}
		x.turn(t, func() {
			if x.items.Get("dhcp/eth0") == nil {
				t.Errorf("with the cable in %v the item is gone", in)
			}
		})
	}
}

func (x *nicBench) leaseRenumbered(t *testing.T) {
	for _, other := range []bool{true, false} {
		x.outside(t, func() { x.Cable("eth0", false) })
		x.carrier(t, "eth0", false)
		x.has(t, "eth0")
		x.outside(t, func() { x.Renumber(other); x.Cable("eth0", true) })
		want, router := nicLease, "[10.99.0.1]"
		if other {
			want, router = nicRenewed, "[10.98.0.1]"
		}
		x.has(t, "eth0", want)
		if a := x.addrRow(t, "eth0"); fmt.Sprint(a.Routers) != router {
			t.Errorf("routers of the network with another subnet %v: %v", other, a.Routers)
		}
	}
}

func (x *nicBench) leaseKilled(t *testing.T) {
	x.drop(t, "dhcp/eth0")
	x.has(t, "eth0")
	x.outside(t, func() { x.Serve(false) })
	x.apply(t, "dhcp/eth0", dhcpSpec(""))
	x.passes(t, settled)
	x.has(t, "eth0")
	x.outside(t, func() { x.Serve(true) })
	x.has(t, "eth0", nicLease)
}

func (x *nicBench) leaseClear(t *testing.T) {
	x.drop(t, "dhcp/eth0")
	x.has(t, "eth0")
	if a := x.addrRow(t, "eth0"); len(a.DNS)+len(a.Routers) != 0 || a.Lease != 0 {
		t.Errorf("after the item: %+v", a)
	}
}

func (x *nicBench) leaseClearEarly(t *testing.T) {
	x.outside(t, func() { x.Serve(false) })
	x.apply(t, "dhcp/eth0", dhcpSpec(""))
	x.passes(t, settled)
	x.drop(t, "dhcp/eth0")
	x.outside(t, func() { x.Serve(true) })
	x.passes(t, settled)
	x.has(t, "eth0")
}

// sixSpec asks for IPv6, or for nothing that eth1's network gives.
func sixSpec(v6 bool) nic.Spec { return nic.Spec{DHCP: &nic.DHCPSpec{V4: !v6, V6: v6}} }

func (x *nicBench) fourOnly(t *testing.T) {
	x.apply(t, "link/eth1", linkSpec(1500))
	x.carrier(t, "eth1", true)
	x.apply(t, "dhcp/eth1", sixSpec(false))
	x.passes(t, 2*settled)
	x.has(t, "eth1")
	x.drop(t, "dhcp/eth1")
}

func (x *nicBench) slaac(t *testing.T) {
	x.apply(t, "dhcp/eth1", sixSpec(true))
	x.sixWhole(t)
	if a := x.addrRow(t, "eth1"); a.Lease != 0 || len(a.DNS) != 1 ||
		a.DNS[0].String() != "fd00:99::1" || !a.Routers[0].IsLinkLocalUnicast() {
		t.Errorf("learned from a router: %+v", a)
	}
}

// sixWhole waits until all is there that a router told.
func (x *nicBench) sixWhole(t *testing.T) {
	t.Helper()
	x.until(t, "all that a router tells", func() bool {
		a := x.addrs.Get("eth1")
		return slices.Equal(x.usable("eth1"), []string{nicSix}) && len(a.DNS) > 0 && len(a.Routers) > 0
	})
}

func (x *nicBench) slaacCable(t *testing.T) {
	x.outside(t, func() { x.Cable("eth1", false) })
	x.carrier(t, "eth1", false)
	x.has(t, "eth1")
	x.outside(t, func() { x.Cable("eth1", true) })
	x.sixWhole(t)
}

func (x *nicBench) slaacClear(t *testing.T) {
	x.drop(t, "dhcp/eth1")
	x.has(t, "eth1")
	if a := x.addrRow(t, "eth1"); len(a.DNS)+len(a.Routers) != 0 {
		t.Errorf("after the item: %+v", a)
	}
}

func (x *nicBench) routes(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.apply(t, "static/eth0", staticSpec("10.99.0.7/24", "10.99.0.1"))
	x.leaves(t, "10.99.0.7", "")
	x.apply(t, "route/eth0", routeSpec(5000, 500))
	x.leaves(t, "10.99.0.7", "10.99.0.1")
}

func (x *nicBench) routesMetric(t *testing.T) {
	x.apply(t, "route/eth0", routeSpec(10001, 501))
	x.leaves(t, "10.99.0.7", "10.99.0.1")
	var was uint64
	x.turn(t, func() { was = rev(x.items, "route/eth0") })
	x.apply(t, "route/eth0", routeSpec(10001, 501))
	x.turn(t, func() {
		if rev(x.items, "route/eth0") != was {
			t.Error("setting the same again put the item")
		}
	})
}

func (x *nicBench) routesTaken(t *testing.T) {
	x.meddles(t, "route/eth0")
	x.leaves(t, "10.99.0.7", "")
	x.apply(t, "route/eth0", routeSpec(10001, 501))
	x.leaves(t, "10.99.0.7", "10.99.0.1")
}

func (x *nicBench) routesFollow(t *testing.T) {
	x.apply(t, "static/eth0", staticSpec("10.99.0.8/24", "10.99.0.2"))
	x.passes(t, settled)
	x.turn(t, func() {
		if x.items.Get("route/eth0") == nil {
			t.Error("an address that changed took the routes away")
		}
	})
	x.leaves(t, "10.99.0.8", "10.99.0.2")
}

func (x *nicBench) routesClear(t *testing.T) {
	x.unset.refuses(t, nic.ClearReq{Item: "link/eth0"}, nic.FaultBusy, true)
	for range 2 {
		x.drop(t, "route/eth0")
		x.leaves(t, "10.99.0.8", "")
	}
	x.drop(t, "static/eth0")
}

func (x *nicBench) names(t *testing.T) {
	x.apply(t, "resolv/global", resolvSpec("10.99.0.1"))
	x.apply(t, "resolv/global", resolvSpec("10.99.0.2", "10.99.0.1", "fd00:99::1"))
}

func (x *nicBench) namesTaken(t *testing.T) {
	x.meddles(t, "resolv/global")
	x.apply(t, "resolv/global", resolvSpec("10.99.0.2"))
}

func (x *nicBench) namesClear(t *testing.T) {
	for range 2 {
		x.drop(t, "resolv/global")
	}
}

func (x *nicBench) together(t *testing.T) {
	for _, l := range []string{"eth0", "eth1"} {
		x.apply(t, "link/"+l, linkSpec(1500))
	}
	items := map[string]nic.Spec{"static/eth0": staticSpec("10.99.0.7/24", "10.99.0.1"),
		"dhcp/eth0": dhcpSpec(""), "static/eth1": staticSpec("10.97.0.7/24", ""),
		"route/eth0": routeSpec(5000, 500)}
	x.turn(t, func() {
		for item, s := range items { //order: the calls end in any order
			x.set.use.Want(item, nic.SetReq{Item: item, Spec: s})
		}
	})
	x.until(t, "all calls to end", func() bool {
		for item := range items { //order: all are asked
			if x.set.use.Get(item).Phase != agent.Done {
				return false
			}
		}
		return true
	})
	x.turn(t, func() {
		for item := range items { //order: all are dropped
			x.set.use.Drop(item)
			if x.items.Get(item) == nil {
				t.Errorf("%s is done and not seen", item)
			}
		}
	})
	x.has(t, "eth0", "10.99.0.7/24", nicLease)
}

func (x *nicBench) cancelled(t *testing.T) {
	got := x.set.cancels(t, nic.SetReq{Item: "link/eth0", Spec: linkSpec(1400)},
		nic.SetReq{Item: "link/eth0", Spec: linkSpec(1500)}, nil, nil)
	if got.Phase != agent.Done {
		t.Errorf("the call after a cancelled one: %+v", got.Fault)
	}
	x.turn(t, func() {
		if l := x.links.Get("eth0"); l.MTU != 1500 {
			t.Errorf("after it: %+v", l)
		}
	})
}

func (x *nicBench) powerCut(t *testing.T) {
	x.cycle(t)
	x.booted(t)
	x.afterBoot(t)
	x.has(t, "eth0")
}

func (x *nicBench) cutHalfway(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.turn(t, func() {
		x.set.use.Want("static", nic.SetReq{Item: "static/eth0",
			Spec: staticSpec("10.99.0.7/24", "10.99.0.1")})
		x.set.use.Want("dhcp", nic.SetReq{Item: "dhcp/eth0", Spec: dhcpSpec("")})
	})
	x.cycle(t)
	x.booted(t)
	x.afterBoot(t)
	x.apply(t, "link/eth0", linkSpec(1500))
	x.apply(t, "static/eth0", staticSpec("10.99.0.7/24", "10.99.0.1"))
	x.has(t, "eth0", "10.99.0.7/24")
}
