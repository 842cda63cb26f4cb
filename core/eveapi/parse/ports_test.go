package parse

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/network"
)

var at = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	dhcpNet   = "11111111-0000-4000-8000-000000000001"
	staticNet = "11111111-0000-4000-8000-000000000002"
	noneNet   = "11111111-0000-4000-8000-000000000003"
	badNet    = "11111111-0000-4000-8000-000000000004"
	unknown   = "11111111-0000-4000-8000-00000000000f"
)

// edge is a device of four Ethernet ports and a serial one, with networks to choose from.
func edge(change func(*config.EdgeDevConfig)) *config.EdgeDevConfig {
	c := &config.EdgeDevConfig{Networks: []*config.NetworkConfig{
		{Id: dhcpNet, Type: 4, Ip: &evecommon.Ipspec{Dhcp: 4}},
		{Id: staticNet, Type: 4, Ip: &evecommon.Ipspec{Dhcp: 1, Subnet: "10.0.0.7/24",
			Gateway: "10.0.0.1", Dns: []string{"10.0.0.1"}}},
		{Id: noneNet, Ip: &evecommon.Ipspec{Dhcp: 2}},
		{Id: badNet, Type: 4, Ip: &evecommon.Ipspec{Dhcp: 4, Dns: []string{"dns.example.com"}}},
	}}
	for _, n := range []string{"0", "1", "2", "3"} {
		c.DeviceIoList = append(c.DeviceIoList, &config.PhysicalIO{Ptype: 1, Phylabel: "Eth" + n,
			Logicallabel: "port" + n, Phyaddrs: map[string]string{"Ifname": "eth" + n}})
	}
	c.DeviceIoList = append(c.DeviceIoList, &config.PhysicalIO{Ptype: 3, Phylabel: "COM1"})
	change(c)
	return c
}

func portsOf(c *config.EdgeDevConfig) network.DevicePortConfig {
	list, _ := DeviceIO(c.GetDeviceIoList())
	ios := NewAdapters(list)
	return Ports(PortInput{Adapters: c.GetSystemAdapterList(), PNACs: c.GetPnacs(), IOs: ios,
		Networks: Networks(c.GetNetworks()), Links: MakeLinks(c.GetBonds(), c.GetVlans(), ios),
		Key: "zedagent", Source: network.OriginController, Priority: at, At: at})
}

func sys(name, net string, mgmt bool) *config.SystemAdapter {
	return &config.SystemAdapter{Name: name, NetworkUUID: net, Uplink: mgmt}
}

func port(t *testing.T, d network.DevicePortConfig, label string) network.NetworkPortConfig {
	t.Helper()
	for _, p := range d.Ports {
		if p.Logicallabel == label {
			return p
		}
	}
	t.Fatalf("no port %s in %+v", label, d)
	return network.NetworkPortConfig{}
}

func TestPortsCarryTheirNetworks(t *testing.T) {
	d := portsOf(edge(func(c *config.EdgeDevConfig) {
		a, b := sys("wan", dhcpNet, true), sys("port1", staticNet, false)
		a.LowerLayerName, a.SharedLabels = "port0", []string{"wide", "internet"}
		b.Addr, b.Cost = "10.0.0.9", 300
		c.SystemAdapterList = append(c.SystemAdapterList, a, b)
		c.Networks[0].Mtu = 9000
		c.Networks[0].Ip.DhcpOptionsIgnore = &evecommon.DhcpOptionsIgnore{DnsConfigExclusively: true}
		c.Pnacs = []*config.PNAC{{Logicallabel: "port1"}}
	}))
	if d.LastError != "" || d.Version != 1 || !d.TimePriority.Equal(at) {
		t.Errorf("configuration %+v", d)
	}
	wan, lan := port(t, d, "wan"), port(t, d, "port1")
	if wan.IfName != "eth0" || wan.Phylabel != "Eth0" || !wan.IsMgmt || wan.Cost != 0 ||
		wan.MTU != 9000 || wan.Dhcp != network.DhcpClient || !wan.IgnoreDhcpDNSConfig {
		t.Errorf("port %+v", wan)
	}
	if want := []string{"all", "freeuplink", "internet", "uplink", "wide"}; !slices.Equal(
		wan.SharedLabels, want) {
		t.Errorf("labels %v", wan.SharedLabels)
	}
	if lan.AddrSubnet != "10.0.0.9/24" || lan.Cost != 255 || lan.IsMgmt || !lan.PNACEnabled ||
		lan.Gateway.String() != "10.0.0.1" || lan.ConfigSource != network.OriginController {
		t.Errorf("port %+v", lan)
	}
}

func TestCostOfOldControllers(t *testing.T) {
	free := edge(func(c *config.EdgeDevConfig) {
		c.DeviceIoList[0].UsagePolicy = &config.PhyIOUsagePolicy{FreeUplink: true}
		c.SystemAdapterList = []*config.SystemAdapter{sys("port0", dhcpNet, true),
			sys("port1", dhcpNet, true)}
	})
	if d := portsOf(free); port(t, d, "port0").Cost != 0 || port(t, d, "port1").Cost != 1 {
		t.Errorf("%+v", d)
	}
	ancient := edge(func(c *config.EdgeDevConfig) {
		c.SystemAdapterList = []*config.SystemAdapter{sys("port0", dhcpNet, false)}
	})
	if d := portsOf(ancient); d.Version != 0 || !port(t, d, "port0").IsMgmt {
		t.Errorf("%+v", d)
	}
}

// TestPortErrors has one mistake each; the mistaken port shows it, a port beside it does not.
func TestPortErrors(t *testing.T) {
	add := func(a ...*config.SystemAdapter) func(*config.EdgeDevConfig) {
		return func(c *config.EdgeDevConfig) { c.SystemAdapterList = append(c.SystemAdapterList, a...) }
	}
	label := func(s string) *config.SystemAdapter {
		a := sys("port1", dhcpNet, false)
		a.SharedLabels = []string{s}
		return a
	}
	static := func(addr string) *config.SystemAdapter {
		a := sys("port1", staticNet, false)
		a.Addr = addr
		return a
	}
	other := func(name, lower string) *config.SystemAdapter {
		a := sys(name, noneNet, false)
		a.LowerLayerName = lower
		return a
	}
	for name, c := range map[string]struct {
		change func(*config.EdgeDevConfig)
		port   string // with the error; empty: the error is on the whole
		want   string
	}{
		"management without network": {add(sys("port1", "", true)), "port1", "has no network"},
		"unknown network": {add(sys("port1", unknown, false)), "port1",
			"unknown network " + unknown},
		"network with an error": {add(sys("port1", badNet, false)), "port1",
			`"dns.example.com" is not`},
		"management without DHCP": {add(sys("port1", noneNet, true)), "port1",
			"without DHCP or a static"},
		"static without address": {add(sys("port1", staticNet, false)), "port1",
			"no address with subnet"},
		"bad address":       {add(static("10.0.0")), "port1", "not an IP address"},
		"address elsewhere": {add(static("10.1.0.1")), "port1", "not in subnet 10.0.0.0/24"},
		"reserved label":    {add(label("uplink")), "port1", `"uplink" is reserved`},
		"label of a port":   {add(label("port0")), "port1", `"port0" is the name of a port`},
		"missing lower layer": {add(sys("nowhere", dhcpNet, false)), "",
			`missing lower-layer adapter "nowhere"`},
		"serial port": {add(sys("COM1", dhcpNet, false)), "",
			`"COM1" is not a network adapter`},
		"same interface": {add(other("again", "port1"), sys("port1", dhcpNet, false)),
			"again", "same interface name (eth1)"},
		"same label": {add(other("port1", "port2"), sys("port1", dhcpNet, false)),
			"port1", "same logical label (port1)"},
		"bond and adapter of a name": {func(c *config.EdgeDevConfig) {
			c.Bonds = []*config.BondAdapter{{Logicallabel: "port1", InterfaceName: "b",
				LowerLayerNames: []string{"port2"}}}
			add(sys("port1", dhcpNet, false))(c)
		}, "", `multiple lower-layer adapters match label "port1"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := portsOf(edge(func(cfg *config.EdgeDevConfig) {
				add(sys("port0", dhcpNet, true))(cfg)
				c.change(cfg)
			}))
			if good := port(t, d, "port0"); good.InvalidConfig {
				t.Errorf("the good port: %s", good.LastError)
			}
			got, invalid := d.LastError, true
			if c.port != "" {
				p := port(t, d, c.port)
				got, invalid = p.LastError, p.InvalidConfig && p.LastFailed.Equal(at)
			}
			if !strings.Contains(got, c.want) || !invalid {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

func TestVLANsAndBonds(t *testing.T) {
	d := portsOf(edge(func(c *config.EdgeDevConfig) {
		c.Bonds = []*config.BondAdapter{{Logicallabel: "pair", InterfaceName: "pair0",
			LowerLayerNames: []string{"port0", "port1"}, BondMode: 2}}
		c.Vlans = []*config.VlanAdapter{
			{Logicallabel: "v10", InterfaceName: "vlan10", LowerLayerName: "pair", VlanId: 10},
			{Logicallabel: "v20", InterfaceName: "vlan20", LowerLayerName: "pair", VlanId: 20},
			{Logicallabel: "v30", LowerLayerName: "port2", VlanId: 30},
		}
		c.SystemAdapterList = []*config.SystemAdapter{sys("v10", dhcpNet, true),
			sys("v20", dhcpNet, false), sys("v30", dhcpNet, false), sys("port2", dhcpNet, false)}
	}))
	if d.LastError != "" {
		t.Fatalf("error %q", d.LastError)
	}
	var labels []string
	for _, p := range d.Ports {
		if labels = append(labels, p.Logicallabel); p.LastError != "" {
			t.Errorf("%s: %s", p.Logicallabel, p.LastError)
		}
	}
	slices.Sort(labels)
	if want := []string{"pair", "port0", "port1", "port2", "v10", "v20", "v30"}; !slices.Equal(
		labels, want) {
		t.Errorf("ports %v, want each once: %v", labels, want)
	}
	if v := port(t, d, "v10"); v.VLAN.ParentPort != "pair" || v.VLAN.ID != 10 || !v.IsL3Port {
		t.Errorf("VLAN %+v", v)
	}
	if b := port(t, d, "pair"); b.L2Type != network.L2Bond || b.IsL3Port || b.Bond.Mode != 2 {
		t.Errorf("bond %+v", b)
	}
	if p := port(t, d, "port2"); !p.IsL3Port {
		t.Errorf("a parent lost its own layer 3: %+v", p)
	}
}

// TestStackingErrors shows that what stands on a mistake shares it.
func TestStackingErrors(t *testing.T) {
	vlan := func(label, lower string, id uint32) *config.VlanAdapter {
		return &config.VlanAdapter{Logicallabel: label, LowerLayerName: lower, VlanId: id}
	}
	bond := func(label string, lower ...string) *config.BondAdapter {
		return &config.BondAdapter{Logicallabel: label, LowerLayerNames: lower, BondMode: 1}
	}
	for name, c := range map[string]struct {
		bonds []*config.BondAdapter
		vlans []*config.VlanAdapter
		ports []string
		want  string // on each of the ports
	}{
		"VLAN id": {nil, []*config.VlanAdapter{vlan("v", "port1", 4095)}, []string{"v"},
			"VLAN id 4095"},
		"VLAN nowhere": {nil, []*config.VlanAdapter{vlan("v", "port9", 1)}, []string{"v"},
			"does not exist"},
		"VLAN on COM": {nil, []*config.VlanAdapter{vlan("v", "COM1", 1)}, []string{"v"},
			"not a network adapter"},
		"long name": {nil, []*config.VlanAdapter{vlan("a-name-of-16-char", "port1", 1)},
			[]string{"a-name-of-16-char"}, "longer than 15"},
		"VLAN id twice": {nil, []*config.VlanAdapter{vlan("v", "port1", 5), vlan("w", "port1", 5)},
			[]string{"v", "w"}, "duplicate VLAN sub-interfaces"},
		"two bonds": {[]*config.BondAdapter{bond("a", "port1"), bond("b", "port1")}, nil,
			[]string{"a", "b"}, "aggregated by multiple bond"},
		"bond and VLAN": {[]*config.BondAdapter{bond("a", "port1")}, []*config.VlanAdapter{vlan("v",
			"port1", 5)}, []string{"a", "v"}, "referenced by both bond"},
		"empty bond": {[]*config.BondAdapter{bond("a")}, nil, []string{"a"}, "stands on no adapter"},
		"bond0": {[]*config.BondAdapter{bond("bond0", "port1")}, nil, []string{"bond0"},
			"bond0 is taken"},
		"bond on bond": {[]*config.BondAdapter{bond("a", "port1"), bond("b", "a")}, nil,
			[]string{"b"}, "does not exist"},
		"VLAN on a bad bond": {[]*config.BondAdapter{bond("a", "port9")},
			[]*config.VlanAdapter{vlan("v", "a", 5)}, []string{"v"}, "has an error"},
	} {
		t.Run(name, func(t *testing.T) {
			d := portsOf(edge(func(cfg *config.EdgeDevConfig) {
				cfg.Bonds, cfg.Vlans = c.bonds, c.vlans
				cfg.SystemAdapterList = []*config.SystemAdapter{sys("port0", dhcpNet, true)}
				for _, p := range c.ports {
					cfg.SystemAdapterList = append(cfg.SystemAdapterList, sys(p, dhcpNet, false))
				}
			}))
			for _, label := range c.ports {
				if p := port(t, d, label); !p.InvalidConfig || !strings.Contains(p.LastError, c.want) {
					t.Errorf("%s: error %q, want %q", label, p.LastError, c.want)
				}
			}
			if p := port(t, d, "port0"); p.InvalidConfig {
				t.Errorf("the good port: %s", p.LastError)
			}
		})
	}
}

func TestAPI54_NoManagementPortLeft(t *testing.T) {
	d := portsOf(edge(func(c *config.EdgeDevConfig) {
		c.SystemAdapterList = []*config.SystemAdapter{sys("port0", unknown, true),
			sys("port1", dhcpNet, false)}
	}))
	if !strings.HasPrefix(d.LastError, "All management ports failed to parse: ") ||
		!d.LastFailed.Equal(at) || !port(t, d, "port0").InvalidConfig {
		t.Errorf("%+v", d)
	}
	if d := portsOf(edge(func(*config.EdgeDevConfig) {})); d.LastError != "No management interfaces" {
		t.Errorf("no adapter gave %q", d.LastError)
	}
}

func TestNetworkTypes(t *testing.T) {
	for api, want := range map[evecommon.NetworkType]network.NetworkType{
		4: network.NetworkV4, 6: network.NetworkV6, 7: network.NetworkV4Only, 8: network.NetworkV6Only} {
		n := Networks([]*config.NetworkConfig{{Id: dhcpNet, Type: api, Ip: &evecommon.Ipspec{}}})[dhcpNet]
		if n.Type != want || n.Error != "" {
			t.Errorf("type %d became %d, error %q", api, n.Type, n.Error)
		}
	}
	for _, api := range []evecommon.NetworkType{9, 24, 99} {
		n := Networks([]*config.NetworkConfig{{Id: dhcpNet, Type: api, Ip: &evecommon.Ipspec{}}})[dhcpNet]
		if !strings.Contains(n.Error, "is unknown") {
			t.Errorf("type %d: error %q", api, n.Error)
		}
	}
}

func TestDeviceIO(t *testing.T) {
	list, errs := DeviceIO([]*config.PhysicalIO{
		{Ptype: 1, Phylabel: "a", Phyaddrs: map[string]string{"PCILONG": "0000:01:00.0", "z": "1",
			"y": "2"},
			Cbattr: map[string]string{"b": "2", "a": "1"}, Assigngrp: "g"},
		nil, {Ptype: 8, Phylabel: "gap"}, {Ptype: 1, Phylabel: "u", Usage: 77},
		{Ptype: 1, Phylabel: "a", Assigngrp: "other"},
	})
	a := list.AdapterList[0]
	if len(list.AdapterList) != 2 || a.Logicallabel != "a" || a.Phyaddr.PciLong != "0000:01:00.0" ||
		!slices.Equal(a.Phyaddr.UnknownTypes, []string{"y", "z"}) ||
		!slices.Equal(a.Cbattr, []string{"a=1", "b=2"}) || !list.Initialized {
		t.Errorf("%+v", list)
	}
	if len(errs) != 4 || !strings.Contains(errs[3], "another one") || a.Assigngrp != "g" {
		t.Errorf("errors %q", errs)
	}
}
