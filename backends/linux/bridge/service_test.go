package bridge

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/insomniacslk/dhcp/dhcpv6/nclient6"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// asks has a guest ask for an address, once.
func asks(t *testing.T, s *netlab.Space) *dhcpv4.DHCPv4 {
	t.Helper()
	var c *nclient4.Client
	var err error
	s.Do(func() { c, err = nclient4.New("eth0", nclient4.WithTimeout(500*time.Millisecond)) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	lease, err := c.Request(t.Context(), dhcpv4.WithRequestedOptions(dhcpv4.OptionHostName,
		dhcpv4.OptionInterfaceMTU, dhcpv4.OptionNTPServers, dhcpv4.OptionClasslessStaticRoute))
	if err != nil {
		t.Fatal(err)
	}
	return lease.ACK
}

// resolve asks the gateway for a name.
func resolve(s *netlab.Space, name string) ([]string, error) {
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string,
	) (c net.Conn, err error) {
		s.Do(func() { c, err = new(net.Dialer).DialContext(ctx, "udp", "10.1.0.1:53") })
		return c, err
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return r.LookupHost(ctx, name+".")
}

// serviceOf is a spec of its own.
func serviceOf(s device.ServiceSpec) device.Spec { return device.Spec{Service: &s} }

func TestNET23_NET27_WhatGuestsAreTold(t *testing.T) {
	r := newRig(t)
	at := netip.MustParseAddr
	r.local(device.Host{MAC: macA, IP: at("10.1.0.2"), Name: "uuid-a"})
	s := *r.M.specs["service/bn1"].Service
	s.MTU, s.NTP = 1300, []string{"10.99.0.3"}
	s.Names = []device.Name{{Name: "router", IPs: []netip.Addr{at("10.1.0.1")}},
		{Name: "db", IPs: []netip.Addr{at("10.1.0.9")}}}
	s.Routes = []network.IPRouteStatus{{DstNetwork: netip.MustParsePrefix("192.0.2.0/24"),
		Gateway: at("10.1.0.1")}}
	r.set("service/bn1", serviceOf(s))
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	g := r.plug(vifA, macA, "10.1.0.2/24")
	ack := asks(t, g.Space)
	if !ack.YourIPAddr.Equal(net.IPv4(10, 1, 0, 2)) || ack.HostName() != "uuid-a" ||
		ack.DomainName() != "apps.example" || ack.IPAddressLeaseTime(0) != time.Hour {
		t.Errorf("the guest is given %s", ack.Summary())
	}
	if got := ack.Router(); len(got) != 1 || got[0].String() != "10.1.0.1" {
		t.Errorf("routers %v", got)
	}
	if got := ack.NTPServers(); len(got) != 1 || got[0].String() != "10.99.0.3" {
		t.Errorf("NTP servers %v", got)
	}
	mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, ack.Options)
	if err != nil || mtu != 1300 {
		t.Errorf("MTU %d, %v", mtu, err)
	}
	var routes []string
	for _, x := range ack.ClasslessStaticRoute() {
		routes = append(routes, x.Dest.String()+" "+x.Router.String())
	}
	if !slices.Equal(routes, []string{"192.0.2.0/24 10.1.0.1", "0.0.0.0/0 10.1.0.1"}) {
		t.Errorf("routes %v", routes)
	}
	for name, want := range map[string]string{"router": "10.1.0.1", "db": "10.1.0.9"} {
		if got, err := resolve(g.Space, name); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s resolves to %v, %v", name, got, err)
		}
	}
	r.Until("the address in use", func(x *picture) bool {
		return len(x.vifs) == 1 && slices.Contains(x.vifs[0].IPs, at("10.1.0.2"))
	})

	// Without a way out there is no router; a name comes without a new start.
	s.NoDefault, s.Routes = true, nil
	r.set("service/bn1", serviceOf(s))
	if ack := asks(t, g.Space); len(ack.Router()) > 0 {
		t.Errorf("routers %v of an instance without a way out", ack.Router())
	}
	was := r.M.services["bn1"].run.PID()
	s.Names = append(s.Names, device.Name{Name: "new", IPs: []netip.Addr{at("10.1.0.10")}})
	r.set("service/bn1", serviceOf(s))
	if got, err := resolve(g.Space, "new"); err != nil || len(got) != 1 || got[0] != "10.1.0.10" {
		t.Errorf("a new name resolves to %v, %v", got, err)
	}
	if r.M.services["bn1"].run.PID() != was {
		t.Error("a new name started the service anew")
	}
}

func TestNET25_AnAddressIsGivenToAnotherGuestAtOnce(t *testing.T) {
	r := newRig(t)
	at := netip.MustParseAddr
	host := func(mac string) device.Host {
		return device.Host{MAC: mac, IP: at("10.1.0.2"), Name: "uuid-" + mac[15:]}
	}
	other := device.Host{MAC: "02:16:3e:00:00:0c", IP: at("10.1.0.7"), Name: "other"}
	r.local(host(macA), other)
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	if ack := asks(t, a.Space); !ack.YourIPAddr.Equal(net.IPv4(10, 1, 0, 2)) {
		t.Fatalf("the first is given %s", ack.YourIPAddr)
	}
	leases := filepath.Join(r.o.State, "service.bn1", leaseFile)
	if text, err := os.ReadFile(leases); err != nil || !strings.Contains(string(text), macA) {
		t.Fatalf("leases %s, %v", text, err)
	}
	s := *r.M.specs["service/bn1"].Service
	s.Hosts = []device.Host{host(macB), other}
	r.set("service/bn1", serviceOf(s))
	r.clear("vif/" + vifA)
	r.set("vif/"+vifB, vif(macB, "10.1.0.2", nil))
	b := r.plug(vifB, macB, "10.1.0.3/24")
	if ack := asks(t, b.Space); !ack.YourIPAddr.Equal(net.IPv4(10, 1, 0, 2)) {
		t.Errorf("the second is given %s", ack.YourIPAddr)
	}
}

func TestRulesByDomainName(t *testing.T) {
	r := newRig(t)
	r.sdn.Serve(netlab.Server{Link: "lan0", Hosts: []string{"www.example.org,10.99.0.1"}})
	r.local(device.Host{MAC: macA, IP: netip.MustParseAddr("10.1.0.2"), Name: "uuid-a"})
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", []device.Rule{{RuleID: 1, Host: "example.org"}}))
	g := r.plug(vifA, macA, "10.1.0.2/24")
	t.Cleanup(r.sdn.Answer("10.99.0.1:80", nil))
	wants(t, g.Space, "10.99.0.1:80", false) // nobody has asked for the name
	if got, err := resolve(g.Space, "www.example.org"); err != nil || got[0] != "10.99.0.1" {
		t.Fatalf("the name resolves to %v, %v", got, err)
	}
	wants(t, g.Space, "10.99.0.1:80", true)
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", []device.Rule{{RuleID: 1, Host: "example.com"}}))
	wants(t, g.Space, "10.99.0.1:80", false)
}

func TestAnInstanceOfIPv6(t *testing.T) {
	r := newRig(t)
	at := netip.MustParseAddr
	r.set("bridge/bn1", device.Spec{Bridge: &device.BridgeSpec{MAC: bridgeMAC, MTU: 1500,
		Addr: netip.MustParsePrefix("fd00:1::1/64")}})
	r.set("service/bn1", serviceOf(device.ServiceSpec{Subnet: netip.MustParsePrefix("fd00:1::/64"),
		Gateway: at("fd00:1::1"), Start: at("fd00:1::2"), End: at("fd00:1::ff"),
		LeaseTime: time.Hour,
		Hosts:     []device.Host{{MAC: macA, IP: at("fd00:1::77"), Name: "uuid-a"}}}))
	r.set("nat/bn1", device.Spec{NAT: &device.NATSpec{Subnet: netip.MustParsePrefix("fd00:1::/64"),
		Out: []string{"eth0"}, Table: 801, Via: "eth0"}})
	s := vif(macA, "fd00:1::77", nil)
	r.set("vif/"+vifA, s)
	g := r.plug(vifA, macA, "fd00:2::2/64")
	g.Space.Reachable("eth0")
	var c *nclient6.Client
	var err error
	g.Space.Do(func() { c, err = nclient6.New("eth0", nclient6.WithTimeout(time.Second)) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	adv, err := c.Solicit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Request(t.Context(), adv)
	if err != nil {
		t.Fatal(err)
	}
	a := reply.Options.OneIANA().Options.OneAddress()
	if a == nil || a.IPv6Addr.String() != "fd00:1::77" {
		t.Errorf("the guest is given %v", a)
	}
	for _, item := range []string{"vif/" + vifA, "nat/bn1", "service/bn1", "bridge/bn1"} {
		r.clear(item)
	}
	if is := r.state(); strings.Contains(is, "bn1") || strings.Contains(is, "route") {
		t.Errorf("after all was cleared there is\n%s", is)
	}
}
