package bridge

import (
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// protocol marks routes and rules that this part made; that of part nic is another one.
const protocol = 0xe8

// kernel changes the network of a namespace.
type kernel struct{ netkernel.Kernel }

// addBridge makes a bridge, down.
func (k *kernel) addBridge(name string, mac net.HardwareAddr) error {
	a := netlink.NewLinkAttrs()
	a.Name, a.HardwareAddr = name, mac
	return k.Did(k.LinkAdd(&netlink.Bridge{LinkAttrs: a}), "make bridge %s", name)
}

func (k *kernel) mac(l netlink.Link, mac net.HardwareAddr) error {
	if l.Attrs().HardwareAddr.String() == mac.String() {
		return nil
	}
	return k.Did(k.LinkSetHardwareAddr(l, mac), "give %s the address %s", l.Attrs().Name, mac)
}

// enslave makes a link a port of a bridge.
func (k *kernel) enslave(l, bridge netlink.Link) error {
	if l.Attrs().MasterIndex == bridge.Attrs().Index {
		return nil
	}
	return k.Did(k.LinkSetMaster(l, bridge), "make %s a port of %s", l.Attrs().Name,
		bridge.Attrs().Name)
}

// free takes a link off its bridge.
func (k *kernel) free(l netlink.Link) error {
	if l.Attrs().MasterIndex == 0 {
		return nil
	}
	return k.Did(k.LinkSetNoMaster(l), "take %s off its bridge", l.Attrs().Name)
}

// guard has a port shut when its guest speaks the spanning tree protocol.
func (k *kernel) guard(l netlink.Link, on bool) error {
	return k.Did(k.LinkSetGuard(l, on), "set the guard of %s to %v", l.Attrs().Name, on)
}

// option sets an attribute of a bridge that the library does not know.
func (k *kernel) option(l netlink.Link, attribute int, value []byte) error {
	err := netspace.Do(k.Space, func() error {
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
	return k.Did(err, "set option %d of bridge %s", attribute, l.Attrs().Name)
}
