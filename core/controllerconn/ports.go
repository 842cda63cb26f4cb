package controllerconn

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/network"
)

// PortOrder lists the indices of ports that may carry requests to the controller, in the order in
// which they are tried: management ports with layer 3 and a valid configuration, ascending by
// cost, rotated inside one cost by iteration. Ports with a recorded error come last, unless test is
// set: a connectivity test makes no difference.
func PortOrder(ports []network.NetworkPortStatus, iteration int, test bool) []int {
	var out []int
	for i := range ports {
		if p := &ports[i]; p.IsMgmt && p.IsL3Port && !p.InvalidConfig {
			out = append(out, i)
		}
	}
	rank := func(i int) int {
		r := int(ports[i].Cost)
		if !test && troubled(&ports[i]) {
			r += 1 << 8
		}
		return r
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(rank(a), rank(b)) })
	for from := 0; from < len(out); {
		to := from + 1
		for to < len(out) && rank(out[to]) == rank(out[from]) {
			to++
		}
		rotate(out[from:to], iteration)
		from = to
	}
	return out
}

func rotate(group []int, n int) {
	n %= len(group)
	slices.Reverse(group[:n])
	slices.Reverse(group[n:])
	slices.Reverse(group)
}

// troubled reports whether the last word on a port is an error.
func troubled(p *network.NetworkPortStatus) bool {
	return p.HasError() || p.LastError != "" && !p.Working()
}

// NotReady says what a port lacks to carry a request for a URL, empty if nothing: carrier, a usable
// address, a DNS server. A proxy given by address makes a DNS server unnecessary.
func NotReady(p *network.NetworkPortStatus, proxy string) string {
	switch {
	case !p.Up:
		return "port " + p.Logicallabel + " has no carrier"
	case len(p.Addrs()) == 0:
		return "port " + p.Logicallabel + " has no usable address"
	case len(p.DNSServers) == 0 && !byAddress(proxy):
		return "port " + p.Logicallabel + " has no DNS server"
	}
	return ""
}

// Via is how a request for a URL leaves through a port from one of its addresses. The error names
// what is wrong with the port's proxy settings. roots are the proxy CAs of all ports (Roots).
func Via(p *network.NetworkPortStatus, source netip.Addr, url string, roots []string) (
	web.Via, error,
) {
	proxy, err := ProxyFor(&p.ProxyConfig, url)
	if err != nil {
		return web.Via{}, err
	}
	return web.Via{
		IfName: p.IfName, Source: source, DNS: p.DNSServers, Proxy: proxy, RootPEM: roots,
	}, nil
}

// Roots lists the proxy CAs of all ports: each is trusted whatever port is used.
func Roots(ports []network.NetworkPortStatus) []string {
	var out []string
	for i := range ports {
		out = append(out, ports[i].ProxyCertPEM...)
	}
	return out
}
