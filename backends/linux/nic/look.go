package nic

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// picture is what was seen at one moment.
type picture struct {
	links []device.LinkSeen
	addrs []device.AddrSeen
	items []device.ItemSeen
}

// settling is how often a look settles what it finds before it takes the picture as it is.
const settling = 4

// look looks at the kernel, starts and ends clients as carriers are, settles what has only now
// become possible, and shows what is there.
func (m *machine) look() error {
	var failed error
	var d *dump
	for range settling {
		var err error
		if d, err = m.dump(); err != nil {
			return err
		}
		again := false
		for _, name := range m.names() {
			p := m.ports[name]
			changed, err := m.attend(p, d)
			again = again || changed
			failed = errors.Join(failed, err)
		}
		if !again || failed != nil {
			break
		}
	}
	m.retireGone(d)
	m.show(m.picture(d))
	return failed
}

// names are the interfaces that something is known about, sorted.
func (m *machine) names() []string {
	var out []string
	for name := range m.ports {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// attend sees to one interface and reports whether it changed something.
func (m *machine) attend(p *port, d *dump) (changed bool, err error) {
	l := d.Link(p.name)
	s := m.spec("dhcp", p.name)
	switch {
	case s != nil && carrier(l) && p.on == nil && !m.Closed:
		m.run(p, l, s.DHCP)
	case p.on != nil && !carrier(l):
		p.halt()
		p.lease, p.lease6 = nil, nil
		p.four, p.ra, p.six = nil, nil, nil
		changed = true
		if l != nil {
			err = m.flush(p, l, d)
		}
	}
	addrs, e1 := m.settleAddrs(p, d)
	if addrs {
		return true, errors.Join(err, e1) // routes are for the next round
	}
	routes, e2 := m.settleRoutes(p, d)
	return changed || routes, errors.Join(err, e1, e2)
}

// flush takes away what routers advertised.
func (m *machine) flush(p *port, l netlink.Link, d *dump) error {
	for _, a := range d.strays(l, p) {
		if err := m.k.take(l, a); err != nil {
			return err
		}
	}
	return nil
}

// picture is what to publish.
func (m *machine) picture(d *dump) *picture {
	x := &picture{}
	for _, l := range d.Links {
		if row, ok := m.linkRow(l, d); ok {
			x.links = append(x.links, row)
			x.addrs = append(x.addrs, m.addrRow(l, d))
		}
	}
	for key, s := range m.specs {
		if is, ok := m.holds(key, s, d); ok {
			x.items = append(x.items, device.ItemSeen{Item: key, Spec: is})
		}
	}
	slices.SortFunc(x.links, func(a, b device.LinkSeen) int {
		return strings.Compare(a.IfName, b.IfName)
	})
	slices.SortFunc(x.addrs, func(a, b device.AddrSeen) int {
		return strings.Compare(a.IfName, b.IfName)
	})
	slices.SortFunc(x.items, func(a, b device.ItemSeen) int { return strings.Compare(a.Item, b.Item) })
	return x
}

// linkRow is a link as a row; false for one that is none of the device's own.
func (m *machine) linkRow(l netlink.Link, d *dump) (device.LinkSeen, bool) {
	a := l.Attrs()
	row := device.LinkSeen{IfName: a.Name, Index: a.Index, MAC: a.HardwareAddr.String(),
		Kind: "ether", Up: netkernel.IsUp(l), LowerUp: carrier(l), MTU: uint16(min(a.MTU, 1<<16-1))}
	if v, ok := l.(*netlink.Vlan); ok {
		row.Kind, row.Parent, row.VLAN = "vlan", d.name(a.ParentIndex), uint16(v.VlanId)
		return row, m.spec("vlan", a.Name) != nil
	}
	if l.Type() == wireGuard {
		row.Kind = wireGuard
		return row, m.spec(wireGuard, a.Name) != nil
	}
	if a.ParentDevBus == "pci" {
		row.PCIAddr = a.ParentDev
	}
	row.Physical = a.ParentDev != "" && a.EncapType == "ether" || slices.Contains(m.o.Ports, a.Name)
	return row, row.Physical
}

// addrRow is the addressing of a link.
func (m *machine) addrRow(l netlink.Link, d *dump) device.AddrSeen {
	name := l.Attrs().Name
	row := device.AddrSeen{IfName: name, Addrs: d.usable(l)}
	p := m.ports[name]
	if p == nil {
		return row
	}
	row.Routers = m.routersOf(p, l, d)
	for _, x := range p.sources() {
		row.DNS = append(row.DNS, x.DNS...)
		row.NTP = append(row.NTP, x.NTP...)
		if row.Domain == "" {
			row.Domain = x.Domain
		}
		if row.WPAD == "" {
			row.WPAD = x.WPAD
		}
	}
	row.DNS = distinct(row.DNS)
	if p.four != nil {
		row.Lease = p.four.Lease
	}
	return row
}

// distinct keeps the first of equal addresses.
func distinct(list []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// holds is an item as it is; false if it is not there, or not whole.
func (m *machine) holds(key string, s device.Spec, d *dump) (device.Spec, bool) {
	what, name := split(key)
	if what == "resolv" {
		return s, m.resolves(s.Resolv)
	}
	l := d.Link(name)
	if l == nil {
		return s, false
	}
	mtu := func(wish uint16) uint16 {
		if wish == 0 {
			return 0
		}
		return uint16(min(l.Attrs().MTU, 1<<16-1))
	}
	p := m.port(name)
	switch what {
	case "link":
		return device.Spec{Link: &device.LinkSpec{MTU: mtu(s.Link.MTU)}}, netkernel.IsUp(l)
	case "vlan":
		v, ok := l.(*netlink.Vlan)
		if !ok {
			return s, false
		}
		return device.Spec{VLAN: &device.VLANSpec{Parent: d.name(l.Attrs().ParentIndex),
			ID: uint16(v.VlanId), MTU: mtu(s.VLAN.MTU)}}, netkernel.IsUp(l)
	case wireGuard:
		is, ok := m.tunnel(name, s.WireGuard)
		if is != nil {
			is.MTU = mtu(s.WireGuard.MTU)
		}
		return device.Spec{WireGuard: is}, ok && netkernel.IsUp(l)
	case "static":
		return s, d.has(l, s.Static.Addr)
	case "dhcp":
		for _, x := range []*learned{p.four, p.six} {
			if x != nil && slices.ContainsFunc(x.Addrs,
				func(a netip.Prefix) bool { return !d.has(l, a) }) {
				return s, false
			}
		}
		return s, true
	case "route":
		return s, netkernel.IsUp(l) && m.whole(p, d)
	}
	return s, false
}
