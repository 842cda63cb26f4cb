package nic

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// sixRig is a rig with fd00:99::1/64 at lan0 and a router there that dnsmasq plays.
func sixRig(t *testing.T, args ...string) (*rig, *netlab.Served) {
	r := newRig(t)
	r.sdn.Sysctl("net/ipv6/conf/all/forwarding", "1")
	r.sdn.Sysctl("net/ipv6/conf/lan0/keep_addr_on_down", "1")
	r.sdn.Up("lan0", "fd00:99::1/64")
	s := r.sdn.Serve(netlab.Server{Link: "lan0",
		Args: append([]string{"--enable-ra", "--ra-param=lan0,0,1800"}, args...)})
	r.does("link/eth0", link(1500))
	return r, s
}

func six() device.Spec { return dhcp(device.DHCPSpec{V6: true}) }

// whole waits until eth0 has an address that starts so, a server and a router.
func (r *rig) whole(start string) device.AddrSeen {
	r.t.Helper()
	var row device.AddrSeen
	r.Until("an address, a server and a router", func(x *picture) bool {
		row = x.addrs[0]
		return len(row.DNS) > 0 && len(row.Routers) > 0 && slices.ContainsFunc(row.Addrs,
			func(a netip.Prefix) bool { return strings.HasPrefix(a.String(), start) })
	})
	return row
}

func TestAddressByDHCPv6(t *testing.T) {
	r, _ := sixRig(t, "--dhcp-range=fd00:99::50,fd00:99::50,64,1h",
		"--dhcp-option=option6:dns-server,[fd00:99::53]",
		"--dhcp-option=option6:domain-search,six.example",
		"--dhcp-option=option6:ntp-server,[fd00:99::123]")
	r.does("dhcp/eth0", six())
	row := r.whole("fd00:99::50/128")
	if row.DNS[0].String() != "fd00:99::53" || row.Domain != "six.example" ||
		len(row.NTP) != 1 || row.NTP[0] != "fd00:99::123" || !row.Routers[0].IsLinkLocalUnicast() {
		t.Errorf("learned %+v", row)
	}
	r.does("route/eth0", route(5000, 502))
	for _, want := range []string{"rule 15000 from fd00:99::50/128 lookup 502",
		"route 502 ::/0 via " + row.Routers[0].String(), "route 254 ::/0 via "} {
		if n := r.network(); !strings.Contains(n, want) {
			t.Errorf("no %q in\n%s", want, n)
		}
	}
	want := r.network()
	r.Restart()
	if got := r.network(); got != want {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, want)
	}
	r.Until("all that was known", func(x *picture) bool {
		return fmt.Sprint(x.addrs[0]) == fmt.Sprint(row) && seen(x, "route/eth0")
	})
	if f := r.clear("route/eth0"); f != nil {
		t.Fatal(*f)
	}
	if f := r.clear("dhcp/eth0"); f != nil {
		t.Fatal(*f)
	}
	r.has()
}

func TestOptionsByDHCPv6BesideSLAAC(t *testing.T) {
	r, _ := sixRig(t, "--dhcp-range=fd00:99::,ra-stateless,64,1h",
		"--dhcp-option=option6:ntp-server,[fd00:99::123]",
		"--dhcp-option=option6:dns-server,[fd00:99::53]")
	r.does("dhcp/eth0", six())
	row := r.whole("fd00:99::ff:fe00:9900/64")
	r.Until("what only DHCPv6 tells", func(x *picture) bool {
		row = x.addrs[0]
		return len(row.NTP) == 1
	})
	if row.NTP[0] != "fd00:99::123" || len(row.DNS) != 1 {
		t.Errorf("learned %+v", row)
	}
	for _, a := range row.Addrs {
		if a.Bits() == 128 {
			t.Errorf("an address by DHCPv6 where there is none: %v", row.Addrs)
		}
	}
}

// TestRouterThatLeaves has the router say good-bye: what came from it goes.
func TestRouterThatLeaves(t *testing.T) {
	r, s := sixRig(t, "--dhcp-range=fd00:99::,ra-only,64",
		"--dhcp-option=option6:dns-server,[fd00:99::53]")
	r.does("dhcp/eth0", six())
	r.does("route/eth0", route(5000, 502))
	r.whole("fd00:99::ff:fe00:9900/64")
	r.Until("routes", func(*picture) bool {
		return strings.Contains(r.network(), "route 254 ::/0 via fe80")
	})
	// A router lifetime of 0 in the next advertisement: a router, but no default one.
	s.Change(netlab.Server{Link: "lan0", Args: []string{"--enable-ra", "--ra-param=lan0,0,0",
		"--dhcp-range=fd00:99::,ra-only,64", "--dhcp-option=option6:dns-server,[fd00:99::53]"}})
	r.Until("no router", func(x *picture) bool { return len(x.addrs[0].Routers) == 0 })
	r.Until("no default route", func(*picture) bool {
		return !strings.Contains(r.network(), "::/0 via fe80")
	})
	r.Until("the item route", func(x *picture) bool { return seen(x, "route/eth0") })
}

func TestAdvertisement(t *testing.T) {
	head := []byte{134, 0, 0, 0, 64, 0xc0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0}
	mtu := []byte{5, 1, 0, 0, 0, 0, 0x05, 0x14}
	dns := append([]byte{25, 3, 0, 0, 0, 0, 0x0e, 0x10},
		netip.MustParseAddr("fd00::53").AsSlice()...)
	search := append([]byte{31, 3, 0, 0, 0, 0, 0x0e, 0x10},
		[]byte("\x03lan\x07example\x00\x00\x00\x00")...)
	a, err := parseAdvert(slices.Concat(head, mtu, dns, search))
	if err != nil {
		t.Fatal(err)
	}
	if !a.managed || !a.other || a.life != 30*time.Minute || a.mtu != 1300 || len(a.dns) != 1 ||
		a.dns[0].String() != "fd00::53" || a.dnsLife != time.Hour ||
		!slices.Equal(a.search, []string{"lan.example"}) {
		t.Errorf("read %+v", a)
	}
	for name, b := range map[string][]byte{
		"short": head[:15], "another type": append([]byte{133}, head[1:]...),
		"option without a length": append(slices.Clone(head), 5, 0, 0, 0, 0, 0, 0, 0),
		"option beyond the end":   append(slices.Clone(head), 25, 3, 0, 0, 0, 0, 0, 0),
	} {
		if _, err := parseAdvert(b); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzAdvertisement(f *testing.F) {
	f.Add([]byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 31, 1, 0, 0, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parseAdvert(b); err == nil && len(a.dns)*16 > len(b) {
			t.Errorf("%d servers in %d bytes", len(a.dns), len(b))
		}
	})
}

func FuzzLease6(f *testing.F) {
	f.Fuzz(func(t *testing.T, reply []byte) {
		if l := revive6(reply, 0, 1); l != nil && len(l.Addrs) > 0 && !l.Addrs[0].Addr().Is6() {
			t.Errorf("a lease of %v", l.Addrs)
		}
	})
}

func FuzzLease(f *testing.F) {
	f.Fuzz(func(t *testing.T, ack []byte) {
		l := revive(ack, 0, 1, func(time.Time) time.Duration { return 1 })
		if l != nil && (len(l.Addrs) != 1 || !l.Addrs[0].Addr().Is4()) {
			t.Errorf("a lease of %v", l.Addrs)
		}
	})
}

func TestClaims(t *testing.T) {
	us, them := []byte{2, 0, 0, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 2}
	a, other := netip.MustParseAddr("10.99.0.50"), netip.MustParseAddr("10.99.0.51")
	answer := probePacket(them, other)
	copy(answer[14:], a.AsSlice())
	for name, x := range map[string]struct {
		packet []byte
		want   bool
	}{
		"our own probe":                  {probePacket(us, a), false},
		"somebody who is about to":       {probePacket(them, a), true},
		"somebody who has it":            {answer, true},
		"somebody about another address": {probePacket(them, other), false},
		"half a packet":                  {answer[:20], false},
	} {
		if got := claims(x.packet, us, a); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
