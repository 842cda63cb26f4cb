package nim

import (
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// observe makes the runtime view of the ports of a configuration from what is seen of them. results
// are the test results that stand on each port.
func (s *sheet) observe(d *network.DevicePortConfig) []network.NetworkPortStatus {
	out := make([]network.NetworkPortStatus, len(d.Ports))
	for i := range d.Ports {
		out[i] = s.observePort(d, i)
	}
	return out
}

func (s *sheet) observePort(d *network.DevicePortConfig, i int) network.NetworkPortStatus {
	p := &d.Ports[i]
	o := network.NetworkPortStatus{
		IfName: p.IfName, Phylabel: p.Phylabel, Logicallabel: p.Logicallabel,
		SharedLabels: p.SharedLabels, Alias: p.Alias, IsMgmt: p.IsMgmt, IsL3Port: p.IsL3Port,
		InvalidConfig: refusal(p) != "", Cost: p.Cost, Dhcp: p.Dhcp, Type: p.Type,
		NetworkUUID: p.NetworkUUID, MTU: mtu(p), ConfigSource: p.ConfigSource,
		ProxyConfig: p.ProxyConfig, L2LinkConfig: p.L2LinkConfig,
		DNSServers: p.DNSServers, NtpServers: p.NTPServers, DomainName: p.DomainName,
	}
	if linkless(p) || s.withheld(p) {
		return o
	}
	l := s.n.links.Get(p.IfName)
	if l == nil {
		return o
	}
	o.Up, o.MacAddr = l.LowerUp, l.MAC
	if a := s.n.addrs.Get(p.IfName); a != nil {
		o.AddrInfoList, o.DefaultRouters = a.Addrs, a.Routers
		if !p.IgnoreDhcpDNSConfig {
			o.DNSServers = join(o.DNSServers, a.DNS)
			if o.DomainName == "" {
				o.DomainName = a.Domain
			}
		}
		if !p.IgnoreDhcpNtpServers {
			o.NtpServers = join(o.NtpServers, a.NTP)
		}
	}
	return o
}

// join lists what is configured, then what was learned, each once.
func join[T comparable](fixed, learned []T) []T {
	if len(fixed) == 0 {
		return learned
	}
	out := slices.Clone(fixed)
	for _, v := range learned {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// print is a checksum of what a connectivity test depends on. It is the same as long as nothing of
// that moved, so that a test that failed is repeated as soon as there is a reason and not before.
func (s *sheet) print() uint64 {
	bare := network.DeviceNetworkStatus{Ports: slices.Clone(s.ports)}
	sum := bus.Sum{}
	for i := range bare.Ports {
		p := &bare.Ports[i]
		p.TestResults, p.ErrorAndTime = network.TestResults{}, entity.ErrorAndTime{}
		if bound, app := s.bound(p.IfName); bound {
			sum.String(p.IfName)
			sum.String(app)
		}
	}
	network.DNS.AddTo(&sum, &bare)
	return sum.Value()
}

// bound reports whether an interface is bound away from the host, and for which application; the
// second is empty while nobody uses it.
func (s *sheet) bound(ifName string) (bool, string) {
	if l := s.n.links.Get(ifName); l != nil && l.UsedBy != "" {
		return true, l.UsedBy
	}
	aa := s.n.adapters.Get(entity.Global)
	if aa == nil || ifName == "" {
		return false, ""
	}
	for i := range aa.IoBundleList {
		if b := &aa.IoBundleList[i]; b.Ifname == ifName {
			return b.IsPCIBack, b.UsedByUUID
		}
	}
	return false, ""
}

// withheld reports whether a port's interface is bound away from the host.
func (s *sheet) withheld(p *network.NetworkPortConfig) bool {
	bound, _ := s.bound(p.IfName)
	return bound
}

// trouble says what is wrong with a port apart from what tests found, empty if nothing.
func (s *sheet) trouble(p *network.NetworkPortConfig) string {
	if r := refusal(p); r != "" {
		return r
	}
	if bound, app := s.bound(p.IfName); bound && app != "" {
		return fmt.Sprintf("port %s in PCIBack is used by %s", p.Logicallabel, app)
	} else if bound {
		return fmt.Sprintf("port %s is in PCIBack", p.Logicallabel)
	}
	if s.n.links.Get(p.IfName) == nil {
		return fmt.Sprintf("interface %s is missing", p.IfName)
	}
	for _, f := range s.done.failed {
		if portOf(f.Key) == p.IfName {
			return fmt.Sprintf("port %s: %s: %s", p.Logicallabel, f.Key, f.Fault)
		}
	}
	return ""
}

// ready reports whether a management port has a usable address and a name server.
func (s *sheet) ready() bool {
	return slices.ContainsFunc(s.ports, func(p network.NetworkPortStatus) bool {
		return p.IsMgmt && !p.InvalidConfig && len(p.Addrs()) > 0 && len(p.DNSServers) > 0
	})
}
