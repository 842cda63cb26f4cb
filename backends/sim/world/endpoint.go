package world

import "net/netip"

// Endpoints are the clients and servers that the model places behind the routers.
type Endpoints struct {
	Clients            []Client           `json:"clients"`
	DNSServers         []DNSServer        `json:"dnsServers"`
	NTPServers         []NTPServer        `json:"ntpServers"`
	HTTPServers        []HTTPServer       `json:"httpServers"`
	ExplicitProxies    []ExplicitProxy    `json:"explicitProxies"`
	TransparentProxies []TransparentProxy `json:"transparentProxies"`
	NetbootServers     []NetbootServer    `json:"netbootServers"`
}

// Endpoint is what all endpoints have.
type Endpoint struct {
	Label string `json:"logicalLabel"`
	FQDN  string `json:"fqdn"`
	EndIP
	DualStack DualEnd  `json:"dualStack"`
	DirectL2  DirectL2 `json:"directL2Connect"`
	MTU       uint16   `json:"mtu"` // 0: 1500
}

// EndIP is one IP version of an endpoint.
type EndIP struct {
	Subnet netip.Prefix `json:"subnet"`
	IP     netip.Addr   `json:"ip"`
}

// DualEnd is an endpoint with both IP versions.
type DualEnd struct {
	IPv4 EndIP `json:"ipv4"`
	IPv6 EndIP `json:"ipv6"`
}

// DirectL2 puts an endpoint on a switch, beside the device and without a router.
type DirectL2 struct {
	Bridge string `json:"bridge"`
	VLAN   uint16 `json:"vlanID"`
}

// Client sends requests towards the device.
type Client struct{ Endpoint }

// DNSServer answers from its table and asks upstream servers for the rest.
type DNSServer struct {
	Endpoint
	Static   []DNSEntry   `json:"staticEntries"`
	Upstream []netip.Addr `json:"upstreamServers"`
}

// DNSEntry maps a name to addresses.
type DNSEntry struct {
	// FQDN is a name, or endpoint-fqdn.LABEL.
	FQDN string `json:"fqdn"`
	// IP is an address, endpoint-ip.LABEL (also -ipv4, -ipv6), or adam-ip (also -ipv4, -ipv6),
	// which is the controller.
	IP string `json:"ip"`
}

// NTPServer tells the time.
type NTPServer struct {
	Endpoint
	Upstream []string `json:"upstreamServers"` // addresses or names; not asked
}

// HTTPServer serves fixed contents.
type HTTPServer struct {
	Endpoint
	Resolvers
	HTTPPort  uint16                 `json:"httpPort"`  // 0: off
	HTTPSPort uint16                 `json:"httpsPort"` // 0: off
	CertPEM   string                 `json:"certPEM"`
	KeyPEM    string                 `json:"keyPEM"`
	Paths     map[string]HTTPContent `json:"paths"`
}

// HTTPContent is one page.
type HTTPContent struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

// Proxying is what explicit and transparent proxies have in common.
type Proxying struct {
	Resolvers
	CACertPEM string      `json:"caCertPEM"`
	CAKeyPEM  string      `json:"caKeyPEM"`
	Rules     []ProxyRule `json:"proxyRules"`
}

// ProxyRule decides by the host of a request.
type ProxyRule struct {
	ReqHost string `json:"reqHost"` // empty: the default rule
	// Action: forward (default), reject, or mitm: TLS ends in the proxy.
	Action string `json:"action" enum:"proxy"`
}

// ExplicitProxy is a proxy that the device must be told of.
type ExplicitProxy struct {
	Endpoint
	Proxying
	HTTPProxy  ProxyPort `json:"httpProxy"`  // for http URLs
	HTTPSProxy ProxyPort `json:"httpsProxy"` // for https URLs
	Users      []User    `json:"users"`      // none: no password is asked
}

// ProxyPort is where an explicit proxy listens, and whether it expects TLS there.
type ProxyPort struct {
	Port        uint16 `json:"port"`
	ListenProto string `json:"listenProto" enum:"listen"`
}

// User may use a proxy.
type User struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// TransparentProxy stands in the path of a network's HTTP(S) traffic.
type TransparentProxy struct {
	Endpoint
	Proxying
}

// NetbootServer serves what a device needs to boot from the network.
type NetbootServer struct {
	Endpoint
	TFTP []Artifact `json:"tftpArtifacts"`
	HTTP []Artifact `json:"httpArtifacts"`
}

// Artifact is a file of a netboot server, which fetches it when asked.
type Artifact struct {
	Filename   string `json:"filename"`
	URL        string `json:"downloadFromURL"`
	Entrypoint bool   `json:"entrypoint"`
}

// IPv4 is the endpoint's IPv4 half; nil if it has none.
func (e *Endpoint) IPv4() *EndIP { return e.half(false) }

// IPv6 is the endpoint's IPv6 half; nil if it has none.
func (e *Endpoint) IPv6() *EndIP { return e.half(true) }

func (e *Endpoint) half(six bool) *EndIP {
	dual := &e.DualStack.IPv4
	if six {
		dual = &e.DualStack.IPv6
	}
	for _, h := range []*EndIP{&e.EndIP, dual} {
		if h.IP.IsValid() && h.IP.Is6() == six {
			return h
		}
	}
	return nil
}

// Addrs are the endpoint's addresses, IPv4 first.
func (e *Endpoint) Addrs() []netip.Addr {
	var as []netip.Addr
	for _, h := range []*EndIP{e.IPv4(), e.IPv6()} {
		if h != nil {
			as = append(as, h.IP)
		}
	}
	return as
}

// placed is an endpoint of any kind with the path of its JSON object.
type placed struct {
	*Endpoint
	path, kind string
}

// Kinds of endpoints, as the lists of the model are called.
const (
	kindClient      = "clients"
	kindDNS         = "dnsServers"
	kindNTP         = "ntpServers"
	kindHTTP        = "httpServers"
	kindExplicit    = "explicitProxies"
	kindTransparent = "transparentProxies"
	kindNetboot     = "netbootServers"
)

// all lists the endpoints of every kind in the order of the model's format.
func (e *Endpoints) all() []placed {
	var l []placed
	add := func(kind string, i int, ep *Endpoint) {
		l = append(l, placed{ep, index("endpoints."+kind, i), kind})
	}
	for i := range e.Clients {
		add(kindClient, i, &e.Clients[i].Endpoint)
	}
	for i := range e.DNSServers {
		add(kindDNS, i, &e.DNSServers[i].Endpoint)
	}
	for i := range e.NTPServers {
		add(kindNTP, i, &e.NTPServers[i].Endpoint)
	}
	for i := range e.HTTPServers {
		add(kindHTTP, i, &e.HTTPServers[i].Endpoint)
	}
	for i := range e.ExplicitProxies {
		add(kindExplicit, i, &e.ExplicitProxies[i].Endpoint)
	}
	for i := range e.TransparentProxies {
		add(kindTransparent, i, &e.TransparentProxies[i].Endpoint)
	}
	for i := range e.NetbootServers {
		add(kindNetboot, i, &e.NetbootServers[i].Endpoint)
	}
	return l
}
