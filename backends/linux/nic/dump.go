package nic

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
)

// dump is the network of a namespace at one moment, with the routes and rules that are ours.
type dump struct{ *netkernel.Dump }

func (m *machine) dump() (*dump, error) {
	d, err := m.k.Dump(protocol, nil)
	return &dump{d}, err
}

// name is the name of the link with an index.
func (d *dump) name(index int) string {
	for _, l := range d.Links {
		if l.Attrs().Index == index {
			return l.Attrs().Name
		}
	}
	return ""
}

// usable lists the addresses of a link that are in use: those that are still looked for duplicates
// or have one are not. They are sorted.
func (d *dump) usable(l netlink.Link) []netip.Prefix {
	return d.Prefixes(l, func(_ netip.Prefix, a *netlink.Addr) bool {
		return a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0
	})
}

// has reports whether a link has an address, in use or not yet.
func (d *dump) has(l netlink.Link, p netip.Prefix) bool {
	return slices.ContainsFunc(d.Addrs[l.Attrs().Index],
		func(a netlink.Addr) bool { return netkernel.Prefix(a.IPNet) == p })
}

// carrier reports whether a link is up and has a carrier.
func carrier(l netlink.Link) bool {
	return netkernel.IsUp(l) && l.Attrs().RawFlags&unix.IFF_LOWER_UP != 0
}
