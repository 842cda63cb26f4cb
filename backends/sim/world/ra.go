package world

import (
	"net/netip"
	"time"
)

// Advert is a router advertisement. Its slices are not to be changed.
type Advert struct {
	Network  string     // label
	Router   netip.Addr // link-local address it comes from: the gateway to use
	Prefixes []AdvertPrefix
	Lifetime time.Duration // of the default route; 0: not a default router
	MTU      uint16        // 0: none told
	RDNSS    []netip.Addr
	Search   []string // DNSSL
	Managed  bool     // addresses come by DHCPv6
	Other    bool     // more options come by DHCPv6
}

// AdvertPrefix is a prefix of an advertisement.
type AdvertPrefix struct {
	Prefix           netip.Prefix
	OnLink           bool
	Autonomous       bool // clients form addresses in it (SLAAC)
	Valid, Preferred time.Duration
}

// Solicited is what came of a router solicitation.
type Solicited struct {
	Advert  *Advert // nil if none came
	Err     *Error  // Timeout or NoCarrier
	Latency time.Duration
}

// Lifetimes of advertisements, as radvd has them by default.
const (
	raRouter    = 30 * time.Minute
	raValid     = 24 * time.Hour
	raPreferred = 4 * time.Hour
	raRetry     = 4 * time.Second
	raSpread    = 500 * time.Millisecond // routers wait up to this before they answer
)

// RA solicits a router advertisement. Every network with IPv6 has a router that answers,
// whether its DHCP is enabled or not; three solicitations are sent within twelve seconds.
func (w *World) RA(now time.Time, a Attach) Solicited {
	k := walk{w: w, now: now, flow: "ra/" + a.MAC.String()}
	p, err := w.attached(a)
	k.p = p
	if err != nil {
		return Solicited{Err: k.fail(err, 0, raPatience), Latency: k.t}
	}
	i := w.segment(p, a.VLAN)
	if i < 0 || w.nets[i].half[1] == nil || w.nets[i].mute {
		err := &Error{Timeout, "ra", a.Port, "no router advertises IPv6"}
		return Solicited{Err: err, Latency: raPatience}
	}
	for range 3 {
		if k.lost() {
			k.t += raRetry
			continue
		}
		k.t += cableTrip + k.delay() + k.delay() + time.Duration(k.draw()%uint64(raSpread))
		return Solicited{Advert: w.nets[i].advert(), Latency: k.t}
	}
	return Solicited{Err: &Error{Timeout, "ra", a.Port, "packets are lost"}, Latency: k.t}
}

// advert is what the network's router says. DNS servers are told once: not here if DHCPv6
// tells them.
func (n *network) advert() *Advert {
	h := n.half[1]
	ad := &Advert{
		Network: n.Label, Router: n.local, Lifetime: raRouter, MTU: n.MTU,
		Managed: n.pool[1] != nil, Other: h.stateless(),
	}
	ad.Prefixes = []AdvertPrefix{{
		Prefix: h.Subnet, OnLink: true, Autonomous: !h.DHCP.Range.From.IsValid(),
		Valid: raValid, Preferred: raPreferred,
	}}
	if h.DHCP.WithoutDefaultRoute {
		ad.Lifetime = 0
	}
	if h.DHCP.Enable && !ad.Managed && !ad.Other {
		ad.RDNSS = n.dns[1]
		if h.DHCP.Domain != "" {
			ad.Search = []string{h.DHCP.Domain}
		}
	}
	return ad
}
