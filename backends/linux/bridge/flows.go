package bridge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// flow is what connections through a port map have in common.
type flow struct {
	proto  uint8
	port   uint16
	target netip.Addr
	to     uint16
}

// unmapped are the flows of port maps that were and are no more, or not as they were.
func unmapped(was, is *device.VifSpec) []flow {
	var out []flow
	if was == nil {
		return nil
	}
	for _, p := range was.PortMaps {
		same := func(o device.PortMap) bool {
			return o.Protocol == p.Protocol && o.Port == p.Port && o.Target == p.Target &&
				o.ToPort == p.ToPort && o.From == p.From && slices.Equal(o.In, p.In)
		}
		if is != nil && is.Up == was.Up && slices.ContainsFunc(is.PortMaps, same) {
			continue
		}
		proto, _ := number(p.Protocol)
		out = append(out, flow{proto, p.Port, p.Target, p.ToPort})
	}
	return out
}

// gone picks flows out of the kernel's table of connections.
type gone []flow

// MatchConntrackFlow reports whether a connection is one of the flows.
func (g gone) MatchConntrackFlow(c *netlink.ConntrackFlow) bool {
	return slices.ContainsFunc(g, func(f flow) bool {
		return c.Forward.Protocol == f.proto && c.Forward.DstPort == f.port &&
			c.Reverse.SrcPort == f.to && addr(c.Reverse.SrcIP) == f.target
	})
}

// forget has the kernel forget connections, so that their next packet is a first one.
func (k *kernel) forget(list []flow) error {
	if len(list) == 0 {
		return nil
	}
	err := netspace.Do(k.space, func() error {
		var all error
		for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, gone(list))
			all = errors.Join(all, err)
		}
		return all
	})
	if err != nil {
		return fmt.Errorf("end the flows of ports that are not mapped any more: %w", err)
	}
	return nil
}
