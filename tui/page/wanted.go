package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/network"
)

// portText is how a port is at the moment, in the words that set it: what an operator begins with.
func portText(p *network.NetworkPortStatus) string {
	words := []string{"dhcp"}
	if p.Dhcp == network.DhcpStatic {
		words[0] = "static"
		for _, a := range p.AddrInfoList {
			if !a.Addr().IsLinkLocalUnicast() {
				words = append(words, a.String())
				break
			}
		}
		if len(p.DefaultRouters) > 0 {
			words = append(words, "gateway", p.DefaultRouters[0].String())
		}
		if len(p.DNSServers) > 0 {
			words = append(words, "dns", strings.ReplaceAll(list(p.DNSServers), ", ", ","))
		}
	}
	schemes := []string{"http", "https", "socks", "ftp"}
	var proxies []string
	for _, e := range p.Proxies {
		if int(e.Type) < len(schemes) {
			proxies = append(proxies, fmt.Sprintf("%s://%s:%d", schemes[e.Type], e.Server, e.Port))
		}
	}
	if len(proxies) > 0 {
		words = append(words, "proxy", strings.Join(proxies, ","))
		if p.Exceptions != "" {
			words = append(words, "except", strings.ReplaceAll(p.Exceptions, " ", ""))
		}
	}
	return strings.Join(words, " ")
}

// byHand reports whether a list of port configurations has one of the operator's.
func byHand(l *network.DevicePortConfigList) bool {
	return l != nil && slices.ContainsFunc(l.PortConfigList, func(c network.DevicePortConfig) bool {
		return c.DPCKey == "manual"
	})
}
