package nic

import (
	"math"
	"net"
	"net/netip"
	"time"
)

// address is an address that this part gives an interface.
type address struct {
	netip.Prefix
	// Ends is when the lease of it ends; zero: never.
	Ends time.Time
}

// spare is how much longer than its lease the kernel keeps an address: the client takes it away
// in time; the kernel does when there is no client any more.
const spare = 5 * time.Second

func (a address) fixed() bool { return a.Ends.IsZero() }

// life is the lifetime as the kernel takes it, in seconds; 0: for ever.
func (a address) life() int {
	if a.fixed() {
		return 0
	}
	left := time.Until(a.Ends) + spare
	return int(min(max(left, time.Second)/time.Second, math.MaxInt32))
}

// ipnet is a prefix with its host part.
func ipnet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefix is an address with a mask of the kernel.
func prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), bits)
}

// addr is an address of the kernel; an absent one is the zero address.
func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// addrs are addresses of the library.
func addrs(ips []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range ips {
		if a := addr(ip); a.IsValid() {
			out = append(out, a)
		}
	}
	return out
}
