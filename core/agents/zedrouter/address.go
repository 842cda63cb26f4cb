package zedrouter

import (
	"net/netip"

	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/network"
)

// lastNumber of an interface on a network instance; they count from 0.
const lastNumber = 255

// address gives an interface on a local instance its number and the address that follows from it:
// the number is kept for the interface on flash. A fixed address takes a number that no pool
// address needs.
func (s *sheet) address(a *application, d *adapter) {
	n := d.ni
	if d.err != "" || n == nil || !n.local() || !supported(n.cfg) {
		return
	}
	if fixed := d.cfg.AppIPAddr; fixed.IsValid() {
		if d.err = misfit(a, d, fixed); d.err != "" {
			return
		}
		if d.number = s.interfaceNumber(a, d, true); d.number < 0 {
			d.err = "no interface number is free on network instance " + n.cfg.DisplayName
			return
		}
		d.ip = fixed
		return
	}
	if d.number = s.interfaceNumber(a, d, false); d.number < 0 {
		d.err = "no free IP addresses in DHCP range (" + n.cfg.DhcpRange.Start.String() + " to " +
			n.cfg.DhcpRange.End.String() + ")"
		return
	}
	d.ip = pool(n.cfg, d.number)
}

// misfit is why an interface cannot have a fixed address, empty if it can.
func misfit(a *application, d *adapter, ip netip.Addr) string {
	c := d.ni.cfg
	text := "static address " + ip.String()
	switch {
	case !c.Subnet.Contains(ip):
		return text + " is not in subnet " + c.Subnet.String()
	case !ip.Less(c.DhcpRange.Start) && !c.DhcpRange.End.Less(ip):
		return text + " is in DHCP range (" + c.DhcpRange.Start.String() + " to " +
			c.DhcpRange.End.String() + ")"
	case ip == c.Gateway:
		return text + " is that of the network instance"
	}
	for _, g := range d.ni.guests {
		if g.ip == ip {
			return text + " is taken by application " + g.app
		}
	}
	for _, o := range a.adapters {
		if o != d && o.ni == d.ni && o.ip == ip {
			return text + " is taken by interface " + o.cfg.Name
		}
	}
	return ""
}

// pool is the address of an interface number, zero beyond the end of the range.
func pool(c *network.NetworkInstanceConfig, number int) netip.Addr {
	ip := c.DhcpRange.Start
	for ; number > 0 && ip.IsValid(); number-- {
		ip = ip.Next()
	}
	if !ip.IsValid() || c.DhcpRange.End.Less(ip) {
		return netip.Addr{}
	}
	return ip
}

// interfaceNumber is the number of an interface: the one it has, if that serves; else for a pool
// address the lowest free one that has an address, for a fixed address the highest free one; -1 if
// there is none. It is taken only when the application is connected.
func (s *sheet) interfaceNumber(a *application, d *adapter, fixed bool) int {
	var taken [lastNumber + 1]bool
	mine := network.AppInterfaceToNum{NetInstID: d.cfg.Network, AppID: d.app, IfIdx: d.cfg.IfIdx}.Key()
	own := -1
	for _, row := range s.numbered()[d.cfg.Network] {
		switch {
		case plant.On(plant.AddressReused) && !s.attached(row.app, d.cfg.Network):
		case row.key == mine:
			own = row.number
		default:
			taken[row.number] = true
		}
	}
	for _, o := range a.adapters { // given in this turn, and not on flash yet
		if o != d && o.ni == d.ni && o.number >= 0 {
			taken[o.number] = true
		}
	}
	if own >= 0 && !taken[own] && fixed != pool(d.ni.cfg, own).IsValid() {
		return own
	}
	if fixed {
		for i := lastNumber; i >= 0; i-- {
			if !taken[i] {
				return i
			}
		}
		return -1
	}
	for i := 0; i <= lastNumber && pool(d.ni.cfg, i).IsValid(); i++ {
		if !taken[i] {
			return i
		}
	}
	return -1
}

// numbered is an interface with its number on flash.
type numbered struct {
	app, key string
	number   int
}

// numbered lists, by network instance, the interfaces that have a number.
func (s *sheet) numbered() map[string][]numbered {
	if s.numbers == nil {
		s.numbers = map[string][]numbered{}
		for key, row := range s.z.interfaces.All() {
			if row.Number >= 0 && row.Number <= lastNumber {
				one := numbered{row.AppID, key, row.Number}
				s.numbers[row.NetInstID] = append(s.numbers[row.NetInstID], one)
			}
		}
	}
	return s.numbers
}

// take notes the number of an interface on flash.
func (s *sheet) take(row network.AppInterfaceToNum) {
	key, list := row.Key(), s.numbered()[row.NetInstID]
	s.z.interfaces.Put(row)
	for i := range list {
		if list[i].key == key {
			list[i].number = row.Number
			return
		}
	}
	s.numbers[row.NetInstID] = append(list, numbered{row.AppID, key, row.Number})
}
