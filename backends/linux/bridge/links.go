package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netpart"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// lldp is the bit of link layer discovery in the mask of groups that a bridge forwards.
const lldp = 0x4000

// setBridge makes a bridge be as its spec says. One that is there keeps its ports.
func (m *machine) setBridge(name string, s *device.BridgeSpec) error {
	mac, err := net.ParseMAC(s.MAC)
	if err != nil {
		return netpart.Refuse("the MAC makes no sense: " + err.Error())
	}
	var list []netlink.Link
	for _, p := range s.Ports {
		l, err := m.k.Find(p)
		if err != nil || l == nil {
			return errors.Join(err, netpart.Missing("there is no interface "+p))
		}
		list = append(list, l)
	}
	l, err := m.k.Find(name)
	if err != nil {
		return err
	}
	if l == nil {
		delete(m.trees, name)
		if err := m.k.addBridge(name, mac); err != nil {
			return err
		}
		if l, err = m.k.Find(name); err != nil || l == nil {
			return errors.Join(err, netpart.Missing("there is no interface "+name))
		}
	}
	br, ok := l.(*netlink.Bridge)
	if !ok {
		return netpart.Refuse(name + " is an interface of another kind")
	}
	for _, err := range []error{m.k.mac(l, mac), m.k.MTU(l, s.MTU), m.modes(br, s)} {
		if err != nil {
			return err
		}
	}
	if err := m.settleAddr(l, s.Addr); err != nil {
		return err
	}
	if err := m.settlePorts(br, list); err != nil {
		return err
	}
	if s.Addr.IsValid() {
		for key, value := range map[string]string{"ipv4/conf/" + name + "/forwarding": "1",
			"ipv4/conf/" + name + "/send_redirects": "0"} {
			if err := m.k.Sysctl(key, value); err != nil {
				return err
			}
		}
		if s.Addr.Addr().Is6() {
			if err := m.k.Sysctl("ipv6/conf/all/forwarding", "1"); err != nil {
				return err
			}
		}
	}
	return m.k.Up(l)
}

// modes sets the spanning tree protocol and what the bridge lets through.
func (m *machine) modes(br *netlink.Bridge, s *device.BridgeSpec) error {
	var stp uint32
	if s.STP {
		stp = 1
	}
	if m.trees[br.Attrs().Name] != s.STP {
		if err := m.k.option(br, nl.IFLA_BR_STP_STATE, nl.Uint32Attr(stp)); err != nil {
			return err
		}
		m.trees[br.Attrs().Name] = s.STP
	}
	mask := uint16(0)
	if s.ForwardLLDP {
		mask = lldp
	}
	if br.GroupFwdMask == nil || *br.GroupFwdMask != mask {
		return m.k.option(br, nl.IFLA_BR_GROUP_FWD_MASK, nl.Uint16Attr(mask))
	}
	return nil
}

// settleAddr gives a bridge its address and takes others away, beside link-local ones.
func (m *machine) settleAddr(l netlink.Link, want netip.Prefix) error {
	list, err := m.k.AddrList(l, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("list the addresses of %s: %w", l.Attrs().Name, err)
	}
	has := false
	for i := range list {
		switch p := netkernel.Prefix(list[i].IPNet); {
		case p == want:
			has = true
		case !p.Addr().IsLinkLocalUnicast():
			if err := m.k.Take(l, &list[i]); err != nil {
				return err
			}
		}
	}
	if has || !want.IsValid() {
		return nil
	}
	a := &netlink.Addr{IPNet: netkernel.IPNet(want)}
	if want.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD // nobody else on the bridge may have it
	}
	return m.k.Give(l, a)
}

// settlePorts enslaves the interfaces of the device; those that are none any more are freed.
func (m *machine) settlePorts(br netlink.Link, want []netlink.Link) error {
	d, err := m.dump()
	if err != nil {
		return err
	}
	for _, l := range d.Links {
		name := l.Attrs().Name
		if l.Attrs().MasterIndex != br.Attrs().Index || guest(name) || m.spec("vif/"+name) != nil ||
			slices.ContainsFunc(want, func(w netlink.Link) bool { return w.Attrs().Name == name }) {
			continue
		}
		if err := m.k.free(l); err != nil {
			return err
		}
	}
	for _, l := range want {
		if err := m.k.enslave(l, br); err != nil {
			return err
		}
		if err := m.k.Up(l); err != nil {
			return err
		}
	}
	return nil
}

// setVif puts the rules of a VIF in force and attaches it, in this order; if it is to be unplugged
// it is detached. An interface that is not there yet is attached when it appears.
func (m *machine) setVif(name string, s *device.VifSpec) error {
	if !s.Up {
		if err := m.detach(name); err != nil {
			return err
		}
	}
	if err := m.fenceIn(name, s); err != nil {
		return err
	}
	if !s.Up {
		return nil
	}
	return m.attach(name, s)
}

// attach plugs an interface in.
func (m *machine) attach(name string, s *device.VifSpec) error {
	l, err := m.k.Find(name)
	if err != nil || l == nil {
		return err
	}
	br, err := m.k.Find(s.Bridge)
	if err != nil || br == nil {
		return errors.Join(err, netpart.Missing("there is no bridge "+s.Bridge))
	}
	if err := m.k.MTU(l, s.MTU); err != nil {
		return err
	}
	if err := m.k.enslave(l, br); err != nil {
		return err
	}
	if err := m.k.guard(l, s.BPDUGuard); err != nil {
		return err
	}
	if err := m.k.vlan(l, br, s.VLAN); err != nil {
		return err
	}
	if err := m.k.Up(l); err != nil {
		return err
	}
	m.attached[name] = l.Attrs().Index
	return nil
}

// detach unplugs an interface.
func (m *machine) detach(name string) error {
	delete(m.attached, name)
	l, err := m.k.Find(name)
	if err != nil || l == nil {
		return err
	}
	if err := m.k.free(l); err != nil {
		return err
	}
	return m.k.Down(l)
}

// guest reports whether a name is one that the hypervisor gives to guests' interfaces.
func guest(name string) bool { return len(name) > 3 && name[:3] == "nbu" }

func sortAddrs(list []netip.Addr) { slices.SortFunc(list, netip.Addr.Compare) }
