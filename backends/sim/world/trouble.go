package world

import (
	"encoding/binary"
	"net/netip"
)

// Lie is how a DNS server that works does not tell the truth.
type Lie uint8

// Lies.
const (
	Truth     Lie = iota
	NoNames       // no name exists
	Nowhere       // every name is at an address where nobody is
	Elsewhere     // every name is at a server of the Internet that is none of them
)

// elsewhere is the server that Elsewhere names.
const elsewhere = "example.com"

// SetLie has a DNS server of the model lie; Truth heals it. False if there is none of that label.
func (w *World) SetLie(label string, l Lie) bool {
	i, ok := w.endIdx[label]
	if !ok || w.ends[i].dns == nil {
		return false
	}
	w.ends[i].dns.lie = l
	return true
}

// lies is what a DNS server that lies says of any name; ok is false for one that does not.
func (w *World) lies(e *endpoint, name string) (as []netip.Addr, err *Error, ok bool) {
	switch e.dns.lie {
	case NoNames:
		return nil, &Error{DNSNotFound, "dns", name, e.Label + " knows no names"}, true
	case Nowhere:
		return []netip.Addr{e.empty()}, nil, true
	case Elsewhere:
		return w.publicNames(elsewhere), nil, true
	}
	return nil, nil, false
}

// empty is an address of the endpoint's own subnet that nobody has.
func (e *endpoint) empty() netip.Addr {
	for _, a := range e.addrs {
		if h := e.half(a.Is6()); h != nil {
			if next := a.Next(); h.Subnet.Contains(next) {
				return next
			}
			return a.Prev()
		}
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, 66})
}

// SetHost changes how a server of the outside behaves, by its name. Up heals it.
func (w *World) SetHost(name string, s State) { w.sleep("outside/"+canonical(name), s) }

// hostState is how a server of the outside behaves.
func (w *World) hostState(o *Origin) State {
	if o == nil {
		return Up
	}
	return w.sleeping["outside/"+canonical(o.Label)]
}

func (w *World) sleep(label string, s State) {
	if s == Up {
		delete(w.sleeping, label)
	} else {
		w.sleeping[label] = s
	}
}

// Renumber gives a network another IPv4 subnet of the same size, where router and addresses to
// give out keep their places; the zero prefix gives it the model's back. Leases of the subnet it
// leaves are kept for its return. False if there is no such network or it has no IPv4.
func (w *World) Renumber(label string, subnet netip.Prefix) bool {
	i, ok := w.netIdx[label]
	if !ok {
		return false
	}
	n := &w.nets[i]
	own := n.IPv4()
	if own == nil {
		return false
	}
	if n.home == nil {
		n.home = n.pool[0]
	}
	if !subnet.IsValid() {
		n.half[0], n.pool[0], n.home = own, n.home, nil
		return true
	}
	if subnet.Bits() != own.Subnet.Bits() || !subnet.Addr().Is4() {
		return false
	}
	at := func(a netip.Addr) netip.Addr { return shift(a, own.Subnet.Addr(), subnet.Masked().Addr()) }
	moved := *own
	moved.Subnet, moved.Gateway = subnet.Masked(), at(own.Gateway)
	if r := own.DHCP.Range; r.From.IsValid() {
		moved.DHCP.Range = Range{at(r.From), at(r.To)}
	}
	moved.DHCP.Static = nil
	n.half[0], n.pool[0] = &moved, w.newPool(&moved, n.bridge, n.VLAN)
	return true
}

// shift is the address that has the place in the subnet at to that a has in the one at from.
func shift(a, from, to netip.Addr) netip.Addr {
	if !a.Is4() {
		return a
	}
	x, y, z := a.As4(), from.As4(), to.As4()
	v := binary.BigEndian.Uint32(x[:]) - binary.BigEndian.Uint32(y[:]) + binary.BigEndian.Uint32(z[:])
	var out [4]byte
	binary.BigEndian.PutUint32(out[:], v)
	return netip.AddrFrom4(out)
}
