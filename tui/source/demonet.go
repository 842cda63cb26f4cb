package source

import (
	"net/netip"

	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	demoLocal  = "b6f1a8e0-7d7d-4d65-8e55-3c8f7d1a9001"
	demoSwitch = "b6f1a8e0-7d7d-4d65-8e55-3c8f7d1a9002"
)

// demoLink reports whether the cable of eth1 is plugged in.
func demoLink(m moment) bool { return !m.within(30, 38) }

// demoNetwork shows links, ports and port configurations.
func demoNetwork(r *rows, m moment) {
	macs := []string{"74:fe:48:0a:1c:01", "74:fe:48:0a:1c:02"}
	for i, name := range []string{"eth0", "eth1"} {
		show(r, nic.Links, nic.LinkSeen{IfName: name, Index: i + 2, MAC: macs[i], Physical: true,
			Kind: "ether", Up: true, LowerUp: i == 0 || demoLink(m), MTU: 1500})
	}
	d := network.DeviceNetworkStatus{DPCKey: "lastresort", Version: 1, CurrentIndex: 0,
		State: network.DPCIPDNSWait, Testing: true}
	if m.sec >= 2.5 {
		d.State, d.Testing = network.DPCSuccess, false
	}
	if m.sec >= 6 {
		d.DPCKey = "zedagent"
	}
	d.Ports = []network.NetworkPortStatus{demoPort0(m, macs[0]), demoPort1(m, macs[1])}
	show(r, network.DNS, d)
	if m.sec >= 1.5 {
		show(r, nic.Addrs, nic.AddrSeen{IfName: "eth0", Addrs: d.Ports[0].AddrInfoList,
			Routers: d.Ports[0].DefaultRouters, DNS: d.Ports[0].DNSServers})
	}
	show(r, network.DPCL, demoConfigs(m))
}

func demoPort0(m moment, mac string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{IfName: "eth0", Phylabel: "eth0", Logicallabel: "uplink",
		SharedLabels: []string{"all", "freeuplink", "uplink"}, IsMgmt: true, IsL3Port: true, Up: true,
		Dhcp: network.DhcpClient, Type: network.NetworkV4, MacAddr: mac, MTU: 1500,
		ConfigSource: network.OriginController}
	if m.sec < 1.5 {
		return p
	}
	p.AddrInfoList = []netip.Prefix{netip.MustParsePrefix("10.0.2.15/24"),
		netip.MustParsePrefix("fe80::76fe:48ff:fe0a:1c01/64")}
	p.DefaultRouters = []netip.Addr{netip.MustParseAddr("10.0.2.2")}
	p.DNSServers = []netip.Addr{netip.MustParseAddr("10.0.2.3"), netip.MustParseAddr("1.1.1.1")}
	p.NtpServers, p.DomainName = []string{"ntp.plant.example"}, "plant.example"
	p.ProxyConfig = network.ProxyConfig{Exceptions: "10.0.0.0/8,.plant.example",
		Proxies: []network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "proxy.plant.example",
			Port: 3128}}}
	p.LastSucceeded = m.wall(2.5)
	return p
}

func demoPort1(m moment, mac string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{IfName: "eth1", Phylabel: "eth1", Logicallabel: "shopfloor",
		SharedLabels: []string{"all"}, Up: demoLink(m), Dhcp: network.DhcpNone, MacAddr: mac,
		MTU: 1500, ConfigSource: network.OriginController}
	if !p.Up {
		p.Set(entity.ErrorDescription{Error: "no carrier on eth1: is the cable plugged in?",
			ErrorSeverity:       entity.SeverityWarning,
			ErrorRetryCondition: "taken up again when the link comes back"}, m.wall(30))
	}
	return p
}

// demoConfigs is the prioritized list of port configurations.
func demoConfigs(m moment) network.DevicePortConfigList {
	last := network.DevicePortConfig{DPCKey: "lastresort", Version: 1,
		TimePriority: m.wall(0).AddDate(-56, 0, 0), State: network.DPCIPDNSWait,
		Ports: []network.NetworkPortConfig{{IfName: "eth0", Logicallabel: "eth0", IsMgmt: true}}}
	if m.sec >= 2.5 {
		last.State = network.DPCSuccess
		last.LastSucceeded = m.wall(2.5)
	}
	l := network.DevicePortConfigList{PortConfigList: []network.DevicePortConfig{last}}
	if m.sec < 6 {
		return l
	}
	old := network.DevicePortConfig{DPCKey: "bootstrap", Version: 1,
		TimePriority: m.wall(0).AddDate(0, 0, -40), State: network.DPCFail,
		Ports: []network.NetworkPortConfig{{IfName: "wlan0"}}}
	old.LastFailed, old.LastError = m.wall(-3600), "interface wlan0 of port wifi is not there"
	own := network.DevicePortConfig{DPCKey: "zedagent", Version: 1, TimePriority: m.wall(5),
		State: network.DPCSuccess, Ports: []network.NetworkPortConfig{
			{IfName: "eth0", Logicallabel: "uplink", IsMgmt: true, IsL3Port: true},
			{IfName: "eth1", Logicallabel: "shopfloor"}}}
	own.LastSucceeded = m.wall(6)
	l.PortConfigList = []network.DevicePortConfig{own, old, last}
	return l
}

// demoInstances shows network instances.
func demoInstances(r *rows, m moment) {
	if m.sec < 5.5 {
		return
	}
	local := network.NetworkInstanceStatus{Activated: true, BridgeNum: 1, BridgeName: "bn1",
		BridgeIPAddr: netip.MustParseAddr("10.11.12.1"), BridgeMac: "00:16:3e:06:00:01",
		Ports: []string{"uplink"}, SelectedUplink: "uplink", EffectiveMTU: 1500,
		ActivatedAt: m.wall(5.5)}
	local.NetworkInstanceConfig = network.NetworkInstanceConfig{
		UUIDandVersion: entity.UUIDandVersion{UUID: demoLocal, Version: "1"},
		DisplayName:    "apps-nat", Type: network.NILocal, Activate: true, IpType: 1,
		Subnet: netip.MustParsePrefix("10.11.12.0/24"), PortLabel: "uplink"}
	sw := network.NetworkInstanceStatus{Activated: true, BridgeNum: 2, BridgeName: "bn2",
		BridgeMac: "00:16:3e:06:00:02", Ports: []string{"shopfloor"}, EffectiveMTU: 1500,
		SelectedUplink: "shopfloor", ActivatedAt: m.wall(5.5)}
	sw.NetworkInstanceConfig = network.NetworkInstanceConfig{
		UUIDandVersion: entity.UUIDandVersion{UUID: demoSwitch, Version: "1"},
		DisplayName:    "plant-floor", Type: network.NISwitch, Activate: true,
		PortLabel: "shopfloor"}
	for i := range demoApps {
		a := &demoApps[i]
		if !a.exists(m) || m.sec < a.boots {
			continue
		}
		local.Vifs = append(local.Vifs, network.VifNameMac{Name: a.vif(), MacAddr: a.mac(),
			AppID: a.uuid})
		local.IPAssignments = append(local.IPAssignments, network.AssignedAddr{MacAddr: a.mac(),
			IP: a.ip()})
	}
	show(r, network.InstanceStatus, local)
	show(r, network.InstanceStatus, sw)
}
