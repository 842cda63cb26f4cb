// Package sysbus moves adapters on PCI between the host and guests, and finds devices on USB, by
// what sysfs shows and takes.
package sysbus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Drivers that hold an adapter for guests.
const (
	// VFIO is that of QEMU.
	VFIO = "vfio-pci"
	// Pciback is that of Xen.
	Pciback = "pciback"
)

// Bus is the machine's buses.
type Bus struct {
	// Sys is where sysfs is mounted.
	Sys string
	// Driver is VFIO or Pciback.
	Driver string
}

func (b Bus) pci(parts ...string) string {
	return filepath.Join(append([]string{b.Sys, "bus/pci"}, parts...)...)
}

// Adapters are the addresses of all PCI adapters, sorted. A machine without PCI has none.
func (b Bus) Adapters() ([]string, error) {
	list, err := os.ReadDir(b.pci("devices"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list PCI adapters: %w", err)
	}
	var out []string
	for _, x := range list {
		out = append(out, x.Name())
	}
	return out, nil
}

// driver is the driver that has an adapter; empty if none has.
func (b Bus) driver(at string) string {
	to, err := os.Readlink(b.pci("devices", at, "driver"))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// Bound reports whether an adapter is away from the host.
func (b Bus) Bound(at string) bool { return b.driver(at) == b.Driver }

// Bind takes an adapter from the host. Only the driver for guests may have it from then on, also
// after somebody rescans the bus.
func (b Bus) Bind(at string) error {
	if err := b.write(b.Driver, "devices", at, "driver_override"); err != nil {
		return fmt.Errorf("bind %s to %s: %w", at, b.Driver, err)
	}
	if b.Driver == Pciback {
		if err := b.write(at, "drivers", Pciback, "new_slot"); err != nil {
			return fmt.Errorf("bind %s to %s: %w", at, b.Driver, err)
		}
	}
	return b.move(at)
}

// Release gives an adapter back to the host: to whichever driver wants it.
func (b Bus) Release(at string) error {
	// A line end alone takes the override away.
	if err := b.write("\n", "devices", at, "driver_override"); err != nil {
		return fmt.Errorf("release %s: %w", at, err)
	}
	return b.move(at)
}

// move takes an adapter from its driver and has the kernel look for another one.
func (b Bus) move(at string) error {
	if d := b.driver(at); d != "" {
		if err := b.write(at, "drivers", d, "unbind"); err != nil {
			return fmt.Errorf("take %s from driver %s: %w", at, d, err)
		}
	}
	if err := b.write(at, "drivers_probe"); err != nil {
		return fmt.Errorf("find a driver for %s: %w", at, err)
	}
	return nil
}

// write writes to a file of sysfs, which takes one write as one order.
func (b Bus) write(text string, parts ...string) error {
	f, err := os.OpenFile(b.pci(parts...), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// usbAddress is a bus and the ports on the way: "1:2.4".
var usbAddress = regexp.MustCompile(`^[0-9]+:[0-9]+(\.[0-9]+)*$`)

// USB finds what is plugged in at an address, "BUS:PORT[.PORT...]". Nothing is an error of
// os.ErrNotExist.
func (b Bus) USB(at string) (bus, number uint, err error) {
	if !usbAddress.MatchString(at) {
		return 0, 0, fmt.Errorf("%q is no address on USB", at)
	}
	dir := filepath.Join(b.Sys, "bus/usb/devices", strings.Replace(at, ":", "-", 1))
	var got [2]uint
	for i, name := range []string{"busnum", "devnum"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return 0, 0, err
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
		if err != nil {
			return 0, 0, fmt.Errorf("find USB %s: %w", at, err)
		}
		got[i] = uint(n)
	}
	return got[0], got[1], nil
}
