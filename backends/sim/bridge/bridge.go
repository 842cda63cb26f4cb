// Package bridge is the simulated part bridge: bridges, address service, NAT and access rules of
// network instances, and the interfaces of guests, as a model that can be asked what gets through.
package bridge

import (
	"net/netip"
	"sort"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/flowlog"
	"github.com/evetwin/evetwin/backends/metadata"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Bridge is the part.
type Bridge struct {
	// Changed is told the name of an item that is to be set, with its spec, or is cleared, nil: what
	// stands beside the model, such as a user-mode network of real guests, follows it. An error says
	// why it cannot, and the item is not set.
	Changed func(item string, s *device.Spec) error
	// Lacks reports that the device has no interface of a name; nil: it has all.
	Lacks func(ifname string) bool
	// NoVLAN is a kernel whose bridges do not filter VLANs.
	NoVLAN bool
	// Keeper has the device's secrets; nil knows none.
	Keeper *secret.Keeper

	pt    *host.Part
	items *bus.Pub[device.ItemSeen]
	seen  *bus.Pub[device.VifSeen]
	specs map[string]device.Spec
	vifs  map[string]*vif
	desk  *metadata.Desk
	open  []*openFlow // in the order in which they were opened
	log   *flowlog.Queue
	may   *bus.Pub[device.RecordsSeen]
}

// vif is a guest's interface that exists.
type vif struct {
	mac string
	ips []netip.Addr
	gen int
	// asks says that the guest asks for an address.
	asks bool
}

// Wire serves the ops of the part.
func (b *Bridge) Wire(k *host.Kernel) {
	pt := k.Part("bridge")
	b.pt = pt
	b.items, b.seen = bus.Publish(pt, device.Items), bus.Publish(pt, device.Vifs)
	b.specs, b.vifs = map[string]device.Spec{}, map[string]*vif{}
	b.desk = metadata.New(pt, b.Keeper)
	b.open, b.log = nil, flowlog.New(k.BootCount()+1)
	b.may = bus.Publish(pt, device.Records)
	b.may.Put(device.RecordsSeen{})
	b.items.Complete()
	b.seen.Complete()
	b.may.Complete()
	b.desk.Complete()
	host.Serve(pt, device.Set, b.set)
	host.Serve(pt, device.Clear, b.clear)
	host.Serve(pt, device.Offer, b.offer)
	host.Serve(pt, device.Counters, b.counters)
	host.Serve(pt, device.Flows, b.flows)
}

func (b *Bridge) set(c host.Run[device.SetReq, device.None]) {
	c.After(c.Latency(2*time.Millisecond, 40*time.Millisecond), func() {
		q := c.Req()
		if code, why := b.refuses(q.Item, &q.Spec); code != "" {
			c.Fail(code, "set "+q.Item+": "+why, code == device.FaultMissing)
			return
		}
		if b.Changed != nil {
			if err := b.Changed(q.Item, &q.Spec); err != nil {
				c.Fail(device.FaultUnsupported, "set "+q.Item+": "+err.Error(), false)
				return
			}
		}
		b.specs[q.Item] = q.Spec
		b.items.Put(device.ItemSeen{Item: q.Item, Spec: q.Spec})
		b.follow(q.Item)
		b.relog(q.Item)
		c.Done(device.None{})
	})
}

// refuses says why an item cannot be set, as a fault code and a text.
func (b *Bridge) refuses(item string, s *device.Spec) (code, why string) {
	kind, name, _ := strings.Cut(item, "/")
	fits := map[string]bool{"bridge": s.Bridge != nil, "service": s.Service != nil,
		"nat": s.NAT != nil, "vif": s.Vif != nil}
	if !fits[kind] || name == "" || len(name) > longest || strings.ContainsAny(name, "/ \t\n") {
		return device.FaultRefused, "the spec does not fit the item"
	}
	if why := device.Sane(s); why != "" {
		return device.FaultRefused, why
	}
	on := name
	if s.Vif != nil {
		on = s.Vif.Bridge
	}
	if s.Bridge == nil && !b.Has(on) {
		return device.FaultMissing, "there is no bridge " + on
	}
	if s.Bridge != nil {
		for _, p := range s.Bridge.Ports {
			if b.Lacks != nil && b.Lacks(p) {
				return device.FaultMissing, "there is no interface " + p
			}
		}
	}
	if s.Vif != nil {
		if other := b.taken(name, s.Vif); other != "" {
			return device.FaultRefused, "a mapped port is taken by " + other
		}
		if b.NoVLAN && s.Vif.VLAN > 0 && s.Vif.Up && b.vifs[name] != nil {
			return device.FaultUnsupported, "this kernel lacks " + FeatureVLAN
		}
	}
	return "", ""
}

// longest is how long the name of an interface may be.
const longest = 15

// FeatureVLAN is what faults call the filtering of VLANs in bridges.
const FeatureVLAN = "bridge VLAN filtering"

// taken is another interface that maps a port that this one wants, empty if there is none.
func (b *Bridge) taken(name string, v *device.VifSpec) string {
	for _, item := range b.names("vif/") {
		if item != "vif/"+name && device.Contend(b.specs[item].Vif, v) {
			return item
		}
	}
	return ""
}

func (b *Bridge) names(prefix string) []string {
	var out []string
	for item := range b.specs { //order: sorted below
		if strings.HasPrefix(item, prefix) {
			out = append(out, item)
		}
	}
	sort.Strings(out)
	return out
}

// plugged are the interfaces that exist, sorted.
func (b *Bridge) plugged() []string {
	names := make([]string, 0, len(b.vifs))
	for n := range b.vifs { //order: sorted below
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (b *Bridge) clear(c host.Run[device.ClearReq, device.None]) {
	c.After(c.Latency(2*time.Millisecond, 30*time.Millisecond), func() {
		item := c.Req().Item
		if name, ok := strings.CutPrefix(item, "bridge/"); ok && b.specs[item].Bridge != nil {
			if user := b.user(name); user != "" {
				c.Fail(device.FaultBusy, "clear "+item+": "+user+" stands on it", true)
				return
			}
		}
		if _, had := b.specs[item]; had && b.Changed != nil {
			_ = b.Changed(item, nil) // nothing stands in the way of the end of an item
		}
		delete(b.specs, item)
		b.items.Delete(item)
		b.follow(item)
		b.relog(item)
		c.Done(device.None{})
	})
}

func (b *Bridge) user(bridge string) string {
	for _, item := range b.names("") {
		s := b.specs[item]
		if s.Vif != nil && s.Vif.Bridge == bridge || item == "service/"+bridge || item == "nat/"+bridge {
			return item
		}
	}
	return ""
}

// counters grow with the time a guest has been attached.
func (b *Bridge) counters(c host.Run[device.CountersReq, device.CountersRes]) {
	c.After(c.Latency(20*time.Microsecond, 200*time.Microsecond), func() {
		var res device.CountersRes
		for _, n := range b.plugged() {
			t := uint64(b.pt.Now() / time.Second)
			res.Counters = append(res.Counters, device.Counter{Vif: n, TxBytes: t * 300, RxBytes: t * 500,
				TxPkts: t, RxPkts: t})
		}
		c.Done(res)
	})
}
