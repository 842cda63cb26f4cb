package msrv

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const (
	ni     = "00000000-0000-4000-8000-000000000001"
	app1   = "00000000-0000-4000-8000-0000000000a1"
	app2   = "00000000-0000-4000-8000-0000000000a2"
	offer1 = app1 + ".bn1.10.1.0.2"
	offer2 = app2 + ".bn1.10.1.0.3"
)

// bench is msrv with a part bridge that does what it is told when told to.
type bench struct {
	*rig.Rig
	t *testing.T
}

func newBench(t *testing.T) *bench {
	b := &bench{rig.New(t, "msrv", New), t}
	b.boot()
	return b
}

// boot publishes what is there after a boot: an instance on a port, and two applications on it.
func (b *bench) boot() {
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: "dev"})
	rig.Put(b.Rig, node.Info, node.EdgeNodeInfo{DeviceName: "edge", ProjectName: "lab"})
	b.port("192.168.0.10/24", "fd00::10/64", "169.254.7.7/16")
	b.instance("eth0")
	b.app(app1, "10.1.0.2", nil)
	b.app(app2, "10.1.0.3", nil)
	rig.Complete(b.Rig, network.AppNetworkStatuses)
	rig.Complete(b.Rig, app.Configs)
	rig.Complete(b.Rig, bridge.Offers)
	rig.Complete(b.Rig, bridge.Posts)
}

func (b *bench) port(addrs ...string) {
	p := network.NetworkPortStatus{IfName: "eth0", Logicallabel: "eth0"}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.MustParsePrefix(a))
	}
	rig.Put(b.Rig, network.DNS, network.DeviceNetworkStatus{
		Ports: []network.NetworkPortStatus{p, {IfName: "eth1", Logicallabel: "eth1",
			AddrInfoList: []netip.Prefix{netip.MustParsePrefix("192.168.1.10/24")}}}})
}

func (b *bench) instance(ports ...string) {
	rig.Put(b.Rig, network.InstanceStatus, network.NetworkInstanceStatus{
		NetworkInstanceConfig: network.NetworkInstanceConfig{Type: network.NILocal,
			UUIDandVersion: entity.UUIDandVersion{UUID: ni}}, Ports: ports, BridgeName: "bn1",
		Vifs: []network.VifNameMac{{AppID: app1}, {AppID: app2}}})
}

// app connects an application; change may alter its interface.
func (b *bench) app(id, ip string, change func(*network.AppNetAdapterStatus)) {
	name := entity.UUIDandVersion{UUID: id, Version: "1"}
	ad := network.AppNetAdapterStatus{AllocatedIPv4Addr: netip.MustParseAddr(ip),
		BridgeIPAddr: netip.MustParseAddr("10.1.0.1")}
	ad.Network, ad.Bridge, ad.Vif = ni, "bn1", "nbu1x"+id[len(id)-1:]
	ad.AssignedAddresses = []netip.Addr{ad.AllocatedIPv4Addr}
	if change != nil {
		change(&ad)
	}
	rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{UUIDandVersion: name})
	rig.Put(b.Rig, network.AppNetworks, network.AppNetworkConfig{UUIDandVersion: name})
	rig.Put(b.Rig, network.AppNetworkStatuses, network.AppNetworkStatus{UUIDandVersion: name,
		DisplayName: "app-" + id[len(id)-2:], AppNetAdapterList: []network.AppNetAdapterStatus{ad}})
}

// serve carries out every call and returns which offers were told of.
func (b *bench) serve() []string {
	b.t.Helper()
	var out []string
	b.Step()
	for range 100 {
		calls := rig.Calls(b.Rig, bridge.Offer)
		if len(calls) == 0 {
			slices.Sort(out)
			return out
		}
		q := calls[0].Req
		if q.Spec == nil {
			rig.Delete(b.Rig, bridge.Offers, q.Offer)
			out = append(out, "not "+q.Offer)
		} else {
			rig.Put(b.Rig, bridge.Offers, bridge.OfferSeen{Offer: q.Offer, Spec: *q.Spec})
			out = append(out, q.Offer)
		}
		rig.Done(b.Rig, bridge.Offer, calls[0].Key, bridge.None{})
		b.Step()
	}
	b.t.Fatalf("msrv goes on for ever: %v", out)
	return nil
}

// serves wants exactly these offers to be told of.
func (b *bench) serves(want ...string) {
	b.t.Helper()
	slices.Sort(want)
	if got := b.serve(); !slices.Equal(got, want) {
		b.t.Fatalf("told of %q, want %q\n%s", got, want, b.Dump())
	}
}

// document is what is served at a path by an offer; nil if nothing is.
func (b *bench) document(offer, path string) *bridge.Document {
	b.t.Helper()
	o := rig.Get(b.Rig, bridge.Offers, offer)
	if o == nil {
		b.t.Fatalf("no offer %s\n%s", offer, b.Dump())
	}
	for i := range o.Spec.Documents {
		if o.Spec.Documents[i].Path == path {
			return &o.Spec.Documents[i]
		}
	}
	return nil
}

// reads wants a document to be answered in a way.
func (b *bench) reads(offer, path string, code int, body string) {
	b.t.Helper()
	d := b.document(offer, path)
	if d == nil || d.Code != code || d.Body != body {
		b.t.Fatalf("%s of %s: %+v, want %d %q", path, offer, d, code, body)
	}
}

// post has a guest post something of a kind; an empty body takes it away.
func (b *bench) post(id, kind, body string) {
	if body == "" {
		rig.Delete(b.Rig, bridge.Posts, bridge.PostSeen{App: id, Kind: kind}.Key())
	} else {
		rig.Put(b.Rig, bridge.Posts, bridge.PostSeen{App: id, Kind: kind, Body: []byte(body)})
	}
	b.Step()
}

// tells wants what an application told to be kept; empty: nothing.
func (b *bench) tells(id string, kind app.MetaDataType, want string) {
	b.t.Helper()
	got := ""
	if m := rig.Get(b.Rig, app.MetaData, app.MetaDataKey(id, kind)); m != nil {
		got = string(m.Data)
	}
	if got != want {
		b.t.Fatalf("type %d of %s is %q, want %q", kind, id, got, want)
	}
}
