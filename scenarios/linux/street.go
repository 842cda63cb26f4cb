package linux

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Addresses of the outside.
const (
	controllerAddr = "10.99.0.2"
	registryAddr   = "10.99.0.3"
)

// cables are the device's ports with their networks.
func cables() []cable {
	return []cable{
		{"eth0", "lan0", "10.99.0.1", "10.99.0.50,10.99.0.99"},
		{"eth1", "lan1", "10.98.0.1", "10.98.0.50,10.98.0.99"},
	}
}

// cable is a port of the device, the other end, the address there and what DHCP gives.
type cable struct{ port, end, router, lease string }

// street is the outside's network namespace and the device's, with cables between.
type street struct {
	outside, device string
	link            *netlink.Handle // of the outside
}

func newStreet() (s *street, err error) {
	id := fmt.Sprintf("%d-%s", os.Getpid(), rand.Text()[:6])
	s = &street{outside: "evetwin-out-" + id, device: "evetwin-dev-" + id}
	if err := netspace.Create(s.outside); err != nil {
		return nil, err
	}
	if s.link, err = netspace.Handle(s.outside); err == nil {
		err = s.lay()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// lay makes the device's namespace and the cables to it. The outside's ends are up, the device's
// down, as after power on.
func (s *street) lay() error {
	if err := netspace.Create(s.device); err != nil {
		return err
	}
	to, err := netns.GetFromName(s.device)
	if err != nil {
		return fmt.Errorf("find namespace %s: %w", s.device, err)
	}
	defer func() { _ = to.Close() }()
	for _, c := range cables() {
		a := netlink.NewLinkAttrs()
		a.Name = c.end
		err := s.link.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: c.port,
			PeerNamespace: netlink.NsFd(int(to))})
		if err == nil {
			err = s.address(c.end, c.router)
		}
		if err == nil && c.port == "eth0" {
			err = errors.Join(s.address(c.end, controllerAddr), s.address(c.end, registryAddr))
		}
		if err == nil {
			err = s.set(c.port, true)
		}
		if err != nil {
			return fmt.Errorf("lay the cable of %s: %w", c.port, err)
		}
	}
	return netspace.Do(s.outside, func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
	})
}

func (s *street) address(link, addr string) error {
	l, err := s.link.LinkByName(link)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(addr + "/24")
	if err != nil {
		return err
	}
	return s.link.AddrReplace(l, a)
}

// set pulls the cable of a port, or puts it in.
func (s *street) set(port string, in bool) error {
	for _, c := range cables() {
		if c.port != port {
			continue
		}
		l, err := s.link.LinkByName(c.end)
		switch {
		case err != nil:
		case in:
			err = s.link.LinkSetUp(l)
		default:
			err = s.link.LinkSetDown(l)
		}
		if err != nil {
			return fmt.Errorf("cable of %s: %w", port, err)
		}
		return nil
	}
	return fmt.Errorf("the device has no port %s", port)
}

// tear removes the device's namespace with all that is in it, as a power cut does.
func (s *street) tear() error { return netspace.Delete(s.device) }

func (s *street) close() error {
	if s.link != nil {
		s.link.Close()
	}
	return errors.Join(netspace.Delete(s.device), netspace.Delete(s.outside))
}
