package nic

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// protocol marks routes and rules that this part made, as programs under /etc/iproute2/rt_protos
// do.
const protocol = 0xe7

// kernel changes the network of a namespace. Each change is a success if it is so already.
type kernel struct {
	space string
	h     *netlink.Handle
	// after is called behind each change; an error ends the op there, as a crash would. For tests.
	after func(what string) error
}

func (k *kernel) did(err error, what string, args ...any) error {
	what = fmt.Sprintf(what, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if k.after != nil {
		return k.after(what)
	}
	return nil
}

// find finds a link; nil if there is none.
func (k *kernel) find(name string) (netlink.Link, error) {
	l, err := k.h.LinkByName(name)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find interface %s: %w", name, err)
	}
	return l, nil
}

// mtu sets the MTU of a link; 0 leaves it.
func (k *kernel) mtu(l netlink.Link, mtu uint16) error {
	if mtu == 0 || l.Attrs().MTU == int(mtu) {
		return nil
	}
	return k.did(k.h.LinkSetMTU(l, int(mtu)), "set the MTU of %s to %d", l.Attrs().Name, mtu)
}

func (k *kernel) up(l netlink.Link) error {
	if l.Attrs().Flags&unix.IFF_UP != 0 {
		return nil
	}
	return k.did(k.h.LinkSetUp(l), "start %s", l.Attrs().Name)
}

func (k *kernel) down(l netlink.Link) error {
	return k.did(k.h.LinkSetDown(l), "stop %s", l.Attrs().Name)
}

func (k *kernel) remove(l netlink.Link) error {
	err := k.h.LinkDel(l)
	if errors.Is(err, unix.ENODEV) {
		err = nil
	}
	return k.did(err, "remove interface %s", l.Attrs().Name)
}

func (k *kernel) vlan(name string, parent netlink.Link, id uint16) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = name, parent.Attrs().Index
	return k.did(k.h.LinkAdd(&netlink.Vlan{LinkAttrs: attrs, VlanId: int(id),
		VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}), "add VLAN %d to %s", id, parent.Attrs().Name)
}

// give adds an address, or renews its lifetime.
func (k *kernel) give(l netlink.Link, a address) error {
	x := &netlink.Addr{IPNet: ipnet(a.Prefix), ValidLft: a.life(), PreferedLft: a.life()}
	if a.Addr().Is6() {
		x.Flags = unix.IFA_F_NODAD // the server that gave it sees to that
		if a.fixed() {
			x.Flags = 0
		}
	}
	return k.did(k.h.AddrReplace(l, x), "give %s the address %s", l.Attrs().Name, a.Prefix)
}

// take removes an address.
func (k *kernel) take(l netlink.Link, a address) error {
	err := k.h.AddrDel(l, &netlink.Addr{IPNet: ipnet(a.Prefix)})
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		err = nil
	}
	return k.did(err, "take the address %s from %s", a.Prefix, l.Attrs().Name)
}

func (k *kernel) addRoute(r *netlink.Route) error {
	return k.did(k.h.RouteReplace(r), "add the route %s", r)
}

func (k *kernel) removeRoute(r *netlink.Route) error {
	err := k.h.RouteDel(r)
	if errors.Is(err, unix.ESRCH) {
		err = nil
	}
	return k.did(err, "remove the route %s", r)
}

func (k *kernel) addRule(r *netlink.Rule) error {
	err := k.h.RuleAdd(r)
	if errors.Is(err, unix.EEXIST) {
		err = nil
	}
	return k.did(err, "add the rule %s", r)
}

func (k *kernel) removeRule(r *netlink.Rule) error {
	err := k.h.RuleDel(r)
	if errors.Is(err, unix.ENOENT) {
		err = nil
	}
	return k.did(err, "remove the rule %s", r)
}

// sysctl sets a setting of IPv6 of an interface. A kernel without IPv6 has none, and needs none.
func (k *kernel) sysctl(ifname, name, value string) error {
	path := "/proc/sys/net/ipv6/conf/" + ifname + "/" + name
	err := netspace.Do(k.space, func() error {
		return os.WriteFile(path, []byte(value), 0o644)
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return k.did(err, "set %s of %s to %s", name, ifname, value)
}
