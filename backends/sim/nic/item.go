package nic

import (
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
			if f == "missing" {
				code, f = device.FaultMissing, "there is no interface "+name
			}
			c.Fail(code, "set "+q.Item+": "+f, code == device.FaultMissing)
			return
		}
		n.specs[q.Item] = q.Spec
		n.items.Put(device.ItemSeen{Item: q.Item, Spec: q.Spec})
		c.Done(device.None{})
	})
}

// apply changes the model; it returns "missing", another reason, or nothing.
func (n *Nic) apply(what, name string, s *device.Spec) string {
	l := n.links[name]
	switch {
	case what == "resolv" && s.Resolv != nil:
		return ""
	case what == "vlan" && s.VLAN != nil:
		return n.makeVLAN(name, s.VLAN)
	case l == nil:
		return "missing"
	case what == "link" && s.Link != nil:
		l.up, l.mtu = true, s.Link.MTU
		n.show(l)
		n.carrier(l)
	case what == "static" && s.Static != nil:
		if !s.Static.Addr.IsValid() {
			return "no address"
		}
		n.withdraw(l)
		l.static = s.Static
		n.announce(l)
		n.showAddrs(l)
	case what == "dhcp" && s.DHCP != nil:
		n.startClients(l, *s.DHCP)
	case what == "route" && s.Route != nil:
	default:
		return "the spec does not fit the item"
	}
	return ""
}

func (n *Nic) makeVLAN(name string, s *device.VLANSpec) string {
	p := n.links[s.Parent]
	switch {
	case p == nil:
		return "there is no interface " + s.Parent
	case s.ID == 0 || s.ID > 4094:
		return "a VLAN id lies between 1 and 4094"
	}
	l := n.links[name]
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
		if user := n.user(item); user != "" {
			c.Fail(device.FaultBusy, "clear "+item+": "+user+" stands on it", true)
			return
		}
		what, name := kind(item)
		if l := n.links[name]; l != nil {
			n.undo(what, l)
		}
		delete(n.specs, item)
		n.items.Delete(item)
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
	case "vlan":
		n.stopClients(l)
		delete(n.links, l.Name)
		n.rows.Delete(l.Name)
		n.addrs.Delete(l.Name)
	}
}

// user is an item that stands on the given one, empty if there is none.
func (n *Nic) user(item string) string {
	what, name := kind(item)
	if _, ok := n.specs[item]; !ok || what != "link" && what != "vlan" {
		return ""
	}
	for _, w := range []string{"dhcp/", "static/"} {
		if _, ok := n.specs[w+name]; ok {
			return w + name
		}
	}
	for _, other := range n.names() {
		if n.links[other].parent == name {
			return "vlan/" + other
		}
	}
	return ""
}
