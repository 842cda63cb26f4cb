package world

import (
	"net/netip"
	"slices"
	"time"
)

// network is a Network with all its labels resolved.
type network struct {
	*Network
	index   int
	bridge  int
	half    [2]*NetIP       // IPv4, IPv6; nil if it has none
	dns     [2][]netip.Addr // announced servers of each IP version
	pool    [2]*pool        // nil: no addresses are given out
	local   netip.Addr      // link-local address of the router
	ends    []bool          // endpoint index -> routed to
	nets    []bool          // network index -> routed to
	outside bool            // routed to the outside
	proxy   int             // endpoint index of the transparent proxy; -1: none
	mute    bool            // its DHCP server and router advertisements are off
	home    *pool           // its own, while it has another subnet
}

// version is the index of an address's IP version in a pair.
func version(a netip.Addr) int {
	if a.Is6() {
		return 1
	}
	return 0
}

func (w *World) placeNetworks() {
	for i := range w.m.Networks {
		w.netIdx[w.m.Networks[i].Label] = i
	}
	for i := range w.m.Networks {
		m := &w.m.Networks[i]
		n := network{Network: m, index: i, proxy: -1,
			local: derivedMAC("router", m.Label).LinkLocal(),
			ends:  make([]bool, len(w.ends)), nets: make([]bool, len(w.m.Networks))}
		n.bridge = slices.IndexFunc(w.m.Bridges, func(b Bridge) bool { return b.Label == m.Bridge })
		w.bridges[n.bridge].vlans[m.VLAN] = i
		if m.TransparentProxy != "" {
			n.proxy = w.endIdx[m.TransparentProxy]
		}
		n.half = [2]*NetIP{m.IPv4(), m.IPv6()}
		for v, h := range n.half {
			if h == nil {
				continue
			}
			n.dns[v] = slices.DeleteFunc(w.resolvers(h.DHCP.Resolvers),
				func(a netip.Addr) bool { return version(a) != v })
			n.pool[v] = w.newPool(h, n.bridge, m.VLAN)
		}
		w.routes(&n)
		w.nets = append(w.nets, n)
	}
}

// routes fills in what the network's router reaches.
func (w *World) routes(n *network) {
	r := n.Router
	n.outside = r == nil || r.Outside
	for i := range n.ends {
		n.ends[i] = r == nil || slices.Contains(r.Endpoints, w.ends[i].Label)
	}
	for i := range n.nets {
		n.nets[i] = r == nil || i == n.index || slices.Contains(r.Networks, w.m.Networks[i].Label)
	}
}

// resolvers are the addresses of DNS servers, public ones first.
func (w *World) resolvers(r Resolvers) []netip.Addr {
	l := slices.Clone(r.PublicDNS)
	for _, label := range r.PrivateDNS {
		l = append(l, w.ends[w.endIdx[label]].addrs...)
	}
	return l
}

// routedSource tells whether the router sends answers for this source to the port.
func (n *network) routedSource(src netip.Addr) bool {
	if h := n.half[version(src)]; h != nil && h.Subnet.Contains(src) {
		return true
	}
	if n.Router == nil {
		return false
	}
	return slices.ContainsFunc(n.Router.Routes, func(r Route) bool { return r.Dst.Contains(src) })
}

// Round trips without the port's own delay.
const (
	cableTrip = 200 * time.Microsecond // device and its router or neighbour
	innerTrip = 200 * time.Microsecond // router and an endpoint, or another network
	farLeast  = 10 * time.Millisecond  // router and a host of the outside
	farSpread = 20 * time.Millisecond
)

// far is the round trip between the routers and a host of the outside.
func (w *World) far(host string) time.Duration {
	return farLeast + time.Duration(w.o.Draw("outside/"+host, 0)%uint64(farSpread))
}
