package nic

import (
	"net/netip"
	"slices"
	"time"

	device "github.com/evetwin/evetwin/core/device/nic"
)

// learned is what one source told about the network behind an interface: a DHCP server, routers.
type learned struct {
	Addrs   []netip.Prefix
	Routers []netip.Addr
	Routes  []path // beyond the default
	DNS     []netip.Addr
	NTP     []string
	Domain  string
	WPAD    string
	MTU     uint16 // of the network; 0: the link's
	// Ends is when the lease ends, zero: never; as time since boot, Lease.
	Ends  time.Time
	Lease time.Duration
}

// path is a route to a network.
type path struct {
	To  netip.Prefix
	Via netip.Addr
}

// port is an interface with what stands on it.
type port struct {
	name string
	// four, ra and six are what DHCPv4, routers and DHCPv6 told; lease and lease6 are where four and
	// six are from.
	four, ra, six *learned
	lease         *lease
	lease6        *lease6
	// given are the addresses that are on the interface because of this part.
	given []netip.Prefix
	// laid are the routes and rules that are there because of this part, as keys.
	laid []string
	// on runs the clients; nil: there are none.
	on *clients
}

// sources are what was learned, in order.
func (p *port) sources() []*learned {
	return slices.DeleteFunc([]*learned{p.four, p.ra, p.six},
		func(l *learned) bool { return l == nil })
}

// routers are the default routers as the specs have it: the fixed one, then those learned, unless
// the spec replaces or forbids them. Nobody takes a way without the address that it came with.
func (p *port) routers(static *device.StaticSpec, dhcp *device.DHCPSpec,
	has func(netip.Prefix) bool,
) []netip.Addr {
	var out []netip.Addr
	if static != nil && static.Gateway.IsValid() && !static.Gateway.IsUnspecified() &&
		has(static.Addr) {
		out = append(out, static.Gateway)
	}
	if dhcp == nil {
		return out
	}
	for _, l := range p.sources() {
		if len(l.Routers) == 0 && l != p.four || len(l.Addrs) > 0 && !has(l.Addrs[0]) {
			continue
		}
		switch g := dhcp.Gateway; {
		case !g.IsValid():
			out = append(out, l.Routers...)
		case !g.IsUnspecified() && !slices.Contains(out, g):
			out = append(out, g)
		}
	}
	return out
}
