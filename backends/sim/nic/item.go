package nic

import (
	"slices"
	"strings"
	"time"

	device "github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/host"
)

type setRun = host.Run[device.SetReq, device.None]
type clearRun = host.Run[device.ClearReq, device.None]

// set makes an item be as its spec says, after the time it takes.
func (n *Nic) set(c setRun) {
	c.After(c.Latency(2*time.Millisecond, 40*time.Millisecond), func() {
		q := c.Req()
		what, name := kind(q.Item)
		if f := n.apply(what, name, &q.Spec); f != "" {
			code := device.FaultRefused
			switch {
			case strings.HasPrefix(f, "there is no "), strings.HasPrefix(f, "nobody knows "):
				code = device.FaultMissing
			case strings.HasPrefix(f, "this kernel lacks "):
				code = device.FaultUnsupported
			}
			c.Fail(code, "set "+q.Item+": "+f, code == device.FaultMissing)
			return
		}
		n.specs[q.Item] = q.Spec
		delete(n.taken, q.Item)
		n.items.Put(device.ItemSeen{Item: q.Item, Spec: q.Spec})
		c.Done(device.None{})
	})
}

// apply changes the model; it returns why not, or nothing.
func (n *Nic) apply(what, name string, s *device.Spec) string {
	l := n.links[name]
	if reason := n.base(what, name, s); reason != "" {
		return reason
	}
	switch {
	case what == "vlan":
		return n.makeVLAN(name, s.VLAN)
	case what == wireGuard:
		n.makeWireGuard(name, s.WireGuard)
	case what == "link":
		l.up = true
		if s.Link.MTU != 0 {
			l.mtu = s.Link.MTU
		}
		n.show(l)
		n.carrier(l)
	case what == "static":
		n.withdraw(l)
		l.static = s.Static
		n.announce(l)
		n.showAddrs(l)
	case what == "dhcp":
		n.startClients(l, *s.DHCP)
	}
	return ""
}

// base checks that a spec is one of the item's kind, makes sense, and that what it stands on is
// there; it returns why not, or nothing.
func (n *Nic) base(what, name string, s *device.Spec) string {
	fits, mtu, on := false, uint16(0), name
	switch {
	case what == wireGuard:
		return n.baseOfWireGuard(name, s)
	case what == "resolv" && s.Resolv != nil:
		return ""
	case what == "vlan" && s.VLAN != nil:
		fits, mtu, on = true, s.VLAN.MTU, s.VLAN.Parent
	case what == "link" && s.Link != nil:
		fits, mtu = true, s.Link.MTU
	case what == "static" && s.Static != nil, what == "dhcp" && s.DHCP != nil,
		what == "route" && s.Route != nil:
		fits = true
	}
	switch {
	case !fits || name == "":
		return "the spec does not fit the item"
	case mtu != 0 && mtu < device.LeastMTU:
		return "the MTU is too small"
	case what == "vlan" && (s.VLAN.ID == 0 || s.VLAN.ID > 4094):
		return "a VLAN id lies between 1 and 4094"
	case what == "static" && !s.Static.Addr.IsValid():
		return "no address"
	case what == "route" && (s.Route.Table < 1 || s.Route.Metric < 0):
		return "no table, or a negative metric"
	case n.links[on] == nil:
		return "there is no interface " + on
	case what == "dhcp" && n.links[on].Kind == wireGuard:
		return "nobody gives addresses on " + on
	case what != "link" && !n.applied("link/"+on) && !n.applied("vlan/"+on) &&
		(what == "vlan" || !n.applied("wireguard/"+on)):
		return "there is no item link/" + on
	case what == "vlan" && slices.Contains(n.Lacks, "VLAN"):
		return "this kernel lacks VLAN (8021q)"
	}
	return ""
}

func (n *Nic) applied(item string) bool {
	_, ok := n.specs[item]
	return ok
}

func (n *Nic) makeVLAN(name string, s *device.VLANSpec) string {
	p, l := n.links[s.Parent], n.links[name]
	if l == nil {
		l = &link{Interface: Interface{Name: name, Port: p.Port, Kind: "vlan"}, index: 100 + len(n.links)}
		n.links[name] = l
	}
	l.parent, l.vlan, l.mac, l.mtu, l.up = s.Parent, s.ID, p.mac, s.MTU, true
	n.show(l)
	n.carrier(l)
	return ""
}

// clear removes an item.
func (n *Nic) clear(c clearRun) {
	c.After(c.Latency(2*time.Millisecond, 30*time.Millisecond), func() {
		item := c.Req().Item
		users := n.users(item)
		for _, user := range users {
			if !n.taken[user] {
				c.Fail(device.FaultBusy, "clear "+item+": "+user+" stands on it", true)
				return
			}
		}
		for _, x := range append(users, item) {
			what, name := kind(x)
			if l := n.links[name]; l != nil {
				n.undo(what, l)
			}
			delete(n.specs, x)
			delete(n.taken, x)
			n.items.Delete(x)
		}
		c.Done(device.None{})
	})
}

func (n *Nic) undo(what string, l *link) {
	switch what {
	case "static":
		n.withdraw(l)
		l.static = nil
		n.showAddrs(l)
	case "dhcp":
		n.stopClients(l)
	case "link":
		l.up = false
		n.carrier(l)
		n.show(l)
	case "vlan", wireGuard:
		n.stopClients(l)
		delete(n.links, l.Name)
		n.rows.Delete(l.Name)
		n.addrs.Delete(l.Name)
	}
}

// Meddle is somebody else on the device who takes away what an item put there. The item vanishes;
// that it is wanted, its caller knows.
func (n *Nic) Meddle(item string) {
	if !n.applied(item) {
		return
	}
	n.pt.Do(func() {
		what, name := kind(item)
		l := n.links[name]
		switch {
		case what == "dhcp" && l.gone == nil:
			was := l.v4
			l.gone = &was
			l.v4.addrs, l.v4.routers = nil, nil
			n.showAddrs(l)
		case l != nil && what != "dhcp":
			n.undo(what, l)
		}
		n.taken[item] = true
		n.items.Delete(item)
	})
}

// users are the items that stand on the given one: those that others stand on come later.
func (n *Nic) users(item string) []string {
	what, name := kind(item)
	if _, ok := n.specs[item]; !ok || what != "link" && what != "vlan" && what != wireGuard {
		return nil
	}
	var out, vlans []string
	for _, w := range []string{"dhcp/", "route/", "static/"} {
		if _, ok := n.specs[w+name]; ok {
			out = append(out, w+name)
		}
	}
	for _, other := range n.names() {
		if n.links[other].parent == name {
			vlans = append(vlans, "vlan/"+other)
		}
	}
	for _, v := range vlans {
		out = append(out, n.users(v)...)
	}
	return append(out, vlans...)
}
