package zedrouter

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestNET23_LocalInstanceHasBridgeServiceAndTranslation(t *testing.T) {
	b := newBench(t)
	c := local(ni1, "uplink", 7)
	c.NtpServers = []string{"ntp.lan"}
	c.DnsNameToIPList = []network.DNSNameToIP{{HostName: "db", IPs: []netip.Addr{addr("10.1.7.200")}}}
	c.StaticRoutes = []network.IPRouteConfig{{DstNetwork: netip.MustParsePrefix("172.20.0.0/16"),
		Gateway: addr("192.168.1.9")}}
	c.PropagateConnRoutes = true
	b.instance(c)
	b.app(guest(app1, ni1))
	b.run()
	b.up(ni1, app1)
	br := b.item("bridge/bn1").Bridge
	if br.Addr.String() != "10.1.7.1/24" || !strings.HasPrefix(br.MAC, "00:16:3e:") ||
		!strings.HasSuffix(br.MAC, ":01") || len(br.Ports) != 0 || br.STP {
		t.Fatalf("bridge %+v", br)
	}
	a := b.net(app1).AppNetAdapterList[0]
	svc := b.item("service/bn1").Service
	wantHosts := []bridge.Host{{MAC: a.Mac, IP: addr("10.1.7.2"), Name: app1}}
	wantNames := []bridge.Name{{Name: "app-a1", IPs: []netip.Addr{addr("10.1.7.2")}},
		{Name: "db", IPs: []netip.Addr{addr("10.1.7.200")}},
		{Name: "router", IPs: []netip.Addr{addr("10.1.7.1")}}}
	wantRoutes := []network.IPRouteStatus{
		{DstNetwork: netip.MustParsePrefix("172.20.0.0/16"), Gateway: addr("10.1.7.1")},
		{DstNetwork: netip.MustParsePrefix("192.168.0.0/24"), Gateway: addr("10.1.7.1")},
		{DstNetwork: netip.MustParsePrefix("192.168.1.0/24"), Gateway: addr("10.1.7.1")}}
	if !reflect.DeepEqual(svc.Hosts, wantHosts) || !reflect.DeepEqual(svc.Names, wantNames) ||
		!reflect.DeepEqual(svc.Routes, wantRoutes) || svc.NoDefault || svc.MTU != 1500 ||
		!reflect.DeepEqual(svc.NTP, []string{"ntp.lan"}) || svc.End != addr("10.1.7.11") {
		t.Fatalf("service %+v", svc)
	}
	if want := []bridge.DNSServer{{Addr: addr("192.168.0.53"), IfName: "eth0"},
		{Addr: addr("192.168.1.53"), IfName: "eth1"}}; !reflect.DeepEqual(svc.Upstream, want) {
		t.Fatalf("upstream %+v", svc.Upstream)
	}
	nat := b.item("nat/bn1").NAT
	if nat.Subnet.String() != "10.1.7.0/24" || !reflect.DeepEqual(nat.Out, []string{"eth0", "eth1"}) ||
		nat.Via != "eth0" || nat.Table != 801 || len(nat.Routes) != 3 || nat.Routes[0].Out != "eth1" {
		t.Fatalf("nat %+v", nat)
	}
	v := b.vif("nbu1x1")
	if v.Bridge != "bn1" || v.IP != addr("10.1.7.2") || v.MAC != a.Mac || !v.Up || len(v.Rules) != 1 {
		t.Fatalf("vif %+v", v)
	}
	n := b.ni(ni1)
	if n.BridgeName != "bn1" || n.BridgeMac != br.MAC || n.SelectedUplink != "eth0" ||
		len(n.Vifs) != 1 || n.Vifs[0].Name != "nbu1x1" || len(n.IPAssignments) != 1 ||
		len(n.CurrentRoutes) != 4 || n.CurrentRoutes[0].OutputPort != "eth0" ||
		n.ActivatedAt.IsZero() || n.EffectiveMTU != 1500 {
		t.Fatalf("status %+v", n)
	}
}

// An instance asks the name servers of its own ports only.
func TestNameServersOfOtherPortsAreNotAsked(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "eth1", 1))
	b.run()
	up := b.item("service/bn1").Service.Upstream
	if len(up) != 1 || up[0].IfName != "eth1" || b.item("nat/bn1").NAT.Via != "eth1" {
		t.Fatalf("asks %+v", up)
	}
}

func TestAirGappedInstanceLeadsNowhere(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "", 1))
	b.app(guest(app1, ni1))
	b.run()
	b.up(ni1, app1)
	if rig.Get(b.Rig, bridge.Items, "nat/bn1") != nil || !b.item("service/bn1").Service.NoDefault {
		t.Fatal("an instance without a port leads out")
	}
}

func TestNoMatchingPortIsAnErrorUntilThereIsOne(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "lan", 1))
	b.app(guest(app1, ni1))
	b.run()
	if e := b.ni(ni1).NetworkErr.Error; e != "no port is matching label 'lan'" {
		t.Fatalf("error %q", e)
	}
	if a := b.net(app1); !a.AwaitNetworkInstance || a.Activated || a.Error != "" {
		t.Fatalf("application %+v", a)
	}
	p := port("eth0")
	p.SharedLabels = append(p.SharedLabels, "lan")
	b.ports(p)
	b.run()
	b.up(ni1, app1)
	b.ports() // the port goes: what is active stays
	b.run()
	if n := b.ni(ni1); !n.Activated || n.NetworkErr.Error == "" || len(n.Ports) != 0 {
		t.Fatalf("status %+v", n)
	}
	b.vif("nbu1x1")
}

// Of several ports the cheapest that works carries the default route, and gets it back.
func TestDefaultRouteFollowsWorkingPorts(t *testing.T) {
	b := newBench(t)
	dear, cheap := port("eth0"), port("eth1")
	dear.Cost = 5
	b.ports(dear, cheap)
	b.instance(local(ni1, "uplink", 1))
	b.run()
	if via := b.item("nat/bn1").NAT.Via; via != "eth1" {
		t.Fatalf("via %s", via)
	}
	down := cheap
	down.Up = false
	b.ports(dear, down)
	b.run()
	if n := b.ni(ni1); n.SelectedUplink != "eth0" || b.item("nat/bn1").NAT.Via != "eth0" {
		t.Fatalf("still by %s", n.SelectedUplink)
	}
	b.ports(dear, cheap)
	b.run()
	if via := b.item("nat/bn1").NAT.Via; via != "eth1" {
		t.Fatalf("not back: %s", via)
	}
}

func TestNET38_OtherTypesFailOnInstanceAndApplication(t *testing.T) {
	b := newBench(t)
	for i, kind := range []network.NIType{network.NICloud, network.NIMesh} {
		c := local([]string{ni1, ni2}[i], "uplink", i)
		c.Type = kind
		b.instance(c)
	}
	b.app(guest(app1, ni1))
	b.app(guest(app2, ni2))
	b.run()
	for i, id := range []string{ni1, ni2} {
		want := []string{"network instance type 3 is not supported (cloud)",
			"network instance type 4 is not supported (mesh)"}[i]
		if n := b.ni(id); n.NetworkErr.Error != want || n.Activated {
			t.Errorf("instance %+v", n)
		}
		if a := b.net([]string{app1, app2}[i]); a.Error != want || a.Activated {
			t.Errorf("application %+v", a)
		}
	}
}

func TestNET27_MTUOfPortsIsTheLimit(t *testing.T) {
	b := newBench(t)
	small := port("eth1")
	small.MTU = 1400
	b.ports(port("eth0"), small)
	c := local(ni1, "all", 1)
	c.MTU = 1450
	b.instance(c)
	b.app(guest(app1, ni1))
	b.run()
	n := b.ni(ni1)
	if !n.Activated || n.EffectiveMTU != 1400 || !strings.Contains(n.NetworkErr.Error, "1450") ||
		!strings.Contains(n.NetworkErr.Error, "eth1") {
		t.Fatalf("status %+v", n)
	}
	if b.item("service/bn1").Service.MTU != 1400 || b.vif("nbu1x1").MTU != 1400 ||
		b.net(app1).AppNetAdapterList[0].MTU != 1400 {
		t.Fatal("guests are told another MTU")
	}
	c.MTU = 1300
	b.instance(c)
	b.run()
	b.up(ni1, app1)
	if b.ni(ni1).EffectiveMTU != 1300 || b.item("service/bn1").Service.MTU != 1300 {
		t.Fatal("a lower MTU is not taken")
	}
}

func TestNET26_OverlapTakesInterfacesDownUntilItEnds(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "eth0", 1))
	b.app(guest(app1, ni1))
	b.run()
	clash := port("eth1")
	clash.AddrInfoList = []netip.Prefix{netip.MustParsePrefix("10.1.0.5/16")}
	b.ports(port("eth0"), clash)
	b.run()
	n := b.ni(ni1)
	if !strings.Contains(n.NetworkErr.Error, "overlaps subnet 10.1.0.0/16 of port eth1") {
		t.Fatalf("error %q", n.NetworkErr.Error)
	}
	if b.vif("nbu1x1").Up || b.item("bridge/bn1").Bridge.Addr.IsValid() ||
		rig.Get(b.Rig, bridge.Items, "service/bn1") != nil ||
		rig.Get(b.Rig, bridge.Items, "nat/bn1") != nil {
		t.Fatalf("not taken down\n%s", b.Dump())
	}
	b.ports(port("eth0"), port("eth1"))
	b.run()
	b.up(ni1, app1)
	if !b.vif("nbu1x1").Up || b.ip(app1) != "10.1.1.2" {
		t.Fatal("not restored")
	}
	second := local(ni2, "eth1", 1) // the same subnet: who is active keeps it
	b.instance(second)
	b.run()
	if n := b.ni(ni2); n.Activated || !strings.Contains(n.NetworkErr.Error, "network instance ni-1") {
		t.Fatalf("second %+v", n)
	}
	b.up(ni1, app1)
}

func TestNET28_DeleteWaitsForInterfacesAndSubnetIsTakenOver(t *testing.T) {
	for _, crash := range []bool{false, true} {
		b := newBench(t)
		b.crash = crash
		b.instance(local(ni1, "uplink", 1))
		b.app(guest(app1, ni1))
		b.run()
		rig.Delete(b.Rig, network.Instances, ni1)
		b.instance(local(ni2, "uplink", 1))
		b.app(guest(app2, ni2))
		b.run()
		if n := b.ni(ni1); n == nil || !n.Activated || !n.ChangeInProgress {
			t.Fatalf("the instance did not wait for its interface: %+v", n)
		}
		b.vif("nbu1x1")
		if a := b.net(app2); !a.AwaitNetworkInstance {
			t.Fatalf("application of the new instance %+v", a)
		}
		rig.Delete(b.Rig, network.AppNetworks, app1)
		b.run()
		if b.ni(ni1) != nil || b.net(app1) != nil {
			t.Fatalf("still there\n%s", b.Dump())
		}
		b.up(ni2, app2)
		if rig.Get(b.Rig, bridge.Items, "bridge/bn1") != nil || b.ip(app2) != "10.1.1.2" {
			t.Fatalf("not taken over\n%s", b.Dump())
		}
	}
}

// What runs keeps its last good configuration when a bad one comes.
func TestBadConfigurationOfAnActiveInstance(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.run()
	bad := local(ni1, "uplink", 1)
	bad.Subnet, bad.Error = netip.Prefix{}, "subnet \"x\" is not a subnet"
	b.instance(bad)
	if made := b.run(); len(made) != 0 {
		t.Fatalf("a bad configuration made it %v", made)
	}
	n := b.ni(ni1)
	if !n.Activated || n.NetworkErr.Error != bad.Error ||
		n.Of != rig.Rev(b.Rig, network.Instances, ni1) {
		t.Fatalf("status %+v", n)
	}
	b.instance(local(ni1, "uplink", 1))
	b.run()
	b.up(ni1, app1)
}

func TestFailedItemIsRetriedAndTold(t *testing.T) {
	b := newBench(t)
	b.fail["service/bn1"] = agent.Fault{Code: "unsupported", Text: "no dnsmasq", Retry: true}
	b.instance(local(ni1, "uplink", 1))
	b.run()
	if n := b.ni(ni1); n.Activated || n.NetworkErr.Error != "no dnsmasq" {
		t.Fatalf("status %+v", n)
	}
	delete(b.fail, "service/bn1")
	b.Advance(2e9)
	b.run()
	b.up(ni1)
}
