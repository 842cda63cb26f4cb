package world

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mac(n int) MAC { return MAC{2, 0, 0, 0, byte(n >> 8), byte(n)} }

func attach(port string, n int) Attach { return Attach{Port: port, MAC: mac(n)} }

func TestDHCPOptions(t *testing.T) {
	w := build(t, "uplinks")
	l := w.DHCP4(noon(), attach("eth0", 1), DHCPAsk{})
	if l.Err != nil {
		t.Fatal(l.Err)
	}
	o := l.Offer
	want := Offer{
		Network: "net0", Addr: o.Addr, Routers: []netip.Addr{addr("172.20.0.1")},
		DNS: []netip.Addr{addr("10.9.1.53")}, NTP: []string{"132.163.96.2"}, Domain: "lab",
		WPAD: "http://web.lab/wpad.dat", Lease: time.Hour, Server: addr("172.20.0.1"),
	}
	if fmt.Sprint(*o) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", *o, want)
	}
	if o.Addr.Bits() != 24 || o.Addr.Addr().Less(addr("172.20.0.10")) ||
		addr("172.20.0.20").Less(o.Addr.Addr()) {
		t.Errorf("address %s", o.Addr)
	}
	if l.Latency <= 0 || l.Latency > 10*time.Millisecond {
		t.Errorf("took %v", l.Latency)
	}
	o = w.DHCP4(noon(), attach("eth2", 1), DHCPAsk{}).Offer
	boot := Boot{Server: "boot.lab", File: "ipxe.efi", Script: "http://boot.lab/ipxe.cfg"}
	if o.Routers != nil || o.Boot != boot || !slices.Equal(o.NTP, []string{"10.9.7.123"}) ||
		!slices.Equal(o.DNS, []netip.Addr{addr("9.9.9.9"), addr("10.9.1.53")}) {
		t.Errorf("net2 offers %+v", o)
	}
}

func TestDHCPStaticEntries(t *testing.T) {
	w := build(t, "uplinks")
	for n, want := range map[int]string{0xaa: "172.20.0.99", 0xab: "172.20.0.12"} {
		a := w.DHCP4(noon(), attach("eth0", n), DHCPAsk{}).Offer.Addr.Addr()
		if a != addr(want) {
			t.Errorf("entry %x got %s, want %s", n, a, want)
		}
	}
	for n := range 10 { // .10 to .20 without .12
		l := w.DHCP4(noon(), attach("eth0", n), DHCPAsk{Address: addr("172.20.0.12")})
		if l.Offer != nil {
			t.Errorf("%d got the reserved %s", n, l.Offer.Addr)
		}
		wantCode(t, "reserved", l.Err, NAK)
	}
}

func TestDHCPStickyRenewAndNAK(t *testing.T) {
	w := build(t, "single")
	a := attach("eth0", 1)
	got := w.DHCP4(noon(), a, DHCPAsk{}).Offer.Addr.Addr()
	later := noon().Add(100 * time.Hour)
	if again := w.DHCP4(later, a, DHCPAsk{}).Offer.Addr.Addr(); again != got {
		t.Errorf("%s, later %s", got, again)
	}
	full, renew := w.DHCP4(later, a, DHCPAsk{}), w.DHCP4(later, a, DHCPAsk{Address: got, Renew: true})
	if renew.Err != nil || renew.Offer.Addr.Addr() != got || renew.Latency >= full.Latency {
		t.Errorf("renewed: %+v", renew)
	}
	for _, wrong := range []string{"172.20.9.10", "172.20.0.1", "172.20.0.200"} {
		l := w.DHCP4(later, a, DHCPAsk{Address: addr(wrong)})
		wantCode(t, wrong, l.Err, NAK)
	}
	l := w.DHCP4(later, attach("eth0", 2), DHCPAsk{Address: got})
	wantCode(t, "another one's", l.Err, NAK)
	free := addr("172.20.0.10")
	if free == got {
		free = free.Next()
	}
	if l := w.DHCP4(later, attach("eth0", 3), DHCPAsk{Address: free}); l.Err != nil ||
		l.Offer.Addr.Addr() != free {
		t.Errorf("a free address was refused: %+v", l)
	}
}

func TestDHCPExhausted(t *testing.T) {
	w := build(t, "single")
	first := map[netip.Addr]int{}
	for n := range 11 {
		at := noon().Add(time.Duration(n) * time.Minute)
		l := w.DHCP4(at, attach("eth0", n), DHCPAsk{})
		if l.Err != nil {
			t.Fatal(l.Err)
		}
		first[l.Offer.Addr.Addr()] = n
	}
	if len(first) != 11 {
		t.Fatalf("%d addresses", len(first))
	}
	soon, late := noon().Add(20*time.Minute), noon().Add(62*time.Minute)
	l := w.DHCP4(soon, attach("eth0", 50), DHCPAsk{Patience: 7 * time.Second})
	wantCode(t, "full", l.Err, Timeout)
	if l.Latency != 7*time.Second {
		t.Errorf("gave up after %v", l.Latency)
	}
	l = w.DHCP4(late, attach("eth0", 50), DHCPAsk{})
	if l.Err != nil || first[l.Offer.Addr.Addr()] != 0 {
		t.Errorf("late: %+v, want the address that was free first", l)
	}
}

func TestDHCPSilence(t *testing.T) {
	w := build(t, "uplinks")
	for _, c := range []struct {
		port string
		vlan uint16
		code Code
	}{
		{"eth1", 0, Timeout}, {"eth0", 7, Timeout}, {"eth5", 0, NoCarrier}, {"eth4", 0, Timeout},
	} {
		l := w.DHCP4(noon(), Attach{c.port, c.vlan, mac(1)}, DHCPAsk{})
		wantCode(t, c.port, l.Err, c.code)
		if want := dhcpPatience; c.code == Timeout && l.Latency != want {
			t.Errorf("%s: gave up after %v", c.port, l.Latency)
		}
	}
	w.SetDHCP("net0", false)
	wantCode(t, "off", w.DHCP4(noon(), attach("eth0", 1), DHCPAsk{}).Err, Timeout)
	w.SetDHCP("net0", true)
	wantCode(t, "on again", w.DHCP4(noon(), attach("eth0", 1), DHCPAsk{}).Err, "")
	s := build(t, "slow")
	wantCode(t, "all lost", s.DHCP4(noon(), attach("eth2", 1), DHCPAsk{}).Err, Timeout)
}

func TestRouterAdvertisements(t *testing.T) {
	w := build(t, "ipv6")
	ad := w.RA(noon(), attach("eth0", 1)).Advert
	if ad == nil || ad.Managed || ad.Other || ad.MTU != 1400 || ad.Lifetime == 0 ||
		!ad.Prefixes[0].Autonomous || ad.Prefixes[0].Prefix.String() != "fd00:20::/64" ||
		!slices.Equal(ad.RDNSS, []netip.Addr{addr("fd00:9:1::53")}) || ad.Search[0] != "lab" {
		t.Fatalf("slaac: %+v", ad)
	}
	wantCode(t, "DHCPv6 beside SLAAC", w.DHCP6(noon(), attach("eth0", 1), DHCPAsk{}).Err, Timeout)
	src := mac(1).SLAAC(ad.Prefixes[0].Prefix)
	if src.String() != "fd00:20::ff:fe00:1" {
		t.Errorf("SLAAC address %s", src)
	}
	f := From{Attach: attach("eth0", 1), Src: src, Gateway: ad.Router}
	wantCode(t, "via the link-local router", w.Ping(noon(), f, addr("fd00:9:1::53")).Err, "")
	wantCode(t, "the link-local router", w.Ping(noon(), f, ad.Router).Err, "")
	f.Gateway = addr("fe80::1")
	wantCode(t, "via another one", w.Ping(noon(), f, addr("fd00:9:1::53")).Err, Timeout)

	ad = w.RA(noon(), attach("eth1", 1)).Advert
	if !ad.Managed || !ad.Other || ad.Prefixes[0].Autonomous || ad.RDNSS != nil {
		t.Errorf("dual: %+v", ad)
	}
	l := w.DHCP6(noon(), attach("eth1", 1), DHCPAsk{})
	if l.Err != nil || l.Offer.Addr.Bits() != 128 || l.Offer.NTP[0] != "2001:db8::123" ||
		!slices.Equal(l.Offer.DNS, []netip.Addr{addr("fd00:9:1::53")}) {
		t.Errorf("DHCPv6: %+v %v", l.Offer, l.Err)
	}
	l = w.DHCP4(noon(), attach("eth1", 1), DHCPAsk{})
	if l.Err != nil || !slices.Equal(l.Offer.DNS, []netip.Addr{addr("8.8.8.8")}) {
		t.Errorf("DHCPv4: %+v %v", l.Offer, l.Err)
	}
	wantCode(t, "no IPv6", build(t, "single").RA(noon(), attach("eth0", 1)).Err, Timeout)
	w.Cut("eth0")
	wantCode(t, "cut", w.RA(noon(), attach("eth0", 1)).Err, NoCarrier)
}

func TestStatelessDHCPv6(t *testing.T) {
	m := load(t, "ipv6")
	m.Networks[0].DHCP.PublicNTP = "2001:db8::123"
	w := New(m, Options{})
	ad := w.RA(noon(), attach("eth0", 1)).Advert
	l := w.DHCP6(noon(), attach("eth0", 1), DHCPAsk{})
	if ad.Managed || !ad.Other || !ad.Prefixes[0].Autonomous || ad.RDNSS != nil {
		t.Errorf("%+v", ad)
	}
	if l.Err != nil || l.Offer.Addr.IsValid() || len(l.Offer.DNS) != 1 || len(l.Offer.NTP) != 1 {
		t.Errorf("%+v", l)
	}
	m.Networks[0].DHCP.WithoutDefaultRoute = true
	if ad = New(m, Options{}).RA(noon(), attach("eth0", 1)).Advert; ad.Lifetime != 0 {
		t.Error("a default route is advertised")
	}
}

// TestLeasesProperty plays many clients on ranges of all kinds: an address lies in the range,
// is nobody else's, and stays with its client as long as the lease runs.
func TestLeasesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Default(1)
		base := m.Networks[0].Subnet.Addr()
		lo := rapid.IntRange(1, 254).Draw(t, "from")
		hi := rapid.IntRange(lo, min(254, lo+20)).Draw(t, "to")
		at := func(n int) netip.Addr { return offset(base, uint64(n)) }
		d := &m.Networks[0].DHCP
		d.Range = Range{at(lo), at(hi)}
		if rapid.Bool().Draw(t, "static") {
			d.Static = []StaticLease{{mac(0), at(rapid.IntRange(2, 254).Draw(t, "ip"))}}
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		w := New(m, Options{})
		type held struct {
			addr  netip.Addr
			until time.Time
		}
		now, have := noon(), map[int]held{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute)
			n := rapid.IntRange(0, 30).Draw(t, "client")
			ask := DHCPAsk{}
			if rapid.Bool().Draw(t, "wants") {
				ask.Address = at(rapid.IntRange(0, 255).Draw(t, "address"))
			}
			o := w.DHCP4(now, attach("eveport0", n), ask).Offer
			if o == nil {
				continue
			}
			a := o.Addr.Addr()
			fixed := n == 0 && len(d.Static) > 0
			if fixed && a != d.Static[0].IP {
				t.Fatalf("client 0 got %s", a)
			}
			if !fixed && (a.Less(at(lo)) || at(hi).Less(a)) || a == at(1) && !fixed {
				t.Fatalf("%s is outside %s to %s, or the router", a, at(lo), at(hi))
			}
			for other, h := range have {
				if other != n && h.addr == a && h.until.After(now) {
					t.Fatalf("%s belongs to client %d and %d", a, other, n)
				}
			}
			if h, ok := have[n]; ok && h.until.After(now) && h.addr != a {
				t.Fatalf("client %d had %s and got %s", n, h.addr, a)
			}
			have[n] = held{a, now.Add(o.Lease)}
		}
	})
}
