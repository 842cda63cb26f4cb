package parse

import (
	"math/big"
	"net/netip"

	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	smallest = 4   // addresses of the smallest subnet
	large    = 16  // addresses from which on the range starts in the middle
	maxRange = 256 // addresses a range may have
)

// completeRange checks the addressing of a network instance and fills in what is left out: the
// gateway is the first address; the range starts at the second, or in the middle of a subnet of
// 16 addresses or more if no end is given; it ends before the last. A range that touches network,
// gateway or broadcast address is moved off it, and cut to 256 addresses.
func completeRange(n *network.NetworkInstanceConfig) string {
	bits := n.Subnet.Addr().BitLen() - n.Subnet.Bits()
	if bits < 2 {
		return "subnet " + n.Subnet.String() + " has fewer than " + number(smallest) + " addresses"
	}
	first, last := n.Subnet.Addr(), offset(n.Subnet, -1)
	if !n.Gateway.IsValid() {
		n.Gateway = first.Next()
	}
	if !n.Subnet.Contains(n.Gateway) {
		return "gateway " + n.Gateway.String() + " is not in subnet " + n.Subnet.String()
	}
	r := &n.DhcpRange
	if !r.Start.IsValid() {
		if r.Start = next(first, 2); 1<<min(bits, 16) >= large && !r.End.IsValid() {
			r.Start = middle(n.Subnet)
		}
	}
	if !r.End.IsValid() {
		r.End = last.Prev()
	}
	if r.Start == first {
		r.Start = r.Start.Next()
	}
	if r.Start == n.Gateway {
		r.Start = r.Start.Next()
	}
	if r.End == last && first.Is4() {
		r.End = r.End.Prev()
	}
	switch {
	case !n.Subnet.Contains(r.Start) || !n.Subnet.Contains(r.End):
		return "DHCP range " + r.Start.String() + " to " + r.End.String() + " is not in subnet " +
			n.Subnet.String()
	case r.End.Less(r.Start):
		return "DHCP range ends at " + r.End.String() + " before it starts at " + r.Start.String()
	case !n.Gateway.Less(r.Start) && !r.End.Less(n.Gateway):
		return "gateway(" + n.Gateway.String() + ") inside Dhcp Range"
	}
	if end := next(r.Start, maxRange-1); end.IsValid() && end.Less(r.End) {
		r.End = end
	}
	return ""
}

// middle is the address half way through a subnet.
func middle(p netip.Prefix) netip.Addr {
	half := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()-1))
	return plus(p.Addr(), half)
}

// offset counts addresses from the end of a subnet: -1 is the last one.
func offset(p netip.Prefix, n int64) netip.Addr {
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	return plus(p.Addr(), size.Add(size, big.NewInt(n)))
}

func plus(a netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(a.AsSlice())
	buf := make([]byte, a.BitLen()/8)
	if sum.Add(sum, n); sum.BitLen() > a.BitLen() {
		return a
	}
	out, _ := netip.AddrFromSlice(sum.FillBytes(buf))
	return out
}
