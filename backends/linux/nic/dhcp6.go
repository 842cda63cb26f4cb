package nic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/dhcpv6/nclient6"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// lease6 is what a DHCPv6 server gave.
type lease6 struct {
	learned
	reply         *dhcpv6.Message
	renew, rebind time.Time
	// got is when, on the clock of the boot.
	got int64
}

// refresh is after how long options without a lease are asked for again (RFC 8415, 21.23).
const refresh = 24 * time.Hour

// dhcp6 is the DHCPv6 client: for an address, or for options only.
func (c *clients) dhcp6(managed bool) {
	wait := firstWait
	had := c.had6
	for c.ctx.Err() == nil {
		l, err := had, error(nil)
		if had == nil {
			l, err = c.ask6(managed, nil, wait)
		}
		had = nil
		if err != nil {
			if !errors.Is(err, nclient6.ErrNoResponse) && !c.wait(wait) {
				return
			}
			wait = min(2*wait, lastWait)
			continue
		}
		wait = firstWait
		for l != nil {
			c.tell(func(p *port) {
				if p.lease6 != nil && p.lease6 != l && len(l.Addrs) > 0 {
					p.forget(l.Addrs[0])
				}
				p.lease6, p.six = l, &l.learned
			})
			l = c.extend6(managed, l)
		}
		if c.ctx.Err() == nil {
			c.tell(func(p *port) { p.lease6, p.six = nil, nil })
		}
	}
}

// extend6 renews a lease in time; nil if it has ended or the clients end.
func (c *clients) extend6(managed bool, l *lease6) *lease6 {
	if !c.wait(time.Until(l.renew)) {
		return nil
	}
	for c.ctx.Err() == nil && (l.Ends.IsZero() || time.Until(l.Ends) > 0) {
		if next, err := c.ask6(managed, l, firstWait); err == nil {
			return next
		}
		left := renewWait
		if !l.Ends.IsZero() {
			left = min(left, max(time.Until(l.Ends), 0))
		}
		if !c.wait(left) {
			return nil
		}
	}
	return nil
}

// ask6 is one exchange: for a lease, for more time on one, or for options.
func (c *clients) ask6(managed bool, l *lease6, wait time.Duration) (*lease6, error) {
	conn, err := c.linkLocal()
	if err != nil {
		return nil, fmt.Errorf("open a socket for DHCPv6 on %s: %w", c.link, err)
	}
	n, err := nclient6.NewWithConn(conn, c.mac, nclient6.WithTimeout(wait), nclient6.WithRetry(1))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	defer func() { _ = n.Close() }()
	reply, err := c.exchange6(n, managed, l)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nclient6.ErrNoResponse
	}
	if err != nil {
		return nil, err
	}
	return c.read6(managed, reply)
}

// linkLocal is a socket of a DHCPv6 client.
func (c *clients) linkLocal() (conn net.PacketConn, err error) {
	err = netspace.Do(c.m.k.Space, func() (err error) {
		ip, err := dhcpv6.GetLinkLocalAddr(c.link)
		if err != nil {
			return err
		}
		conn, err = net.ListenUDP("udp6", &net.UDPAddr{IP: ip, Port: dhcpv6.DefaultClientPort,
			Zone: c.zone()})
		return err
	})
	return conn, err
}

// zone is the interface's number as the zone of an address. Package net remembers the numbers of
// names for the whole process, whatever the namespace.
func (c *clients) zone() string { return strconv.Itoa(c.index) }

func (c *clients) exchange6(n *nclient6.Client, managed bool, l *lease6) (*dhcpv6.Message, error) {
	who := dhcpv6.WithClientID(&dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: c.mac})
	wish := dhcpv6.WithRequestedOptions(dhcpv6.OptionDNSRecursiveNameServer,
		dhcpv6.OptionDomainSearchList, dhcpv6.OptionNTPServer)
	if managed && l == nil {
		offer, err := n.Solicit(c.ctx, who, wish)
		if err != nil {
			return nil, err
		}
		return n.Request(c.ctx, offer, wish)
	}
	q, err := dhcpv6.NewMessage(who, wish)
	if err != nil {
		return nil, err
	}
	q.AddOption(dhcpv6.OptElapsedTime(0))
	q.MessageType = dhcpv6.MessageTypeInformationRequest
	if managed {
		q.MessageType = dhcpv6.MessageTypeRebind
		if time.Now().Before(l.rebind) {
			q.MessageType = dhcpv6.MessageTypeRenew
			q.AddOption(dhcpv6.OptServerID(l.reply.Options.ServerID()))
		}
		q.AddOption(l.reply.Options.OneIANA())
	}
	return n.SendAndRead(c.ctx, nclient6.AllDHCPRelayAgentsAndServers, q,
		nclient6.IsMessageType(dhcpv6.MessageTypeReply))
}

// read6 reads a reply that has just come.
func (c *clients) read6(managed bool, reply *dhcpv6.Message) (*lease6, error) {
	now, err := bootTime()
	if err != nil {
		return nil, err
	}
	return newLease6(reply, managed, now, 0)
}

// newLease6 reads a reply that came a while ago.
func newLease6(reply *dhcpv6.Message, managed bool, got int64, age time.Duration,
) (*lease6, error) {
	l := &lease6{reply: reply, got: got}
	at := func(d time.Duration) time.Time { return time.Now().Add(d - age) }
	l.DNS = addrs(reply.Options.DNS())
	for _, a := range addrs(reply.Options.NTPServers()) {
		l.NTP = append(l.NTP, a.String())
	}
	if s := reply.Options.DomainSearchList(); s != nil && len(s.Labels) > 0 {
		l.Domain = s.Labels[0]
	}
	if !managed {
		l.renew = at(max(reply.Options.InformationRefreshTime(refresh), firstWait))
		return l, nil
	}
	ia := reply.Options.OneIANA()
	if ia == nil || ia.Options.OneAddress() == nil || reply.Options.ServerID() == nil {
		return nil, errors.New("the DHCPv6 server gives no address")
	}
	a := ia.Options.OneAddress()
	ip := netkernel.Addr(a.IPv6Addr)
	if !ip.Is6() || a.ValidLifetime <= 0 {
		return nil, errors.New("the DHCPv6 server gives no address")
	}
	l.Addrs = []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}
	valid := max(a.ValidLifetime, shortest)
	t1, t2 := ia.T1, ia.T2
	if t1 <= 0 || t1 > t2 || t2 > valid {
		t1, t2 = valid/2, valid*4/5
	}
	l.renew, l.rebind = at(t1), at(t2)
	if valid < infinite {
		l.Ends = at(valid)
	}
	return l, nil
}

// revive6 is the lease of a reply that an earlier process wrote down; nil if it has ended or makes
// no sense.
func revive6(reply []byte, got, now int64) *lease6 {
	if len(reply) == 0 || got > now {
		return nil
	}
	x, err := dhcpv6.MessageFromBytes(reply)
	if err != nil {
		return nil
	}
	l, err := newLease6(x, x.Options.OneIANA() != nil, got, time.Duration(now-got))
	if err != nil || !l.Ends.IsZero() && !l.Ends.After(time.Now()) {
		return nil
	}
	return l
}
