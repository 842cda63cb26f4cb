package bridge

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// Priorities of rules: to guests' mapped ports around the instance's table, and into it.
const (
	aroundPriority = 9998
	rulePriority   = 10000
)

// way is a route or a rule. Its key says all that matters of it, so that one of the kernel and one
// that should be there compare.
type way struct {
	key   string
	route *netlink.Route
	rule  *netlink.Rule
}

func routeWay(r *netlink.Route) way {
	dst := prefix(r.Dst)
	if !dst.IsValid() {
		dst = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if r.Family == netlink.FAMILY_V6 {
			dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
	}
	index := r.LinkIndex
	if r.Type == unix.RTN_UNREACHABLE {
		index = 0 // the kernel names the loopback for IPv6
	}
	return way{key: fmt.Sprintf("route %d %s via %v dev %d type %d", r.Table, dst.Masked(), addr(r.Gw),
		index, r.Type), route: r}
}

func ruleWay(r *netlink.Rule) way {
	return way{key: fmt.Sprintf("rule %d family %d iif %s mark %x lookup %d", r.Priority, r.Family,
		r.IifName, r.Mark, r.Table), rule: r}
}

func (w way) add(k *kernel) error {
	if w.rule != nil {
		return k.addRule(w.rule)
	}
	return k.addRoute(w.route)
}

func (w way) remove(k *kernel) error {
	if w.rule != nil {
		return k.removeRule(w.rule)
	}
	return k.removeRoute(w.route)
}

// there are the routes and rules that this part has put there for a bridge.
func (d *dump) there(bridge string, table int) []way {
	return d.laid(func(t int) bool { return t == table }, func(b string) bool { return b == bridge })
}

// laid are the routes of our protocol in some tables and the rules for some bridges.
func (d *dump) laid(in func(table int) bool, of func(bridge string) bool) []way {
	var out []way
	for i := range d.routes {
		if r := &d.routes[i]; r.Protocol == protocol && in(r.Table) {
			out = append(out, routeWay(r))
		}
	}
	for i := range d.rules {
		if of(d.rules[i].IifName) {
			out = append(out, ruleWay(&d.rules[i]))
		}
	}
	return out
}

// strays are the routes and rules of instances that are no more, or have another table.
func (m *machine) strays(d *dump) []way {
	tables := map[int]bool{}
	for _, name := range m.items("nat") {
		tables[m.spec("nat/"+name).NAT.Table] = true
	}
	return d.laid(func(t int) bool { return !tables[t] },
		func(b string) bool { return m.spec("nat/"+b) == nil })
}

// ways are the routes and rules that an instance should have, as its ports are now.
func (m *machine) ways(bridge string, s *device.NATSpec, d *dump) []way {
	br := d.link(bridge)
	if br == nil {
		return nil
	}
	family := netlink.FAMILY_V4
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if s.Subnet.Addr().Is6() {
		family, all = netlink.FAMILY_V6, netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	var out []way
	add := func(r *netlink.Route) {
		r.Family, r.Table, r.Protocol = family, s.Table, protocol
		if r.Type == 0 {
			r.Type = unix.RTN_UNICAST
		}
		if family == netlink.FAMILY_V4 && len(r.Gw) == 0 && r.Type == unix.RTN_UNICAST {
			r.Scope = netlink.SCOPE_LINK
		}
		w := routeWay(r)
		if !slices.ContainsFunc(out, func(o way) bool { return o.key == w.key }) {
			out = append(out, w)
		}
	}
	add(&netlink.Route{LinkIndex: br.Attrs().Index, Dst: ipnet(s.Subnet.Masked())})
	outs := slices.Clone(s.Out)
	for _, name := range outs {
		l := d.link(name)
		if !isUp(l) {
			continue
		}
		for _, p := range d.prefixes(l) {
			if p.Addr().Is4() == all.Addr().Is4() && !p.IsSingleIP() {
				add(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(p.Masked())})
			}
		}
	}
	for _, r := range s.Routes {
		if l := d.link(r.Out); isUp(l) {
			add(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(r.Dst), Gw: r.Gateway.AsSlice(),
				Flags: int(netlink.FLAG_ONLINK) * min(1, r.Gateway.BitLen())})
		}
	}
	if gw := d.gatewayOf(s.Via, family); gw.IsValid() {
		add(&netlink.Route{LinkIndex: d.link(s.Via).Attrs().Index, Dst: ipnet(all), Gw: gw.AsSlice(),
			Flags: int(netlink.FLAG_ONLINK)})
	}
	add(&netlink.Route{Dst: ipnet(all), Type: unix.RTN_UNREACHABLE, Priority: math.MaxInt32})
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
			if w.among(there) {
				continue
			}
			if err := w.add(&m.k); err != nil {
				return err
			}
		}
		for _, w := range there {
			if !w.among(want) && !w.among(remove) {
				remove = append(remove, w)
			}
		}
	}
	for _, w := range remove {
		if err := w.remove(&m.k); err != nil {
			return err
		}
	}
	return nil
}

// among reports whether a list has it.
func (w way) among(list []way) bool {
	return slices.ContainsFunc(list, func(o way) bool { return o.key == w.key })
}

// whole reports whether all routes and rules of an instance are there, and no others.
func (m *machine) whole(bridge string, s *device.NATSpec, d *dump) bool {
	there := d.there(bridge, s.Table)
	want := m.ways(bridge, s, d)
	for _, w := range want {
		if !w.among(there) {
			return false
		}
	}
	return len(want) > 0 && len(want) == len(there)
}
