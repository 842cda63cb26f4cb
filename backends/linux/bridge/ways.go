package bridge

import (
	"fmt"
	"math"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Priorities of rules: to guests' mapped ports around the instance's table, and into it.
const (
	aroundPriority = 9998
	rulePriority   = 10000
)

func routeWay(r *netlink.Route) netkernel.Way {
	index := r.LinkIndex
	if r.Type == unix.RTN_UNREACHABLE {
		index = 0 // the kernel names the loopback for IPv6
	}
	return netkernel.Way{Key: fmt.Sprintf("route %d %s via %v dev %d type %d", r.Table,
		netkernel.Destination(r).Masked(), netkernel.Addr(r.Gw), index, r.Type), Route: r}
}

func ruleWay(r *netlink.Rule) netkernel.Way {
	return netkernel.Way{Key: fmt.Sprintf("rule %d family %d iif %s mark %x lookup %d", r.Priority,
		r.Family, r.IifName, r.Mark, r.Table), Rule: r}
}

// there are the routes and rules that this part has put there for a bridge.
func (d *dump) there(bridge string, table int) []netkernel.Way {
	return d.laid(func(t int) bool { return t == table }, func(b string) bool { return b == bridge })
}

// laid are the routes of our protocol in some tables and the rules for some bridges.
func (d *dump) laid(in func(table int) bool, of func(bridge string) bool) []netkernel.Way {
	var out []netkernel.Way
	for i := range d.Routes {
		if r := &d.Routes[i]; r.Protocol == protocol && in(r.Table) {
			out = append(out, routeWay(r))
		}
	}
	for i := range d.Rules {
		if of(d.Rules[i].IifName) {
			out = append(out, ruleWay(&d.Rules[i]))
		}
	}
	return out
}

// strays are the routes and rules of instances that are no more, or have another table.
func (m *machine) strays(d *dump) []netkernel.Way {
	tables := map[int]bool{}
	for _, name := range m.items("nat") {
		tables[m.spec("nat/"+name).NAT.Table] = true
	}
	return d.laid(func(t int) bool { return !tables[t] },
		func(b string) bool { return m.spec("nat/"+b) == nil })
}

// ways are the routes and rules that an instance should have, as its ports are now.
func (m *machine) ways(bridge string, s *device.NATSpec, d *dump) []netkernel.Way {
	br := d.Link(bridge)
	if br == nil {
		return nil
	}
	six := s.Subnet.Addr().Is6()
	family, all := netkernel.Family(six), netkernel.All(six)
	var out []netkernel.Way
	add := func(r *netlink.Route) {
		r.Family, r.Table, r.Protocol = family, s.Table, protocol
		if r.Type == 0 {
			r.Type = unix.RTN_UNICAST
		}
		if family == netlink.FAMILY_V4 && len(r.Gw) == 0 && r.Type == unix.RTN_UNICAST {
			r.Scope = netlink.SCOPE_LINK
		}
		w := routeWay(r)
		if !w.Among(out) {
			out = append(out, w)
		}
	}
	add(&netlink.Route{LinkIndex: br.Attrs().Index, Dst: netkernel.IPNet(s.Subnet.Masked())})
	outs := slices.Clone(s.Out)
	for _, name := range outs {
		l := d.Link(name)
		if !netkernel.IsUp(l) {
			continue
		}
		for _, p := range d.prefixes(l) {
			if p.Addr().Is4() == all.Addr().Is4() && !p.IsSingleIP() {
				add(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: netkernel.IPNet(p.Masked())})
			}
		}
	}
	for _, r := range s.Routes {
		if l := d.Link(r.Out); netkernel.IsUp(l) {
			add(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: netkernel.IPNet(r.Dst),
				Gw: r.Gateway.AsSlice(), Flags: int(netlink.FLAG_ONLINK) * min(1, r.Gateway.BitLen())})
		}
	}
	if gw := d.gatewayOf(s.Via, family); gw.IsValid() {
		add(&netlink.Route{LinkIndex: d.Link(s.Via).Attrs().Index, Dst: netkernel.IPNet(all),
			Gw: gw.AsSlice(), Flags: int(netlink.FLAG_ONLINK)})
	}
	add(&netlink.Route{Dst: netkernel.IPNet(all), Type: unix.RTN_UNREACHABLE, Priority: math.MaxInt32})
	mask := uint32(markAround)
	around := netlink.NewRule()
	around.Priority, around.IifName, around.Table = aroundPriority, bridge, unix.RT_TABLE_MAIN
	around.Mark, around.Mask = markAround, &mask
	into := netlink.NewRule()
	into.Priority, into.IifName, into.Table = rulePriority, bridge, s.Table
	for _, r := range []*netlink.Rule{around, into} {
		r.Family, r.Protocol = family, protocol
		out = append(out, ruleWay(r))
	}
	return out
}

// settleWays brings the routes and rules of a bridge to what they should be; without a spec there
// are none. What is there already stays untouched.
func (m *machine) settleWays(bridge string, s *device.NATSpec, d *dump) error {
	remove := m.strays(d)
	if s != nil {
		want, there := m.ways(bridge, s, d), d.there(bridge, s.Table)
		for _, w := range want {
			if w.Among(there) {
				continue
			}
			if err := m.k.Lay(w); err != nil {
				return err
			}
		}
		for _, w := range there {
			if !w.Among(want) && !w.Among(remove) {
				remove = append(remove, w)
			}
		}
	}
	for _, w := range remove {
		if err := m.k.Lift(w); err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether all routes and rules of an instance are there, and no others.
func (m *machine) whole(bridge string, s *device.NATSpec, d *dump) bool {
	there := d.there(bridge, s.Table)
	want := m.ways(bridge, s, d)
	for _, w := range want {
		if !w.Among(there) {
			return false
		}
	}
	return len(want) > 0 && len(want) == len(there)
}
