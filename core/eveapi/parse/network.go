package parse

import (
	"net/netip"

	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/network"
)

// Network is the layer 3 configuration that system adapters refer to.
type Network struct {
	UUID   string
	Subnet netip.Prefix // of static addressing
	network.DhcpConfig
	network.ProxyConfig
	Ignore   *evecommon.DhcpOptionsIgnore // what a DHCP server gives and is not wanted
	MTU      uint16                       // 0 means 1500
	Wireless network.WirelessType
	Error    string // what is wrong with it; a port that uses it shares the error
}

// Networks reads the networks, by UUID; of several with one UUID the last counts.
func Networks(list []*config.NetworkConfig) map[string]*Network {
	out := make(map[string]*Network, len(list))
	for i, n := range list {
		one := readNetwork(n, i)
		if _, known := out[one.UUID]; len(out) < MaxObjects || known {
			out[one.UUID] = one
		}
	}
	return out
}

// RepeatedNetworks says which UUIDs several networks have; empty if none. Ports go on with the last
// of them, so it is no error of theirs.
func RepeatedNetworks(list []*config.NetworkConfig) string {
	var errs wrongs
	seen := make(map[string]bool, len(list))
	for i, n := range list {
		id := readNetwork(n, i).UUID
		if seen[id] {
			errs.add("network ", id, ": another network has the same UUID; the last counts")
		}
		seen[id] = true
	}
	return errs.String()
}

// networkType maps the API's number to the one in rows.
//
// EVE: number 9 (both versions) is not known to it, and an error here too.
func networkType(t evecommon.NetworkType) (network.NetworkType, bool) {
	switch t {
	case evecommon.NetworkType_NETWORKTYPENOOP:
		return network.NetworkNoop, true
	case evecommon.NetworkType_V4:
		return network.NetworkV4, true
	case evecommon.NetworkType_V6:
		return network.NetworkV6, true
	case evecommon.NetworkType_V4Only:
		return network.NetworkV4Only, true
	case evecommon.NetworkType_V6Only:
		return network.NetworkV6Only, true
	}
	return network.NetworkNoop, false
}

func readNetwork(n *config.NetworkConfig, index int) *Network {
	out := &Network{}
	var errs wrongs
	var wrong string
	out.UUID, wrong = readUUID(n.GetId(), index)
	errs.add(wrong)
	var known bool
	if out.Type, known = networkType(n.GetType()); !known {
		errs.add("network type ", number(int(n.GetType())), " is unknown")
	}
	out.MTU, wrong = readMTU(n.GetMtu())
	errs.add(wrong)
	out.ProxyConfig, wrong = readProxy(n.GetEntProxy())
	errs.add(wrong)
	switch t := n.GetWireless().GetType(); t {
	case evecommon.WirelessType_TypeNOOP:
	case evecommon.WirelessType_Cellular:
		out.Wireless = network.WirelessCellular
	case evecommon.WirelessType_WiFi:
		out.Wireless = network.WirelessWifi
	default:
		errs.add("wireless type ", number(int(t)), " is unknown")
	}
	if n.GetIp() == nil && out.Type != network.NetworkNoop {
		errs.add("it has no IP configuration")
	}
	errs.add(out.readIP(n.GetIp()))
	out.Error = errs.String()
	return out
}

// readIP fills in the IP configuration; the ways of getting an address are checked per port.
func (n *Network) readIP(ip *evecommon.Ipspec) string {
	if ip == nil {
		return ""
	}
	n.Ignore = ip.GetDhcpOptionsIgnore()
	if d := ip.GetDhcp(); d >= 0 && d <= evecommon.DHCPType_Client {
		n.Dhcp = network.DhcpType(d)
	} else {
		return "DHCP type " + number(int(d)) + " is unknown"
	}
	var wrong string
	n.DomainName = clip(ip.GetDomain(), 253)
	if s := ip.GetSubnet(); s != "" {
		var ok bool
		if n.Subnet, ok = readSubnet(s); !ok {
			return "subnet " + quote(s) + " is not a subnet"
		}
	}
	if s := ip.GetGateway(); s != "" {
		var ok bool
		if n.Gateway, ok = readAddr(s); !ok {
			return "gateway " + quote(s) + " is not an IP address"
		}
	}
	if n.NTPServers, wrong = ntpServers(ip); wrong != "" {
		return wrong
	}
	n.DNSServers, wrong = dnsServers(ip.GetDns())
	return wrong
}

// readProxy copies a proxy configuration within bounds.
func readProxy(p *evecommon.ProxyConfig) (out network.ProxyConfig, wrong string) {
	if p == nil {
		return out, ""
	}
	out = network.ProxyConfig{
		Exceptions: p.GetExceptions(), Pacfile: p.GetPacfile(),
		NetworkProxyEnable: p.GetNetworkProxyEnable(), NetworkProxyURL: p.GetNetworkProxyURL(),
	}
	for _, pem := range p.GetProxyCertPEM() {
		out.ProxyCertPEM = append(out.ProxyCertPEM, string(pem))
	}
	for _, s := range p.GetProxies() {
		e := network.ProxyEntry{Server: s.GetServer(), Port: s.GetPort()}
		switch t := s.GetProto(); t {
		case evecommon.ProxyProto_PROXY_HTTP:
			e.Type = network.ProxyHTTP
		case evecommon.ProxyProto_PROXY_HTTPS:
			e.Type = network.ProxyHTTPS
		case evecommon.ProxyProto_PROXY_SOCKS:
			e.Type = network.ProxySOCKS
		case evecommon.ProxyProto_PROXY_FTP:
			e.Type = network.ProxyFTP
		case evecommon.ProxyProto_PROXY_OTHER:
			e.Type = network.ProxyNone
		default:
			wrong = "proxy protocol " + number(int(t)) + " is unknown"
			continue
		}
		if e.Port > 65535 {
			wrong = "proxy port " + number(int(e.Port)) + " is not a port"
		}
		out.Proxies = append(out.Proxies, e)
	}
	if weigh(out, 16<<10) > 16<<10 {
		return network.ProxyConfig{}, "proxy: " + tooLarge(16<<10)
	}
	return out, wrong
}
