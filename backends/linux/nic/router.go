package nic

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"context"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Solicitations go out at once, and then at waits that double, until a router has answered
// (RFC 7559). The first ones may be too early: the link-local address is not confirmed yet.
const (
	firstSolicit = 500 * time.Millisecond
	lastSolicit  = time.Hour
	silent       = 5   // solicitations without an answer that say that there is no router
	onlyHop      = 255 // hop limit that shows that no router passed a packet on
)

// heardRouter is a router that advertises.
type heardRouter struct {
	addr netip.Addr
	advert
	until, dnsUntil time.Time
}

// six is the client of IPv6: it hears routers and starts DHCPv6 where one says so. Addresses are
// formed by the kernel.
func (c *clients) six() {
	conn, err := c.icmp()
	if err != nil {
		c.m.Report(err)
		return
	}
	stop := context.AfterFunc(c.ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	var routers []heardRouter
	wait, next := firstSolicit, time.Now()
	// What an earlier process heard stands until routers had their time to say it again.
	sent, stateful := 0, c.had6 != nil
	if stateful {
		c.m.Work.Go(func() { c.dhcp6(len(c.had6.Addrs) > 0) })
	}
	b := make([]byte, 1<<16)
	for c.ctx.Err() == nil {
		now := time.Now()
		if live := alive(routers, now); len(live) != len(routers) {
			routers = live
			c.hear(routers)
		}
		if len(routers) == 0 && !now.Before(next) {
			c.solicit(conn) // one that cannot be sent yet is followed by another
			next = now.Add(wait)
			wait = min(2*wait, lastSolicit)
			if sent++; sent == silent {
				c.hear(nil)
			}
		}
		if err := conn.SetReadDeadline(wake(routers, next)); err != nil {
			return
		}
		n, cm, src, err := conn.ReadFrom(b)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, unix.ENETDOWN) {
				continue
			}
			return
		}
		r, ok := c.router(b[:n], cm, src)
		if !ok {
			continue
		}
		routers = append(slices.DeleteFunc(routers,
			func(o heardRouter) bool { return o.addr == r.addr }), r)
		next, wait = r.until, firstSolicit
		c.hear(alive(routers, time.Now()))
		if (r.managed || r.other) && !stateful {
			stateful = true
			managed := r.managed
			c.m.Work.Go(func() { c.dhcp6(managed) })
		}
	}
}

// router reads an advertisement from a router of the link.
func (c *clients) router(b []byte, cm *ipv6.ControlMessage, src net.Addr) (heardRouter, bool) {
	from, err := netip.ParseAddr(src.String())
	if err != nil || cm == nil || cm.HopLimit != onlyHop || !from.IsLinkLocalUnicast() {
		return heardRouter{}, false
	}
	a, err := parseAdvert(b)
	if err != nil {
		return heardRouter{}, false
	}
	now := time.Now()
	return heardRouter{addr: from.WithZone(""), advert: *a, until: now.Add(a.life),
		dnsUntil: now.Add(a.dnsLife)}, true
}

// hear has the machine use what routers say.
func (c *clients) hear(routers []heardRouter) {
	now := time.Now()
	x := &learned{}
	for _, r := range routers {
		if r.until.After(now) {
			x.Routers = append(x.Routers, r.addr)
		}
		if r.dnsUntil.After(now) {
			x.DNS = append(x.DNS, r.dns...)
		}
		if x.Domain == "" && len(r.search) > 0 {
			x.Domain = r.search[0]
		}
		if r.mtu != 0 && r.mtu < 1<<16 {
			x.MTU = uint16(r.mtu)
		}
	}
	c.tell(func(p *port) {
		if p.ra = x; len(routers) == 0 {
			p.ra = nil
		}
	})
}

// alive are the routers that still stand for something.
func alive(routers []heardRouter, now time.Time) []heardRouter {
	var out []heardRouter
	for _, r := range routers {
		if r.until.After(now) || r.dnsUntil.After(now) {
			out = append(out, r)
		}
	}
	return out
}

// wake is when there is something to do that no packet tells.
func wake(routers []heardRouter, next time.Time) time.Time {
	if len(routers) == 0 {
		return next
	}
	at := time.Time{}
	for _, r := range routers {
		for _, x := range []time.Time{r.until, r.dnsUntil} {
			if x.After(time.Now()) && (at.IsZero() || x.Before(at)) {
				at = x
			}
		}
	}
	return at
}

// icmp is a socket that hears advertisements on the interface.
func (c *clients) icmp() (*ipv6.PacketConn, error) {
	var conn *ipv6.PacketConn
	err := netspace.Do(c.m.k.Space, func() error {
		raw, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err != nil {
			return err
		}
		conn = ipv6.NewPacketConn(raw)
		var f ipv6.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv6.ICMPTypeRouterAdvertisement)
		ifi := &net.Interface{Index: c.index, Name: c.link}
		err = errors.Join(conn.SetICMPFilter(&f), conn.SetMulticastInterface(ifi),
			conn.SetMulticastHopLimit(onlyHop), conn.SetControlMessage(ipv6.FlagHopLimit, true),
			bindTo(raw.(*net.IPConn), c.link))
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
		return err
	})
	return conn, err
}

// bindTo ties a socket to an interface.
func bindTo(conn *net.IPConn, ifname string) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var bound error
	err = raw.Control(func(fd uintptr) { bound = unix.BindToDevice(int(fd), ifname) })
	return errors.Join(err, bound)
}

// solicit asks routers to advertise now; one that cannot be sent is lost like any other.
func (c *clients) solicit(conn *ipv6.PacketConn) {
	to := &net.IPAddr{IP: net.IPv6linklocalallrouters, Zone: c.zone()}
	_, _ = conn.WriteTo([]byte{solicitation, 0, 0, 0, 0, 0, 0, 0}, nil, to)
}
