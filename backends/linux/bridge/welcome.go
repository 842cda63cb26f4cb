package bridge

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// reopen is how long a bridge waits for its window when somebody else has the port.
const reopen = 30 * time.Second

// welcome gives each bridge with an IPv4 address that of the metadata service, and opens a window
// there; bridges that have none any more lose both. It reports whether it changed an address. What
// it cannot do is told beside the ops: guests do without.
func (m *machine) welcome(d *dump) (changed bool) {
	var failed error
	m.retry = time.Time{}
	for _, name := range m.items("bridge") {
		l := d.Link(name)
		if l == nil || l.Type() != "bridge" {
			continue
		}
		want := !m.lost["bridge/"+name] && m.gateway(name).Is4()
		if m.welcoming(l, d) != want {
			changed = true
			failed = errors.Join(failed, m.setWelcome(l, want))
		}
	}
	for name, w := range m.windows {
		if l := d.Link(name); l == nil || l.Attrs().Index != w.index || m.spec("bridge/"+name) == nil ||
			m.lost["bridge/"+name] || !m.gateway(name).Is4() {
			w.close()
			delete(m.windows, name)
		}
	}
	for _, name := range m.items("bridge") {
		l := d.Link(name)
		if l == nil || m.lost["bridge/"+name] || m.windows[name] != nil || m.Closed ||
			!m.gateway(name).Is4() {
			continue
		}
		w, err := m.openWindow(name, l.Attrs().Index)
		if err != nil {
			failed = errors.Join(failed, err)
			m.retry = time.Now().Add(reopen)
			continue
		}
		m.windows[name] = w
	}
	text := ""
	if failed != nil {
		text = failed.Error()
	}
	if text != "" && text != m.unwelcome {
		m.Report(failed)
	}
	m.unwelcome = text
	return changed
}

// welcoming reports whether a bridge has the address of the metadata service.
func (m *machine) welcoming(l netlink.Link, d *dump) bool {
	return len(d.Prefixes(l, func(p netip.Prefix, _ *netlink.Addr) bool {
		return p.Addr() == device.MetadataAddr()
	})) > 0
}

// setWelcome gives a bridge the address, or takes it. It is no address to send from by itself.
func (m *machine) setWelcome(l netlink.Link, on bool) error {
	a := &netlink.Addr{IPNet: netkernel.IPNet(netip.PrefixFrom(device.MetadataAddr(), 32)),
		Scope: unix.RT_SCOPE_HOST}
	if on {
		return m.k.Give(l, a)
	}
	return m.k.Take(l, a)
}

// farewell closes all windows. Addresses stay, for the next process.
func (m *machine) farewell() {
	for _, name := range slices.Sorted(maps.Keys(m.windows)) {
		m.windows[name].close()
	}
	clear(m.windows)
}
