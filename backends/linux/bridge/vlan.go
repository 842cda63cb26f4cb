package bridge

import (
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netcaps"
	"github.com/evetwin/evetwin/backends/linux/netpart"
)

// firstTag and lastTag bound the VLANs that a trunk carries.
const (
	firstTag = 2
	lastTag  = 4093
)

// vlan makes a port one of an access VLAN, or, with 0, a trunk. A bridge filters VLANs as soon as
// a guest's port is one of an access VLAN; then the ports of the device carry all.
func (k *kernel) vlan(l, bridge netlink.Link, id uint16) error {
	br, ok := bridge.(*netlink.Bridge)
	if !ok {
		return nil
	}
	filters := br.VlanFiltering != nil && *br.VlanFiltering
	if id == 0 && !filters {
		return nil
	}
	if !filters {
		err := k.BridgeSetVlanFiltering(bridge, true)
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
			return netpart.Lacks(netcaps.BridgeVLAN)
		}
		if err := k.Did(err, "have %s filter VLANs", bridge.Attrs().Name); err != nil {
			return err
		}
		if err := k.trunks(bridge, l); err != nil {
			return err
		}
	}
	if id == 0 {
		return k.Did(k.BridgeVlanAddRange(l, firstTag, lastTag, false, false, false, true),
			"make %s a trunk", l.Attrs().Name)
	}
	for _, other := range []uint16{1} {
		err := k.BridgeVlanDel(l, other, true, true, false, true)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return k.Did(err, "take %s out of VLAN %d", l.Attrs().Name, other)
		}
	}
	return k.Did(k.BridgeVlanAdd(l, id, true, true, false, true), "put %s into VLAN %d",
		l.Attrs().Name, id)
}

// trunks makes all ports of a bridge trunks, but one.
func (k *kernel) trunks(bridge, but netlink.Link) error {
	list, err := k.LinkList()
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.Attrs().MasterIndex != bridge.Attrs().Index || l.Attrs().Index == but.Attrs().Index {
			continue
		}
		err := k.BridgeVlanAddRange(l, firstTag, lastTag, false, false, false, true)
		if err := k.Did(err, "make %s a trunk", l.Attrs().Name); err != nil {
			return err
		}
	}
	return nil
}
