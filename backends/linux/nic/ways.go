package nic

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// rulePriority is that of the rules "from ADDRESS lookup TABLE".
const rulePriority = 15000

func routeWay(r *netlink.Route) netkernel.Way {
	return netkernel.Way{Key: fmt.Sprintf("route %d %s via %v dev %d metric %d mtu %d", r.Table,
		netkernel.Destination(r), netkernel.Addr(r.Gw), r.LinkIndex, r.Priority, r.MTU), Route: r}
}

func ruleWay(r *netlink.Rule) netkernel.Way {
	return netkernel.Way{Key: fmt.Sprintf("rule %d from %s lookup %d", r.Priority,
		netkernel.Prefix(r.Src), r.Table), Rule: r}
}

// laid are the routes and rules that this part has put there for an interface. Rules whose table
// belongs to no interface any more are anybody's.
func (m *machine) laid(p *port, d *dump) []netkernel.Way {
	var out []netkernel.Way
	index, mine := 0, 0
	if l := d.Link(p.name); l != nil {
		index = l.Attrs().Index
	}
	if s := m.spec("route", p.name); s != nil {
		mine = s.Route.Table
	}
	tables := map[int]bool{}
	for key, s := range m.specs {
		if what, _ := split(key); what == "route" {
			tables[s.Route.Table] = true
		}
	}
	for i := range d.Routes {
		if d.Routes[i].LinkIndex == index {
			out = append(out, routeWay(&d.Routes[i]))
		}
	}
	for i := range d.Rules {
		if t := d.Rules[i].Table; t == mine || !tables[t] {
			out = append(out, ruleWay(&d.Rules[i]))
		}
	}
	return out
}

// ways are the routes and rules that an interface should have: the table of the port with what is
// on the link and the default, the default in the main table with the metric of the port, and a
// rule for each source address. Routes come before the rules that lead to them.
func (m *machine) ways(p *port, d *dump) []netkernel.Way {
	s, l := m.spec("route", p.name), d.Link(p.name)
	if s == nil || !netkernel.IsUp(l) {
		return nil
	}
	var out []netkernel.Way
	route := func(table int, to netip.Prefix, via netip.Addr, mtu int) {
		r := &netlink.Route{Table: table, LinkIndex: l.Attrs().Index, Dst: netkernel.IPNet(to),
			Priority: s.Route.Metric, Protocol: protocol, MTU: mtu,
			Family: netkernel.Family(to.Addr().Is6())}
		if via.IsValid() {
			r.Gw = via.AsSlice()
		} else if to.Addr().Is4() {
			r.Scope = netlink.SCOPE_LINK
		}
		if w := routeWay(r); !w.Among(out) {
			out = append(out, w)
		}
	}
	var sources []netip.Prefix
	for _, a := range d.usable(l) {
		if a.Addr().IsGlobalUnicast() {
			sources = append(sources, a)
			if !a.IsSingleIP() {
				route(s.Route.Table, a.Masked(), netip.Addr{}, 0)
			}
		}
	}
	reached := map[bool]bool{}
	for _, via := range m.routersOf(p, l, d) {
		six := via.Is6()
		if reached[six] || !slices.ContainsFunc(sources,
			func(a netip.Prefix) bool { return a.Addr().Is6() == six }) {
			continue
		}
		reached[six] = true
		all := netkernel.All(six)
		mtu := p.lessMTU(l)
		route(s.Route.Table, all, via, mtu)
		route(unix.RT_TABLE_MAIN, all, via, mtu)
	}
	for _, x := range p.sources() {
		for _, w := range x.Routes {
			route(s.Route.Table, w.To, w.Via, 0)
			route(unix.RT_TABLE_MAIN, w.To, w.Via, 0)
		}
	}
	for _, a := range sources {
		r := netlink.NewRule()
		r.Priority, r.Table, r.Protocol = rulePriority, s.Route.Table, protocol
		r.Family = netkernel.Family(a.Addr().Is6())
		r.Src = netkernel.IPNet(netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
		out = append(out, ruleWay(r))
	}
	return out
}

// lessMTU is the MTU that the network told where it is less than that of the link, else 0.
func (p *port) lessMTU(l netlink.Link) int {
	for _, x := range p.sources() {
		if x.MTU != 0 && int(x.MTU) < l.Attrs().MTU {
			return int(x.MTU)
		}
	}
	return 0
}

// routersOf are the default routers of an interface as its items have it.
func (m *machine) routersOf(p *port, l netlink.Link, d *dump) []netip.Addr {
	var static *device.StaticSpec
	var dhcp *device.DHCPSpec
	if s := m.spec("static", p.name); s != nil {
		static = s.Static
	}
	if s := m.spec("dhcp", p.name); s != nil {
		dhcp = s.DHCP
	}
	return p.routers(static, dhcp, func(a netip.Prefix) bool { return d.has(l, a) })
}
