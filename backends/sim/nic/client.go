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
	routers []netip.Addr
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
	six  *world.Offer // what DHCPv6 gave; outlives the next router advertisement
}

// retry is how long a client waits after nobody answered.
const retry = 10 * time.Second

func (n *Nic) startClients(l *link, s device.DHCPSpec) {
	if l.on && l.spec == s {
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
	l.v4, l.v6, l.six = lease{}, lease{}, nil
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
		l.v4, l.v6, l.six = lease{}, lease{}, nil
		n.showAddrs(l)
		return
	}
	if l.spec.V4 {
		n.ask4(l, l.gen, netip.Addr{}, false)
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

func (n *Nic) ask4(l *link, gen int, addr netip.Addr, renew bool) {
	got := n.World.DHCP4(n.Clock(), l.attach(), world.DHCPAsk{Address: addr, Renew: renew})
	n.later(l, gen, got.Latency, func() {
		if got.Offer == nil {
			n.expire4(l)
			n.later(l, gen, retry, func() { n.ask4(l, gen, netip.Addr{}, false) })
			return
		}
		o := got.Offer
		now := n.pt.Now()
		l.v4 = lease{addrs: []netip.Prefix{o.Addr}, routers: n.routers(l, o.Routers), dns: o.DNS,
			ntp: o.NTP, domain: o.Domain, wpad: o.WPAD, ends: now + o.Lease}
		n.showAddrs(l)
		if o.Lease > 0 {
			n.later(l, gen, o.Lease/2, func() { n.ask4(l, gen, o.Addr.Addr(), true) })
		}
	})
}

// expire4 drops a lease that has ended.
func (n *Nic) expire4(l *link) {
	if l.v4.ends != 0 && l.v4.ends <= n.pt.Now() {
		l.v4 = lease{}
		n.showAddrs(l)
	}
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
			v.routers = n.routers(l, []netip.Addr{a.Router})
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
	if l.static != nil && n.lower(l) {
		n.World.Announce(l.attach(), l.static.Addr.Addr())
	}
}

func (n *Nic) withdraw(l *link) {
	if l.static != nil {
		n.World.Withdraw(l.attach(), l.static.Addr.Addr())
	}
	for _, a := range l.v6.addrs {
		n.World.Withdraw(l.attach(), a.Addr())
	}
}
