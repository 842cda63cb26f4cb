package nim_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/network"
)

// applied is the spec of an applied item.
func (l *lab) applied(key string) nic.Spec {
	l.t.Helper()
	row := rig.Get(l.Rig, nic.Items, key)
	if row == nil {
		l.t.Fatalf("no item %s:\n%s", key, l.Dump())
	}
	return row.Spec
}

// items are the keys of all applied items.
func (l *lab) items() string {
	var out []string
	for _, row := range rig.Rows(l.Rig, nic.Items) {
		out = append(out, row.Item)
	}
	return strings.Join(out, " ")
}

// servers are the upstream servers of the name service, in order.
func (l *lab) servers() string {
	var out []string
	for _, s := range l.applied("resolv/global").Resolv.Servers {
		out = append(out, s.Addr.String()+"@"+s.IfName)
	}
	return strings.Join(out, " ")
}

func TestNET14_CostDecidesMetricsTablesAndServers(t *testing.T) {
	l := newLab(t, "eth0", "eth1", "eth2")
	l.settings()
	d := dpc("zedagent", 1, "eth0", "eth1", "eth2")
	d.Ports[0].Cost = 10
	d.Ports[2].IsMgmt = false
	l.wish(d)
	l.run()
	want := []nic.RouteSpec{{Metric: 5001, Table: 502}, {Metric: 5000, Table: 503},
		{Metric: 10000, Table: 504}}
	for i, name := range []string{"eth0", "eth1", "eth2"} {
		if got := *l.applied("route/" + name).Route; got != want[i] {
			t.Errorf("route of %s: %+v, want %+v", name, got, want[i])
		}
	}
	if got := l.servers(); got != "10.0.1.1@eth1 10.0.0.1@eth0" {
		t.Errorf("servers: %s", got)
	}
	l.sets = nil
	d = dpc("zedagent", 2, "eth0", "eth1", "eth2")
	d.Ports[1].Cost = 10
	l.wish(d)
	l.run()
	metrics := []int{l.applied("route/eth0").Route.Metric, l.applied("route/eth1").Route.Metric,
		l.applied("route/eth2").Route.Metric}
	if !slices.Equal(metrics, []int{5000, 5002, 5001}) ||
		l.servers() != "10.0.0.1@eth0 10.0.2.1@eth2 10.0.1.1@eth1" {
		t.Errorf("after the change: metrics %v, servers %s", metrics, l.servers())
	}
	for _, s := range l.sets {
		if !strings.HasPrefix(s, "route/") && s != "resolv/global" {
			t.Errorf("%s was touched by a change of costs", s)
		}
	}
}

func TestNET15_ManyServersAndIgnoredOnes(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	many := l.lease["eth0"]
	for _, a := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"} {
		many.DNS = append(many.DNS, netip.MustParseAddr(a))
	}
	l.lease["eth0"] = many
	l.settings()
	d := dpc("zedagent", 1, "eth0", "eth1")
	d.Ports[0].Cost = 1
	p := &d.Ports[1]
	p.DNSServers = []netip.Addr{netip.MustParseAddr("9.9.9.9")}
	p.NTPServers = []string{"own.ntp"}
	p.IgnoreDhcpDNSConfig, p.IgnoreDhcpNtpServers = true, true
	l.wish(d)
	l.run()
	want := "9.9.9.9@eth1 10.0.0.1@eth0 10.0.0.2@eth0 10.0.0.3@eth0 10.0.0.4@eth0 10.0.0.5@eth0"
	if got := l.servers(); got != want {
		t.Errorf("servers: %s", got)
	}
	ports := l.dns().Ports
	if s := ports[1]; len(s.DNSServers) != 1 || !slices.Equal(s.NtpServers, []string{"own.ntp"}) ||
		s.DomainName != "" {
		t.Errorf("ignored and yet there: %+v", s)
	}
	if s := ports[0]; len(s.DNSServers) != 5 || s.DomainName != "eth0.example" {
		t.Errorf("learned and not there: %+v", s)
	}
}

func TestNET16_NoGatewayAndRoomForVLANs(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	l.lease["vlan10"] = addr("vlan10", "10.10.0.5/24")
	d := dpc("zedagent", 1, "eth0", "vlan10", "vlan20", "eth1")
	d.Ports[0].IsMgmt, d.Ports[0].IsL3Port = false, false
	d.Ports[0].Dhcp, d.Ports[0].MTU = network.DhcpNone, 1400
	for i, id := range []uint16{10, 20} {
		d.Ports[1+i].L2LinkConfig = network.L2LinkConfig{L2Type: network.L2VLAN,
			VLAN: network.VLANConfig{ParentPort: "eth0", ID: id}}
	}
	d.Ports[2].MTU, d.Ports[2].IsMgmt, d.Ports[2].Dhcp = 9000, false, network.DhcpNone
	d.Ports[3].DhcpConfig = network.DhcpConfig{Dhcp: network.DhcpStatic,
		AddrSubnet: "192.168.55.2/24", Gateway: netip.IPv4Unspecified()}
	d.Ports[3].IsMgmt = false
	l.wish(d)
	l.run()
	l.in("zedagent", network.DPCSuccess)
	if mtu := l.applied("link/eth0").Link.MTU; mtu != 9000 {
		t.Errorf("MTU of the parent: %d", mtu)
	}
	if v := *l.applied("vlan/vlan10").VLAN; v != (nic.VLANSpec{Parent: "eth0", ID: 10, MTU: 1500}) {
		t.Errorf("VLAN: %+v", v)
	}
	gw := l.applied("static/eth1").Static.Gateway
	if !gw.IsUnspecified() || len(l.dns().Ports[3].DefaultRouters) != 0 {
		t.Errorf("gateway %v, routers %v", gw, l.dns().Ports[3].DefaultRouters)
	}
	if got := l.items(); got != "dhcp/vlan10 link/eth0 link/eth1 resolv/global route/eth1 "+
		"route/vlan10 static/eth1 vlan/vlan10 vlan/vlan20" {
		t.Errorf("items: %s", got)
	}
	// Another configuration: what stands on others goes first.
	l.sets = nil
	l.wish(dpc("zedagent", 2, "eth1"))
	l.run()
	at := func(key string) int { return slices.Index(l.sets, key) }
	if at("-dhcp/vlan10") > at("-vlan/vlan10") || at("-vlan/vlan10") > at("-link/eth0") ||
		at("-vlan/vlan20") > at("-link/eth0") || at("-route/vlan10") > at("-dhcp/vlan10") {
		t.Errorf("order: %q", l.sets)
	}
	if got := l.items(); got != "dhcp/eth1 link/eth1 resolv/global route/eth1" {
		t.Errorf("items: %s", got)
	}
}

func TestPortsThatContradictEachOther(t *testing.T) {
	l := newLab(t, "eth0", "eth1")
	l.settings()
	d := dpc("zedagent", 1, "eth0", "eth0", "vlan5", "eth1")
	d.Ports[1].Logicallabel = "other"
	d.Ports[2].L2LinkConfig = network.L2LinkConfig{L2Type: network.L2VLAN,
		VLAN: network.VLANConfig{ParentPort: "vlan5", ID: 5}}
	d.Ports[3].Dhcp, d.Ports[3].AddrSubnet = network.DhcpStatic, "10.1.2.3"
	l.wish(d)
	l.run()
	l.in("zedagent", network.DPCSuccess)
	for i, want := range []string{"", "its label or interface is used by another port",
		"interface vlan5 is missing", "is not an address with a subnet"} {
		if got := l.dns().Ports[i].Error; !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("error of port %d: %q", i, got)
		}
	}
}

func TestDHCPByTypeAndSettings(t *testing.T) {
	cases := []struct {
		name   string
		port   func(*network.NetworkPortConfig)
		vendor string
		want   nic.DHCPSpec
	}{
		{"both", func(*network.NetworkPortConfig) {}, "true",
			nic.DHCPSpec{V4: true, V6: true, VendorClass: "LFEDGE-EVE"}},
		{"IPv4 only", func(p *network.NetworkPortConfig) { p.Type = network.NetworkV4Only }, "false",
			nic.DHCPSpec{V4: true}},
		{"IPv6 only", func(p *network.NetworkPortConfig) { p.Type = network.NetworkV6Only }, "false",
			nic.DHCPSpec{V6: true}},
		{"another gateway", func(p *network.NetworkPortConfig) {
			p.Gateway = netip.MustParseAddr("10.0.0.254")
		}, "false", nic.DHCPSpec{V4: true, V6: true, Gateway: netip.MustParseAddr("10.0.0.254")}},
		{"no gateway", func(p *network.NetworkPortConfig) { p.IgnoreDhcpGateways = true }, "false",
			nic.DHCPSpec{V4: true, V6: true, Gateway: netip.IPv4Unspecified()}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "eth0")
			l.settings(config.Value{Key: config.DHCPVendorClass, Value: c.vendor})
			d := dpc("zedagent", 1, "eth0")
			c.port(&d.Ports[0])
			l.wish(d)
			l.run()
			if got := *l.applied("dhcp/eth0").DHCP; got != c.want {
				t.Errorf("spec %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestItemThatFailsIsTriedAgain(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings()
	l.refuse = map[string]agent.Fault{
		"dhcp/eth0": {Code: nic.FaultMissing, Text: "interface is busy", Retry: true}}
	l.run()
	l.in("lastresort", network.DPCIPDNSWait)
	if e := l.dns().Ports[0].Error; !strings.Contains(e, "dhcp/eth0: interface is busy") {
		t.Errorf("error of the port: %q", e)
	}
	l.pass(10 * time.Second)
	tries := len(l.sets)
	l.refuse = nil
	l.pass(20 * time.Second)
	l.in("lastresort", network.DPCSuccess)
	if tries > 8 || l.dns().Ports[0].HasError() {
		t.Errorf("%d calls in 10 s; then %q", tries, l.dns().Ports[0].Error)
	}
}

func TestDriftIsMended(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings()
	l.run()
	rig.Delete(l.Rig, nic.Items, "route/eth0")
	rig.Put(l.Rig, nic.Items, nic.ItemSeen{Item: "link/eth0",
		Spec: nic.Spec{Link: &nic.LinkSpec{MTU: 68}}})
	l.run()
	if l.applied("route/eth0").Route == nil || l.applied("link/eth0").Link.MTU != 1500 {
		t.Errorf("items: %s", l.items())
	}
	l.in("lastresort", network.DPCSuccess)
}

func TestInterfaceThatAppearsJoinsTheLastResort(t *testing.T) {
	l := newLab(t, "eth0")
	l.settings()
	l.run()
	l.lease["eth7"] = addr("eth7", "10.7.0.5/24")
	rig.Put(l.Rig, nic.Links, nic.LinkSeen{IfName: "eth7", Index: 9, Physical: true, Kind: "ether",
		LowerUp: true, Up: true})
	l.run()
	l.in("lastresort", network.DPCSuccess)
	if n := len(l.dns().Ports); n != 2 || len(l.dns().Ports[1].Addrs()) == 0 {
		t.Fatalf("%d ports:\n%s", n, l.Dump())
	}
	rig.Delete(l.Rig, nic.Links, "eth7")
	l.run()
	l.pass(5 * time.Second)
	if p := l.dns().Ports; len(p) != 2 || p[1].Error != "interface eth7 is missing" {
		t.Errorf("after it vanished: %+v", p)
	}
}
