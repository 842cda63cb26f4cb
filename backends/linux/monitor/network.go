package monitor

import (
	"net/netip"
	"strings"

	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// networkStatus is EVE's NetworkStatus.
type networkStatus struct {
	DPCKey     string             `json:"dpcKey"`
	Interfaces []networkInterface `json:"interfaces,omitempty"`
}

// networkInterface is a port that stands on no other.
type networkInterface struct {
	Name    string      `json:"name"`
	Label   string      `json:"label"`
	MAC     string      `json:"mac"`
	Up      bool        `json:"up"`
	IsMgmt  bool        `json:"isMgmt"`
	Cost    uint8       `json:"cost"`
	Media   media       `json:"media"`
	Network portNetwork `json:"network"`
	VLANs   []vlan      `json:"vlans,omitempty"`
}

// media is EVE's NetworkMedia; all ports of this device are of the kind "ethernet".
type media struct {
	Kind string `json:"kind"`
}

// vlan is a port on another one.
type vlan struct {
	ID      uint16      `json:"id"`
	Name    string      `json:"name"`
	Label   string      `json:"label"`
	Up      bool        `json:"up"`
	IsMgmt  bool        `json:"isMgmt"`
	Network portNetwork `json:"network"`
}

// portNetwork is what a port has of IP.
type portNetwork struct {
	IsDHCP     bool          `json:"isDhcp"`
	IPv4       []netip.Addr  `json:"ipv4,omitempty"`
	IPv6       []netip.Addr  `json:"ipv6,omitempty"`
	Subnet     *netip.Prefix `json:"subnet,omitempty"`
	Routes     []netip.Addr  `json:"routes,omitempty"`
	DNSServers []netip.Addr  `json:"dnsServers,omitempty"`
	NTPServers []string      `json:"ntpServers,omitempty"`
	Domain     string        `json:"domain"`
	Proxy      proxy         `json:"proxy"`
	Errors     []string      `json:"errors,omitempty"`
}

// proxy is EVE's ProxySettings: which fields there are is for Mode to say.
type proxy struct {
	Mode       string        `json:"mode"`
	Servers    []proxyServer `json:"servers,omitempty"`
	Exceptions []string      `json:"exceptions,omitempty"`
	PACFile    string        `json:"pacFile,omitempty"`
	URL        string        `json:"url,omitempty"`
}

type proxyServer struct {
	Scheme string `json:"scheme"`
	Host   string `json:"host"`
	Port   uint16 `json:"port"`
}

// network is the ports as they are: a VLAN under the port that it stands on.
func (v *view) network() networkStatus {
	dns := get(v, network.DNS, entity.Global)
	if dns == nil {
		return networkStatus{}
	}
	out := networkStatus{DPCKey: dns.DPCKey}
	at := map[string]int{} // by label
	for i := range dns.Ports {
		p := &dns.Ports[i]
		if p.L2Type == network.L2VLAN {
			continue
		}
		at[p.Logicallabel] = len(out.Interfaces)
		out.Interfaces = append(out.Interfaces, networkInterface{Name: p.IfName, Label: p.Logicallabel,
			MAC: p.MacAddr, Up: p.Up, IsMgmt: p.IsMgmt, Cost: p.Cost, Media: media{"ethernet"},
			Network: addresses(p)})
	}
	for i := range dns.Ports {
		p := &dns.Ports[i]
		parent, known := at[p.VLAN.ParentPort]
		if p.L2Type != network.L2VLAN || !known {
			continue
		}
		x := &out.Interfaces[parent]
		x.VLANs = append(x.VLANs, vlan{ID: p.VLAN.ID, Name: p.IfName, Label: p.Logicallabel, Up: p.Up,
			IsMgmt: p.IsMgmt, Network: addresses(p)})
	}
	return out
}

// addresses is what a port has of IP; its subnet is that of its first address.
func addresses(p *network.NetworkPortStatus) portNetwork {
	out := portNetwork{IsDHCP: p.Dhcp == network.DhcpClient, Routes: p.DefaultRouters,
		DNSServers: p.DNSServers, NTPServers: p.NtpServers, Domain: p.DomainName,
		Proxy: proxyOf(&p.ProxyConfig)}
	for _, a := range p.AddrInfoList {
		if a.Addr().Is4() {
			out.IPv4 = append(out.IPv4, a.Addr())
		} else {
			out.IPv6 = append(out.IPv6, a.Addr())
		}
		if out.Subnet == nil && !a.Addr().IsLinkLocalUnicast() {
			subnet := a.Masked()
			out.Subnet = &subnet
		}
	}
	if p.HasError() {
		out.Errors = []string{p.Error}
	}
	return out
}

func proxyOf(c *network.ProxyConfig) proxy {
	switch {
	case c.NetworkProxyEnable:
		return proxy{Mode: "wpad", URL: c.WpadURL}
	case c.Pacfile != "":
		return proxy{Mode: "pac", PACFile: c.Pacfile}
	case len(c.Proxies) == 0:
		return proxy{Mode: "none"}
	}
	out := proxy{Mode: "manual"}
	schemes := [...]string{"http", "https", "socks", "ftp"}
	for _, e := range c.Proxies {
		if int(e.Type) < len(schemes) {
			out.Servers = append(out.Servers, proxyServer{schemes[e.Type], e.Server, uint16(e.Port)})
		}
	}
	if c.Exceptions != "" {
		out.Exceptions = strings.Split(c.Exceptions, ",")
	}
	return out
}
