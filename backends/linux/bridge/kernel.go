package bridge

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// protocol marks routes and rules that this part made; that of part nic is another one.
const protocol = 0xe8

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

// addBridge makes a bridge, down.
func (k *kernel) addBridge(name string, mac net.HardwareAddr) error {
	a := netlink.NewLinkAttrs()
	a.Name, a.HardwareAddr = name, mac
	return k.did(k.h.LinkAdd(&netlink.Bridge{LinkAttrs: a}), "make bridge %s", name)
}

func (k *kernel) mac(l netlink.Link, mac net.HardwareAddr) error {
	if l.Attrs().HardwareAddr.String() == mac.String() {
		return nil
	}
	return k.did(k.h.LinkSetHardwareAddr(l, mac), "give %s the address %s", l.Attrs().Name, mac)
}

// mtu sets the MTU of a link; 0 leaves it.
func (k *kernel) mtu(l netlink.Link, mtu uint16) error {
	if mtu == 0 || l.Attrs().MTU == int(mtu) {
		return nil
	}
	return k.did(k.h.LinkSetMTU(l, int(mtu)), "set the MTU of %s to %d", l.Attrs().Name, mtu)
}

func (k *kernel) up(l netlink.Link) error {
	if isUp(l) {
		return nil
	}
	return k.did(k.h.LinkSetUp(l), "start %s", l.Attrs().Name)
}

func (k *kernel) down(l netlink.Link) error {
	if !isUp(l) {
		return nil
	}
	return k.did(k.h.LinkSetDown(l), "stop %s", l.Attrs().Name)
}

func (k *kernel) remove(l netlink.Link) error {
	err := k.h.LinkDel(l)
	if errors.Is(err, unix.ENODEV) {
		err = nil
	}
	return k.did(err, "remove interface %s", l.Attrs().Name)
}

// enslave makes a link a port of a bridge.
func (k *kernel) enslave(l, bridge netlink.Link) error {
	if l.Attrs().MasterIndex == bridge.Attrs().Index {
		return nil
	}
	return k.did(k.h.LinkSetMaster(l, bridge), "make %s a port of %s", l.Attrs().Name,
		bridge.Attrs().Name)
}

// free takes a link off its bridge.
func (k *kernel) free(l netlink.Link) error {
	if l.Attrs().MasterIndex == 0 {
		return nil
	}
	return k.did(k.h.LinkSetNoMaster(l), "take %s off its bridge", l.Attrs().Name)
}

// guard has a port shut when its guest speaks the spanning tree protocol.
func (k *kernel) guard(l netlink.Link, on bool) error {
	return k.did(k.h.LinkSetGuard(l, on), "set the guard of %s to %v", l.Attrs().Name, on)
}

func (k *kernel) give(l netlink.Link, a *netlink.Addr) error {
	return k.did(k.h.AddrReplace(l, a), "give %s the address %s", l.Attrs().Name, a.IPNet)
}

func (k *kernel) take(l netlink.Link, a *netlink.Addr) error {
	err := k.h.AddrDel(l, a)
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		err = nil
	}
	return k.did(err, "take the address %s from %s", a.IPNet, l.Attrs().Name)
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

// sysctl sets a setting of the network; name is its path under /proc/sys/net. What a kernel does
// not have it does not need.
func (k *kernel) sysctl(name, value string) error {
	err := netspace.Do(k.space, func() error {
		was, err := os.ReadFile("/proc/sys/net/" + name)
		if err == nil && string(was) == value+"\n" {
			return nil
		}
		return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return k.did(err, "set %s to %s", name, value)
}

// option sets an attribute of a bridge that the library does not know.
func (k *kernel) option(l netlink.Link, attribute int, value []byte) error {
	err := netspace.Do(k.space, func() error {
		q := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
		msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
		msg.Index = int32(l.Attrs().Index)
		q.AddData(msg)
		info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
		info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(attribute, value)
		q.AddData(info)
		_, err := q.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
	return k.did(err, "set option %d of bridge %s", attribute, l.Attrs().Name)
}

func isUp(l netlink.Link) bool { return l != nil && l.Attrs().RawFlags&unix.IFF_UP != 0 }
