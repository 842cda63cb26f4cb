package zedrouter

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/evetwin/evetwin/core/topics/network"
)

func itoa(n int) string { return strconv.Itoa(n) }

// route leads a destination out of an instance.
type route struct {
	dst  netip.Prefix
	gw   netip.Addr                 // zero: on the link of the port
	port *network.NetworkPortStatus // nil: by a guest, or by the instance's own gateway
	// connected routes are told to guests only if the instance says so.
	connected bool
}

func (r *route) isDefault() bool { return r.dst.Bits() == 0 }

// chooseRoutes selects the port of every destination of an instance.
func (s *sheet) chooseRoutes(n *instance) {
	user := false
	for i := range n.cfg.StaticRoutes {
		c := &n.cfg.StaticRoutes[i]
		user = user || c.DstNetwork.Bits() == 0
		if r, wrong := n.static(c); wrong != "" {
			n.errs = append(n.errs, "static route to "+c.DstNetwork.String()+": "+wrong)
		} else {
			n.routes = append(n.routes, r)
		}
	}
	if !user {
		n.addDefault()
	}
	for _, p := range n.ports {
		for _, a := range p.AddrInfoList {
			if !a.Addr().IsLinkLocalUnicast() && !n.leads(a.Masked()) {
				n.routes = append(n.routes, route{dst: a.Masked(), port: p, connected: true})
			}
		}
	}
	slices.SortStableFunc(n.routes, func(a, b route) int {
		return cmp.Or(a.dst.Addr().Compare(b.dst.Addr()), cmp.Compare(a.dst.Bits(), b.dst.Bits()))
	})
}

// leads reports whether there is a route to exactly this destination.
func (n *instance) leads(dst netip.Prefix) bool {
	return slices.ContainsFunc(n.routes, func(r route) bool { return r.dst == dst })
}

// static carries a configured route out: through a port of its label, or by a gateway, which is a
// guest, the instance itself, or a neighbour of one of its ports.
func (n *instance) static(c *network.IPRouteConfig) (r route, wrong string) {
	r = route{dst: c.DstNetwork, gw: c.Gateway}
	if c.OutputPortLabel == "" {
		if n.cfg.Subnet.Contains(c.Gateway) {
			return r, ""
		}
		for _, p := range n.ports {
			if neighbour(p, c.Gateway) {
				r.port = p
				return r, ""
			}
		}
		return r, "gateway " + c.Gateway.String() + " is in no subnet of the ports"
	}
	var all []*network.NetworkPortStatus
	for _, p := range n.ports {
		if carries(p, c.OutputPortLabel) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return r, "no port is matching label '" + c.OutputPortLabel + "'"
	}
	r.port = n.pick(all, c.DstNetwork, c.PreferLowerCost)
	if !r.gw.IsValid() {
		r.gw = router(r.port, c.DstNetwork.Addr().Is4())
	}
	return r, ""
}

// addDefault leads everything else out where there is a way: by the cheapest of the management
// ports, by a port of any other label as long as it works.
func (n *instance) addDefault() {
	dst := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if n.cfg.Subnet.Addr().Is6() {
		dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	var all []*network.NetworkPortStatus
	for _, p := range n.ports {
		if p.IsMgmt || router(p, dst.Addr().Is4()).IsValid() {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return
	}
	prefer := n.cfg.PortLabel == "uplink" || n.cfg.PortLabel == "freeuplink"
	p := n.pick(all, dst, prefer)
	n.routes = append(n.routes, route{dst: dst, port: p, gw: router(p, dst.Addr().Is4())})
}

// pick selects one of several ports for a destination: one that works, the cheapest of those, and
// the one in use if it is as good; if cost is not preferred, the one in use as long as it works.
func (n *instance) pick(all []*network.NetworkPortStatus, dst netip.Prefix, prefer bool,
) *network.NetworkPortStatus {
	using := n.using(dst)
	best := all[0]
	better := func(a, b *network.NetworkPortStatus) bool {
		order := cmp.Compare(health(a, dst), health(b, dst))
		if !prefer {
			order = cmp.Or(order, cmp.Compare(other(a, using), other(b, using)))
		}
		return cmp.Or(order, cmp.Compare(a.Cost, b.Cost),
			cmp.Compare(other(a, using), other(b, using))) < 0
	}
	for _, p := range all[1:] {
		if better(p, best) {
			best = p
		}
	}
	return best
}

func other(p *network.NetworkPortStatus, label string) int {
	if p.Logicallabel == label {
		return 0
	}
	return 1
}

// using is the port that a destination goes through now.
func (n *instance) using(dst netip.Prefix) string {
	if n.old != nil {
		for _, r := range n.old.CurrentRoutes {
			if r.DstNetwork == dst {
				return r.OutputPort
			}
		}
	}
	return ""
}

// health grades a port for a destination; 0 is best.
func health(p *network.NetworkPortStatus, dst netip.Prefix) int {
	grade := 0
	switch {
	case p.Up && len(p.Addrs()) > 0:
	case p.Up && len(p.AddrInfoList) > 0:
		grade = 2
	default:
		grade = 4
	}
	if dst.Bits() == 0 && !router(p, dst.Addr().Is4()).IsValid() {
		grade++
	}
	return grade
}

// router is the default router of a port, zero if it has none.
func router(p *network.NetworkPortStatus, v4 bool) netip.Addr {
	for _, r := range p.DefaultRouters {
		if r.Is4() == v4 {
			return r
		}
	}
	return netip.Addr{}
}

// neighbour reports whether an address lies in a subnet of a port.
func neighbour(p *network.NetworkPortStatus, a netip.Addr) bool {
	return slices.ContainsFunc(p.AddrInfoList, func(s netip.Prefix) bool { return s.Contains(a) })
}

// way is the route of everything else, nil if there is none.
func (n *instance) way() *route {
	for i := range n.routes {
		if n.routes[i].isDefault() {
			return &n.routes[i]
		}
	}
	return nil
}

// current lists the routes in force, as they are reported.
func (n *instance) current() (out []network.IPRouteStatus) {
	for i := range n.routes {
		r := &n.routes[i]
		if r.connected && !n.cfg.PropagateConnRoutes {
			continue
		}
		row := network.IPRouteStatus{DstNetwork: r.dst, Gateway: r.gw}
		switch {
		case r.port != nil:
			row.OutputPort = r.port.Logicallabel
		case r.gw == n.cfg.Gateway:
			if w := n.way(); w != nil && w.port != nil {
				row.OutputPort = w.port.Logicallabel
			}
		default:
			for _, g := range n.guests {
				if g.ip == r.gw {
					row.GatewayApp = g.app
				}
			}
		}
		out = append(out, row)
	}
	return out
}

// advertised lists the routes that guests are told, with the gateway they are to use: the
// instance's own but where a guest is the gateway. The default route of the instance is told
// otherwise.
func (n *instance) advertised() (out []network.IPRouteStatus) {
	for i := range n.routes {
		r := &n.routes[i]
		if r.connected && !n.cfg.PropagateConnRoutes || r.isDefault() && n.leadsOut() {
			continue
		}
		row := network.IPRouteStatus{DstNetwork: r.dst, Gateway: n.cfg.Gateway}
		if r.port == nil {
			row.Gateway = r.gw
		}
		out = append(out, row)
	}
	return out
}

// leadsOut reports whether guests are to send everything else to the instance.
func (n *instance) leadsOut() bool {
	w := n.way()
	return w != nil && (w.port != nil || w.gw == n.cfg.Gateway)
}
