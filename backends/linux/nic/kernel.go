package nic

import (
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
)

// protocol marks routes and rules that this part made, as programs under /etc/iproute2/rt_protos
// do.
const protocol = 0xe7

// kernel changes the network of a namespace.
type kernel struct{ netkernel.Kernel }

func openKernel(o Options) (kernel, error) {
	k, err := netkernel.Open(o.Space, o.after)
	return kernel{k}, err
}

func (k *kernel) vlan(name string, parent netlink.Link, id uint16) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = name, parent.Attrs().Index
	return k.Did(k.LinkAdd(&netlink.Vlan{LinkAttrs: attrs, VlanId: int(id),
		VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}), "add VLAN %d to %s", id, parent.Attrs().Name)
}

// give adds an address, or renews its lifetime.
func (k *kernel) give(l netlink.Link, a address) error {
	x := &netlink.Addr{IPNet: netkernel.IPNet(a.Prefix), ValidLft: a.life(), PreferedLft: a.life()}
	if a.Addr().Is6() && !a.fixed() {
		x.Flags = unix.IFA_F_NODAD // the server that gave it sees to that
	}
	return k.Give(l, x)
}

// take removes an address.
func (k *kernel) take(l netlink.Link, a address) error {
	return k.Take(l, &netlink.Addr{IPNet: netkernel.IPNet(a.Prefix)})
}

// six sets a setting of IPv6 of an interface.
func (k *kernel) six(ifname, name, value string) error {
	return k.Sysctl("ipv6/conf/"+ifname+"/"+name, value)
}
