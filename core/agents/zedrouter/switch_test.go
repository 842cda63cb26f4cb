package zedrouter

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

func switched(id, label string) network.NetworkInstanceConfig {
	return network.NetworkInstanceConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id, Version: "1"},
		DisplayName: "switch-" + label, Type: network.NISwitch, Activate: true, PortLabel: label}
}

// bare is a port without IP configuration, of the label "l2".
func bare(name string) network.NetworkPortStatus {
	p := port(name)
	p.Dhcp, p.IsMgmt, p.IsL3Port, p.SharedLabels = network.DhcpNone, false, false, []string{"l2"}
	p.AddrInfoList, p.DefaultRouters, p.DNSServers = nil, nil, nil
	return p
}

func TestNET29_SwitchBridgesItsPorts(t *testing.T) {
	b := newBench(t)
	b.ports(port("eth0"), bare("eth1"), bare("eth2"))
	b.instance(switched(ni1, "l2"))
	c := guest(app1, ni1)
	c.AppNetAdapterList[0].AccessVlanID = 100
	b.app(c)
	b.run()
	b.up(ni1, app1)
	br := b.item("bridge/bn1").Bridge
	if !slices.Equal(br.Ports, []string{"eth1", "eth2"}) || !br.STP || br.Addr.IsValid() {
		t.Fatalf("bridge %+v", br)
	}
	v := b.vif("nbu1x1")
	if v.IP.IsValid() || v.VLAN != 100 || !v.BPDUGuard || !strings.HasPrefix(v.MAC, "02:16:3e:") {
		t.Fatalf("vif %+v", v)
	}
	if rig.Get(b.Rig, bridge.Items, "service/bn1") != nil ||
		rig.Get(b.Rig, bridge.Items, "nat/bn1") != nil {
		t.Fatal("a switch has services")
	}
	rig.Put(b.Rig, bridge.Vifs, bridge.VifSeen{Vif: "nbu1x1", IPs: []netip.Addr{addr("172.30.0.4")}})
	b.run()
	if a := b.net(app1).AppNetAdapterList[0]; !a.IPv4Up || a.IPAddrMisMatch {
		t.Fatalf("learned address %+v", a)
	}
	b.ports(port("eth0"), bare("eth1"))
	b.run()
	if b.item("bridge/bn1").Bridge.STP || b.vif("nbu1x1").BPDUGuard {
		t.Fatal("one port cannot close a loop")
	}
}

func TestNET29_PortsThatASwitchRefuses(t *testing.T) {
	wlan := port("wlan0")
	vlan := port("vlan5")
	vlan.L2LinkConfig = network.L2LinkConfig{L2Type: network.L2VLAN,
		VLAN: network.VLANConfig{ParentPort: "eth2", ID: 5}}
	for _, tt := range []struct {
		label string
		ports []network.NetworkPortStatus
		want  string
	}{
		{"wlan0", []network.NetworkPortStatus{wlan}, "wireless port wlan0"},
		{"uplink", []network.NetworkPortStatus{port("eth0"), port("eth1")},
			"port eth0 has an IP configuration"},
		{"l2", []network.NetworkPortStatus{bare("eth1"), bare("eth2"), vlan}, "port eth2 has VLANs"},
	} {
		b := newBench(t)
		b.ports(tt.ports...)
		b.instance(switched(ni1, tt.label))
		b.run()
		if n := b.ni(ni1); n.Activated || !strings.Contains(n.NetworkErr.Error, tt.want) {
			t.Errorf("%s: %q", tt.label, n.NetworkErr.Error)
		}
	}
	b := newBench(t) // a port that the model says is wireless, whatever its name
	rig.Put(b.Rig, network.PhysicalIO, network.PhysicalIOAdapterList{Initialized: true,
		AdapterList: []network.PhysicalIOAdapter{{Phylabel: "eth0", Ptype: network.IoNetWLAN}}})
	b.instance(switched(ni1, "eth0"))
	b.run()
	if e := b.ni(ni1).NetworkErr.Error; !strings.Contains(e, "wireless port eth0") {
		t.Errorf("error %q", e)
	}
}

func TestNET29_WhoMayShareAPort(t *testing.T) {
	b := newBench(t)
	b.ports(port("eth0"), bare("eth1"), bare("eth2"))
	b.instance(switched(ni1, "eth0"))
	b.instance(local(ni2, "eth0", 2))
	b.run()
	b.up(ni1, ni2) // a switch of one port shares it with local instances
	const ni3 = "00000000-0000-4000-8000-000000000003"
	const ni4 = "00000000-0000-4000-8000-000000000004"
	b.instance(switched(ni3, "eth0"))
	b.run()
	if e := b.ni(ni3).NetworkErr.Error; !strings.Contains(e, "used by network instance switch-eth0") {
		t.Fatalf("two switches share a port: %q", e)
	}
	b.instance(switched(ni3, "l2"))
	b.run()
	b.up(ni3)
	b.instance(switched(ni4, "eth1"))
	b.run()
	if e := b.ni(ni4).NetworkErr.Error; !strings.Contains(e, "port eth1 is used") {
		t.Fatalf("a switch of several ports shares one: %q", e)
	}
}
