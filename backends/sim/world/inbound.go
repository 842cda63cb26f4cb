package world

import (
	"net/netip"
	"slices"
	"time"
)

// OutsideLabel is the client of the Internet, for FromOutside.
const OutsideLabel = "outside"

// Arrival is where a packet comes to the device.
type Arrival struct {
	Attach
	Src  netip.Addr    // address of the client
	Trip time.Duration // round trip, without the cable's own delay and loss
}

// maxClaims limits how many announced addresses the network remembers.
const maxClaims = 1 << 17

// Announce tells the network that an interface of the device has an address, as a gratuitous
// ARP does, so that packets for it come there. A DHCP lease announces itself.
func (w *World) Announce(a Attach, addr netip.Addr) {
	if _, known := w.claims[addr]; known || len(w.claims) < maxClaims {
		w.claims[addr] = a
	}
}

// Withdraw takes back an address that the interface announced.
func (w *World) Withdraw(a Attach, addr netip.Addr) {
	if w.claims[addr] == a {
		delete(w.claims, addr)
	}
}

// FromOutside follows the first packet of a connection towards the device, from a client of
// the model (any endpoint, by label) or from OutsideLabel, to the port and VLAN it arrives on.
// What the device makes of it is not the world's. An answer must find its way back, so the
// network must reach the client. proto is "tcp", "udp" or "icmp".
func (w *World) FromOutside(
	_ time.Time, client string, dst netip.AddrPort, proto string,
) (Arrival, *Error) {
	src, e, err := w.client(client, dst.Addr())
	if err != nil {
		return Arrival{}, err
	}
	if e != nil && e.bridge >= 0 {
		return w.fromBeside(e, src, dst.Addr())
	}
	n, via := w.networkOf(dst.Addr())
	if n == nil {
		return Arrival{}, &Error{Unreachable, "route", dst.String(), "no network has the address"}
	}
	if e != nil && !n.ends[w.endIdx[e.Label]] || e == nil && !n.outside {
		return Arrival{}, &Error{Timeout, "route", dst.String(),
			"network " + n.Label + " does not reach " + client}
	}
	if rule := w.rule(src, dst.Addr(), proto, dst.Port()); rule >= 0 {
		at := index("firewall.rules", rule)
		switch w.m.Firewall.Rules[rule].Action {
		case "reject":
			return Arrival{}, &Error{Refused, "route", dst.String(), at + " rejects it"}
		case "drop":
			return Arrival{}, &Error{Timeout, "route", dst.String(), at + " drops it"}
		}
	}
	at, err := w.holder(n.bridge, n.VLAN, via, dst.Addr())
	trip := cableTrip + innerTrip
	if e == nil {
		trip = cableTrip + w.control.far
	}
	return Arrival{at, src, trip}, err
}

// client finds the address a client uses towards dst.
func (w *World) client(label string, dst netip.Addr) (netip.Addr, *endpoint, *Error) {
	if label == OutsideLabel {
		// The outside comes from where the controller runs, as Eden's host does.
		for _, a := range w.control.addrs {
			if a.Is6() == dst.Is6() {
				return a, nil, nil
			}
		}
		return dst, nil, &Error{NoRoute, "route", dst.String(), "the outside has no " + family(dst)}
	}
	i, ok := w.endIdx[label]
	if !ok {
		return dst, nil, &Error{NoRoute, "route", dst.String(), "there is no endpoint " + quoted(label)}
	}
	h := w.ends[i].half(dst.Is6())
	if h == nil {
		return dst, nil, &Error{NoRoute, "route", dst.String(), label + " has no " + family(dst)}
	}
	return h.IP, &w.ends[i], nil
}

// networkOf finds the network of an address of the device, and the address on its link that
// it lies behind (the same one, or the gateway of a route towards the device).
func (w *World) networkOf(a netip.Addr) (*network, netip.Addr) {
	for i := range w.nets {
		if h := w.nets[i].half[version(a)]; h != nil && h.Subnet.Contains(a) {
			return &w.nets[i], a
		}
	}
	for i := range w.nets {
		if r := w.nets[i].Router; r != nil {
			for _, route := range r.Routes {
				if route.Dst.Contains(a) {
					return &w.nets[i], route.Gateway
				}
			}
		}
	}
	return nil, a
}

// fromBeside is a packet of an endpoint on the same switch.
func (w *World) fromBeside(e *endpoint, src, dst netip.Addr) (Arrival, *Error) {
	if !e.half(dst.Is6()).Subnet.Contains(dst) {
		return Arrival{}, &Error{NoRoute, "route", dst.String(), e.Label + " has no router"}
	}
	at, err := w.holder(e.bridge, e.DirectL2.VLAN, dst, dst)
	return Arrival{at, src, cableTrip}, err
}

// holder is the interface that holds an address on a segment: the one that announced it; if
// none did and the switch has only one cable to the device, that.
func (w *World) holder(bridge int, vlan uint16, addr, dst netip.Addr) (Attach, *Error) {
	ports := w.bridges[bridge].ports
	at, known := w.claims[addr]
	i, mine := w.portIdx[at.Port]
	if !known || !mine || !slices.Contains(ports, i) || at.VLAN != vlan {
		live := slices.DeleteFunc(slices.Clone(ports), func(i int) bool {
			return !w.ports[i].mine || !w.ports[i].up
		})
		if len(live) != 1 {
			return Attach{}, &Error{Unreachable, "route", dst.String(), "nobody has announced " +
				addr.String()}
		}
		p := &w.ports[live[0]]
		at = Attach{Port: p.Label, VLAN: vlan, MAC: p.Connect.MAC}
	}
	if _, err := w.attached(at); err != nil {
		return Attach{}, &Error{Unreachable, "route", dst.String(), err.Error()}
	}
	return at, nil
}
