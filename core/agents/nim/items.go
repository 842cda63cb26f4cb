package nim

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/plan"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Kinds of items; the first four fit the fields of nic.Spec, "if" is an interface that exists.
const (
	kindIf     = "if"
	kindLink   = "link"
	kindVLAN   = "vlan"
	kindStatic = "static"
	kindDHCP   = "dhcp"
	kindRoute  = "route"
	kindResolv = "resolv"
)

const (
	resolvKey   = kindResolv + "/global"
	vendorClass = "LFEDGE-EVE"
	defaultMTU  = 1500
	mgmtMetric  = 5000  // plus the rank of the port
	appMetric   = 10000 // plus the rank of the port
	portTables  = 500   // plus the index of the interface
)

// intended lists what should be applied for a port configuration. ports are the same ports as they
// are seen, in the same order: a route needs its interface's number, the name service the servers.
func (s *sheet) intended(d *network.DevicePortConfig) []plan.Item {
	var out []plan.Item
	rank := ranks(d)
	for i := range d.Ports {
		p := &d.Ports[i]
		if linkless(p) || s.withheld(p) || slices.ContainsFunc(d.Ports[:i],
			func(o network.NetworkPortConfig) bool { return o.IfName == p.IfName }) {
			continue
		}
		out = append(out, linkItem(d, p))
		if !p.IsL3Port || p.Dhcp != network.DhcpClient && p.Dhcp != network.DhcpStatic {
			continue
		}
		addr := s.addrItem(p)
		out = append(out, addr)
		if l := s.n.links.Get(p.IfName); l != nil && l.Index > 0 {
			out = append(out, item(plan.Key(kindRoute, p.IfName), nic.Spec{Route: &nic.RouteSpec{
				Metric: rank[i], Table: portTables + l.Index}}, addr.Key))
		}
	}
	return append(out, s.resolvItem(d))
}

// item makes an intended item; its spec is compared by checksum.
func item(key string, spec nic.Spec, needs ...string) plan.Item {
	it := plan.Item{Key: key, Spec: specSum(key, &spec), Data: spec, Needs: []plan.Need{}}
	for _, n := range needs {
		it.Needs = append(it.Needs, plan.Need{Key: n, Vanishes: strings.HasPrefix(n, kindIf)})
	}
	return it
}

// specSum is a short name for a spec: equal for equal specs.
func specSum(key string, spec *nic.Spec) string {
	var sum bus.Sum
	nic.Set.AddReq(&sum, &nic.SetReq{Item: key, Spec: *spec})
	return strconv.FormatUint(sum.Value(), 36)
}

// linkItem is the interface itself: a physical one, or a VLAN on its parent.
func linkItem(d *network.DevicePortConfig, p *network.NetworkPortConfig) plan.Item {
	if p.L2Type != network.L2VLAN {
		return item(plan.Key(kindLink, p.IfName), nic.Spec{Link: &nic.LinkSpec{MTU: lowerMTU(d, p)}},
			plan.Key(kindIf, p.IfName))
	}
	parent := p.VLAN.ParentPort
	for i := range d.Ports {
		if d.Ports[i].Logicallabel == parent {
			parent = d.Ports[i].IfName
		}
	}
	return item(plan.Key(kindVLAN, p.IfName), nic.Spec{VLAN: &nic.VLANSpec{
		Parent: parent, ID: p.VLAN.ID, MTU: mtu(p)}}, plan.Key(kindLink, parent))
}

func mtu(p *network.NetworkPortConfig) uint16 { return cmp.Or(p.MTU, defaultMTU) }

// lowerMTU is the MTU of a port that others may stand on: at least the largest above it.
func lowerMTU(d *network.DevicePortConfig, p *network.NetworkPortConfig) uint16 {
	out := mtu(p)
	for i := range d.Ports {
		o := &d.Ports[i]
		if o.L2Type == network.L2VLAN && o.VLAN.ParentPort == p.Logicallabel {
			out = max(out, mtu(o))
		}
	}
	return out
}

// base is the key of the item that makes a port's interface.
func base(p *network.NetworkPortConfig) string {
	if p.L2Type == network.L2VLAN {
		return plan.Key(kindVLAN, p.IfName)
	}
	return plan.Key(kindLink, p.IfName)
}

// addrItem gives a port its address: fixed, or from DHCP and router advertisements.
func (s *sheet) addrItem(p *network.NetworkPortConfig) plan.Item {
	fixed, err := netip.ParsePrefix(p.AddrSubnet)
	if err == nil && (p.Dhcp == network.DhcpStatic || p.IgnoreDhcpIPAddresses) {
		return item(plan.Key(kindStatic, p.IfName),
			nic.Spec{Static: &nic.StaticSpec{Addr: fixed, Gateway: p.Gateway}}, base(p))
	}
	spec := nic.DHCPSpec{V4: p.Type != network.NetworkV6Only, V6: p.Type != network.NetworkV4Only,
		Gateway: p.Gateway}
	if p.IgnoreDhcpGateways && !spec.Gateway.IsValid() {
		spec.Gateway = netip.IPv4Unspecified()
	}
	if s.set.vendorClass {
		spec.VendorClass = vendorClass
	}
	return item(plan.Key(kindDHCP, p.IfName), nic.Spec{DHCP: &spec}, base(p))
}

// byCost lists the indices of ports in ascending order of cost; equal costs keep their order.
func byCost(n int, cost func(int) uint8) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(cost(a), cost(b)) })
	return out
}

// ranks is the route metric of each port.
func ranks(d *network.DevicePortConfig) []int {
	out := make([]int, len(d.Ports))
	mgmt, app := mgmtMetric, appMetric
	for _, i := range byCost(len(d.Ports), func(i int) uint8 { return d.Ports[i].Cost }) {
		next := &app
		if d.Ports[i].IsMgmt {
			next = &mgmt
		}
		out[i] = *next
		*next++
	}
	return out
}

// resolvItem is the device's name service: the servers of the management ports by cost.
func (s *sheet) resolvItem(d *network.DevicePortConfig) plan.Item {
	spec := nic.ResolvSpec{}
	for _, i := range byCost(len(s.ports), func(i int) uint8 { return s.ports[i].Cost }) {
		p := &s.ports[i]
		if !p.IsMgmt || linkless(&d.Ports[i]) {
			continue
		}
		for _, a := range p.DNSServers {
			spec.Servers = append(spec.Servers, nic.DNSServer{Addr: a, IfName: p.IfName})
		}
		if p.DomainName != "" && !slices.Contains(spec.Search, p.DomainName) {
			spec.Search = append(spec.Search, p.DomainName)
		}
	}
	return item(resolvKey, nic.Spec{Resolv: &spec})
}
