package nic

import (
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
)

// settle brings an interface's addresses, routes and rules to what its items and what was learned
// say. What is there already stays untouched; what was there because of us and was taken away by
// somebody else is left alone.
func (m *machine) settle(name string) error {
	d, err := m.dump()
	if err != nil {
		return err
	}
	if _, err := m.settleAddrs(m.port(name), d); err != nil {
		return err
	}
	// Routes stand on addresses as they are now.
	if d, err = m.dump(); err != nil {
		return err
	}
	_, err = m.settleRoutes(m.port(name), d)
	return err
}

// addresses are what an interface should have.
func (m *machine) addresses(p *port) []address {
	var out []address
	if s := m.spec("static", p.name); s != nil {
		out = append(out, address{Prefix: s.Static.Addr})
	}
	if m.spec("dhcp", p.name) != nil {
		for _, l := range []*learned{p.four, p.six} {
			if l != nil {
				for _, a := range l.Addrs {
					out = append(out, address{a, l.Ends})
				}
			}
		}
	}
	return out
}

// settleAddrs reports whether it changed something.
func (m *machine) settleAddrs(p *port, d *dump) (changed bool, err error) {
	l := d.Link(p.name)
	if l == nil {
		p.given = nil
		return false, nil
	}
	want := m.addresses(p)
	wanted := func(a netip.Prefix) bool {
		return slices.ContainsFunc(want, func(w address) bool { return w.Prefix == a })
	}
	for _, a := range slices.Clone(p.given) {
		if wanted(a) {
			continue
		}
		if d.has(l, a) {
			changed = true
			p.laid = nil // the kernel drops routes with the last address
			if err := m.k.take(l, address{Prefix: a}); err != nil {
				return changed, err
			}
		}
		p.forget(a)
	}
	for _, a := range want {
		if slices.Contains(p.given, a.Prefix) {
			continue
		}
		p.given = append(p.given, a.Prefix)
		if err := m.save(); err != nil {
			p.forget(a.Prefix)
			return changed, err
		}
		changed = true
		if err := m.k.give(l, a); err != nil {
			p.forget(a.Prefix)
			return changed, err
		}
	}
	return changed, nil
}

// settleRoutes reports whether it changed something.
func (m *machine) settleRoutes(p *port, d *dump) (changed bool, err error) {
	want := m.ways(p, d)
	keys := make([]string, 0, len(want))
	for _, w := range want {
		keys = append(keys, w.Key)
	}
	there := m.laid(p, d)
	for _, w := range there {
		if !w.Among(want) {
			changed = true
			if err := m.k.Lift(w); err != nil {
				return changed, err
			}
		}
	}
	for _, w := range want {
		if slices.Contains(p.laid, w.Key) || w.Among(there) {
			continue
		}
		changed = true
		if err := m.k.Lay(w); err != nil {
			return changed, err
		}
	}
	p.laid = keys
	return changed, nil
}

// whole reports whether all routes and rules of an interface are there.
func (m *machine) whole(p *port, d *dump) bool {
	there := m.laid(p, d)
	for _, w := range m.ways(p, d) {
		if !w.Among(there) {
			return false
		}
	}
	return true
}

// strays are addresses that routers advertised.
func (d *dump) strays(l netlink.Link, p *port) []address {
	var out []address
	for _, a := range d.Addrs[l.Attrs().Index] {
		x := netkernel.Prefix(a.IPNet)
		if x.Addr().Is6() && x.Addr().IsGlobalUnicast() && a.Flags&unix.IFA_F_PERMANENT == 0 &&
			!slices.Contains(p.given, x) {
			out = append(out, address{Prefix: x})
		}
	}
	return out
}
