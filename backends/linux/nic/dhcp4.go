package nic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Times of the DHCPv4 client (RFC 2131); waits for an answer double from the first to the last.
const (
	firstWait   = time.Second
	lastWait    = 64 * time.Second
	declineWait = 10 * time.Second // after an address that somebody else uses
	renewWait   = time.Minute      // the least between two attempts to renew
)

// four is the DHCPv4 client.
func (c *clients) four() {
	l := c.had
	for {
		if l == nil {
			if l = c.acquire(); l == nil {
				return
			}
		}
		c.bind(l)
		c.announce(l.Addrs[0].Addr())
		for l != nil {
			next := c.extend(l)
			if c.ctx.Err() != nil {
				return
			}
			if l = next; l != nil {
				c.bind(l)
			}
		}
		c.tell(func(p *port) { p.lease, p.four = nil, nil })
	}
}

// bind has the machine use a lease.
func (c *clients) bind(l *lease) {
	c.tell(func(p *port) {
		if p.lease != nil && p.lease != l && p.lease.Addrs[0] == l.Addrs[0] {
			if x, err := c.m.k.Find(c.link); err == nil && x != nil {
				if d, err := c.m.dump(); err == nil && d.has(x, l.Addrs[0]) {
					// The address is there and lives on; one that was taken away stays away.
					p.forget(l.Addrs[0])
				}
			}
		}
		p.lease, p.four = l, &l.learned
	})
}

// acquire asks until there is a lease whose address nobody else uses; nil if the clients end.
func (c *clients) acquire() *lease {
	wait := firstWait
	for c.ctx.Err() == nil {
		l, err := c.ask(wait)
		switch {
		case c.ctx.Err() != nil:
			return nil
		case errors.Is(err, errTaken):
			if !c.wait(c.m.o.declineWait()) {
				return nil
			}
		case err != nil:
			// An attempt that was refused at once must not be followed by the next at once.
			var nak *nclient4.ErrNak
			if !errors.Is(err, nclient4.ErrNoResponse) && !errors.As(err, &nak) {
				c.m.Report(fmt.Errorf("ask for an address on %s: %w", c.link, err))
			}
			if !errors.Is(err, nclient4.ErrNoResponse) && !c.wait(wait) {
				return nil
			}
			wait = min(2*wait, lastWait)
		default:
			return l
		}
	}
	return nil
}

// ask is one attempt: discover, offer, request, acknowledgement, and whether somebody else uses the
// address.
func (c *clients) ask(wait time.Duration) (*lease, error) {
	conn, err := c.raw()
	if err != nil {
		return nil, err
	}
	n, err := nclient4.NewWithConn(conn, c.mac, nclient4.WithTimeout(wait), nclient4.WithRetry(1))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	defer c.later(n)
	offer, err := n.DiscoverOffer(c.ctx, c.wishes()...)
	if err != nil {
		return nil, unanswered(err)
	}
	got, err := n.RequestFromOffer(c.ctx, offer, c.wishes()...)
	if err != nil {
		return nil, unanswered(err)
	}
	l, err := c.read(got.ACK)
	if err != nil || l == nil {
		return nil, errors.Join(err, errors.New("the server gives no address"))
	}
	taken, err := c.probe(l.Addrs[0].Addr())
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, errors.Join(errTaken, c.decline(conn, got.ACK))
	}
	return l, nil
}

// later closes a packet socket beside what goes on: the kernel takes its time to see that nobody
// uses it any more.
func (c *clients) later(x io.Closer) { c.m.Work.Go(func() { _ = x.Close() }) }

// unanswered makes a deadline that passed what the library calls it.
func unanswered(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nclient4.ErrNoResponse
	}
	return err
}

// raw is a socket for a client that has no address.
func (c *clients) raw() (conn net.PacketConn, err error) {
	err = netspace.Do(c.m.k.Space, func() (err error) {
		conn, err = nclient4.NewRawUDPConn(c.link, nclient4.ClientPort)
		return err
	})
	return conn, err
}

// wishes are what every request asks for.
func (c *clients) wishes() []dhcpv4.Modifier {
	out := []dhcpv4.Modifier{dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask,
		dhcpv4.OptionRouter, dhcpv4.OptionDomainName, dhcpv4.OptionDomainNameServer,
		dhcpv4.OptionNTPServers, dhcpv4.OptionInterfaceMTU, dhcpv4.OptionClasslessStaticRoute,
		dhcpv4.GenericOptionCode(proxyConfig))}
	if c.spec.VendorClass != "" {
		out = append(out, dhcpv4.WithOption(dhcpv4.OptClassIdentifier(c.spec.VendorClass)))
	}
	return out
}

// read reads an acknowledgement that has just come.
func (c *clients) read(ack *dhcpv4.DHCPv4) (*lease, error) {
	now, err := bootTime()
	if err != nil {
		return nil, err
	}
	return newLease(ack, now, 0, c.m.since), nil
}

// extend waits for T1 and renews a lease, from T2 on with any server; nil if it has ended, was
// refused, or the clients end.
func (c *clients) extend(l *lease) *lease {
	if l.Ends.IsZero() {
		<-c.ctx.Done()
		return nil
	}
	if !c.wait(time.Until(l.renew)) {
		return nil
	}
	for time.Until(l.Ends) > 0 {
		next, limit := l.rebind, l.rebind
		if !time.Now().Before(l.rebind) {
			next, limit = l.Ends, l.Ends
		}
		ack, err := c.again(l, min(time.Until(limit), firstWait))
		var nak *nclient4.ErrNak
		switch {
		case err == nil:
			if x, err := c.read(ack); err == nil && x != nil {
				return x
			}
		case errors.As(err, &nak), c.ctx.Err() != nil:
			return nil
		}
		left := time.Until(next)
		if !c.wait(min(max(left/2, renewWait), max(left, 0))) {
			return nil
		}
	}
	return nil
}

// again asks to keep a lease: the server that gave it, or, from T2 on, all.
func (c *clients) again(l *lease, wait time.Duration) (*dhcpv4.DHCPv4, error) {
	wait = max(wait, time.Second/10)
	opts := []nclient4.ClientOpt{nclient4.WithTimeout(wait), nclient4.WithRetry(1)}
	var conn net.PacketConn
	var err error
	if server := l.ack.ServerIdentifier(); time.Now().Before(l.rebind) && server != nil {
		opts = append(opts, nclient4.WithServerAddr(&net.UDPAddr{IP: server, Port: nclient4.ServerPort}))
		conn, err = c.bound(l)
	} else {
		conn, err = c.raw()
	}
	if err != nil {
		return nil, err
	}
	n, err := nclient4.NewWithConn(conn, c.mac, opts...)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	defer func() { _ = n.Close() }()
	got, err := n.Renew(c.ctx, &nclient4.Lease{Offer: l.ack, ACK: l.ack},
		append(c.wishes(), unnamed)...)
	if err != nil {
		return nil, err
	}
	return got.ACK, nil
}

// unnamed leaves out of a renewal what RFC 2131, 4.3.2, forbids in it.
func unnamed(d *dhcpv4.DHCPv4) {
	d.DeleteOption(dhcpv4.OptionServerIdentifier)
	d.DeleteOption(dhcpv4.OptionRequestedIPAddress)
}

// bound is a socket for a client that has an address.
func (c *clients) bound(l *lease) (conn net.PacketConn, err error) {
	err = netspace.Do(c.m.k.Space, func() (err error) {
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: l.Addrs[0].Addr().AsSlice(),
			Port: nclient4.ClientPort})
		return err
	})
	return conn, err
}
