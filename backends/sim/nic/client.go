package nic

import (
	"net/netip"
	"slices"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// lease is what one IP version learned.
type lease struct {
	addrs   []netip.Prefix
	told    []netip.Addr // routers as the network tells them
	routers []netip.Addr // those in use: the spec may have others, or none
	dns     []netip.Addr
	ntp     []string
	domain  string
	wpad    string
	ends    time.Duration // since boot; 0: never
}

// clients are the DHCP and router advertisement clients of an interface.
type clients struct {
	spec device.DHCPSpec
	on   bool
	gen  int          // counts starts; an answer to an older one is dropped
	gone *lease       // the lease whose address somebody took away
	six  *world.Offer // what DHCPv6 gave; outlives the next router advertisement
}

// Times of the clients. A DHCP client waits for an answer, then asks again and waits twice as long.
const (
	retry     = 10 * time.Second
	firstWait = time.Second
	lastWait  = 64 * time.Second
	renewWait = time.Minute // between attempts to renew
)

// startClients starts clients, or gives those that ask for the same another gateway. What somebody
// took away comes back.
func (n *Nic) startClients(l *link, s device.DHCPSpec) {
	same := l.spec
	same.Gateway = s.Gateway
	if l.on && same == s {
		l.spec = s
		if l.gone != nil {
			l.v4, l.gone = *l.gone, nil
		}
		if len(l.v4.addrs) > 0 {
			l.v4.routers = n.routers(l, l.v4.told)
		}
		if len(l.v6.told) > 0 {
			l.v6.routers = n.routers(l, l.v6.told)
		}
		n.showAddrs(l)
		return
	}
	n.stopClients(l)
	l.spec, l.on = s, true
	n.carrier(l)
}

func (n *Nic) stopClients(l *link) {
	l.on = false
	l.gen++
	n.withdraw(l)
	l.v4, l.v6, l.six, l.gone = lease{}, lease{}, nil, nil
	n.showAddrs(l)
}

// carrier restarts or ends the clients as the carrier is.
func (n *Nic) carrier(l *link) {
	if l.static != nil {
		n.announce(l)
	}
	if !l.on {
		return
	}
	l.gen++
	if !n.lower(l) {
		n.withdraw(l)
		l.v4, l.v6, l.six, l.gone = lease{}, lease{}, nil, nil
		n.showAddrs(l)
		return
	}
	if l.spec.V4 {
		n.ask4(l, l.gen, firstWait)
	}
	if l.spec.V6 {
		n.solicit(l, l.gen)
	}
}

// later runs f after d if the clients have not been restarted meanwhile.
func (n *Nic) later(l *link, gen int, d time.Duration, f func()) {
	n.pt.After(d, func() {
		if l.on && l.gen == gen && n.links[l.Name] == l {
			f()
		}
	})
}

// ask4 asks for a lease and waits so long for an answer.
func (n *Nic) ask4(l *link, gen int, wait time.Duration) {
	got := n.World.DHCP4(n.Clock(), l.attach(), world.DHCPAsk{Patience: wait})
	n.later(l, gen, got.Latency, func() {
		if got.Offer != nil {
			n.bind4(l, gen, got.Offer)
			return
		}
		again := min(2*wait, lastWait)
		n.later(l, gen, max(wait-got.Latency, 0), func() { n.ask4(l, gen, again) })
	})
}

// bind4 uses a lease, and renews it in time.
func (n *Nic) bind4(l *link, gen int, o *world.Offer) {
	l.v4 = lease{addrs: []netip.Prefix{o.Addr}, told: o.Routers, routers: n.routers(l, o.Routers),
		dns: o.DNS, ntp: o.NTP, domain: o.Domain, wpad: o.WPAD, ends: n.pt.Now() + o.Lease}
	if l.gone != nil && slices.Equal(l.gone.addrs, l.v4.addrs) {
		*l.gone = l.v4
		l.v4.addrs, l.v4.routers = nil, nil
	} else {
		l.gone = nil
	}
	n.showAddrs(l)
	if o.Lease > 0 {
		n.later(l, gen, o.Lease/2, func() { n.renew4(l, gen, o.Addr.Addr()) })
	}
}

// renew4 asks for more time on an address until the lease ends. A server that refuses it ends it.
func (n *Nic) renew4(l *link, gen int, addr netip.Addr) {
	got := n.World.DHCP4(n.Clock(), l.attach(), world.DHCPAsk{Address: addr, Renew: true,
		Patience: renewWait})
	n.later(l, gen, got.Latency, func() {
		now := n.pt.Now()
		switch {
		case got.Offer != nil:
			n.bind4(l, gen, got.Offer)
		case got.Err != nil && got.Err.Code == world.NAK, l.v4.ends <= now:
			l.v4, l.gone = lease{}, nil
			n.showAddrs(l)
			n.ask4(l, gen, firstWait)
		default:
			n.later(l, gen, min(max(renewWait-got.Latency, 0), l.v4.ends-now),
				func() { n.renew4(l, gen, addr) })
		}
	})
}

func (n *Nic) solicit(l *link, gen int) {
	got := n.World.RA(n.Clock(), l.attach())
	n.later(l, gen, got.Latency, func() {
		if got.Advert == nil {
			n.later(l, gen, retry, func() { n.solicit(l, gen) })
			return
		}
		a := got.Advert
		v := lease{dns: a.RDNSS}
		if len(a.Search) > 0 {
			v.domain = a.Search[0]
		}
		if a.Lifetime > 0 {
			v.told = []netip.Addr{a.Router}
			v.routers = n.routers(l, v.told)
		}
		next := a.Lifetime / 2
		for _, p := range a.Prefixes {
			if p.Autonomous {
				if ip := l.mac.SLAAC(p.Prefix); ip.IsValid() {
					v.addrs = append(v.addrs, netip.PrefixFrom(ip, p.Prefix.Bits()))
					n.World.Announce(l.attach(), ip)
				}
			}
		}
		l.v6 = v
		n.merge6(l)
		n.showAddrs(l)
		if a.Managed || a.Other {
			n.ask6(l, gen, a)
		}
		if next > 0 {
			n.later(l, gen, next, func() { n.solicit(l, gen) })
		}
	})
}

func (n *Nic) ask6(l *link, gen int, a *world.Advert) {
	got := n.World.DHCP6(n.Clock(), l.attach(), world.DHCPAsk{})
	n.later(l, gen, got.Latency, func() {
		o := got.Offer
		if o == nil {
			n.later(l, gen, retry, func() { n.ask6(l, gen, a) })
			return
		}
		l.six = o
		n.merge6(l)
		n.showAddrs(l)
	})
}

// merge6 adds what DHCPv6 gave to what the router advertised.
func (n *Nic) merge6(l *link) {
	o, v := l.six, &l.v6
	if o == nil {
		return
	}
	if o.Addr.IsValid() && !slices.Contains(v.addrs, o.Addr) {
		v.addrs = append(v.addrs, o.Addr)
	}
	if len(o.DNS) > 0 {
		v.dns = o.DNS
	}
	v.ntp = o.NTP
	if o.Domain != "" {
		v.domain = o.Domain
	}
}

// routers are the default routers as the spec has them: learned, replaced or none.
func (n *Nic) routers(l *link, learned []netip.Addr) []netip.Addr {
	g := l.spec.Gateway
	switch {
	case !g.IsValid():
		return learned
	case g.IsUnspecified():
		return nil
	}
	return []netip.Addr{g}
}

func (n *Nic) announce(l *link) {
	if l.static != nil && l.Port != "" && n.lower(l) {
		n.World.Announce(l.attach(), l.static.Addr.Addr())
	}
}

func (n *Nic) withdraw(l *link) {
	if l.Port == "" {
		return
	}
	if l.static != nil {
		n.World.Withdraw(l.attach(), l.static.Addr.Addr())
	}
	for _, a := range l.v6.addrs {
		n.World.Withdraw(l.attach(), a.Addr())
	}
}
