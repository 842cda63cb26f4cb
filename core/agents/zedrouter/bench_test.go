package zedrouter

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	ni1  = "00000000-0000-4000-8000-000000000001"
	ni2  = "00000000-0000-4000-8000-000000000002"
	app1 = "00000000-0000-4000-8000-0000000000a1"
	app2 = "00000000-0000-4000-8000-0000000000a2"
	app3 = "00000000-0000-4000-8000-0000000000a3"
)

// bench is zedrouter with a part bridge that does what it is told when told to.
type bench struct {
	*rig.Rig
	t     *testing.T
	made  []string // calls carried out, in order
	crash bool     // kill the agent after every step of the part
	fail  map[string]agent.Fault
}

func newBench(t *testing.T) *bench {
	b := &bench{Rig: rig.New(t, "zedrouter", New), t: t, fail: map[string]agent.Fault{}}
	b.boot()
	return b
}

// boot publishes what is there after a boot.
func (b *bench) boot() {
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{
		DeviceUUID: "11111111-2222-4333-8444-555555555555"})
	rig.Complete(b.Rig, bridge.Items)
	rig.Complete(b.Rig, bridge.Vifs)
	b.ports(port("eth0"), port("eth1"))
	b.complete()
}

// complete says that every configuration is known.
func (b *bench) complete() {
	rig.Complete(b.Rig, network.Instances)
	rig.Complete(b.Rig, network.AppNetworks)
	rig.Complete(b.Rig, app.Configs)
	rig.Complete(b.Rig, network.PhysicalIO)
}

// port is a management port "eth<n>" with the address 192.168.<n>.10.
func port(name string) network.NetworkPortStatus {
	net := "192.168." + strings.TrimLeft(name, "ethwlanv") + "."
	return network.NetworkPortStatus{IfName: name, Phylabel: name, Logicallabel: name, IsMgmt: true,
		IsL3Port: true, Dhcp: network.DhcpClient, Up: true, MTU: 1500,
		SharedLabels:   []string{"all", "uplink"},
		AddrInfoList:   []netip.Prefix{netip.MustParsePrefix(net + "10/24")},
		DefaultRouters: []netip.Addr{netip.MustParseAddr(net + "1")},
		DNSServers:     []netip.Addr{netip.MustParseAddr(net + "53")}}
}

func (b *bench) ports(list ...network.NetworkPortStatus) {
	rig.Put(b.Rig, network.DNS, network.DeviceNetworkStatus{DPCKey: "zedagent", Ports: list})
}

// local is a local instance 10.1.<n>.0/24 on a label, with a range of 10 addresses from .2.
func local(id, label string, n int) network.NetworkInstanceConfig {
	at := func(x int) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, byte(n), byte(x)}) }
	return network.NetworkInstanceConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id, Version: "1"},
		DisplayName: "ni-" + strconv.Itoa(n), Type: network.NILocal, Activate: true, IpType: 1,
		Subnet: netip.PrefixFrom(at(0), 24), Gateway: at(1), PortLabel: label,
		DhcpRange: network.IPRange{Start: at(2), End: at(11)}}
}

func (b *bench) instance(c network.NetworkInstanceConfig) { rig.Put(b.Rig, network.Instances, c) }

// guest is an application with an interface on each instance; its rules let everything through.
func guest(id string, nis ...string) network.AppNetworkConfig {
	out := network.AppNetworkConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id, Version: "1"},
		DisplayName: "app-" + id[len(id)-2:], Activate: true}
	count := map[string]uint32{}
	for i, ni := range nis {
		out.AppNetAdapterList = append(out.AppNetAdapterList, network.AppNetAdapterConfig{
			Name: "eth" + strconv.Itoa(i), Network: ni, IfIdx: count[ni], ACLs: []network.ACE{allow()}})
		count[ni]++
	}
	return out
}

func allow() network.ACE {
	return network.ACE{RuleID: 1, Matches: []network.ACEMatch{{Type: "ip", Value: "0.0.0.0/0"}}}
}

func forward(id int32, proto, from string, to int) network.ACE {
	return network.ACE{RuleID: id, Matches: []network.ACEMatch{{Type: "protocol", Value: proto},
		{Type: "lport", Value: from}}, Actions: []network.ACEAction{{PortMap: true, TargetPort: to}}}
}

func (b *bench) app(c network.AppNetworkConfig) { rig.Put(b.Rig, network.AppNetworks, c) }

// run carries out every call until there is none, one at a time, and returns what was done.
func (b *bench) run() []string {
	b.t.Helper()
	b.made = nil
	b.Step()
	for range 1000 {
		if !b.one() {
			return b.made
		}
		if b.crash {
			b.Crash()
		}
		b.Step()
	}
	b.t.Fatalf("no end of it: %v", b.made[len(b.made)-10:])
	return nil
}

// one carries out one call, as the part would.
func (b *bench) one() bool {
	for _, c := range rig.Calls(b.Rig, bridge.Clear) {
		name, isBridge := strings.CutPrefix(c.Key, "bridge/")
		for _, row := range rig.Rows(b.Rig, bridge.Items) {
			if isBridge && row.Item != c.Key && (strings.HasSuffix(row.Item, "/"+name) ||
				row.Spec.Vif != nil && row.Spec.Vif.Bridge == name) {
				b.t.Fatalf("%s is cleared below %s", c.Key, row.Item)
			}
		}
		rig.Delete(b.Rig, bridge.Items, c.Key)
		rig.Done(b.Rig, bridge.Clear, c.Key, bridge.None{})
		b.made = append(b.made, "clear "+c.Key)
		return true
	}
	for _, c := range rig.Calls(b.Rig, bridge.Set) {
		b.made = append(b.made, "set "+c.Key)
		if f, ok := b.fail[c.Key]; ok {
			rig.Fail(b.Rig, bridge.Set, c.Key, f)
			return true
		}
		rig.Put(b.Rig, bridge.Items, bridge.ItemSeen{Item: c.Key, Spec: c.Req.Spec})
		rig.Done(b.Rig, bridge.Set, c.Key, bridge.None{})
		return true
	}
	return false
}

func (b *bench) ni(id string) *network.NetworkInstanceStatus {
	return rig.Get(b.Rig, network.InstanceStatus, id)
}

func (b *bench) net(id string) *network.AppNetworkStatus {
	return rig.Get(b.Rig, network.AppNetworkStatuses, id)
}

// up wants an instance or an application to be connected without an error.
func (b *bench) up(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		if n := b.ni(id); n != nil && n.Activated && n.NetworkErr.Error == "" && !n.ChangeInProgress {
			continue
		}
		if a := b.net(id); a != nil && a.Activated && a.Error == "" && !a.PendingAdd &&
			!a.PendingModify && a.Of == rig.Rev(b.Rig, network.AppNetworks, id) {
			continue
		}
		b.t.Fatalf("%s is not up\n%s", id, b.Dump())
	}
}

func (b *bench) item(key string) bridge.Spec {
	b.t.Helper()
	row := rig.Get(b.Rig, bridge.Items, key)
	if row == nil {
		b.t.Fatalf("no item %s\n%s", key, b.Dump())
	}
	return row.Spec
}

func (b *bench) vif(name string) *bridge.VifSpec { b.t.Helper(); return b.item("vif/" + name).Vif }

func (b *bench) ip(id string) string {
	b.t.Helper()
	a := b.net(id)
	if a == nil || len(a.AppNetAdapterList) == 0 {
		b.t.Fatalf("no interface of %s\n%s", id, b.Dump())
	}
	return a.AppNetAdapterList[0].AllocatedIPv4Addr.String()
}
