package world

import (
	"net/netip"
	"time"
)

// DHCPAsk is what a DHCP client wants.
type DHCPAsk struct {
	// Address that the client had (INIT-REBOOT, renewal). Zero: it takes what it gets.
	Address netip.Addr
	// Renew: the client still holds Address and asks the server alone (T1); one round trip
	// instead of two.
	Renew bool
	// Patience is how long the client waits in all; 0: 60 s.
	Patience time.Duration
}

// Lease is what came of asking a DHCP server.
type Lease struct {
	Offer   *Offer // nil if nothing was given
	Err     *Error // NAK, Timeout (nobody offers; Why says the cause), or NoCarrier
	Latency time.Duration
}

// Offer is an acknowledged lease and its options. Empty means that the option is not there.
// Its slices are shared with the world and not to be changed.
type Offer struct {
	Network string       // label
	Addr    netip.Prefix // address with the length of the subnet; DHCPv6 /128, or none (stateless)
	Routers []netip.Addr // option 3
	DNS     []netip.Addr // option 6 / 23
	NTP     []string     // option 42 / 56
	Domain  string       // option 15 / 24
	WPAD    string       // option 252
	MTU     uint16       // option 26, where the model sets one
	Lease   time.Duration
	Server  netip.Addr
	Boot    Boot
}

// Boot is what a network announces for network boot.
type Boot struct {
	Server string // option 66: name, where the announced DNS servers know it, else address
	File   string // option 67 for PXE: entrypoint on the TFTP server
	Script string // option 67 for iPXE, 59: URL of the entrypoint on the HTTP server
}

// Times after which a DHCP client sends again (RFC 2131, without its random second).
const dhcpRetry = 4 * time.Second

// DHCP4 asks for an IPv4 lease.
func (w *World) DHCP4(now time.Time, a Attach, q DHCPAsk) Lease { return w.dhcp(now, a, q, 0) }

// DHCP6 asks for an IPv6 lease. A network that leaves addresses to SLAAC but has options to
// tell gives an Offer without Addr; one without DHCPv6 does not answer. See RA for which.
func (w *World) DHCP6(now time.Time, a Attach, q DHCPAsk) Lease { return w.dhcp(now, a, q, 1) }

func (w *World) dhcp(now time.Time, a Attach, q DHCPAsk, v int) Lease {
	if q.Patience <= 0 {
		q.Patience = dhcpPatience
	}
	k := walk{w: w, now: now, flow: "dhcp/" + a.MAC.String()}
	p, err := w.attached(a)
	k.p = p
	if err != nil {
		return Lease{Err: k.fail(err, 0, q.Patience), Latency: k.t}
	}
	n, err := w.dhcpServer(p, a, v)
	if err == nil {
		trips := 2
		if q.Renew {
			trips = 1
		}
		for range trips {
			if !k.repeat(dhcpRetry, q.Patience) {
				err := &Error{Timeout, "dhcp", a.Port, "packets are lost"}
				return Lease{Err: err, Latency: k.t}
			}
		}
		var o *Offer
		if o, err = w.offer(n, a, q, now, v); err == nil {
			return Lease{Offer: o, Latency: k.t}
		}
	}
	if err.Code == Timeout {
		k.t = q.Patience
	}
	return Lease{Err: err, Latency: k.t}
}

// repeat is one round trip on the link. A lost packet is sent again after wait, then after
// twice that, and so on. False: the limit came first.
func (k *walk) repeat(wait, limit time.Duration) bool {
	for ; k.lost(); wait *= 2 {
		if k.t += wait; k.t >= limit {
			k.t = limit
			return false
		}
	}
	k.t = min(k.t+cableTrip+k.delay()+k.delay(), limit)
	return k.t < limit
}

// dhcpServer finds the network whose server answers.
func (w *World) dhcpServer(p *port, a Attach, v int) (*network, *Error) {
	silent := func(why string) *Error { return &Error{Timeout, "dhcp", a.Port, why} }
	i := w.segment(p, a.VLAN)
	if i < 0 {
		return nil, silent("no network behind the port")
	}
	n := &w.nets[i]
	h := n.half[v]
	switch {
	case n.mute:
		return nil, silent("the DHCP server of network " + n.Label + " is off")
	case h == nil || !h.DHCP.Enable:
		return nil, silent("network " + n.Label + " has no DHCP server")
	case n.pool[v] == nil && !h.stateless():
		return nil, silent("network " + n.Label + " has no DHCPv6 server")
	}
	return n, nil
}

// stateless tells whether IPv6 clients that form their own addresses find options by DHCPv6.
func (h *NetIP) stateless() bool {
	d := &h.DHCP
	return d.Enable && (d.PublicNTP != "" || d.PrivateNTP != "" || d.Netboot != "")
}

// offer gives out an address, with the options of the network.
func (w *World) offer(n *network, a Attach, q DHCPAsk, now time.Time, v int) (*Offer, *Error) {
	h := n.half[v]
	o := w.options(n, v)
	if n.pool[v] == nil {
		return o, nil
	}
	if q.Address.IsValid() && !h.Subnet.Contains(q.Address) {
		return nil, &Error{NAK, "dhcp", a.Port, q.Address.String() + " is not of network " + n.Label}
	}
	addr, ok := n.pool[v].choose(a.MAC, q.Address, now)
	switch {
	case !ok:
		return nil, &Error{Timeout, "dhcp", a.Port, "network " + n.Label + " has no address left"}
	case q.Address.IsValid() && addr != q.Address:
		return nil, &Error{NAK, "dhcp", a.Port, q.Address.String() + " is not for " + a.MAC.String()}
	}
	n.pool[v].bind(a.MAC, addr, now)
	w.Announce(a, addr)
	bits := h.Subnet.Bits()
	if v == 1 {
		bits = 128
	}
	o.Addr = netip.PrefixFrom(addr, bits)
	return o, nil
}

func (w *World) options(n *network, v int) *Offer {
	h := n.half[v]
	d := &h.DHCP
	o := &Offer{
		Network: n.Label, DNS: n.dns[v], Domain: d.Domain, MTU: n.MTU,
		Lease: leaseTime, Server: h.Gateway,
	}
	if v == 0 {
		o.WPAD = d.WPAD
		if !d.WithoutDefaultRoute {
			o.Routers = []netip.Addr{h.Gateway}
		}
	}
	switch {
	case d.PublicNTP != "":
		o.NTP = []string{d.PublicNTP}
	case d.PrivateNTP != "":
		if ip := w.end(d.PrivateNTP).half(v == 1); ip != nil {
			o.NTP = []string{ip.IP.String()}
		}
	}
	if d.Netboot != "" {
		o.Boot = w.boot(n, w.end(d.Netboot), v)
	}
	return o
}

// boot is what network boot clients are told.
func (w *World) boot(n *network, e *endpoint, v int) Boot {
	var b Boot
	if ip := e.half(v == 1); ip != nil {
		b.Server = ip.IP.String()
	}
	for _, s := range n.dns[v] {
		i, ok := w.endAddr[s]
		if ok && e.FQDN != "" && w.ends[i].dns != nil &&
			len(w.ends[i].dns.names[canonical(e.FQDN)]) > 0 {
			b.Server = e.FQDN
		}
	}
	for i := range w.m.Endpoints.NetbootServers {
		s := &w.m.Endpoints.NetbootServers[i]
		if s.Label != e.Label {
			continue
		}
		for _, a := range s.TFTP {
			if a.Entrypoint {
				b.File = a.Filename
			}
		}
		for _, a := range s.HTTP {
			if a.Entrypoint {
				b.Script = "http://" + hostIn(b.Server) + "/" + a.Filename
			}
		}
	}
	return b
}

// hostIn is a host as URLs have it: IPv6 in brackets.
func hostIn(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		return "[" + s + "]"
	}
	return s
}
