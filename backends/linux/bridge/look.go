package bridge

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// dump is the network of a namespace at one moment, with the routes and rules that are ours, and
// default routes of others.
type dump struct {
	*netkernel.Dump
	counts map[string]int // rules of nftables, by "family chain"
}

func (m *machine) dump() (*dump, error) {
	d, err := m.k.Dump(protocol, isDefault)
	if err != nil {
		return nil, err
	}
	counts, err := m.k.counts()
	return &dump{d, counts}, err
}

// isDefault reports whether a route is a default route.
func isDefault(r *netlink.Route) bool { return netkernel.Destination(r).Bits() == 0 }

// prefixes are the addresses of a link that others may reach, sorted.
func (d *dump) prefixes(l netlink.Link) []netip.Prefix {
	return d.Prefixes(l, func(p netip.Prefix, _ *netlink.Addr) bool {
		return p.Addr().IsGlobalUnicast()
	})
}

// addresses are those of an interface, by its name.
func (d *dump) addresses(name string) []netip.Addr {
	var out []netip.Addr
	if l := d.Link(name); l != nil {
		for _, p := range d.prefixes(l) {
			out = append(out, p.Addr())
		}
	}
	return out
}

// gatewayOf is the router of a port: that of its best default route, whoever laid it.
func (d *dump) gatewayOf(name string, family int) netip.Addr {
	l := d.Link(name)
	if !netkernel.IsUp(l) {
		return netip.Addr{}
	}
	best, out := 0, netip.Addr{}
	for i := range d.Routes {
		r := &d.Routes[i]
		if r.Protocol == protocol || r.Family != family || r.LinkIndex != l.Attrs().Index ||
			len(r.Gw) == 0 {
			continue
		}
		if !out.IsValid() || r.Priority < best {
			best, out = r.Priority, netkernel.Addr(r.Gw)
		}
	}
	return out
}

// picture is what was seen at one moment, sorted by keys.
type picture struct {
	items   []device.ItemSeen
	vifs    []device.VifSeen
	records device.RecordsSeen
}

// look looks at the kernel, does what has only now become possible, and shows what is there.
func (m *machine) look() error {
	d, err := m.dump()
	if err != nil {
		return err
	}
	m.lose(d)
	changed, failed := m.attend(d)
	if changed {
		if d, err = m.dump(); err != nil {
			return err
		}
	}
	m.show(m.picture(d))
	return failed
}

// lose notes what somebody took away. Who kills a dnsmasq takes nothing away for long.
func (m *machine) lose(d *dump) {
	m.indices = map[string]int{}
	for _, l := range d.Links {
		m.indices[l.Attrs().Name] = l.Attrs().Index
	}
	for key := range m.shown {
		kind, name := split(key)
		s := m.spec(key)
		switch {
		case s == nil || m.holds(key, s, d):
		case kind == "nat" && d.Link(name) != nil && m.translated("", d):
			// Routes come and go with the addresses of ports, and are laid again.
		case kind == "service" && m.services[name].on(d.Link(name)):
		default:
			m.lost[key] = true
		}
	}
	for key, s := range m.specs {
		on, is := strings.CutPrefix(key, "nat/")
		if s.Vif != nil {
			on, is = s.Vif.Bridge, true
		}
		if is && d.Link(on) == nil {
			m.lost[key] = true // with the bridge
		}
	}
	for vif := range m.learned {
		if m.indices[vif] == 0 {
			delete(m.learned, vif)
		}
	}
}

// attend does what has become possible by itself, and reports whether it did something.
func (m *machine) attend(d *dump) (changed bool, failed error) {
	for _, name := range m.items("vif") {
		s := m.spec("vif/" + name).Vif
		l := d.Link(name)
		if l == nil || m.lost["vif/"+name] || !s.Up || m.attached[name] == l.Attrs().Index ||
			d.Link(s.Bridge) == nil {
			continue
		}
		changed = true
		failed = errors.Join(failed, m.attach(name, s))
	}
	for _, name := range m.items("bridge") {
		s, l := m.spec("bridge/"+name).Bridge, d.Link(name)
		if l != nil && s.MTU != 0 && l.Attrs().MTU != int(s.MTU) && !m.lost["bridge/"+name] {
			changed = true // it follows its ports until it is told otherwise
			failed = errors.Join(failed, m.k.MTU(l, s.MTU))
		}
	}
	for _, name := range m.items("nat") {
		s := m.spec("nat/" + name).NAT
		if m.lost["nat/"+name] || d.Link(name) == nil || m.whole(name, s, d) {
			continue
		}
		changed = true
		failed = errors.Join(failed, m.settleWays(name, s, d))
	}
	if d.portsOf(m) != m.ports && d.counts["inet dnat"]+d.counts["inet snat"] > 0 {
		changed = true
		failed = errors.Join(failed, m.translate(d))
	}
	return m.welcome(d) || changed, failed
}

// picture is what to publish.
func (m *machine) picture(d *dump) *picture {
	x := &picture{records: device.RecordsSeen{May: m.logging == counting || m.log.Len() > 0}}
	m.shown = map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(m.specs)) {
		s := m.specs[key]
		if !m.lost[key] && m.holds(key, &s, d) {
			m.shown[key] = true
			x.items = append(x.items, device.ItemSeen{Item: key, Spec: s})
		}
	}
	now := time.Now()
	m.next = time.Time{}
	for _, l := range d.Links {
		name := l.Attrs().Name
		s := m.spec("vif/" + name)
		if s == nil && !guest(name) {
			continue
		}
		row := device.VifSeen{Vif: name, IPs: m.used(name, now)}
		if s != nil && s.Vif.Up {
			row.Attached = on(l, d.Link(s.Vif.Bridge))
		}
		x.vifs = append(x.vifs, row)
	}
	slices.SortFunc(x.vifs, func(a, b device.VifSeen) int { return strings.Compare(a.Vif, b.Vif) })
	m.alarm(now)
	return x
}

// alarm has a look taken when the next address of a guest is no longer believed, or something may
// be tried again.
func (m *machine) alarm(now time.Time) {
	if !m.retry.IsZero() && (m.next.IsZero() || m.retry.Before(m.next)) {
		m.next = m.retry
	}
	if m.wake != nil {
		m.wake.Stop()
	}
	if !m.next.IsZero() && !m.Closed {
		m.wake = time.AfterFunc(m.next.Sub(now), m.Watch.Ring)
	}
}

// on reports whether a link is a port of a bridge, and up.
func on(l, bridge netlink.Link) bool {
	return netkernel.IsUp(l) && bridge != nil && l.Attrs().MasterIndex == bridge.Attrs().Index
}

// holds reports whether all of an item is there.
func (m *machine) holds(key string, s *device.Spec, d *dump) bool {
	kind, name := split(key)
	switch kind {
	case "bridge":
		return m.bridged(name, s.Bridge, d)
	case "service":
		x := m.services[name]
		return x.on(d.Link(name)) && x.serves()
	case "nat":
		return m.whole(name, s.NAT, d) && m.translated("", d)
	}
	if d.Link(s.Vif.Bridge) == nil || !m.guarded(name, s.Vif, d) {
		return false
	}
	l := d.Link(name)
	switch {
	case l == nil:
		return true
	case s.Vif.Up:
		return on(l, d.Link(s.Vif.Bridge)) || m.attached[name] != l.Attrs().Index
	}
	return l.Attrs().MasterIndex == 0
}

// bridged reports whether a bridge is as its spec says.
func (m *machine) bridged(name string, s *device.BridgeSpec, d *dump) bool {
	l := d.Link(name)
	if l == nil || l.Type() != "bridge" || !netkernel.IsUp(l) || !same(s.MAC, l.Attrs().HardwareAddr) {
		return false
	}
	if s.Addr.IsValid() && !slices.Contains(d.prefixes(l), s.Addr) {
		return false
	}
	return !slices.ContainsFunc(s.Ports, func(p string) bool {
		x := d.Link(p)
		return x == nil || x.Attrs().MasterIndex != l.Attrs().Index
	})
}

// guarded reports whether the rules of a VIF are in force.
func (m *machine) guarded(vif string, v *device.VifSpec, d *dump) bool {
	gateway := m.gateway(v.Bridge)
	size, ok := m.sizes[vif]
	if !ok {
		size = [2]int{len(leaving(vif, v, gateway)), len(arriving(vif, v, gateway.IsValid()))}
		m.sizes[vif] = size
	}
	return d.counts["bridge arrive"] == 1 && d.counts["bridge leave"] == 1 &&
		d.counts["bridge from_"+vif] == size[0] && d.counts["bridge to_"+vif] == size[1] &&
		d.notes(vif, v) &&
		(!v.Up || len(v.PortMaps) == 0 || m.translated("hair_"+vif, d))
}

// translated reports whether the table of translation is there, whole, with a chain.
func (m *machine) translated(chain string, d *dump) bool {
	for name, n := range m.inet {
		if d.counts["inet "+name] != n {
			return false
		}
	}
	return len(m.inet) > 0 && (chain == "" || m.inet[chain] > 0)
}
