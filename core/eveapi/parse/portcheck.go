package parse

import (
	"reflect"

	"github.com/evetwin/evetwin/core/topics/network"
)

// mergePorts drops repetitions: a link may be below several ports, and a port with layer 3 may have
// VLANs on it as well. What is not a repetition but has the same label, interface or address is a
// collision, and both have an error.
func mergePorts(ports []*network.NetworkPortConfig) []*network.NetworkPortConfig {
	type seen map[string]*network.NetworkPortConfig
	labels, names, usbs, pcis := seen{}, seen{}, seen{}, seen{}
	var out []*network.NetworkPortConfig
	for _, pass := range []bool{true, false} { // ports with layer 3 first: they are the fuller ones
		for _, p := range ports {
			if p.IsL3Port != pass {
				continue
			}
			if o := labels[p.Logicallabel]; o != nil && sameLink(p, o) {
				continue
			}
			collide(labels[p.Logicallabel], p, "logical label", p.Logicallabel)
			collide(names[p.IfName], p, "interface name", p.IfName)
			if p.USBAddr != "" {
				collide(usbs[p.USBAddr], p, "USB address", p.USBAddr)
				usbs[p.USBAddr] = p
			}
			// Interfaces with names of their own may share a PCI function.
			if o := pcis[p.PCIAddr]; o != nil && o.USBAddr == p.USBAddr &&
				(o.IfName == "" || p.IfName == "") {
				collide(o, p, "PCI address", p.PCIAddr)
			}
			if p.PCIAddr != "" {
				pcis[p.PCIAddr] = p
			}
			if p.IfName != "" {
				names[p.IfName] = p
			}
			labels[p.Logicallabel] = p
			out = append(out, p)
		}
	}
	return out
}

// sameLink tells whether p, without layer 3, is only another mention of o.
func sameLink(p, o *network.NetworkPortConfig) bool {
	return !p.IsL3Port && p.IfName == o.IfName && p.Phylabel == o.Phylabel &&
		reflect.DeepEqual(p.L2LinkConfig, o.L2LinkConfig)
}

func collide(o, p *network.NetworkPortConfig, what, value string) {
	if o == nil {
		return
	}
	for _, q := range []*network.NetworkPortConfig{o, p} {
		fail(q, "Port collides with another port with the same ", what, " (", value, ")")
	}
}

// checkLabels refuses a shared label that is the name of a port: it would be ambiguous.
func checkLabels(ports []*network.NetworkPortConfig) {
	names := make(map[string]bool, len(ports))
	for _, p := range ports {
		names[p.Logicallabel] = true
	}
	for _, p := range ports {
		for _, l := range p.SharedLabels {
			if names[l] {
				fail(p, "shared label ", quote(l), " is the name of a port")
			}
		}
	}
}

// above is what stands on a port.
type above struct{ vlans, bonds []*network.NetworkPortConfig }

// checkStacking checks how links stand on ports, and hands errors of a port to all above it.
func checkStacking(ports []*network.NetworkPortConfig) {
	on := map[string]*above{}
	at := func(label string) *above {
		if on[label] == nil {
			on[label] = &above{}
		}
		return on[label]
	}
	for _, p := range ports {
		switch p.L2Type {
		case network.L2VLAN:
			at(p.VLAN.ParentPort).vlans = append(at(p.VLAN.ParentPort).vlans, p)
		case network.L2Bond:
			for _, label := range p.Bond.AggregatedPorts {
				at(label).bonds = append(at(label).bonds, p)
			}
		}
	}
	for _, p := range ports {
		if a := on[p.Logicallabel]; a != nil {
			checkAbove(p, a)
		}
	}
	for range 3 { // a VLAN on a bond on an adapter is as high as it gets
		for _, p := range ports {
			a := on[p.Logicallabel]
			if a == nil || p.LastError == "" {
				continue
			}
			for _, q := range append(a.vlans[:len(a.vlans):len(a.vlans)], a.bonds...) {
				if q.LastError == "" {
					fail(q, "Lower-layer adapter ", p.Logicallabel, " has an error (", p.LastError, ")")
				}
			}
		}
	}
}

func checkAbove(p *network.NetworkPortConfig, a *above) {
	switch {
	case len(a.bonds) > 1:
		fail(p, "Port ", p.Logicallabel, " is aggregated by multiple bond interfaces (",
			a.bonds[0].Logicallabel, ", ", a.bonds[1].Logicallabel, ", ...)")
		return
	case len(a.bonds) > 0 && len(a.vlans) > 0:
		fail(p, "Port ", p.Logicallabel, " is referenced by both bond (", a.bonds[0].Logicallabel,
			") and VLAN (", a.vlans[0].Logicallabel, ")")
		return
	case len(a.bonds) > 0 && p.IsL3Port && p.Dhcp != network.DhcpNone:
		fail(p, "Port ", p.Logicallabel, " is aggregated by bond ", a.bonds[0].Logicallabel,
			" and has an IP configuration of its own")
	}
	ids := map[uint16]bool{}
	for _, v := range a.vlans {
		if ids[v.VLAN.ID] {
			fail(p, "Port ", p.Logicallabel, " has duplicate VLAN sub-interfaces (VLAN ID = ",
				number(int(v.VLAN.ID)), ")")
		}
		ids[v.VLAN.ID] = true
	}
}
