package nic

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dump is the network of a namespace at one moment.
type dump struct {
	links  []netlink.Link
	addrs  map[int][]netlink.Addr // by index of the link
	routes []netlink.Route        // ours
	rules  []netlink.Rule         // ours
}

func (m *machine) dump() (*dump, error) {
	d := &dump{addrs: map[int][]netlink.Addr{}}
	links, err := m.k.h.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	d.links = links
	all, err := m.k.h.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range all {
		d.addrs[a.LinkIndex] = append(d.addrs[a.LinkIndex], a)
	}
	ours := &netlink.Route{Table: unix.RT_TABLE_UNSPEC, Protocol: protocol}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := m.k.h.RouteListFiltered(family, ours,
			netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		d.routes = append(d.routes, routes...)
		rules, err := m.k.h.RuleList(family)
		if err != nil {
			return nil, fmt.Errorf("list rules: %w", err)
		}
		for _, r := range rules {
			if r.Protocol == protocol {
				r.Family = family
				d.rules = append(d.rules, r)
			}
		}
	}
	return d, nil
}

// link is the link of a name; nil if there is none.
func (d *dump) link(name string) netlink.Link {
	for _, l := range d.links {
		if l.Attrs().Name == name {
			return l
		}
	}
	return nil
}

// name is the name of the link with an index.
func (d *dump) name(index int) string {
	for _, l := range d.links {
		if l.Attrs().Index == index {
			return l.Attrs().Name
		}
	}
	return ""
}

// usable lists the addresses of a link that are in use: those that are still looked for duplicates
// or have one are not. They are sorted.
func (d *dump) usable(l netlink.Link) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range d.addrs[l.Attrs().Index] {
		if a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 {
			out = append(out, prefix(a.IPNet))
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return out
}

// has reports whether a link has an address, in use or not yet.
func (d *dump) has(l netlink.Link, p netip.Prefix) bool {
	return slices.ContainsFunc(d.addrs[l.Attrs().Index],
		func(a netlink.Addr) bool { return prefix(a.IPNet) == p })
}

func isUp(l netlink.Link) bool { return l != nil && l.Attrs().RawFlags&unix.IFF_UP != 0 }

// carrier reports whether a link is up and has a carrier.
func carrier(l netlink.Link) bool {
	return isUp(l) && l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
}
