package zedrouter

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/plan"
)

const (
	leaseTime  = time.Hour
	firstTable = 800 // routing tables of instances: this plus the number of the bridge
)

// wish is an item that should be.
type wish struct {
	key  string
	spec bridge.Spec
}

// wish asks for an item; what was asked for first counts.
func (s *sheet) wish(key string, spec bridge.Spec) {
	if !s.wished[key] {
		s.wished[key] = true
		s.want = append(s.want, wish{key, spec})
	}
}

// list lists the items of instances and of interfaces.
func (s *sheet) list() {
	for _, a := range s.apps {
		for _, d := range a.adapters {
			if a.up && d.kept == nil && d.err == "" && d.ni != nil && d.ni.up {
				s.wish("vif/"+d.vif, bridge.Spec{Vif: d.spec()})
			}
		}
	}
	for _, n := range s.nis {
		if n.up {
			s.wish("bridge/"+n.name(), bridge.Spec{Bridge: n.bridgeSpec(s.device())})
		}
		if !n.served() {
			continue
		}
		s.wish("service/"+n.name(), bridge.Spec{Service: n.serviceSpec()})
		if len(n.ports) > 0 {
			s.wish("nat/"+n.name(), bridge.Spec{NAT: n.natSpec()})
		}
	}
	if s.z.instances.Complete() {
		return
	}
	for key, row := range s.z.items.All() { // whose instance may be yet to come
		if row.Spec.Vif == nil {
			s.wish(key, row.Spec)
		}
	}
}

// serviceSpec is address and name service: who is configured, what guests are told.
func (n *instance) serviceSpec() *bridge.ServiceSpec {
	c := n.cfg
	out := &bridge.ServiceSpec{Subnet: c.Subnet.Masked(), Gateway: c.Gateway, Start: c.DhcpRange.Start,
		End: c.DhcpRange.End, NoDefault: !n.leadsOut(), Domain: c.DomainName, DNS: c.DnsServers,
		MTU: n.mtu, LeaseTime: leaseTime, Routes: n.advertised(), FlowLog: c.EnableFlowlog}
	for _, p := range n.ports {
		for _, d := range p.DNSServers {
			if up := (bridge.DNSServer{Addr: d, IfName: p.IfName}); !slices.Contains(out.Upstream, up) {
				out.Upstream = append(out.Upstream, up)
			}
		}
		out.NTP = join(out.NTP, p.NtpServers)
	}
	out.NTP = join(out.NTP, c.NtpServers)
	names := []bridge.Name{{Name: "router", IPs: []netip.Addr{c.Gateway}}}
	for _, g := range n.guests {
		if !g.ip.IsValid() {
			continue
		}
		out.Hosts = append(out.Hosts, bridge.Host{MAC: g.mac, IP: g.ip, Name: g.app})
		if g.name != "" {
			names = append(names, bridge.Name{Name: g.name, IPs: []netip.Addr{g.ip}})
		}
	}
	for _, e := range c.DnsNameToIPList {
		names = append(names, bridge.Name{Name: e.HostName, IPs: e.IPs})
	}
	slices.SortFunc(out.Hosts, func(a, b bridge.Host) int { return cmp.Compare(a.MAC, b.MAC) })
	out.Names = merge(names)
	return out
}

func join(a, b []string) []string {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

// merge sorts names and joins the addresses of equal ones.
func merge(names []bridge.Name) (out []bridge.Name) {
	slices.SortStableFunc(names, func(a, b bridge.Name) int { return cmp.Compare(a.Name, b.Name) })
	for _, x := range names {
		if len(out) == 0 || out[len(out)-1].Name != x.Name {
			out = append(out, bridge.Name{Name: x.Name})
		}
		last := &out[len(out)-1]
		for _, ip := range x.IPs {
			if !slices.Contains(last.IPs, ip) {
				last.IPs = append(last.IPs, ip)
			}
		}
	}
	return out
}

// natSpec is translation and routing towards the ports.
func (n *instance) natSpec() *bridge.NATSpec {
	out := &bridge.NATSpec{Subnet: n.cfg.Subnet.Masked(), Table: firstTable + n.num}
	for _, p := range n.ports {
		out.Out = append(out.Out, p.IfName)
	}
	for i := range n.routes {
		switch r := &n.routes[i]; {
		case r.port == nil:
		case r.isDefault():
			out.Via = r.port.IfName
		default:
			out.Routes = append(out.Routes, bridge.Route{Dst: r.dst, Gateway: r.gw, Out: r.port.IfName})
		}
	}
	return out
}

// item makes an item for the planner; its spec is compared by checksum.
func item(key string, spec bridge.Spec) plan.Item {
	it := plan.Item{Key: key, Spec: sum(key, spec), Data: spec, Needs: []plan.Need{}}
	switch kind, name, _ := strings.Cut(key, "/"); {
	case spec.Vif != nil:
		it.Needs = append(it.Needs, plan.Need{Key: plan.Key("bridge", spec.Vif.Bridge)})
	case kind != "bridge":
		it.Needs = append(it.Needs, plan.Need{Key: plan.Key("bridge", name)})
	}
	return it
}

// sum is a short name for a spec: equal for equal specs.
func sum(key string, spec bridge.Spec) string {
	var x bus.Sum
	bridge.Set.AddReq(&x, &bridge.SetReq{Item: key, Spec: spec})
	return strconv.FormatUint(x.Value(), 36)
}

// applied reports whether the part has an item in exactly this form.
func (s *sheet) applied(key string, spec bridge.Spec) bool {
	row := s.z.items.Get(key)
	return row != nil && bridge.Items.Equal(row, &bridge.ItemSeen{Item: key, Spec: spec})
}
