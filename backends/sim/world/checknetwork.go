package world

import (
	"net/netip"
	"net/url"
)

// network checks one network.
func (c *checker) network(at string, n *Network) {
	if _, ok := c.bridges[n.Bridge]; !ok {
		c.add(at+".bridge", n.Label, "there is no bridge %s", quoted(n.Bridge))
	}
	dual := n.DualStack.IPv4.Subnet.IsValid() || n.DualStack.IPv6.Subnet.IsValid()
	switch single := n.Subnet.IsValid(); {
	case single && dual:
		c.add(at+".dualStack", n.Label, "either this or subnet, not both")
	case single:
		c.half(at, n, &n.NetIP)
	case !dual:
		c.add(at+".subnet", n.Label, "is missing")
	default:
		c.halves(at+".dualStack", n)
	}
	c.mtu(at+".mtu", n.Label, n.MTU, n.IPv6() != nil)
	if n.TransparentProxy != "" {
		c.ref(at+".transparentProxy", n.Label, kindTransparent, n.TransparentProxy)
	}
	if n.Router != nil {
		c.router(at+".router", n)
	}
}

func (c *checker) halves(at string, n *Network) {
	for _, h := range []struct {
		at  string
		net *NetIP
		six bool
	}{{at + ".ipv4", &n.DualStack.IPv4, false}, {at + ".ipv6", &n.DualStack.IPv6, true}} {
		switch s := h.net.Subnet; {
		case !s.IsValid():
			c.add(h.at+".subnet", n.Label, "is missing")
		case s.Addr().Is6() != h.six:
			c.add(h.at+".subnet", n.Label, "%s is %s", s, family(s.Addr()))
		default:
			c.half(h.at, n, h.net)
		}
	}
	d4, d6 := n.DualStack.IPv4.DHCP.Domain, n.DualStack.IPv6.DHCP.Domain
	if d4 != "" && d6 != "" && d4 != d6 {
		c.add(at+".ipv6.dhcp.domainName", n.Label, "differs from that of IPv4")
	}
}

func (c *checker) half(at string, n *Network, h *NetIP) {
	c.inside(at+".gwIP", n.Label, h.Gateway, h.Subnet)
	d, dat := &h.DHCP, at+".dhcp"
	c.addressRange(dat+".ipRange", n.Label, d.Range, h.Subnet)
	c.static(dat+".staticEntries", n.Label, d.Static, h.Subnet)
	c.resolvers(dat, n.Label, d.Resolvers)
	if d.PublicNTP != "" && d.PrivateNTP != "" {
		c.add(dat+".privateNTP", n.Label, "either publicNTP or privateNTP, not both")
	}
	if d.PrivateNTP != "" {
		c.ref(dat+".privateNTP", n.Label, kindNTP, d.PrivateNTP)
	}
	if d.Netboot != "" {
		c.ref(dat+".netbootServer", n.Label, kindNetboot, d.Netboot)
	}
	if d.WPAD != "" {
		c.httpURL(dat+".wpad", n.Label, d.WPAD)
	}
}

func (c *checker) addressRange(at, label string, r Range, subnet netip.Prefix) {
	if !r.From.IsValid() && !r.To.IsValid() {
		return
	}
	before := len(c.errs) + c.more
	c.inside(at+".fromIP", label, r.From, subnet)
	c.inside(at+".toIP", label, r.To, subnet)
	if len(c.errs)+c.more == before && r.To.Less(r.From) {
		c.add(at+".toIP", label, "%s is before fromIP %s", r.To, r.From)
	}
}

func (c *checker) static(at, label string, ls []StaticLease, subnet netip.Prefix) {
	macs, ips := map[MAC]int{}, map[netip.Addr]int{}
	for i, l := range ls {
		at := index(at, i)
		if l.MAC == (MAC{}) {
			c.add(at+".mac", label, "is missing")
		} else if old, twice := macs[l.MAC]; twice {
			c.add(at+".mac", label, "%s has entry %d already", l.MAC, old)
		}
		c.inside(at+".ip", label, l.IP, subnet)
		if old, twice := ips[l.IP]; twice && l.IP.IsValid() {
			c.add(at+".ip", label, "%s belongs to entry %d already", l.IP, old)
		}
		macs[l.MAC], ips[l.IP] = i, i
	}
}

func (c *checker) resolvers(at, label string, r Resolvers) {
	c.given(at+".publicDNS", label, r.PublicDNS)
	c.refs(at+".privateDNS", label, kindDNS, r.PrivateDNS)
}

func (c *checker) httpURL(at, label, s string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.add(at, label, "not an http or https URL: %s", quoted(s))
	}
}

func (c *checker) router(at string, n *Network) {
	r := n.Router
	c.refs(at+".reachableEndpoints", n.Label, "", r.Endpoints)
	for i, l := range r.Networks {
		if _, ok := c.networks[l]; !ok {
			c.add(index(at+".reachableNetworks", i), n.Label, "there is no network %s", quoted(l))
		}
	}
	for i, route := range r.Routes {
		at := index(at+".routesTowardsEVE", i)
		if !route.Dst.IsValid() {
			c.add(at+".dstNetwork", n.Label, "is missing")
			continue
		}
		half := n.half(route.Dst.Addr().Is6())
		if half == nil {
			c.add(at+".dstNetwork", n.Label, "%s: the network has no %s",
				route.Dst, family(route.Dst.Addr()))
			continue
		}
		c.inside(at+".gateway", n.Label, route.Gateway, half.Subnet)
		if route.Gateway.IsValid() && route.Dst.Contains(route.Gateway) {
			c.add(at+".gateway", n.Label, "cycle: %s is itself behind this route", route.Gateway)
		}
	}
}

// firewall checks the rules.
func (c *checker) firewall() {
	for i, r := range c.m.Firewall.Rules {
		at := index("firewall.rules", i)
		if len(r.Ports) > 0 && r.Protocol != "tcp" && r.Protocol != "udp" {
			c.add(at+".ports", "", "needs protocol tcp or udp")
		}
		if r.Src.IsValid() && r.Dst.IsValid() && r.Src.Addr().Is6() != r.Dst.Addr().Is6() {
			c.add(at+".dstSubnet", "", "%s and srcSubnet %s are of different IP versions",
				r.Dst, r.Src)
		}
	}
}

// host checks where the controller runs.
func (c *checker) host() {
	h := c.m.Host
	if h == nil {
		return
	}
	c.given("host.hostIPs", "", h.IPs)
	var four, six bool
	for _, a := range h.IPs {
		routable := a.IsGlobalUnicast()
		four, six = four || routable && a.Is4(), six || routable && a.Is6()
	}
	if len(h.IPs) == 0 {
		return
	}
	if !six && (h.NetworkType == "ipv6-only" || h.NetworkType == "dual-stack") {
		c.add("host.hostIPs", "", "networkType %s needs a routable IPv6 address", h.NetworkType)
	}
	if !four && h.NetworkType != "ipv6-only" {
		c.add("host.hostIPs", "", "networkType %s needs a routable IPv4 address", stack(h))
	}
}

func stack(h *Host) string {
	if h.NetworkType == "" {
		return "ipv4-only"
	}
	return h.NetworkType
}
