package conform

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
)

// Networking is what the suite needs of a part bridge beside a part hyper.
type Networking struct {
	// Reach asks the Lasting guest of an application something at its port ServedPort, over "tcp" or
	// "udp", by way of a mapped port of the device; an error says that nobody answered. It runs on
	// the device's loop.
	Reach func(app, proto string, port uint16) error
	// IPv6 says that ports can be mapped to addresses of IPv6.
	IPv6 bool
}

// ServedPort is where a Lasting guest answers, over TCP and UDP.
const ServedPort = 8080

// mappedPort is the device's.
const mappedPort = 18080

// The network of the suite.
var (
	subnet  = netip.MustParsePrefix("10.77.0.0/24")
	gateway = netip.MustParseAddr("10.77.0.1")
	ours    = bridge.Host{MAC: "02:16:3e:00:00:05", IP: netip.MustParseAddr("10.77.0.5")}
	others  = bridge.Host{MAC: "02:16:3e:00:00:06", IP: netip.MustParseAddr("10.77.0.6")}
)

const (
	bridgeName  = "bn77"
	vifName     = "nbu1x77"
	bridgeItem  = "bridge/" + bridgeName
	serviceItem = "service/" + bridgeName
	natItem     = "nat/" + bridgeName
	vifItem     = "vif/" + vifName
	natPort     = "eth0"
)

// netBench is a hyperBench with a part bridge.
type netBench struct {
	*hyperBench
	set   *calls[bridge.SetReq, bridge.None]
	clear *calls[bridge.ClearReq, bridge.None]
	items *bus.Sub[bridge.ItemSeen]
	vifs  *bus.Sub[bridge.VifSeen]
}

func newNetBench(t *testing.T, mk func(*testing.T) HyperSetup) *netBench {
	t.Helper()
	x := &netBench{set: newCalls(bridge.Set), clear: newCalls(bridge.Clear)}
	x.hyperBench = newHyperBench(t, mk, func(b *bench, p bus.Port) []looker {
		x.items, x.vifs = bus.Subscribe(p, bridge.Items), bus.Subscribe(p, bridge.Vifs)
		x.set.attach(b, p)
		x.clear.attach(b, p)
		return []looker{x.set, x.clear}
	})
	x.until(t, "complete tables of the bridge", func() bool {
		return x.items.Complete() && x.vifs.Complete()
	})
	return x
}

// networks checks guests with interfaces.
func (x *netBench) networks(t *testing.T) {
	t.Run("bridge is missing", x.unbridged)
	t.Run("cable hangs loose", x.loose)
	t.Run("address and ports", x.served)
	t.Run("another guest's address", x.neighbour)
	t.Run("cable is pulled", x.pulled)
	t.Run("ports that cannot be mapped", x.unmapped)
	t.Run("the next run asks anew", x.anew)
	t.Run("all is taken away", x.cleared)
}

// guest is a guest with an interface.
func (x *netBench) guest() hyper.Spec {
	s := x.lasting()
	s.Vifs = []hyper.Vif{{Name: vifName, Bridge: bridgeName, MAC: ours.MAC, IP: ours.IP, MTU: 1500}}
	return s
}

func (x *netBench) sets(t *testing.T, item string, s bridge.Spec) {
	t.Helper()
	var got *bridge.ItemSeen
	x.set.does(t, bridge.SetReq{Item: item, Spec: s}, func() { got = x.items.Get(item) })
	if got == nil || !bridge.Items.Equal(got, &bridge.ItemSeen{Item: item, Spec: s}) {
		t.Errorf("item %s comes back as %+v, was %+v", item, got, s)
	}
}

// service is the address service with reservations.
func service(hosts ...bridge.Host) bridge.Spec {
	return bridge.Spec{Service: &bridge.ServiceSpec{Subnet: subnet, Gateway: gateway,
		Start: others.IP.Next(), End: others.IP.Next(), Hosts: hosts, MTU: 1400}}
}

// vif is the interface of the guest with its ports mapped.
func vif(up bool) bridge.Spec {
	v := &bridge.VifSpec{Bridge: bridgeName, MAC: ours.MAC, IP: ours.IP, MTU: 1500, Up: up,
		AppID: lastingApp, Adapter: "lan", Rules: []bridge.Rule{{RuleID: 1}}}
	for _, proto := range []string{"tcp", "udp"} {
		v.PortMaps = append(v.PortMaps, bridge.PortMap{Protocol: proto, In: []string{natPort},
			Port: mappedPort, Target: ours.IP, ToPort: ServedPort})
	}
	return bridge.Spec{Vif: v}
}

// comes waits until the interface is attached or not, and has its address or not.
func (x *netBench) comes(t *testing.T, attached, addressed bool) {
	t.Helper()
	x.until(t, "the interface", func() bool {
		v := x.vifs.Get(vifName)
		return v != nil && v.Attached == attached &&
			slices.Equal(v.IPs, []netip.Addr{ours.IP}) == addressed && (addressed || len(v.IPs) == 0)
	})
}

// reaches wants the guest to answer at its mapped ports, or nobody.
func (x *netBench) answers(t *testing.T, want bool) {
	t.Helper()
	for _, proto := range []string{"tcp", "udp"} {
		var err error
		x.outside(t, func() { err = x.Networking.Reach(lastingApp, proto, mappedPort) })
		if (err == nil) != want {
			t.Errorf("the guest answers over %s: %v (%v), want %v", proto, err == nil, err, want)
		}
	}
}

// up waits until the guest listens.
func (x *netBench) up(t *testing.T) {
	t.Helper()
	if x.Up != nil {
		x.Up(t, lastingApp)
	}
}

// unbridged starts a guest whose bridge is not there.
func (x *netBench) unbridged(t *testing.T) {
	s := x.guest()
	var defined domain
	x.create.does(t, hyper.CreateReq{Spec: s}, x.into(&defined, s.Name))
	defined.is(t, s, hyper.Defined)
	x.start.refuses(t, hyper.NameReq{Name: s.Name}, hyper.FaultMissing, true)
	x.see(t, s.Name).same(t, defined)
	x.nothingRuns(t)
	x.turn(t, func() {
		if v := x.vifs.Get(vifName); v != nil {
			t.Errorf("a guest that did not start has interface %+v", *v)
		}
	})
}

// loose starts a guest on a bridge that has nothing else yet.
func (x *netBench) loose(t *testing.T) {
	s := x.guest()
	x.sets(t, bridgeItem, bridge.Spec{Bridge: &bridge.BridgeSpec{MAC: "02:16:3e:00:00:01", MTU: 1500,
		Addr: netip.PrefixFrom(gateway, subnet.Bits())}})
	var d domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
	x.comes(t, false, false)
	x.answers(t, false)
}

// served plugs it in: it gets its address and answers at its mapped ports.
func (x *netBench) served(t *testing.T) {
	d := x.see(t, x.guest().Name)
	x.sets(t, serviceItem, service(ours))
	x.sets(t, natItem, bridge.Spec{NAT: &bridge.NATSpec{Subnet: subnet, Out: []string{natPort},
		Table: 877, Via: natPort}})
	x.sets(t, vifItem, vif(true))
	x.comes(t, true, true)
	x.up(t)
	x.answers(t, true)
	x.see(t, x.guest().Name).same(t, d)
}

// neighbour adds a reservation: nobody else notices.
func (x *netBench) neighbour(t *testing.T) {
	x.sets(t, serviceItem, service(ours, others))
	x.sets(t, vifItem, vif(true))
	x.answers(t, true)
	x.comes(t, true, true)
}

// pulled takes the interface out of its bridge and puts it back, by its item's state, and by the
// item itself. The guest keeps what it had.
func (x *netBench) pulled(t *testing.T) {
	d := x.see(t, x.guest().Name)
	x.sets(t, vifItem, vif(false))
	x.comes(t, false, true)
	x.answers(t, false)
	x.sets(t, vifItem, vif(true))
	x.comes(t, true, true)
	x.answers(t, true)
	for range 2 {
		x.clear.does(t, bridge.ClearReq{Item: vifItem}, nil)
		x.comes(t, false, true)
		x.answers(t, false)
	}
	x.sets(t, vifItem, vif(true))
	x.comes(t, true, true)
	x.answers(t, true)
	x.see(t, x.guest().Name).same(t, d)
}

// unmapped asks for ports that no machine, or not this one, can map: the item stays as it was.
func (x *netBench) unmapped(t *testing.T) {
	refused := func(s bridge.Spec, code string) {
		t.Helper()
		x.set.refuses(t, bridge.SetReq{Item: vifItem, Spec: s}, code, false)
		x.turn(t, func() {
			got, want := x.items.Get(vifItem), bridge.ItemSeen{Item: vifItem, Spec: vif(true)}
			if got == nil || !bridge.Items.Equal(got, &want) {
				t.Errorf("after a refusal the item is %+v", got)
			}
		})
		x.answers(t, true)
	}
	s := vif(true)
	s.Vif.PortMaps[0].Protocol = "icmp"
	refused(s, bridge.FaultRefused)
	s = vif(true)
	s.Vif.PortMaps = append(s.Vif.PortMaps, bridge.PortMap{Protocol: "tcp", In: []string{natPort},
		Port: mappedPort + 1, Target: netip.MustParseAddr("fd00:77::5"), ToPort: ServedPort})
	if !x.Networking.IPv6 {
		refused(s, bridge.FaultUnsupported)
	}
}

// anew turns the guest off and on: its interface goes and comes, without an address until it asks.
func (x *netBench) anew(t *testing.T) {
	s := x.guest()
	x.stop.does(t, hyper.StopReq{Name: s.Name, Force: true}, nil)
	x.until(t, "no interface", func() bool { return x.vifs.Get(vifName) == nil })
	x.answers(t, false)
	first := true
	x.start.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.until(t, "the interface with its address", func() bool {
		v := x.vifs.Get(vifName)
		if v != nil && first && len(v.IPs) > 0 {
			t.Error("a guest that has only just been started has its address")
		}
		first = first && v == nil
		return v != nil && v.Attached && len(v.IPs) > 0
	})
	x.up(t)
	x.answers(t, true)
}

// cleared takes the network from under the guest, in the only order there is; the guest runs on.
func (x *netBench) cleared(t *testing.T) {
	s := x.guest()
	d := x.see(t, s.Name)
	x.clear.refuses(t, bridge.ClearReq{Item: bridgeItem}, bridge.FaultBusy, true)
	x.answers(t, true)
	for _, item := range []string{vifItem, natItem, serviceItem, bridgeItem} {
		x.clear.does(t, bridge.ClearReq{Item: item}, nil)
	}
	x.comes(t, false, true)
	x.answers(t, false)
	x.see(t, s.Name).same(t, d)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.until(t, "no interface", func() bool { return x.vifs.Get(vifName) == nil })
	x.gone(t)
}
