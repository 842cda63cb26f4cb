package netkernel

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// IPNet is a prefix with its host part.
func IPNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// Prefix is an address with a mask of the kernel; an absent one is the zero prefix.
func Prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(Addr(n.IP), bits)
}

// Addr is an address of the kernel; an absent one is the zero address.
func Addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// All is the prefix of all addresses of IPv4, or of IPv6.
func All(six bool) netip.Prefix {
	if six {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// Family is the family of addresses as netlink counts them.
func Family(six bool) int {
	if six {
		return netlink.FAMILY_V6
	}
	return netlink.FAMILY_V4
}
