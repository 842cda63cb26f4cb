package hyper

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

// inside runs f where guests' interfaces are.
func (b *boot) inside(f func() error) error {
	if b.o.Space == "" {
		return f()
	}
	return netspace.Do(b.o.Space, f)
}

// bridged wants the bridge of every interface to be there.
func (b *boot) bridged(s *device.Spec) error {
	return b.inside(func() error {
		for _, v := range s.Vifs {
			l, err := netlink.LinkByName(v.Bridge)
			if err != nil || l.Type() != "bridge" {
				return refuse(device.FaultMissing, true,
					"start domain %s: bridge %s of interface %s is not here", s.Name, v.Bridge, v.Name)
			}
		}
		return nil
	})
}

// tap makes the interfaces of a guest. Their cables hang loose: plugging them in is the affair of
// part bridge.
func (b *boot) tap(s *device.Spec) error {
	return b.inside(func() error {
		for _, v := range s.Vifs {
			if _, err := netlink.LinkByName(v.Name); err == nil {
				continue
			}
			attrs := netlink.NewLinkAttrs()
			attrs.Name = v.Name
			x := &netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TAP,
				Flags: netlink.TUNTAP_NO_PI | netlink.TUNTAP_VNET_HDR}
			err := netlink.LinkAdd(x)
			if err == nil {
				err = netlink.LinkSetUp(x)
			}
			if err != nil {
				return fmt.Errorf("make interface %s of domain %s: %w", v.Name, s.Name, err)
			}
		}
		return nil
	})
}

// untap removes interfaces; those that are not there are a success.
func (b *boot) untap(vifs []device.Vif) error {
	if len(vifs) == 0 {
		return nil
	}
	return b.inside(func() error {
		for _, v := range vifs {
			l, err := netlink.LinkByName(v.Name)
			var none netlink.LinkNotFoundError
			if errors.As(err, &none) {
				continue
			}
			if err == nil {
				err = netlink.LinkDel(l)
			}
			if err != nil {
				return fmt.Errorf("remove interface %s: %w", v.Name, err)
			}
		}
		return nil
	})
}
