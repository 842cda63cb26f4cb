package conform

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
)

// BridgeSetup is a part bridge to check. The device has two interfaces for the outside, eth0 with
// address 10.99.0.7/24 and router 10.99.0.1, and eth1 without any.
type BridgeSetup struct {
	Setup
	// Appear has the hypervisor make a guest's interface; asks says that its guest asks for an
	// address. On the device's loop, as all of these.
	Appear func(vif, mac string, asks bool)
	// Vanish is the end of the guest and its interface.
	Vanish func(vif string)
	// Meddle has somebody on the device take away what an item put there; a service is killed.
	// BridgeFirewall is all access rules and translation.
	Meddle func(what string)
	// Reach opens a connection from outside to a TCP port of the device and reports whether a guest
	// answers.
	Reach func(port uint16) bool
	// Ask has the guest of an interface make a request of the metadata service; from, if valid, is an
	// address that it takes beside its own. Not on the device's loop; do runs something there.
	Ask func(do func(func()), vif string, from netip.Addr, r BridgeRequest) BridgeAnswer
	// Talk has datagrams pass, and returns when their answers have come, or do not come any more;
	// Rest lets all flows up to now, and those that follow, rest for long enough to be recorded;
	// Resolve has a guest ask the service of its bridge for a name. As Ask.
	Talk    func(do func(func()), k BridgeTalk)
	Rest    func(do func(func()))
	Resolve func(do func(func()), vif, name string)
	// Outside reports whether the metadata service answers somebody outside; not on the loop, either.
	Outside func() bool
}

// BridgeFirewall is all access rules and translation, for Meddle.
const BridgeFirewall = "firewall"

// Needs of cases on part bridge.
const (
	NeedsBridgeVLAN   = "bridge VLAN filtering"
	NeedsNoBridgeVLAN = "a kernel without bridge VLAN filtering"
)

// Names and addresses of the cases. A guest serves TCP on port BridgePort of its address.
const (
	BridgePort = 80
	brName     = "bn1"
	brMAC      = "00:16:3e:01:02:01"
	vifA       = "nbu1x1"
	vifB       = "nbu1x2"
	macA       = "02:16:3e:00:00:0a"
	macB       = "02:16:3e:00:00:0b"
	ipA        = "10.1.0.2"
	ipB        = "10.1.0.3"
)

// Bridge checks a part bridge on a backend. mk makes one; it is called more than once and cleans up
// with t.
func Bridge(t *testing.T, b Backend, mk func(t *testing.T) BridgeSetup) {
	s := suite[*bridgeBench]{part: "bridge", groups: bridgeCases(),
		show: map[string]func(any) string{
			bridge.Items.String(): func(row any) string {
				i := row.(*bridge.ItemSeen)
				return i.Item + " " + specText(i.Spec)
			},
			bridge.Vifs.String(): func(row any) string {
				v := row.(*bridge.VifSeen)
				four := slices.DeleteFunc(slices.Clone(v.IPs), netip.Addr.Is6)
				return fmt.Sprintf("%s attached %v uses %v", v.Vif, v.Attached, four)
			},
			// A model knows of flows without looking.
			bridge.Records.String(): func(any) string { return "" },
			bridge.Posts.String(): func(row any) string {
				p := row.(*bridge.PostSeen)
				return fmt.Sprintf("%s posted %d bytes: %.40q", p.Key(), len(p.Body), p.Body)
			}}}
	s.run(t, b, func(t *testing.T) *bridgeBench { return newBridgeBench(t, mk) })
}

// bridgeBench is a device with a part bridge alone.
type bridgeBench struct {
	itemBench[bridge.ItemSeen, bridge.SetReq, bridge.ClearReq, bridge.None]
	BridgeSetup
	vifs     *bus.Sub[bridge.VifSeen]
	counters *calls[bridge.CountersReq, bridge.CountersRes]
	offered  *bus.Sub[bridge.OfferSeen]
	posted   *bus.Sub[bridge.PostSeen]
	records  *bus.Sub[bridge.RecordsSeen]
	offer    *calls[bridge.OfferReq, bridge.None]
	flows    *calls[bridge.FlowsReq, bridge.FlowsRes]
	mark     bridge.FlowMark // up to which the records of flows are safe
}

func newBridgeBench(t *testing.T, mk func(t *testing.T) BridgeSetup) *bridgeBench {
	t.Helper()
	x := &bridgeBench{BridgeSetup: mk(t), counters: newCalls(bridge.Counters),
		offer: newCalls(bridge.Offer), flows: newCalls(bridge.Flows),
		itemBench: newItemBench(bridge.Set, bridge.Clear,
			func(i *bridge.ItemSeen) any { return i.Spec })}
	x.bench = newBench(t, x.Setup, "zedrouter", x.state, func(b *bench, p bus.Port) []looker {
		x.vifs = bus.Subscribe(p, bridge.Vifs)
		x.offered, x.posted = bus.Subscribe(p, bridge.Offers), bus.Subscribe(p, bridge.Posts)
		x.records = bus.Subscribe(p, bridge.Records)
		x.counters.attach(b, p)
		x.offer.attach(b, p)
		x.flows.attach(b, p)
		return append(x.attach(b, p, bridge.Items), x.counters, x.offer, x.flows)
	})
	x.booted(t)
	return x
}

// booted waits until the part has looked at everything.
func (x *bridgeBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "complete tables", func() bool { return x.items.Complete() && x.vifs.Complete() })
}

// apply sets an item and wants it seen.
func (x *bridgeBench) apply(t *testing.T, item string, s bridge.Spec) {
	t.Helper()
	x.sets(t, item, bridge.SetReq{Item: item, Spec: s}, s)
}

// drop clears an item and wants it gone.
func (x *bridgeBench) drop(t *testing.T, item string) {
	t.Helper()
	x.clears(t, item, bridge.ClearReq{Item: item})
}

// again sets an item as it is and wants no row.
func (x *bridgeBench) again(t *testing.T, item string, s bridge.Spec) {
	t.Helper()
	var was uint64
	x.turn(t, func() { was = x.items.Rev(item) })
	x.apply(t, item, s)
	x.turn(t, func() {
		if x.items.Rev(item) != was {
			t.Error("setting the same again put a row")
		}
	})
}

// meddles has somebody take something away, and waits until an item vanished.
func (x *bridgeBench) meddles(t *testing.T, what string, items ...string) {
	t.Helper()
	x.outside(t, func() { x.Meddle(what) })
	for _, item := range items {
		x.lost(t, item)
	}
}

// appears has a guest's interface appear, and waits until it is seen as it is to be.
func (x *bridgeBench) appears(t *testing.T, vif, mac string, asks, attached bool) {
	t.Helper()
	x.outside(t, func() { x.Appear(vif, mac, asks) })
	x.attaches(t, vif, attached)
}

// attaches waits until an interface is attached, or is there and is not.
func (x *bridgeBench) attaches(t *testing.T, vif string, attached bool) {
	t.Helper()
	x.until(t, fmt.Sprintf("%s with attached %v", vif, attached), func() bool {
		v := x.vifs.Get(vif)
		return v != nil && v.Attached == attached
	})
}

// uses waits until a guest uses an address.
func (x *bridgeBench) uses(t *testing.T, vif, ip string) {
	t.Helper()
	x.until(t, vif+" with "+ip, func() bool {
		v := x.vifs.Get(vif)
		return v != nil && slices.Contains(v.IPs, netip.MustParseAddr(ip))
	})
}

// vanishes is the end of a guest.
func (x *bridgeBench) vanishes(t *testing.T, vif string) {
	t.Helper()
	x.outside(t, func() { x.Vanish(vif) })
	x.until(t, vif+" to vanish", func() bool { return x.vifs.Get(vif) == nil })
}

// reach wants a port of the device to lead to a guest, or not.
func (x *bridgeBench) reach(t *testing.T, port uint16, want bool) {
	t.Helper()
	x.outside(t, func() {
		if got := x.Reach(port); got != want {
			t.Errorf("a connection to port %d: answered %v, want %v", port, got, want)
		}
	})
}

// Specs of items.
func brSpec() bridge.Spec {
	return bridge.Spec{Bridge: &bridge.BridgeSpec{MAC: brMAC, MTU: 1400,
		Addr: netip.MustParsePrefix("10.1.0.1/24")}}
}

func serviceSpec(hosts ...bridge.Host) bridge.Spec {
	at := netip.MustParseAddr
	return bridge.Spec{Service: &bridge.ServiceSpec{Subnet: netip.MustParsePrefix("10.1.0.0/24"),
		Gateway: at("10.1.0.1"), Start: at(ipA), End: at("10.1.0.100"), Domain: "apps.example",
		LeaseTime: time.Hour, MTU: 1400, Hosts: hosts,
		Names: []bridge.Name{{Name: "router", IPs: []netip.Addr{at("10.1.0.1")}}}}}
}

func hostOf(mac, ip string) bridge.Host {
	return bridge.Host{MAC: mac, IP: netip.MustParseAddr(ip), Name: "app-" + mac[15:]}
}

func natSpec(table int) bridge.Spec {
	return bridge.Spec{NAT: &bridge.NATSpec{Subnet: netip.MustParsePrefix("10.1.0.0/24"),
		Out: []string{"eth0"}, Table: table, Via: "eth0"}}
}

func vifSpec(mac, ip string, rules []bridge.Rule, maps ...bridge.PortMap) bridge.Spec {
	return bridge.Spec{Vif: &bridge.VifSpec{Bridge: brName, MAC: mac, MTU: 1400, AppID: "app",
		IP: netip.MustParseAddr(ip), Adapter: "eth0", Network: "net", Rules: rules, PortMaps: maps,
		Up: true}}
}

// mapped maps a port of eth0 to a guest's.
func mapped(port uint16, ip string) bridge.PortMap {
	return bridge.PortMap{Protocol: "tcp", In: []string{"eth0"}, Port: port, RuleID: 2,
		Target: netip.MustParseAddr(ip), ToPort: BridgePort}
}

// all admits all; web admits what a port map forwards.
func allRules() []bridge.Rule { return []bridge.Rule{{RuleID: 1}} }

func webRules(drop bool) []bridge.Rule {
	return []bridge.Rule{{RuleID: 2, Protocol: "tcp", LPort: BridgePort, Drop: drop}}
}
