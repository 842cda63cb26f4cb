package zedrouter

import (
	"slices"

	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// portMap is a wished forward. Its target is known once the interface has its address.
type portMap struct {
	bridge.PortMap
	ports []string // logical labels of the ports it listens on
	label string   // that they were chosen by, empty for all of the instance
}

// mapped is a port of the device that is taken.
type mapped struct {
	app   string
	ni    *instance
	proto string
	port  uint16
	ports []string
	label string
}

// mappable says what is wrong with a port map, empty if nothing.
func (n *instance) mappable(a *network.ACEAction, m *match) string {
	switch {
	case !n.local():
		return "port maps are for local network instances"
	case n.cfg.PortLabel == "":
		return "network with no port, has portmap"
	case m.proto == "" || m.lport == 0:
		return "a port map needs a protocol and a local port"
	case a.TargetPort < 1 || a.TargetPort > 65535:
		return "a port map to port " + itoa(a.TargetPort)
	case m.host != "" || m.eidset || m.fport > 0:
		return "a port map matches protocol, local port, remote addresses and adapter only"
	}
	return ""
}

func (n *instance) portMap(ace *network.ACE, m *match) portMap {
	out := portMap{label: m.adapter, PortMap: bridge.PortMap{Protocol: m.proto, Port: m.lport,
		ToPort: uint16(action(ace).TargetPort), From: m.ip, RuleID: ace.RuleID}}
	for _, p := range n.ports {
		if m.adapter == "" || carries(p, m.adapter) {
			out.In = append(out.In, p.IfName)
			out.ports = append(out.ports, p.Logicallabel)
		}
	}
	return out
}

// labels are the logical labels of an instance's ports with these interfaces.
func (n *instance) labels(ifnames []string) (out []string) {
	for _, p := range n.ports {
		if slices.Contains(ifnames, p.IfName) {
			out = append(out, p.Logicallabel)
		}
	}
	return out
}

// twice says which port maps of one interface exclude each other, empty if none do.
func twice(maps []portMap) string {
	for i := range maps {
		for j := range maps[:i] {
			a, b := &maps[i], &maps[j]
			if a.Protocol != b.Protocol {
				continue
			}
			if a.ToPort == b.ToPort {
				return "access rules " + itoa(int(b.RuleID)) + " and " + itoa(int(a.RuleID)) +
					" map to the same port " + itoa(int(a.ToPort))
			}
			if a.Port == b.Port && (a.label == b.label || meet(a.ports, b.ports)) {
				return "access rules " + itoa(int(b.RuleID)) + " and " + itoa(int(a.RuleID)) +
					" map the same port " + itoa(int(a.Port))
			}
		}
	}
	return ""
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// overlap says which of an interface's mapped ports is taken by another interface.
func (s *sheet) overlap(a *application, d *adapter) string {
	all := s.maps
	for _, o := range a.adapters[:d.index-1] {
		all = append(all[:len(all):len(all)], o.taken()...)
	}
	for i := range d.maps {
		m := &d.maps[i]
		for j := range all {
			o := &all[j]
			if o.proto != m.Protocol || o.port != m.Port {
				continue
			}
			near := o.ni == d.ni || o.ni.cfg.PortLabel == d.ni.cfg.PortLabel
			if near && o.label == m.label || meet(o.ports, m.ports) {
				return "port map of " + m.Protocol + " port " + itoa(int(m.Port)) +
					" is used by application " + o.app
			}
		}
	}
	return ""
}

// taken are the ports that an interface maps.
func (d *adapter) taken() []mapped {
	out := make([]mapped, 0, len(d.maps))
	for i := range d.maps {
		m := &d.maps[i]
		out = append(out, mapped{app: d.app, ni: d.ni, proto: m.Protocol, port: m.Port,
			ports: m.ports, label: m.label})
	}
	return out
}

// spec is the interface as it is to be attached.
func (d *adapter) spec() *bridge.VifSpec {
	n := d.ni
	out := &bridge.VifSpec{Bridge: n.name(), MAC: d.mac, IP: d.ip, MTU: n.mtu, AppID: d.app,
		Adapter: d.cfg.Name, Network: n.id, Rules: d.rules, Up: !n.clash,
		BPDUGuard: !n.local() && len(n.ports) > 1, FlowLog: n.cfg.EnableFlowlog}
	if !n.local() && d.cfg.AccessVlanID > 1 {
		out.VLAN = uint16(d.cfg.AccessVlanID)
	}
	for i := range d.maps {
		m := d.maps[i].PortMap
		if m.Target = d.ip; len(m.In) > 0 {
			out.PortMaps = append(out.PortMaps, m)
		}
	}
	return out
}
