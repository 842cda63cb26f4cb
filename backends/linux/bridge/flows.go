package bridge

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// stale picks connections out of the kernel's table that were forwarded to a guest by a port map
// which is no more.
type stale struct {
	subnets []netip.Prefix
	maps    []device.PortMap
}

// MatchConntrackFlow reports whether a connection is one of them.
func (s *stale) MatchConntrackFlow(c *netlink.ConntrackFlow) bool {
	target, asked := netkernel.Addr(c.Reverse.SrcIP), netkernel.Addr(c.Forward.DstIP)
	ours := false
	for _, p := range s.subnets {
		ours = ours || p.Contains(target)
	}
	if !ours || target == asked {
		return false
	}
	for _, m := range s.maps {
		proto, _ := number(m.Protocol)
		if c.Forward.Protocol == proto && c.Forward.DstPort == m.Port && m.Target == target &&
			c.Reverse.SrcPort == m.ToPort &&
			(!m.From.IsValid() || m.From.Contains(netkernel.Addr(c.Forward.SrcIP))) {
			return false
		}
	}
	return true
}

// forget has the kernel forget connections whose port map is no more, so that their next packet is
// a first one.
func (m *machine) forget() error {
	s := &stale{}
	for _, name := range m.items("bridge") {
		if p := m.spec("bridge/" + name).Bridge.Addr; p.IsValid() {
			s.subnets = append(s.subnets, p.Masked())
		}
	}
	for _, name := range m.items("vif") {
		if v := m.spec("vif/" + name).Vif; v.Up {
			s.maps = append(s.maps, v.PortMaps...)
		}
	}
	if len(s.subnets) == 0 {
		return nil
	}
	err := netspace.Do(m.k.Space, func() error {
		var all error
		for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, s)
			all = errors.Join(all, err)
		}
		return all
	})
	if err != nil {
		return fmt.Errorf("end the flows of ports that are not mapped any more: %w", err)
	}
	return nil
}
