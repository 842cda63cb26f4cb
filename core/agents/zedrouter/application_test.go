package zedrouter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// identity is what an application must get again.
func (b *bench) identity(id string) string {
	b.t.Helper()
	a := b.net(id)
	if a == nil || !a.Activated {
		b.t.Fatalf("%s is not connected\n%s", id, b.Dump())
	}
	return strconv.Itoa(a.AppNum) + " " + a.AppNetAdapterList[0].Mac + " " + b.ip(id)
}

// knows configures applications at zedagent, which zedmanager may not have looked at yet.
func (b *bench) knows(list ...network.AppNetworkConfig) {
	for _, c := range list {
		rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{UUIDandVersion: c.UUIDandVersion,
			AppNetAdapterList: c.AppNetAdapterList})
	}
}

func TestNET24_NumbersOutliveCrashAndReboot(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	for _, id := range []string{app1, app2, app3} {
		b.app(guest(id, ni1))
		b.run() // one after the other, so that numbers follow
	}
	one, three := b.identity(app1), b.identity(app3)
	if !strings.HasPrefix(one, "1 ") || b.ip(app3) != "10.1.1.4" {
		t.Fatalf("identities %q, %q", one, three)
	}
	b.Crash()
	b.run()
	if b.identity(app3) != three {
		t.Fatalf("after a crash: %q, was %q", b.identity(app3), three)
	}
	b.Reboot()
	b.boot()
	b.knows(guest(app1, ni1), guest(app3, ni1)) // app2 was deleted while the device was off
	b.instance(local(ni1, "uplink", 1))
	b.run()
	b.Advance(20 * time.Minute) // the images take long
	b.app(guest(app3, ni1))
	b.run()
	b.app(guest(app1, ni1))
	b.run()
	if b.identity(app1) != one || b.identity(app3) != three {
		t.Fatalf("after a reboot: %q, %q; were %q, %q", b.identity(app1), b.identity(app3), one, three)
	}
}

func TestNET24_NumbersOfDeletedApplicationsReturnAfterFiveMinutes(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.run()
	was := b.net(app1).AppNetAdapterList[0].VifInfo
	rig.Delete(b.Rig, network.AppNetworks, app1)
	b.run()
	row := rig.Get(b.Rig, network.Numbers, "appNum."+app1)
	if b.net(app1) != nil || row == nil || row.InUse {
		t.Fatalf("number %+v\n%s", row, b.Dump())
	}
	b.app(guest(app2, ni1))
	b.run()
	if n := b.net(app2).AppNum; n != 2 {
		t.Fatalf("a kept number was given away: %d", n)
	}
	rig.Delete(b.Rig, network.AppNetworks, app2)
	b.app(guest(app1, ni1))
	b.run()
	if now := b.net(app1).AppNetAdapterList[0].VifInfo; now != was {
		t.Fatalf("back as %q, was %q", now, was)
	}
	b.Advance(5*time.Minute + time.Second)
	b.app(guest(app3, ni1))
	b.run()
	if n := b.net(app3).AppNum; n != 2 || rig.Get(b.Rig, network.Numbers, "appNum."+app2) != nil {
		t.Fatalf("number %d; the old one is not free\n%s", n, b.Dump())
	}
}

func TestNumbersAreTakenFromThoseGoneFirst(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "", 1))
	id := func(i int) string { return "00000000-0000-4000-8000-" + strconv.Itoa(100000000000+i) }
	for i := range highest {
		b.app(network.AppNetworkConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id(i)}})
	}
	b.run()
	one := network.AppNetworkConfig{UUIDandVersion: entity.UUIDandVersion{UUID: app1}, Activate: true}
	b.app(one)
	b.run()
	if e := b.net(app1).Error; !strings.Contains(e, "no application number is free") {
		t.Fatalf("error %q", e)
	}
	gone := b.net(id(7)).AppNum
	rig.Delete(b.Rig, network.AppNetworks, id(7))
	b.run()
	if a := b.net(app1); a.Error == "" {
		t.Fatal("the number was given away at once")
	}
	b.Advance(2 * time.Second)
	if a := b.net(app1); a.AppNum != gone || a.Error != "" {
		t.Fatalf("number %d, error %q; %d went first", a.AppNum, a.Error, gone)
	}
}

func TestNET25_ExhaustionAndRecovery(t *testing.T) {
	b := newBench(t)
	c := local(ni1, "uplink", 1)
	c.DhcpRange.End = c.DhcpRange.Start
	b.instance(c)
	b.app(guest(app1, ni1))
	b.run()
	b.app(guest(app2, ni1))
	b.run()
	if a := b.net(app2); a.Activated || !strings.HasPrefix(a.Error,
		"no free IP addresses in DHCP range") || len(rig.Rows(b.Rig, network.AppInterfaceNumbers)) != 1 {
		t.Fatalf("second %+v", a)
	}
	rig.Delete(b.Rig, network.AppNetworks, app1)
	b.run()
	b.up(app2)
	if b.ip(app2) != "10.1.1.2" {
		t.Fatalf("address %s", b.ip(app2))
	}
	rig.Delete(b.Rig, network.AppNetworks, app2) // replaced in one configuration
	b.app(guest(app3, ni1))
	b.run()
	b.up(app3)
}

func TestNET25_FixedAddresses(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	fixed := func(id, ip string) network.AppNetworkConfig {
		c := guest(id, ni1)
		c.AppNetAdapterList[0].AppIPAddr = addr(ip)
		return c
	}
	for ip, want := range map[string]string{
		"10.1.1.5": "is in DHCP range", "10.2.0.1": "is not in subnet 10.1.1.0/24",
		"10.1.1.1": "is that of the network instance"} {
		b.app(fixed(app1, ip))
		b.run()
		if a := b.net(app1); a.Activated || !strings.Contains(a.Error, want) {
			t.Errorf("%s: %+v", ip, a)
		}
	}
	b.app(fixed(app1, "10.1.1.77"))
	b.run()
	b.up(app1)
	row := rig.Get(b.Rig, network.AppInterfaceNumbers, app1+"."+ni1+".0")
	if b.ip(app1) != "10.1.1.77" || row == nil || row.Number != lastNumber {
		t.Fatalf("address %s, number %+v", b.ip(app1), row)
	}
	b.app(fixed(app2, "10.1.1.77"))
	b.run()
	if e := b.net(app2).Error; !strings.Contains(e, "is taken by application "+app1) {
		t.Fatalf("error %q", e)
	}
	b.app(guest(app2, ni1))
	b.run()
	if b.ip(app2) != "10.1.1.2" {
		t.Fatalf("pool address %s", b.ip(app2))
	}
}

func TestNET32_RuleEditTouchesOneInterfaceOnly(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.app(guest(app2, ni1))
	b.run()
	was := *b.vif("nbu1x1")
	c := guest(app1, ni1)
	c.AppNetAdapterList[0].ACLs[0].Actions = []network.ACEAction{{Drop: true}}
	b.app(c)
	made := b.run()
	if !slices.Equal(made, []string{"set vif/nbu1x1"}) {
		t.Fatalf("the edit made it %v", made)
	}
	v := b.vif("nbu1x1")
	if !v.Rules[0].Drop || v.MAC != was.MAC || v.IP != was.IP {
		t.Fatalf("vif %+v", v)
	}
	b.up(app1, app2)
	bad := guest(app1, ni1) // what cannot be read leaves the rules in force as they are
	bad.AppNetAdapterList[0].ACLs = []network.ACE{{RuleID: 7, Matches: []network.ACEMatch{
		{Type: "color", Value: "red"}}}}
	b.app(bad)
	if made := b.run(); len(made) != 0 {
		t.Fatalf("a bad rule made it %v", made)
	}
	a := b.net(app1)
	if !a.Activated || !strings.Contains(a.Error, "access rule 7: match type \"color\" is unknown") ||
		a.AppNetAdapterList[0].Error == "" || !b.vif("nbu1x1").Rules[0].Drop {
		t.Fatalf("status %+v", a)
	}
}

func TestNET33_MappedPorts(t *testing.T) {
	b := newBench(t)
	lan := port("eth1")
	lan.SharedLabels = append(lan.SharedLabels, "lan")
	b.ports(port("eth0"), lan)
	b.instance(local(ni1, "uplink", 1))
	b.instance(local(ni2, "eth1", 2))
	mapping := func(id, ni, from, label string) network.AppNetworkConfig {
		c := guest(id, ni)
		ace := forward(2, "tcp", from, 22)
		if label != "" {
			ace.Matches = append(ace.Matches, network.ACEMatch{Type: "adapter", Value: label})
		}
		c.AppNetAdapterList[0].ACLs = append(c.AppNetAdapterList[0].ACLs, ace)
		return c
	}
	b.app(mapping(app1, ni1, "2222", "lan"))
	b.run()
	b.up(app1)
	m := b.vif("nbu1x1").PortMaps
	want := bridge.PortMap{Protocol: "tcp", In: []string{"eth1"}, Port: 2222,
		Target: addr("10.1.1.2"), ToPort: 22, RuleID: 2}
	if len(m) != 1 || !slices.Equal(m[0].In, want.In) || m[0].Target != want.Target ||
		m[0].Port != want.Port || m[0].ToPort != want.ToPort || m[0].Protocol != "tcp" {
		t.Fatalf("port maps %+v", m)
	}
	if r := b.vif("nbu1x1").Rules[1]; r.LPort != 22 || r.Drop || r.Protocol != "tcp" {
		t.Fatalf("the map does not admit what it forwards: %+v", r)
	}
	b.app(mapping(app2, ni2, "2222", "")) // on eth1 too, through another instance
	b.run()
	if a := b.net(app2); a.Activated ||
		a.Error != "port map of tcp port 2222 is used by application "+app1 {
		t.Fatalf("second %+v", a)
	}
	b.app(mapping(app1, ni1, "2223", "lan")) // edited: the old port is free at once
	b.run()
	b.up(app1, app2)
	if b.vif("nbu1x1").PortMaps[0].Port != 2223 {
		t.Fatal("the edit is not applied")
	}
	other := lan // the port is renumbered; the map stays with the port
	other.AddrInfoList = []netip.Prefix{netip.MustParsePrefix("172.16.0.9/24")}
	b.ports(port("eth0"), other)
	b.run()
	if !slices.Equal(b.vif("nbu1x1").PortMaps[0].In, []string{"eth1"}) {
		t.Fatal("the map did not stay with its port")
	}
}

func TestNET33_EditTakesNoPortOfAnother(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	mapping := func(id, from string) network.AppNetworkConfig {
		c := guest(id, ni1)
		c.AppNetAdapterList[0].ACLs = append(c.AppNetAdapterList[0].ACLs, forward(2, "tcp", from, 22))
		return c
	}
	for _, id := range []string{app1, app2} { // the lower number is the first one's
		b.app(mapping(id, map[string]string{app1: "2221", app2: "2222"}[id]))
		b.run()
	}
	b.up(app1, app2)
	b.app(mapping(app1, "2222"))
	for range 3 {
		b.run()
		b.Crash()
		taken := "port map of tcp port 2222 is used by application " + app2
		if a := b.net(app1); !a.Activated || a.Error != taken {
			t.Fatalf("the editor %+v", a)
		}
		if a := b.net(app2); !a.Activated || a.Error != "" {
			t.Fatalf("the owner %+v", a)
		}
		if one, two := b.vif("nbu1x1").PortMaps, b.vif("nbu1x2").PortMaps; one[0].Port != 2221 ||
			two[0].Port != 2222 {
			t.Fatalf("in force are %+v and %+v", one, two)
		}
	}
	b.app(mapping(app3, "2221")) // the editor still has it
	b.run()
	if a := b.net(app3); a.Activated || !strings.HasSuffix(a.Error, "2221 is used by application "+
		app1) {
		t.Fatalf("the third %+v", a)
	}
	b.app(mapping(app2, "2223"))
	b.run()
	b.up(app1, app2, app3)
	if one := b.vif("nbu1x1").PortMaps; one[0].Port != 2222 {
		t.Fatalf("in force is %+v", one)
	}
}

func TestPortMapsThatCannotBe(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "", 1))
	b.instance(local(ni2, "uplink", 2))
	c := guest(app1, ni1)
	c.AppNetAdapterList[0].ACLs = []network.ACE{forward(1, "tcp", "80", 80)}
	b.app(c)
	d := guest(app2, ni2)
	d.AppNetAdapterList[0].ACLs = []network.ACE{forward(1, "tcp", "80", 80),
		forward(2, "tcp", "81", 80)}
	b.app(d)
	e := guest(app3, ni2, ni2) // the same port twice in one application
	e.AppNetAdapterList[0].ACLs = []network.ACE{forward(1, "udp", "53", 53)}
	e.AppNetAdapterList[1].ACLs = []network.ACE{forward(1, "udp", "53", 53)}
	b.app(e)
	b.run()
	for id, want := range map[string]string{app1: "network with no port, has portmap",
		app2: "map to the same port 80", app3: "used by application " + app3} {
		if a := b.net(id); a.Activated || !strings.Contains(a.Error, want) {
			t.Errorf("want %q: %+v", want, a)
		}
	}
}

func TestAddressesSeenOfGuests(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.run()
	seen := func(ip string) network.AppNetAdapterStatus {
		rig.Put(b.Rig, bridge.Vifs, bridge.VifSeen{Vif: "nbu1x1", Attached: true,
			IPs: []netip.Addr{addr(ip)}})
		b.run()
		return b.net(app1).AppNetAdapterList[0]
	}
	if s := seen("10.1.1.2"); !s.IPv4Up || s.IPAddrMisMatch ||
		s.AssignedAddresses[0] != addr("10.1.1.2") {
		t.Fatalf("status %+v", s)
	}
	if s := seen("10.1.1.99"); !s.IPAddrMisMatch {
		t.Fatalf("another address is not told: %+v", s)
	}
	rig.Delete(b.Rig, bridge.Vifs, "nbu1x1")
	b.run()
	if s := b.net(app1).AppNetAdapterList[0]; s.IPv4Up || len(s.AssignedAddresses) != 0 {
		t.Fatalf("status %+v", s)
	}
}

func TestDeactivationTakesInterfacesAwayAndKeepsTheAddress(t *testing.T) {
	b := newBench(t)
	b.instance(local(ni1, "uplink", 1))
	b.app(guest(app1, ni1))
	b.run()
	off := guest(app1, ni1)
	off.Activate = false
	b.app(off)
	b.Step()
	if a := b.net(app1); !a.Activated || !a.PendingModify {
		t.Fatalf("let go before it was done: %+v", a)
	}
	b.run()
	if a := b.net(app1); a.Activated || a.PendingModify ||
		rig.Get(b.Rig, bridge.Items, "vif/nbu1x1") != nil {
		t.Fatalf("status %+v", a)
	}
	b.app(guest(app2, ni1))
	b.run()
	b.app(guest(app1, ni1))
	b.run()
	if b.ip(app1) != "10.1.1.2" || b.ip(app2) != "10.1.1.3" {
		t.Fatalf("addresses %s, %s", b.ip(app1), b.ip(app2))
	}
}
