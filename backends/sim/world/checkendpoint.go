package world

import (
	"net/netip"
	"slices"
	"strings"
)

// References in the tables of DNS servers.
const (
	refFQDN  = "endpoint-fqdn."
	refIP    = "endpoint-ip."
	refIPv4  = "endpoint-ipv4."
	refIPv6  = "endpoint-ipv6."
	refAdam  = "adam-ip"
	refAdam4 = "adam-ipv4"
	refAdam6 = "adam-ipv6"
)

// endpoint checks what all endpoints have.
func (c *checker) endpoint(e placed) {
	dual := e.DualStack.IPv4.Subnet.IsValid() || e.DualStack.IPv6.Subnet.IsValid()
	switch single := e.Subnet.IsValid() || e.IP.IsValid(); {
	case single && dual:
		c.add(e.path+".dualStack", e.Label, "either this or subnet and ip, not both")
	case single:
		c.endIP(e.path, e.Label, e.EndIP)
	case dual:
		at := e.path + ".dualStack"
		c.endIP(at+".ipv4", e.Label, e.DualStack.IPv4)
		c.endIP(at+".ipv6", e.Label, e.DualStack.IPv6)
		if s := e.DualStack.IPv4.Subnet; s.IsValid() && s.Addr().Is6() {
			c.add(at+".ipv4.subnet", e.Label, "%s is IPv6", s)
		}
		if s := e.DualStack.IPv6.Subnet; s.IsValid() && s.Addr().Is4() {
			c.add(at+".ipv6.subnet", e.Label, "%s is IPv4", s)
		}
	case e.DirectL2.Bridge == "":
		c.add(e.path+".subnet", e.Label, "is missing")
	}
	if l2 := e.DirectL2; l2.Bridge != "" {
		if _, ok := c.bridges[l2.Bridge]; !ok {
			c.add(e.path+".directL2Connect.bridge", e.Label, "there is no bridge %s",
				quoted(l2.Bridge))
		}
	}
	c.vlan(e.path+".directL2Connect.vlanID", e.Label, e.DirectL2.VLAN)
	c.mtu(e.path+".mtu", e.Label, e.MTU, e.IPv6() != nil)
}

func (c *checker) endIP(at, label string, ip EndIP) {
	if !ip.Subnet.IsValid() {
		c.add(at+".subnet", label, "is missing")
		return
	}
	c.inside(at+".ip", label, ip.IP, ip.Subnet)
	if ip.Subnet.Addr().BitLen()-ip.Subnet.Bits() < 2 {
		c.add(at+".subnet", label, "%s has no room for the endpoint and its router", ip.Subnet)
	}
}

// endpointAddrs checks that no two endpoints, nor a router, share an address.
func (c *checker) endpointAddrs() {
	used := map[netip.Addr]string{}
	for i := range c.m.Networks {
		for _, h := range []*NetIP{c.m.Networks[i].IPv4(), c.m.Networks[i].IPv6()} {
			if h != nil {
				used[h.Gateway] = index("networks", i) + ".gwIP"
			}
		}
	}
	for _, e := range c.m.Endpoints.all() {
		for _, a := range e.Addrs() {
			if other, twice := used[a]; twice {
				c.add(e.path+".ip", e.Label, "%s is already the address of %s", a, other)
			}
			used[a] = e.path
		}
	}
}

// servers checks DNS and HTTP servers.
func (c *checker) servers() {
	for i := range c.m.Endpoints.DNSServers {
		s, at := &c.m.Endpoints.DNSServers[i], index("endpoints."+kindDNS, i)
		c.given(at+".upstreamServers", s.Label, s.Upstream)
		for j, e := range s.Static {
			c.dnsName(index(at+".staticEntries", j)+".fqdn", s.Label, e.FQDN)
			c.dnsAddr(index(at+".staticEntries", j)+".ip", s.Label, e.IP)
		}
	}
	for i := range c.m.Endpoints.HTTPServers {
		s, at := &c.m.Endpoints.HTTPServers[i], index("endpoints."+kindHTTP, i)
		c.resolvers(at, s.Label, s.Resolvers)
		switch {
		case s.HTTPPort == 0 && s.HTTPSPort == 0:
			c.add(at+".httpPort", s.Label, "httpPort or httpsPort is required")
		case s.HTTPPort == s.HTTPSPort:
			c.add(at+".httpsPort", s.Label, "%d is the httpPort already", s.HTTPSPort)
		}
		if s.HTTPSPort != 0 && s.CertPEM == "" {
			c.add(at+".certPEM", s.Label, "is required with httpsPort")
		}
		c.pair(at+".certPEM", at+".keyPEM", s.Label, s.CertPEM, s.KeyPEM, false)
		for _, p := range sortedKeys(s.Paths) {
			if !strings.HasPrefix(p, "/") {
				c.add(at+".paths["+quoted(p)+"]", s.Label, "a path starts with /")
			}
		}
	}
}

func (c *checker) dnsName(at, label, name string) {
	l, isRef := strings.CutPrefix(name, refFQDN)
	switch {
	case name == "":
		c.add(at, label, "is missing")
	case isRef && c.endpoints[l].Endpoint == nil:
		c.add(at, label, "there is no endpoint %s", quoted(l))
	case isRef && c.endpoints[l].FQDN == "":
		c.add(at, label, "endpoint %s has no fqdn", quoted(l))
	}
}

func (c *checker) dnsAddr(at, label, ip string) {
	if slices.Contains([]string{refAdam, refAdam4, refAdam6}, ip) {
		return
	}
	for _, ref := range []string{refIP, refIPv4, refIPv6} {
		l, isRef := strings.CutPrefix(ip, ref)
		if !isRef {
			continue
		}
		e := c.endpoints[l].Endpoint
		switch {
		case e == nil:
			c.add(at, label, "there is no endpoint %s", quoted(l))
		case len(e.Addrs()) == 0:
			c.add(at, label, "endpoint %s has no address", quoted(l))
		case ref == refIPv4 && e.IPv4() == nil, ref == refIPv6 && e.IPv6() == nil:
			c.add(at, label, "endpoint %s has no address of that IP version", quoted(l))
		}
		return
	}
	if _, err := netip.ParseAddr(ip); err != nil {
		c.add(at, label, "neither an IP address nor a reference to one: %s", quoted(ip))
	}
}

// dnsCycles finds DNS servers that ask each other in a circle.
func (c *checker) dnsCycles() {
	srv := c.m.Endpoints.DNSServers
	byAddr := map[netip.Addr]int{}
	for i := range srv {
		for _, a := range srv[i].Addrs() {
			byAddr[a] = i
		}
	}
	state := make([]byte, len(srv)) // 0 unseen, 1 on the way, 2 done
	var visit func(i int)
	visit = func(i int) {
		state[i] = 1
		for j, up := range srv[i].Upstream {
			next, ok := byAddr[up]
			if ok && state[next] == 1 {
				at := index(index("endpoints."+kindDNS, i)+".upstreamServers", j)
				c.add(at, srv[i].Label, "cycle: DNS server %s asks this one", quoted(srv[next].Label))
			} else if ok && state[next] == 0 {
				visit(next)
			}
		}
		state[i] = 2
	}
	for i := range srv {
		if state[i] == 0 {
			visit(i)
		}
	}
}
