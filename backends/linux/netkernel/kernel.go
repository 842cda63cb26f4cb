// Package netkernel changes the network of a namespace through netlink, and tells how it is. Each
// change is a success if it is so already, names itself in its error, and may be followed by a
// crash in a test:
//
//	k, err := netkernel.Open(space)
//	l, err := k.Find("eth0")      // nil without it
//	err = k.Up(l)                 // "start eth0: operation not permitted"
//	d, err := k.Dump(ours, nil)   // all links and addresses, routes and rules of ours
//
// A part wraps Kernel and adds the changes that only it makes, each through Did.
package netkernel

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Kernel is the network of a namespace.
type Kernel struct {
	*netlink.Handle
	// Space is the namespace by its name under /run/netns; empty: that of the process.
	Space string
	// After, unless nil, is called behind each change; an error ends the op there, as a crash would.
	// For tests.
	After func(what string) error
}

// Open opens the network of a namespace; the owner closes it.
func Open(space string, after func(what string) error) (Kernel, error) {
	h, err := netspace.Handle(space)
	return Kernel{h, space, after}, err
}

// Did is behind each change: what was tried, and what came of it.
func (k *Kernel) Did(err error, what string, args ...any) error {
	what = fmt.Sprintf(what, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if k.After != nil {
		return k.After(what)
	}
	return nil
}

// didBut is Did of a change for which an errno says that it was so already.
func (k *Kernel) didBut(so unix.Errno, err error, what string, args ...any) error {
	if errors.Is(err, so) {
		err = nil
	}
	return k.Did(err, what, args...)
}

// Find finds a link; nil if there is none.
func (k *Kernel) Find(name string) (netlink.Link, error) {
	l, err := k.LinkByName(name)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", name, err)
	}
	return l, nil
}

// MTU sets the MTU of a link; 0 leaves it.
func (k *Kernel) MTU(l netlink.Link, mtu uint16) error {
	if mtu == 0 || l.Attrs().MTU == int(mtu) {
		return nil
	}
	return k.Did(k.LinkSetMTU(l, int(mtu)), "set the MTU of %s to %d", l.Attrs().Name, mtu)
}

// Up starts a link.
func (k *Kernel) Up(l netlink.Link) error {
	if IsUp(l) {
		return nil
	}
	return k.Did(k.LinkSetUp(l), "start %s", l.Attrs().Name)
}

// Down stops a link.
func (k *Kernel) Down(l netlink.Link) error {
	if !IsUp(l) {
		return nil
	}
	return k.Did(k.LinkSetDown(l), "stop %s", l.Attrs().Name)
}

// Remove removes a link.
func (k *Kernel) Remove(l netlink.Link) error {
	return k.didBut(unix.ENODEV, k.LinkDel(l), "remove interface %s", l.Attrs().Name)
}

// Give adds an address, or renews its lifetime.
func (k *Kernel) Give(l netlink.Link, a *netlink.Addr) error {
	return k.Did(k.AddrReplace(l, a), "give %s the address %s", l.Attrs().Name, Prefix(a.IPNet))
}

// Take removes an address.
func (k *Kernel) Take(l netlink.Link, a *netlink.Addr) error {
	return k.didBut(unix.EADDRNOTAVAIL, k.AddrDel(l, a), "take the address %s from %s",
		Prefix(a.IPNet), l.Attrs().Name)
}

// Sysctl sets a setting of the network; name is its path under /proc/sys/net. What a kernel does
// not have it does not need.
func (k *Kernel) Sysctl(name, value string) error {
	path := "/proc/sys/net/" + name
	err := netspace.Do(k.Space, func() error {
		was, err := os.ReadFile(path)
		if err == nil && string(was) == value+"\n" {
			return nil
		}
		return os.WriteFile(path, []byte(value), 0o644)
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return k.Did(err, "set %s to %s", name, value)
}

// IsUp reports whether a link is there and started.
func IsUp(l netlink.Link) bool { return l != nil && l.Attrs().RawFlags&unix.IFF_UP != 0 }
