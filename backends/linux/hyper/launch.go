package hyper

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// describe is the description of a domain; without parts it says nothing yet of what it boots.
func (b *boot) describe(n *note, parts *guest.Parts) (domxml.Domain, error) {
	s := &n.Spec
	text, err := n.text()
	if err != nil {
		return domxml.Domain{}, err
	}
	d := domxml.Domain{Type: b.o.Type, Note: text, Spec: qemu.Spec{Name: s.Name, UUID: s.AppID,
		MemoryMiB: s.MemoryKiB >> 10, VCPUs: s.VCPUs, NoReboot: true,
		Console: qemu.Socket{Path: b.socket(s.Name), Listen: true}}}
	for _, v := range s.Vifs {
		mac, err := net.ParseMAC(v.MAC)
		if err != nil {
			return d, fmt.Errorf("describe domain %s: interface %s: %w", s.Name, v.Name, err)
		}
		d.Spec.NICs = append(d.Spec.NICs, qemu.NIC{MAC: mac, Tap: v.Name})
	}
	if parts != nil {
		parts.Fill(&d.Spec)
	}
	return d, b.assign(&d.Spec, s.Adapters)
}

// launch starts a domain: what it boots from, then its interfaces, then QEMU with the guest not yet
// executing, then its console, and then the guest.
func (b *boot) launch(ctx context.Context, s *device.Spec, boots int, wall time.Time) error {
	if err := b.bridged(s); err != nil {
		return err
	}
	parts, err := b.o.Boot(ctx, s, boots)
	if err != nil {
		return fmt.Errorf("start domain %s: %w", s.Name, err)
	}
	return b.alter(ctx, s.Name, func(e engine) error {
		f, err := e.read(s.Name)
		if err != nil && !errors.Is(err, errGone) {
			return err
		}
		n, err := readNote(f.note)
		if n == nil && err == nil { // it went, or is another's by now
			return refuse(device.FaultMissing, true, "start domain %s: no such domain", s.Name)
		}
		if err != nil || f.is.alive() && !n.Starting {
			return err
		}
		if f.is.alive() { // left by a start that did not succeed in ending it
			if err := e.kill(s.Name); err != nil {
				return err
			}
		}
		n.Boots, n.BootedAt, n.Asked, n.End, n.Starting = boots, wall, false, nil, true
		d, err := b.describe(n, &parts)
		if err != nil {
			return err
		}
		if err := b.tap(s); err != nil {
			return err
		}
		if err := e.define(d); err != nil {
			return err
		}
		if err := e.launch(s.Name); err != nil {
			// The domain stays as it was.
			return errors.Join(err, e.annotate(s.Name, f.note), b.untap(s.Vifs))
		}
		b.listen(s)
		if err := e.resume(s.Name); err != nil {
			return errors.Join(err, e.kill(s.Name))
		}
		n.Starting = false
		return b.write(e, n)
	})
}

// socket is where QEMU serves a guest's console.
func (b *boot) socket(name string) string {
	return filepath.Join(b.o.Dir, name+".console")
}
