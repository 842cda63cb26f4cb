package diag

import (
	"fmt"
	"strings"

	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// portSection says what a port has and what it lacks.
func portSection(r *report, p *network.NetworkPortStatus) {
	name := "3-port-" + strings.ReplaceAll(p.Logicallabel, "/", "!")
	for r.has(name) { // two ports with one label: one of them is invalid
		name += "'"
	}
	r.section(name)
	use := "for applications"
	if p.IsMgmt {
		use = "for management"
	}
	r.say(node.DiagNote, "interface %s, %s, cost %d, MAC %s", p.IfName, use, p.Cost,
		orNone(p.MacAddr))
	if p.HasError() {
		r.say(node.DiagError, "%s", p.Error)
	}
	if p.InvalidConfig {
		return
	}
	if !p.Up {
		r.say(node.DiagWarning, "no carrier: is the cable plugged in?")
	}
	if !p.IsL3Port || p.Dhcp == network.DhcpNone {
		return
	}
	lacking := node.DiagWarning
	if p.IsMgmt {
		lacking = node.DiagError
	}
	if len(p.Addrs()) == 0 {
		r.say(lacking, "no usable address (%s)", dhcpText(p))
	} else {
		r.say(node.DiagPass, "addresses %s (%s)", list(p.AddrInfoList), dhcpText(p))
	}
	if len(p.DNSServers) == 0 {
		r.say(lacking, "no DNS server")
	} else {
		r.say(node.DiagPass, "DNS servers %s, domain %s", list(p.DNSServers), orNone(p.DomainName))
	}
	r.say(node.DiagNote, "routers %s, NTP servers %s", orNone(list(p.DefaultRouters)),
		orNone(strings.Join(p.NtpServers, ", ")))
	proxies(r, &p.ProxyConfig)
}

func dhcpText(p *network.NetworkPortStatus) string {
	if p.Dhcp == network.DhcpStatic {
		return "static"
	}
	return "DHCP"
}

// proxies lists the proxies of a port.
func proxies(r *report, c *network.ProxyConfig) {
	names := [...]string{"HTTP", "HTTPS", "SOCKS", "FTP", "none"}
	for _, e := range c.Proxies {
		r.say(node.DiagNote, "%s proxy %s port %d", names[min(int(e.Type), len(names)-1)],
			e.Server, e.Port)
	}
	if c.Exceptions != "" {
		r.say(node.DiagNote, "no proxy for %s", c.Exceptions)
	}
	if n := len(c.ProxyCertPEM); n > 0 {
		r.say(node.DiagNote, "%d certificates of proxies are trusted", n)
	}
}

func list[T fmt.Stringer](items []T) string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = v.String()
	}
	return strings.Join(out, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
