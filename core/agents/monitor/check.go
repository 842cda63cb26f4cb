package monitor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/topics/network"
)

// check collects what is wrong with the fields of a request, under their names in it.
type check struct{ fields []operator.FieldError }

func (c *check) wrong(field, text string) {
	c.fields = append(c.fields, operator.FieldError{Field: field, Text: text})
}

// static reads an address of the operator's, and what goes with it.
func (c *check) static(q *operator.Interface, out *network.DhcpConfig) {
	subnet, ok := c.address(q)
	out.Gateway = netip.IPv4Unspecified() // no default route
	if q.Gateway != "" {
		g, err := netip.ParseAddr(q.Gateway)
		switch {
		case err != nil:
			c.wrong("ip.gateway", "no address of IP: "+clip(q.Gateway))
		case g.IsUnspecified():
		case ok && !subnet.Contains(g) && !g.IsLinkLocalUnicast():
			c.wrong("ip.gateway", "it is outside of the subnet "+subnet.Masked().String())
		case ok && g == subnet.Addr():
			c.wrong("ip.gateway", "it is the address of the interface itself")
		default:
			out.Gateway = g
		}
	}
	if ok {
		out.AddrSubnet = subnet.String()
		out.Type = family(out.Type, subnet.Addr())
	}
}

// servers reads the addresses of name servers.
func (c *check) servers(list []string) (out []netip.Addr) {
	for _, text := range list {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() {
			c.wrong("ip.dnsServers", "no address of IP: "+clip(text))
			continue
		}
		out = append(out, a)
	}
	return out
}

// address reads the address with its subnet.
func (c *check) address(q *operator.Interface) (netip.Prefix, bool) {
	text, behind, has := strings.Cut(q.Address, "/")
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		c.wrong("ip.ip", "no address of IP: "+clip(q.Address))
		return netip.Prefix{}, false
	}
	subnet := q.Subnet
	if subnet == "" && has {
		subnet = text + "/" + behind
	}
	p, ok := prefix(subnet, a)
	switch {
	case !ok:
		c.wrong("ip.subnet", "neither a subnet nor a mask: "+clip(subnet))
	case !p.Contains(a):
		c.wrong("ip.ip", "it is outside of the subnet "+p.Masked().String())
	case unusable(a, p):
		c.wrong("ip.ip", "no interface can have this address")
	default:
		return netip.PrefixFrom(a, p.Bits()), true
	}
	return netip.Prefix{}, false
}

// prefix reads a subnet: "192.0.2.0/24", or the mask of the subnet around an address.
func prefix(text string, a netip.Addr) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, p.Bits() > 0
	}
	mask, err := netip.ParseAddr(text)
	if err != nil || !mask.Is4() || !a.Is4() {
		return netip.Prefix{}, false
	}
	b := mask.As4()
	bits := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n := 0
	for ; n < 32 && bits&(1<<31) != 0; n++ {
		bits <<= 1
	}
	return netip.PrefixFrom(a, n), bits == 0 && n > 0
}

// unusable reports whether no interface can have an address: it is a subnet's own or everybody's.
func unusable(a netip.Addr, p netip.Prefix) bool {
	if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return true
	}
	if !a.Is4() || p.Bits() > 30 {
		return false
	}
	host := uint32(1)<<(32-p.Bits()) - 1
	b := a.As4()
	n := (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])) & host
	return n == 0 || n == host
}

// proxy reads how the web is reached.
func (c *check) proxy(q *operator.Proxy, out *network.ProxyConfig) {
	certs := out.ProxyCertPEM
	switch q.Mode {
	case "":
		return
	case operator.ProxyNone:
		*out = network.ProxyConfig{ProxyCertPEM: certs}
	case operator.ProxyManual:
		*out = network.ProxyConfig{ProxyCertPEM: certs, Exceptions: strings.Join(q.Exceptions, ",")}
		if len(q.Servers) == 0 {
			c.wrong("proxy.servers", "there is none")
		}
		for _, s := range q.Servers {
			kind := slices.Index([]string{"http", "https", "socks", "ftp"}, s.Scheme)
			switch {
			case kind < 0:
				c.wrong("proxy.servers", "there is no kind of proxy "+clip(s.Scheme))
			case !isHost(s.Host):
				c.wrong("proxy.servers", "no host is called "+clip(s.Host))
			case s.Port == 0:
				c.wrong("proxy.servers", "the port of "+s.Host+" is missing")
			default:
				out.Proxies = append(out.Proxies, network.ProxyEntry{Type: network.ProxyType(kind),
					Server: s.Host, Port: uint32(s.Port)})
			}
		}
	default: // nim refuses ports with these, with their error
		c.wrong("proxy.mode", "this device has none or manual, not "+clip(q.Mode))
	}
}

// hosts reads names or addresses.
func (c *check) hosts(field string, list []string) []string {
	for _, h := range list {
		if !isHost(h) {
			c.wrong(field, "no host is called "+clip(h))
		}
	}
	return slices.Clone(list)
}

func (c *check) domain(name string) string {
	if name != "" && !isHost(name) {
		c.wrong("domain", "no domain is called "+clip(name))
	}
	return name
}

// isHost reports whether a text can be a name or an address of a host.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return text != "" && len(text) <= 253 && strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' ||
			r == '-' || r == '_')
	}) < 0
}
