package nic

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// split splits an item's key.
func split(item string) (what, name string) {
	what, name, _ = strings.Cut(item, "/")
	return what, name
}

// set makes an item be as its spec says; the key is for what has one.
func (m *machine) set(item string, s device.Spec, key *privateKey) error {
	what, name := split(item)
	if err := m.fits(what, name, &s); err != nil {
		return err
	}
	if what == "resolv" {
		return m.keep(item, s, func() error { return m.resolv(s.Resolv) })
	}
	if err := m.base(what, name, &s); err != nil {
		return err
	}
	switch what {
	case "link":
		return m.keep(item, s, func() error { return m.setLink(name, s.Link) })
	case "vlan":
		return m.keep(item, s, func() error { return m.setVLAN(name, s.VLAN) })
	case wireGuard:
		return m.setWireGuard(item, name, s, key)
	case "dhcp":
		return m.keep(item, s, func() error { return m.start(m.port(name), s.DHCP) })
	case "route":
		m.port(name).laid = nil
	case "static":
		m.port(name).forget(s.Static.Addr)
	}
	return m.keep(item, s, func() error { return m.settle(name) })
}

// keep writes a spec down before it is carried out. One that cannot be carried out is not kept:
// what stood before it is shown as far as it is there.
func (m *machine) keep(item string, s device.Spec, f func() error) error {
	was, had := m.specs[item]
	m.specs[item] = s
	err := m.save()
	if err == nil {
		err = f()
	}
	var r *netpart.Refusal
	if errors.As(err, &r) || nonsense(err) {
		delete(m.specs, item)
		if had {
			m.specs[item] = was
		}
		return errors.Join(err, m.save())
	}
	return err
}

// fits checks that a spec is one of the item's kind, and makes sense.
func (m *machine) fits(what, name string, s *device.Spec) error {
	ok := map[string]bool{"link": s.Link != nil, "vlan": s.VLAN != nil, "static": s.Static != nil,
		"dhcp": s.DHCP != nil, "route": s.Route != nil, "resolv": s.Resolv != nil,
		wireGuard: s.WireGuard != nil}[what]
	switch {
	case !ok || name == "" || strings.ContainsAny(name, "/ \t\n") ||
		what != "resolv" && len(name) >= unix.IFNAMSIZ:
		return netpart.Refuse("the spec does not fit the item")
	case what == "link":
		return sane(s.Link.MTU)
	case what == "vlan" && (s.VLAN.ID == 0 || s.VLAN.ID > 4094):
		return netpart.Refuse("a VLAN id lies between 1 and 4094")
	case what == "vlan":
		return sane(s.VLAN.MTU)
	case what == wireGuard && s.WireGuard.Refusal() != "":
		return netpart.Refuse(s.WireGuard.Refusal())
	case what == wireGuard:
		return sane(s.WireGuard.MTU)
	case what == "static" && !s.Static.Addr.IsValid():
		return netpart.Refuse("no address")
	case what == "route" && (s.Route.Table < 1 || s.Route.Metric < 0):
		return netpart.Refuse("no table, or a negative metric")
	}
	return nil
}

// sane checks an MTU.
func sane(mtu uint16) error {
	if mtu != 0 && mtu < device.LeastMTU {
		return netpart.Refuse(fmt.Sprintf("an MTU of %d is less than %d", mtu, device.LeastMTU))
	}
	return nil
}

// base checks that what an item stands on is there.
func (m *machine) base(what, name string, s *device.Spec) error {
	on := name
	switch what {
	case wireGuard:
		return nil
	case "vlan":
		on = s.VLAN.Parent
	}
	l, err := m.k.Find(on)
	if err != nil {
		return err
	}
	if l == nil {
		return netpart.Missing("there is no interface " + on)
	}
	if what == "dhcp" && m.spec(wireGuard, on) != nil {
		return netpart.Refuse("nobody gives addresses on " + on)
	}
	if what != "link" && m.spec("link", on) == nil && m.spec("vlan", on) == nil &&
		(what == "vlan" || m.spec(wireGuard, on) == nil) {
		return netpart.Missing("there is no item link/" + on)
	}
	return nil
}

func (m *machine) setLink(name string, s *device.LinkSpec) error {
	l, err := m.k.Find(name)
	if err != nil || l == nil {
		return errors.Join(err, netpart.Missing("there is no interface "+name))
	}
	if m.spec("dhcp", name) == nil {
		// Nobody asked for addresses that routers advertise.
		if err := m.k.six(name, "accept_ra", "0"); err != nil {
			return err
		}
	}
	if err := m.k.MTU(l, s.MTU); err != nil {
		return err
	}
	return m.k.Up(l)
}

func (m *machine) setVLAN(name string, s *device.VLANSpec) error {
	parent, err := m.k.Find(s.Parent)
	if err != nil || parent == nil {
		return errors.Join(err, netpart.Missing("there is no interface "+s.Parent))
	}
	l, err := m.k.Find(name)
	if err != nil {
		return err
	}
	if l != nil {
		v, ok := l.(*netlink.Vlan)
		if !ok {
			return netpart.Refuse(name + " is an interface of another kind")
		}
		if v.VlanId != int(s.ID) || v.ParentIndex != parent.Attrs().Index {
			if err := m.k.Remove(l); err != nil {
				return err
			}
			l = nil
		}
	}
	if l == nil {
		err := m.k.vlan(name, parent, s.ID)
		if errors.Is(err, unix.EOPNOTSUPP) {
			return netpart.Lacks(netcaps.VLAN)
		}
		if err != nil {
			return err
		}
		if l, err = m.k.Find(name); err != nil || l == nil {
			return errors.Join(err, netpart.Missing("there is no interface "+name))
		}
	}
	return m.setLink(name, &device.LinkSpec{MTU: s.MTU})
}

// clear removes an item. What stood on it and is not seen any more, because somebody took it away,
// goes with it: nobody knows of it who could clear it.
func (m *machine) clear(item string) error {
	d, err := m.dump()
	if err != nil {
		return err
	}
	users := m.users(item)
	for _, user := range users {
		if _, ok := m.holds(user, m.specs[user], d); ok {
			return netpart.Busy(user)
		}
	}
	if _, ok := m.specs[item]; !ok {
		return nil
	}
	for _, x := range append(users, item) {
		what, name := split(x)
		if err := m.undo(what, name); err != nil {
			return err
		}
		delete(m.specs, x)
	}
	return m.save()
}

// undo takes out of the kernel what an item put there.
func (m *machine) undo(what, name string) error {
	l, err := m.k.Find(name)
	if err != nil {
		return err
	}
	switch what {
	case "resolv":
		return m.resolv(&device.ResolvSpec{})
	case "dhcp":
		return m.stop(m.port(name))
	case "vlan", wireGuard:
		delete(m.public, name)
		if l != nil {
			m.count(l)
			return m.k.Remove(l)
		}
	case "link":
		if l != nil {
			return m.k.Down(l)
		}
	}
	was := m.specs[what+"/"+name]
	delete(m.specs, what+"/"+name)
	if err := m.settle(name); err != nil {
		m.specs[what+"/"+name] = was
		return err
	}
	return nil
}

// users are the items that stand on the given one, sorted: those that others stand on come later.
func (m *machine) users(item string) []string {
	what, name := split(item)
	if _, ok := m.specs[item]; !ok || what != "link" && what != "vlan" && what != wireGuard {
		return nil
	}
	var users, vlans []string
	for key, s := range m.specs {
		w, on := split(key)
		if on == name && (w == "dhcp" || w == "static" || w == "route") {
			users = append(users, key)
		}
		if w == "vlan" && s.VLAN.Parent == name {
			vlans = append(vlans, key)
		}
	}
	for _, v := range vlans {
		users = append(users, m.users(v)...)
	}
	slices.Sort(users)
	slices.Sort(vlans)
	return append(users, vlans...)
}

// forget makes an address one that is not there yet, so that it is added if it is missing.
func (p *port) forget(a netip.Prefix) {
	p.given = slices.DeleteFunc(p.given, func(o netip.Prefix) bool { return o == a })
}
