package world

import (
	"fmt"
	"net/netip"
)

// Names of Default's model that others may want to know.
const (
	// DefaultController is the name under which Default's DNS server knows the controller.
	DefaultController = "mydomain.adam"
	// DefaultDNS is the label of Default's DNS server.
	DefaultDNS = "dns-server"
)

// Default is the model for those who have none: n ports (1 to 64), all plugged in, eveport0 to
// eveport<n-1>. Each has a switch of its own with one untagged network, 10.80.<i>.0/24, whose
// DHCP server gives .10 to .99, the router .1, the domain "sdn" and one DNS server. That one,
// 10.81.0.53, knows the controller as mydomain.adam and asks 8.8.8.8 and 1.1.1.1 for the rest.
// Everything is reachable: there are no router limits and no firewall rules.
func Default(n int) *Model {
	m := &Model{File: "default"}
	for i := range max(1, min(n, 64)) {
		net := netip.AddrFrom4([4]byte{10, 80, byte(i), 0})
		host := func(b byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 80, byte(i), b}) }
		port, bridge := fmt.Sprintf("eveport%d", i), fmt.Sprintf("bridge%d", i)
		m.Ports = append(m.Ports, Port{Label: port, AdminUP: true})
		m.Bridges = append(m.Bridges, Bridge{Label: bridge, Ports: []string{port}})
		m.Networks = append(m.Networks, Network{
			Label: fmt.Sprintf("network%d", i), Bridge: bridge,
			NetIP: NetIP{
				Subnet: netip.PrefixFrom(net, 24), Gateway: host(1),
				DHCP: DHCP{
					Enable: true, Range: Range{host(10), host(99)}, Domain: "sdn",
					Resolvers: Resolvers{PrivateDNS: []string{DefaultDNS}},
				},
			},
		})
	}
	m.Endpoints.DNSServers = []DNSServer{{
		Endpoint: Endpoint{
			Label: DefaultDNS, FQDN: "dns-server.sdn",
			EndIP: EndIP{netip.MustParsePrefix("10.81.0.0/24"), netip.MustParseAddr("10.81.0.53")},
		},
		Static: []DNSEntry{{FQDN: DefaultController, IP: refAdam}},
		Upstream: []netip.Addr{
			netip.AddrFrom4([4]byte{8, 8, 8, 8}), netip.AddrFrom4([4]byte{1, 1, 1, 1}),
		},
	}}
	return m
}
