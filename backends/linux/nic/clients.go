package nic

import (
	"context"
	"net"
	"time"

	"github.com/vishvananda/netlink"

	device "github.com/evetwin/evetwin/core/device/nic"
)

// clients are the DHCP and router advertisement clients of an interface, from a carrier to its
// loss. They learn; the machine does the rest.
type clients struct {
	m     *machine
	p     *port
	ctx   context.Context
	stop  context.CancelFunc
	link  string
	index int
	mac   net.HardwareAddr
	spec  device.DHCPSpec
	// had and had6 are leases of an earlier process, or none.
	had  *lease
	had6 *lease6
}

// run starts the clients of an interface that has a carrier.
func (m *machine) run(p *port, l netlink.Link, s *device.DHCPSpec) {
	c := &clients{m: m, p: p, link: p.name, index: l.Attrs().Index, mac: l.Attrs().HardwareAddr,
		spec: *s, had: p.lease,
		had6: p.lease6}
	c.ctx, c.stop = context.WithCancel(context.Background())
	p.on = c
	if s.V4 {
		m.Work.Go(c.four)
	}
	if s.V6 {
		m.Work.Go(c.six)
	}
}

// halt ends the clients; what they learned stays until it ends or is taken back.
func (p *port) halt() {
	if p.on != nil {
		p.on.stop()
		p.on = nil
	}
}

// start has an item dhcp be as its spec says. Clients that ask for the same go on, and what they
// learned stays.
func (m *machine) start(p *port, s *device.DHCPSpec) error {
	accept := "0"
	if s.V6 {
		accept = "2"
	}
	// Routers in use are this part's business; forming addresses is the kernel's.
	for _, x := range [][2]string{{"accept_ra_defrtr", "0"}, {"accept_ra_rtr_pref", "0"},
		{"accept_ra_mtu", "0"}, {"autoconf", "1"}, {"accept_ra", accept}} {
		if err := m.k.six(p.name, x[0], x[1]); err != nil {
			return err
		}
	}
	if p.on != nil {
		same := p.on.spec
		same.Gateway = s.Gateway
		if same != *s {
			p.halt()
			if err := m.unlearn(p); err != nil {
				return err
			}
		}
	}
	for _, a := range m.addresses(p) {
		p.forget(a.Prefix)
	}
	return m.settle(p.name)
}

// stop ends an item dhcp.
func (m *machine) stop(p *port) error {
	p.halt()
	if err := m.k.six(p.name, "accept_ra", "0"); err != nil {
		return err
	}
	return m.unlearn(p)
}

// unlearn forgets what clients learned, and takes it out of the kernel.
func (m *machine) unlearn(p *port) error {
	p.lease, p.lease6 = nil, nil
	p.four, p.ra, p.six = nil, nil, nil
	d, err := m.dump()
	if err != nil {
		return err
	}
	if l := d.Link(p.name); l != nil {
		if err := m.flush(p, l, d); err != nil {
			return err
		}
	}
	return m.settle(p.name)
}

// tell has a client change what is known, unless it is none any more.
func (c *clients) tell(f func(p *port)) {
	c.m.Changed(func() error {
		if c.p.on != c {
			return nil
		}
		f(c.p)
		return c.m.save()
	})
}

// wait waits; false if the clients end.
func (c *clients) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
