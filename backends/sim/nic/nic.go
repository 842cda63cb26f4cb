// Package nic is the simulated part nic: the device's interfaces on ports of a simulated network.
package nic

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Interface describes a physical interface of the device.
type Interface struct {
	Name    string // "eth0"
	Port    string // label of the world's port it hangs on; empty: nothing is plugged in
	PCIAddr string
	Kind    string // "ether", "wlan", "wwan"; empty: "ether"
}

// Nic is the part over a network.
type Nic struct {
	World      *world.World
	Interfaces []Interface
	// Lacks names what the kernel cannot do: "VLAN", "WireGuard".
	Lacks []string
	// Keeper returns the keeper of the device's secrets; it is called at each boot. Nil: there are
	// none.
	Keeper func() *secret.Keeper
	// Clock is the time of the world.
	Clock func() time.Time

	pt    *host.Part
	rows  *bus.Pub[device.LinkSeen]
	addrs *bus.Pub[device.AddrSeen]
	items *bus.Pub[device.ItemSeen]
	links map[string]*link
	specs map[string]device.Spec
	taken map[string]bool // items that somebody took away

	keeper *secret.Keeper
}

// link is an interface that exists.
type link struct {
	Interface
	index  int
	mac    world.MAC
	vlan   uint16
	parent string
	up     bool
	mtu    uint16
	static *device.StaticSpec
	v4     lease
	v6     lease
	clients
}

// Wire makes the interfaces anew, as after power on, and serves the ops of the part.
func (n *Nic) Wire(k *host.Kernel) {
	pt := k.Part("nic")
	n.pt = pt
	n.rows = bus.Publish(pt, device.Links)
	n.addrs = bus.Publish(pt, device.Addrs)
	n.items = bus.Publish(pt, device.Items)
	n.links, n.specs = map[string]*link{}, map[string]device.Spec{}
	n.taken = map[string]bool{}
	if n.Keeper != nil {
		n.keeper = n.Keeper()
	}
	for i, f := range n.Interfaces {
		l := &link{Interface: f, index: i + 2}
		if v, ok := n.World.Port(f.Port); ok {
			l.mac = v.MAC
		} else {
			l.mac = world.MAC{0x02, 0xfe, 0, 0, 0, byte(i)}
		}
		n.links[f.Name] = l
		n.show(l)
	}
	n.rows.Complete()
	n.addrs.Complete()
	n.items.Complete()
	host.Serve(pt, device.Set, n.set)
	host.Serve(pt, device.Clear, n.clear)
	host.Serve(pt, device.Counters, n.counters)
}

// Carrier tells that the carrier of a port of the world has changed.
func (n *Nic) Carrier(port string) {
	if n.pt == nil {
		return
	}
	n.pt.Do(func() {
		for _, name := range n.names() {
			if l := n.links[name]; l.Port == port {
				n.show(l)
				n.carrier(l)
			}
		}
	})
}

func (n *Nic) names() []string {
	out := make([]string, 0, len(n.links))
	for name := range n.links { //order: sorted below
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func (n *Nic) lower(l *link) bool {
	if l.Kind == wireGuard {
		return l.up
	}
	return l.up && l.Port != "" && n.World.Carrier(l.Port)
}

// show publishes an interface and its addresses.
func (n *Nic) show(l *link) {
	kind := l.Kind
	if kind == "" {
		kind = "ether"
	}
	row := device.LinkSeen{IfName: l.Name, Index: l.index, MAC: l.mac.String(), PCIAddr: l.PCIAddr,
		Physical: l.parent == "" && l.Kind != wireGuard, Kind: kind, Parent: l.parent, VLAN: l.vlan,
		Up: l.up, LowerUp: n.lower(l), MTU: l.mtu}
	if l.Kind == wireGuard {
		row.MAC = ""
	}
	if row.MTU == 0 {
		row.MTU = 1500
	}
	n.rows.Put(row)
	n.showAddrs(l)
}

func (n *Nic) showAddrs(l *link) {
	row := device.AddrSeen{IfName: l.Name}
	if l.up && l.Kind != wireGuard {
		row.Addrs = append(row.Addrs, netip.PrefixFrom(l.mac.LinkLocal(), 64))
	}
	if s := l.static; s != nil {
		row.Addrs = append(row.Addrs, s.Addr)
		if s.Gateway.IsValid() && !s.Gateway.IsUnspecified() {
			row.Routers = append(row.Routers, s.Gateway)
		}
	}
	for _, x := range []*lease{&l.v4, &l.v6} {
		row.Addrs = append(row.Addrs, x.addrs...)
		row.Routers = append(row.Routers, x.routers...)
		row.DNS = append(row.DNS, x.dns...)
		row.NTP = append(row.NTP, x.ntp...)
		if row.Domain == "" {
			row.Domain = x.domain
		}
		if row.WPAD == "" {
			row.WPAD = x.wpad
		}
	}
	row.Lease = l.v4.ends
	sort.Slice(row.Addrs, func(i, j int) bool { return row.Addrs[i].Addr().Less(row.Addrs[j].Addr()) })
	n.addrs.Put(row)
}

// Attach is where an interface hangs on the world.
func (l *link) attach() world.Attach {
	return world.Attach{Port: l.Port, VLAN: l.vlan, MAC: l.mac}
}

// From is where a packet of the device starts that leaves an interface from a source address; ok is
// false where the interface does not have the address. Without routes of the port it stays on the
// link.
func (n *Nic) From(ifname string, src netip.Addr) (world.From, bool) {
	l := n.links[ifname]
	if l == nil || !l.up {
		return world.From{}, false
	}
	f := world.From{Attach: l.attach(), Src: src}
	has := false
	gateways := func(list []netip.Addr) {
		for _, g := range list {
			if !f.Gateway.IsValid() && g.Is4() == src.Is4() {
				f.Gateway = g
			}
		}
	}
	if s := l.static; s != nil && s.Addr.Addr() == src {
		has = true
		gateways([]netip.Addr{s.Gateway})
	}
	for _, x := range []*lease{&l.v4, &l.v6} {
		for _, a := range x.addrs {
			has = has || a.Addr() == src
		}
		gateways(x.routers)
	}
	routed := n.applied("route/"+ifname) && !n.taken["route/"+ifname]
	if f.Gateway.IsValid() && f.Gateway.IsUnspecified() || !routed {
		f.Gateway = netip.Addr{}
	}
	return f, has
}

// Address is an address of an interface with a usable version, for what listens on it.
func (n *Nic) Address(ifname string) (netip.Addr, bool) {
	l := n.links[ifname]
	if l == nil {
		return netip.Addr{}, false
	}
	if l.static != nil {
		return l.static.Addr.Addr(), true
	}
	for _, a := range l.v4.addrs {
		return a.Addr(), true
	}
	return netip.Addr{}, false
}

// Source is an address of an interface that packets may leave from.
type Source struct {
	IfName string
	Addr   netip.Addr
}

// Sources lists the addresses of all interfaces, VLANs too, that reach beyond a link; by name of
// the interface.
func (n *Nic) Sources() []Source {
	var out []Source
	for _, name := range n.names() {
		l := n.links[name]
		addrs := slices.Concat(l.v4.addrs, l.v6.addrs)
		if l.static != nil {
			addrs = append(addrs, l.static.Addr)
		}
		for _, a := range addrs {
			if a.Addr().IsGlobalUnicast() {
				out = append(out, Source{name, a.Addr()})
			}
		}
	}
	return out
}

// counters are made of the time since boot: they grow, and differ per interface.
func (n *Nic) counters(c host.Run[device.CountersReq, device.CountersRes]) {
	c.After(c.Latency(20*time.Microsecond, 200*time.Microsecond), func() {
		var res device.CountersRes
		for _, name := range n.names() {
			l := n.links[name]
			t := uint64(n.pt.Now()/time.Second) * uint64(l.index)
			if !n.lower(l) {
				t = 0
			}
			res.Counters = append(res.Counters, device.Counter{IfName: name, TxBytes: t * 900,
				RxBytes: t * 1400, TxPkts: t, RxPkts: t})
		}
		c.Done(res)
	})
}

// kind splits an item's key.
func kind(item string) (what, ifname string) {
	what, ifname, _ = strings.Cut(item, "/")
	return what, ifname
}

// VLANName is the usual name of a VLAN sub-interface.
func VLANName(parent string, id uint16) string { return parent + "." + strconv.Itoa(int(id)) }
