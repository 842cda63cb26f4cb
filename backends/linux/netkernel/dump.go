package netkernel

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Dump is the network of a namespace at one moment.
type Dump struct {
	Links  []netlink.Link
	Addrs  map[int][]netlink.Addr // by index of the link
	Routes []netlink.Route
	Rules  []netlink.Rule
}

// Dump tells all links and their addresses, the routes and rules of a protocol and, unless nil, the
// routes that other picks of those of others.
func (k *Kernel) Dump(protocol uint8, other func(*netlink.Route) bool) (*Dump, error) {
	d := &Dump{Addrs: map[int][]netlink.Addr{}}
	var err error
	if d.Links, err = k.LinkList(); err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	addrs, err := k.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range addrs {
		d.Addrs[a.LinkIndex] = append(d.Addrs[a.LinkIndex], a)
	}
	all := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := k.RouteListFiltered(family, all, netlink.RT_FILTER_TABLE)
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		for _, r := range routes {
			r.Family = family
			if r.Protocol == netlink.RouteProtocol(protocol) || other != nil && other(&r) {
				d.Routes = append(d.Routes, r)
			}
		}
		rules, err := k.RuleList(family)
		if err != nil {
			return nil, fmt.Errorf("list rules: %w", err)
		}
		for _, r := range rules {
			if r.Protocol == protocol {
				r.Family = family
				d.Rules = append(d.Rules, r)
			}
		}
	}
	return d, nil
}

// Link is the link of a name; nil if there is none.
func (d *Dump) Link(name string) netlink.Link {
	for _, l := range d.Links {
		if l.Attrs().Name == name {
			return l
		}
	}
	return nil
}

// Prefixes are the addresses of a link, with their prefixes, that are wanted, sorted.
func (d *Dump) Prefixes(l netlink.Link, wanted func(netip.Prefix, *netlink.Addr) bool,
) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range d.Addrs[l.Attrs().Index] {
		if p := Prefix(a.IPNet); wanted(p, &a) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return out
}
