// Package netcaps finds out what the kernel can do for a device's network, by doing it: a kind of
// link that is configured but has no module, or a module that does not load, shows only then.
package netcaps

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// Features of a kernel, as Caps lists them and as faults name them.
const (
	Bridge          = "bridge"
	BridgeVLAN      = "bridge VLAN filtering"
	BridgeConntrack = "conntrack of bridges (NF_CONNTRACK_BRIDGE)"
	VLAN            = "VLAN (8021q)"
	Bond            = "bond"
	WireGuard       = "WireGuard"
	Dummy           = "dummy"
	VRF             = "VRF"
	VXLAN           = "VXLAN"
	Macvlan         = "macvlan"
	Veth            = "veth"
)

// Caps is what a kernel can do and what not, both sorted.
type Caps struct{ Has, Lacks []string }

// Can reports whether the kernel has a feature.
func (c Caps) Can(feature string) bool { return slices.Contains(c.Has, feature) }

// Probe tries all features in a namespace of its own, which is gone afterwards. It needs root and
// takes some 20 ms. An error means that it could not try.
func Probe() (Caps, error) {
	name := fmt.Sprintf("evetwin-caps-%d-%s", os.Getpid(), rand.Text()[:6])
	if err := netspace.Create(name); err != nil {
		return Caps{}, err
	}
	h, err := netspace.Handle(name)
	if err != nil {
		return Caps{}, errors.Join(err, netspace.Delete(name))
	}
	var c Caps
	for _, x := range trials() {
		if x.try(name, h) == nil {
			c.Has = append(c.Has, x.feature)
		} else {
			c.Lacks = append(c.Lacks, x.feature)
		}
	}
	h.Close()
	slices.Sort(c.Has)
	slices.Sort(c.Lacks)
	return c, netspace.Delete(name)
}

// trial tries one feature; the next one may stand on what it leaves.
type trial struct {
	feature string
	try     func(space string, h *netlink.Handle) error
}

// trials lists them in order: VLANs and macvlans stand on the veth, filtering on the bridge.
func trials() []trial {
	named := func(name string) netlink.LinkAttrs {
		a := netlink.NewLinkAttrs()
		a.Name = name
		return a
	}
	on := func(name string, h *netlink.Handle) netlink.LinkAttrs {
		a := named(name)
		if parent, err := h.LinkByName("probe0"); err == nil {
			a.ParentIndex = parent.Attrs().Index
		}
		return a
	}
	link := func(feature string, make func(h *netlink.Handle) netlink.Link) trial {
		return trial{feature, func(_ string, h *netlink.Handle) error { return h.LinkAdd(make(h)) }}
	}
	return []trial{
		link(Veth, func(*netlink.Handle) netlink.Link {
			return &netlink.Veth{LinkAttrs: named("probe0"), PeerName: "probe1"}
		}),
		link(VLAN, func(h *netlink.Handle) netlink.Link {
			return &netlink.Vlan{LinkAttrs: on("vlan5", h), VlanId: 5,
				VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}
		}),
		link(Macvlan, func(h *netlink.Handle) netlink.Link {
			return &netlink.Macvlan{LinkAttrs: on("macvlan0", h), Mode: netlink.MACVLAN_MODE_BRIDGE}
		}),
		link(Bond, func(*netlink.Handle) netlink.Link { return netlink.NewLinkBond(named("probebond")) }),
		link(WireGuard, func(*netlink.Handle) netlink.Link {
			return &netlink.Wireguard{LinkAttrs: named("wg0")}
		}),
		link(Dummy, func(*netlink.Handle) netlink.Link {
			return &netlink.Dummy{LinkAttrs: named("probedummy")}
		}),
		link(VRF, func(*netlink.Handle) netlink.Link {
			return &netlink.Vrf{LinkAttrs: named("vrf0"), Table: 10}
		}),
		link(VXLAN, func(*netlink.Handle) netlink.Link {
			return &netlink.Vxlan{LinkAttrs: named("vxlan0"), VxlanId: 4, Port: 4789}
		}),
		link(Bridge, func(*netlink.Handle) netlink.Link {
			return &netlink.Bridge{LinkAttrs: named("bridge0")}
		}),
		{BridgeVLAN, func(_ string, h *netlink.Handle) error {
			br, err := h.LinkByName("bridge0")
			if err != nil {
				return err
			}
			return h.BridgeSetVlanFiltering(br, true)
		}},
		{BridgeConntrack, bridgeConntrack},
	}
}

// bridgeConntrack loads a rule of the bridge family that looks at the state of connections.
func bridgeConntrack(space string, _ *netlink.Handle) error {
	// A kernel without a netfilter is asked here: the library does not expect it.
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	ns, err := netns.GetFromPath(netspace.Path(space))
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	c, err := nftables.New(nftables.WithNetNSFd(int(ns)))
	if err != nil {
		return err
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyBridge, Name: "probe"})
	chain := c.AddChain(&nftables.Chain{Table: table, Name: "probe"})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain,
		Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}})
	return c.Flush()
}
