package nic

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
)

// lease is what a DHCPv4 server acknowledged.
type lease struct {
	learned
	ack *dhcpv4.DHCPv4
	// got is when, on the clock of the boot.
	got int64
	// renew and rebind are T1 and T2.
	renew, rebind time.Time
}

// proxyConfig is option 252, where browsers find their proxy.
const proxyConfig = 252

// shortest is the shortest lease that is taken: less is renewed all the time.
const shortest = time.Second

// newLease reads an acknowledgement that came a while ago; nil if it gives no address.
func newLease(ack *dhcpv4.DHCPv4, got int64, age time.Duration, since func(time.Time) time.Duration,
) *lease {
	ip := netkernel.Addr(ack.YourIPAddr)
	bits, _ := ack.SubnetMask().Size()
	if !ip.Is4() || ip.IsUnspecified() {
		return nil
	}
	if bits == 0 {
		bits = 24 // a server that tells no mask: RFC 950 has one for each class, all of them old
	}
	l := &lease{ack: ack, got: got}
	l.Addrs = []netip.Prefix{netip.PrefixFrom(ip, bits)}
	l.Routers, l.DNS = addrs(ack.Router()), addrs(ack.DNS())
	l.Domain = strings.TrimRight(ack.DomainName(), "\x00")
	l.WPAD = strings.TrimRight(string(ack.Options.Get(dhcpv4.GenericOptionCode(proxyConfig))),
		"\x00\n ")
	for _, ip := range addrs(ack.NTPServers()) {
		l.NTP = append(l.NTP, ip.String())
	}
	if mtu := ack.Options.Get(dhcpv4.OptionInterfaceMTU); len(mtu) == 2 {
		l.MTU = binary.BigEndian.Uint16(mtu)
	}
	if routes := ack.ClasslessStaticRoute(); len(routes) > 0 {
		l.Routers = nil // RFC 3442: who tells routes tells the default among them
		for _, r := range routes {
			to, via := netkernel.Prefix(r.Dest), netkernel.Addr(r.Router)
			switch {
			case to.IsValid() && to.Bits() == 0:
				l.Routers = append(l.Routers, via)
			case to.IsValid() && via.IsValid() && !via.IsUnspecified():
				l.Routes = append(l.Routes, path{to, via})
			}
		}
	}
	l.times(age, since)
	return l
}

// infinite is the lease time that stands for no end.
const infinite = 0xffffffff * time.Second

// times fills in when to do what.
func (l *lease) times(age time.Duration, since func(time.Time) time.Duration) {
	whole := max(l.ack.IPAddressLeaseTime(time.Hour), shortest)
	if whole >= infinite {
		return
	}
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d - age) }
	t1, t2 := l.ack.IPAddressRenewalTime(whole/2), l.ack.IPAddressRebindingTime(whole*7/8)
	if t1 <= 0 || t1 > t2 || t2 > whole {
		t1, t2 = whole/2, whole*7/8
	}
	l.renew, l.rebind, l.Ends = at(t1), at(t2), at(whole)
	l.Lease = since(l.Ends)
}

// revive is the lease of an acknowledgement that an earlier process wrote down; nil if it has ended
// or makes no sense.
func revive(ack []byte, got, now int64, since func(time.Time) time.Duration) *lease {
	if len(ack) == 0 || got > now {
		return nil
	}
	x, err := dhcpv4.FromBytes(ack)
	if err != nil {
		return nil
	}
	l := newLease(x, got, time.Duration(now-got), since)
	if l == nil || !l.Ends.IsZero() && !l.Ends.After(time.Now()) {
		return nil
	}
	return l
}
