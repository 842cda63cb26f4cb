package nic

import (
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
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

// addrs are addresses of the library.
func addrs(ips []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range ips {
		if a := netkernel.Addr(ip); a.IsValid() {
			out = append(out, a)
		}
	}
	return out
}
