package world

import (
	"net/netip"
	"slices"
)

// endpoint is an Endpoint of the model with what it serves.
type endpoint struct {
	*Endpoint
	kind      string
	addrs     []netip.Addr
	bridge    int // it hangs on this switch, beside the device; -1: behind the routers
	resolvers []netip.Addr
	dns       *dnsTable // nil: no DNS server
	origin    *Origin   // nil: no HTTP server
	proxy     *proxy    // nil: no proxy
}

// beside tells whether the endpoint is on the segment of a client.
func (e *endpoint) beside(p *port, vlan uint16) bool {
	return e.bridge >= 0 && e.bridge == p.bridge && e.DirectL2.VLAN == vlan
}

func (w *World) placeEndpoints() {
	for _, p := range w.m.Endpoints.all() {
		e := endpoint{Endpoint: p.Endpoint, kind: p.kind, addrs: p.Addrs(), bridge: -1}
		if l := p.DirectL2.Bridge; l != "" {
			e.bridge = slices.IndexFunc(w.m.Bridges, func(b Bridge) bool { return b.Label == l })
		}
		w.endIdx[p.Label] = len(w.ends)
		for _, a := range e.addrs {
			w.endAddr[a] = len(w.ends)
		}
		w.ends = append(w.ends, e)
	}
	ends := &w.m.Endpoints
	for i := range ends.DNSServers {
		s := &ends.DNSServers[i]
		w.end(s.Label).dns = w.newTable(s)
	}
	for i := range ends.HTTPServers {
		s := &ends.HTTPServers[i]
		e := w.end(s.Label)
		e.resolvers, e.origin = w.endResolvers(s.Resolvers), pageServer(s)
	}
	for i := range ends.ExplicitProxies {
		s := &ends.ExplicitProxies[i]
		e := w.end(s.Label)
		e.resolvers, e.proxy = w.endResolvers(s.Resolvers), explicit(s)
	}
	for i := range ends.TransparentProxies {
		s := &ends.TransparentProxies[i]
		e := w.end(s.Label)
		e.resolvers, e.proxy = w.endResolvers(s.Resolvers), newProxy(s.Label, &s.Proxying)
	}
	for i := range ends.NetbootServers {
		s := &ends.NetbootServers[i]
		e := w.end(s.Label)
		e.resolvers, e.origin = w.endResolvers(Resolvers{}), w.bootServer(s)
	}
}

func (w *World) end(label string) *endpoint { return &w.ends[w.endIdx[label]] }

// endResolvers are the DNS servers of an endpoint; one without its own asks public ones.
func (w *World) endResolvers(r Resolvers) []netip.Addr {
	if l := w.resolvers(r); len(l) > 0 {
		return l
	}
	return []netip.Addr{
		netip.AddrFrom4([4]byte{8, 8, 8, 8}), netip.AddrFrom4([4]byte{1, 1, 1, 1}),
		netip.MustParseAddr("2001:4860:4860::8888"),
	}
}
