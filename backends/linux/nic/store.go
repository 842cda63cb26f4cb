package nic

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/google/renameio/v2"

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

// bootID is the kernel's name of this boot.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read the number of the boot: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// save writes down what the kernel cannot tell.
func (m *machine) save() error {
	if m.o.State == "" {
		return nil
	}
	x := memory{Boot: m.boot}
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
	text, err := json.MarshalIndent(x, "", " ")
	if err == nil {
		err = renameio.WriteFile(filepath.Join(m.o.State, stateFile), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep what was configured: %w", err)
	}
	if m.k.after != nil {
		return m.k.after("write " + stateFile)
	}
	return nil
}

// load adopts what an earlier process configured in this boot. A file that makes no sense is as
// good as none.
func (m *machine) load() error {
	if m.o.State == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(m.o.State, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was configured: %w", err)
	}
	var x memory
	if json.Unmarshal(text, &x) != nil || x.Boot != m.boot {
		return nil
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
	d, err := m.dump()
	if err != nil {
		return err
	}
	for _, r := range x.Ports {
		p := m.port(r.Name)
		p.given = r.Given
		if l := d.link(r.Name); carrier(l) && m.spec("dhcp", r.Name) != nil {
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
