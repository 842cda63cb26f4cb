package world

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// From is where a packet of the device starts.
type From struct {
	Attach
	Src netip.Addr // source address
	// Gateway is the next hop that the device's routing table has for the destination. Zero
	// means the router of the network; another address than the router's forwards nothing.
	// It does not matter for a destination on the link.
	Gateway netip.Addr
}

// Protocols of firewall rules.
const (
	tcp  = "tcp"
	udp  = "udp"
	icmp = "icmp"
)

// place is what kind of host a packet comes to.
type place uint8

const (
	atRouter   place = iota // the network's router, or that of another network
	atEndpoint              // i is its index
	atControl               // the controller
	atOutside               // some address of the Internet
	atNobody                // a subnet that is reached, but nobody there answers
)

// spot is where a packet comes to, or where it ends: then it took trip to learn of the error.
type spot struct {
	place place
	i     int
	addr  netip.Addr
	trip  time.Duration
}

// reach follows a packet of the device. It does not ask whether a server listens.
func (w *World) reach(f *From, dst netip.Addr, proto string, dport uint16) (spot, *port, *Error) {
	s := spot{addr: dst}
	p, err := w.attached(f.Attach)
	if err != nil {
		return s, p, err
	}
	if !f.Src.IsValid() || !dst.IsValid() || f.Src.Is6() != dst.Is6() {
		return s, p, &Error{NoRoute, "route", dst.String(), "no source address of that IP version"}
	}
	if i, ok := w.endAddr[dst]; ok && w.ends[i].beside(p, f.VLAN) {
		if h := w.ends[i].half(dst.Is6()); h.Subnet.Contains(f.Src) {
			s.place, s.i, s.trip = atEndpoint, i, cableTrip
			return s, p, nil
		}
	}
	ni := w.segment(p, f.VLAN)
	if ni < 0 {
		return s, p, &Error{Timeout, "route", dst.String(),
			"no network with VLAN " + strconv.Itoa(int(f.VLAN)) + " behind port " + f.Port}
	}
	n := &w.nets[ni]
	h := n.half[version(dst)]
	if h == nil {
		return s, p, &Error{Timeout, "route", dst.String(),
			"network " + n.Label + " has no " + family(dst)}
	}
	s.trip = cableTrip
	switch {
	case dst == h.Gateway || dst == n.local:
		return s, p, nil
	case h.Subnet.Contains(dst) || dst.IsLinkLocalUnicast():
		s.place, s.trip = atNobody, arpPatience
		return s, p, &Error{Unreachable, "route", dst.String(), "nobody on the link answers"}
	case f.Gateway.IsValid() && f.Gateway != h.Gateway && f.Gateway != n.local:
		return s, p, &Error{Timeout, "route", dst.String(),
			f.Gateway.String() + " is not the router of network " + n.Label}
	case !n.routedSource(f.Src):
		return s, p, &Error{Timeout, "route", dst.String(),
			"network " + n.Label + " does not route back to " + f.Src.String()}
	}
	s, err = w.forward(n, s, f.Src, proto, dport)
	return s, p, err
}

// forward follows a packet from a network's router on.
func (w *World) forward(
	n *network, s spot, src netip.Addr, proto string, dport uint16,
) (spot, *Error) {
	s, known := w.locate(s)
	switch s.place {
	case atEndpoint:
		known = known && n.ends[s.i]
	case atRouter:
		known = known && n.nets[s.i]
	default:
		known = known && n.outside
	}
	if !known {
		return s, &Error{Unreachable, "route", s.addr.String(),
			"the router of network " + n.Label + " does not lead there"}
	}
	return w.arrive(s, src, proto, dport)
}

// locate finds what an address belongs to, seen from the routers; false if there is no way.
func (w *World) locate(s spot) (spot, bool) {
	if i, ok := w.endAddr[s.addr]; ok {
		s.place, s.i = atEndpoint, i
		return s, w.ends[i].bridge < 0
	}
	if slices.Contains(w.control.addrs, s.addr) {
		s.place = atControl
		return s, true
	}
	for i := range w.ends {
		h := w.ends[i].half(s.addr.Is6())
		if h != nil && w.ends[i].bridge < 0 && h.Subnet.Contains(s.addr) {
			s.place, s.i = atEndpoint, i
			return s, true
		}
	}
	for i := range w.nets {
		if h := w.nets[i].half[version(s.addr)]; h != nil && h.Subnet.Contains(s.addr) {
			s.place, s.i = atRouter, i
			return s, true
		}
	}
	s.place = atOutside
	return s, w.hostHas(s.addr.Is6()) && s.addr.IsGlobalUnicast()
}

// arrive passes the firewall and adds the way behind it.
func (w *World) arrive(s spot, src netip.Addr, proto string, dport uint16) (spot, *Error) {
	if rule := w.rule(src, s.addr, proto, dport); rule >= 0 {
		at := index("firewall.rules", rule)
		switch w.m.Firewall.Rules[rule].Action {
		case "reject":
			return s, &Error{Refused, "route", s.addr.String(), at + " rejects it"}
		case "drop":
			return s, &Error{Timeout, "route", s.addr.String(), at + " drops it"}
		}
	}
	switch s.place {
	case atRouter:
		s.trip += innerTrip
		if h := w.nets[s.i].half[version(s.addr)]; h.Gateway != s.addr {
			s.place = atNobody
			return s, &Error{Timeout, "route", s.addr.String(), "nobody there answers"}
		}
	case atEndpoint:
		s.trip += innerTrip
		if !slices.Contains(w.ends[s.i].addrs, s.addr) {
			s.place, s.trip = atNobody, arpPatience
			return s, &Error{Unreachable, "route", s.addr.String(), "nobody has the address"}
		}
	case atControl:
		s.trip += w.control.far
	case atOutside:
		s.trip += w.far(w.nameOf(s.addr))
	}
	return s, nil
}

// rule is the index of the firewall rule that a packet meets; -1: none.
func (w *World) rule(src, dst netip.Addr, proto string, dport uint16) int {
	for i := range w.m.Firewall.Rules {
		r := &w.m.Firewall.Rules[i]
		if r.Src.IsValid() && !r.Src.Contains(src) || r.Dst.IsValid() && !r.Dst.Contains(dst) ||
			r.Protocol != "" && r.Protocol != "any" && r.Protocol != proto ||
			len(r.Ports) > 0 && !slices.Contains(r.Ports, dport) {
			continue
		}
		return i
	}
	return -1
}

// reachFrom follows a packet of an endpoint, which reaches other endpoints and the outside.
func (w *World) reachFrom(
	e *endpoint, dst netip.Addr, proto string, dport uint16,
) (spot, netip.Addr, *Error) {
	s := spot{addr: dst}
	h := e.half(dst.Is6())
	if h == nil || e.bridge >= 0 {
		return s, netip.Addr{}, &Error{NoRoute, "route", dst.String(),
			"endpoint " + e.Label + " has no way there"}
	}
	s, known := w.locate(s)
	if !known || s.place == atRouter {
		return s, h.IP, &Error{Unreachable, "route", dst.String(),
			"no way from endpoint " + e.Label}
	}
	s, err := w.arrive(s, h.IP, proto, dport)
	return s, h.IP, err
}
