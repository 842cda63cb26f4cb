package nic

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	device "github.com/evetwin/evetwin/core/device/nic"
)

// stateFile is the file in the folder of Options.State.
const stateFile = "nic.json"

// memory is what the kernel cannot tell, as it stands in the file.
type memory struct {
	// Boot is the kernel's; what another one was told is void.
	Boot  string
	Items []device.ItemSeen
	Ports []portMemory
	// Public are the public keys of interfaces of WireGuard.
	Public map[string]wgtypes.Key `json:",omitempty"`
}

// portMemory is an interface.
type portMemory struct {
	Name  string
	Given []netip.Prefix `json:",omitempty"`
	// Ack is the server's last acknowledgement, and Got when it came on the clock of the boot, in
	// nanoseconds.
	Ack []byte `json:",omitempty"`
	Got int64  `json:",omitempty"`
	// Reply and Got6 are the same of DHCPv6; RA is what routers told.
	Reply []byte   `json:",omitempty"`
	Got6  int64    `json:",omitempty"`
	RA    *learned `json:",omitempty"`
}

// bootTime is the clock of the boot: it counts suspended time, too, as leases do.
func bootTime() (int64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, fmt.Errorf("read the clock of the boot: %w", err)
	}
	return now.Nano(), nil
}

// save writes down what the kernel cannot tell.
func (m *machine) save() error {
	x := memory{Boot: m.note.Boot, Public: m.public}
	for _, key := range slices.Sorted(maps.Keys(m.specs)) {
		x.Items = append(x.Items, device.ItemSeen{Item: key, Spec: m.specs[key]})
	}
	for _, name := range m.names() {
		p := m.ports[name]
		r := portMemory{Name: name, Given: p.given, RA: p.ra}
		if p.lease6 != nil {
			r.Reply, r.Got6 = p.lease6.reply.ToBytes(), p.lease6.got
		}
		if p.lease != nil {
			r.Ack, r.Got = p.lease.ack.ToBytes(), p.lease.got
		}
		x.Ports = append(x.Ports, r)
	}
	return m.note.Save(x)
}

// Load adopts what an earlier process configured in this boot.
func (m *machine) Load() error {
	var x memory
	if ok, err := m.note.Load(&x); err != nil || !ok {
		return err
	}
	now, err := bootTime()
	if err != nil {
		return err
	}
	for _, i := range x.Items {
		if what, name := split(i.Item); m.fits(what, name, &i.Spec) == nil {
			m.specs[i.Item] = i.Spec
		}
	}
	maps.Copy(m.public, x.Public)
	d, err := m.dump()
	if err != nil {
		return err
	}
	for _, r := range x.Ports {
		p := m.port(r.Name)
		p.given = r.Given
		if l := d.Link(r.Name); carrier(l) && m.spec("dhcp", r.Name) != nil {
			m.adopt(p, &r, now, func(a netip.Prefix) bool { return d.has(l, a) })
		}
	}
	return nil
}

// adopt takes over what clients of an earlier process learned, as far as it still holds.
func (m *machine) adopt(p *port, r *portMemory, now int64, has func(netip.Prefix) bool) {
	if l := revive(r.Ack, r.Got, now, m.since); l != nil && has(l.Addrs[0]) {
		p.lease, p.four = l, &l.learned
	}
	if l := revive6(r.Reply, r.Got6, now); l != nil && (len(l.Addrs) == 0 || has(l.Addrs[0])) {
		p.lease6, p.six = l, &l.learned
	}
	p.ra = r.RA
}
