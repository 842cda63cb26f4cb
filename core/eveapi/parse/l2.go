package parse

import (
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	maxIfName = 15   // bytes, set by Linux
	maxVLAN   = 4094 // VLAN ids go from 1 to it
	maxLinks  = 512  // VLANs or bonds in one configuration
)

// Link is a VLAN or a bond, below the ports.
type Link struct {
	Label  string
	IfName string
	network.L2LinkConfig
	Error string
}

// Below lists the labels it stands on.
func (l *Link) Below() []string {
	if l.L2Type == network.L2VLAN {
		return []string{l.VLAN.ParentPort}
	}
	return l.Bond.AggregatedPorts
}

// Links finds VLANs and bonds by label.
type Links struct {
	list    []*Link
	byLabel map[string]*Link
	// Twice names labels that several of them have.
	Twice map[string]bool
	// Errors are about those without a label, which are left out.
	Errors []string
}

// Get is the link of a label, nil if there is none.
func (l *Links) Get(label string) *Link { return l.byLabel[label] }

func (l *Links) put(kind string, one *Link) {
	errs := (*wrongs)(&l.Errors)
	switch {
	case one.Label == "":
		errs.add("a ", kind, " without a logical label is ignored")
	case len(l.list) == maxLinks:
		errs.add(kind, " ", quote(one.Label), " beyond the limit of 512 is ignored")
	case l.byLabel[one.Label] != nil:
		l.Twice[one.Label] = true
	default:
		l.list = append(l.list, one)
		l.byLabel[one.Label] = one
	}
}

// MakeLinks reads bonds and VLANs; bonds stand on adapters of ios, VLANs on those or on bonds.
func MakeLinks(bonds []*config.BondAdapter, vlans []*config.VlanAdapter, ios *Adapters) *Links {
	l := &Links{byLabel: map[string]*Link{}, Twice: map[string]bool{}}
	for _, b := range bonds {
		l.put("bond", readBond(b, ios))
	}
	for _, v := range vlans {
		l.put("VLAN", readVLAN(v, ios, l))
	}
	return l
}

// ifName is the name of a link's interface, by default its label.
func ifName(name, label string) (string, string) {
	if name == "" {
		name = label
	}
	if len(name) > maxIfName {
		return clip(name, maxIfName), "interface name " + quote(name) + " is longer than 15 characters"
	}
	return name, ""
}

func readBond(b *config.BondAdapter, ios *Adapters) *Link {
	l := &Link{Label: clip(b.GetLogicallabel(), 100)}
	l.L2Type = network.L2Bond
	var errs wrongs
	var wrong string
	l.IfName, wrong = ifName(b.GetInterfaceName(), l.Label)
	errs.add(wrong)
	if l.IfName == "bond0" {
		errs.add("interface name bond0 is taken by the kernel")
	}
	m := b.GetBondMode()
	if m < 0 || m > evecommon.BondMode_BOND_MODE_BALANCE_ALB {
		errs.add("bond mode ", number(int(m)), " is unknown")
	} else {
		l.Bond.Mode = uint8(m)
	}
	r := b.GetLacpRate()
	if r < 0 || r > evecommon.LacpRate_LACP_RATE_FAST {
		errs.add("LACP rate ", number(int(r)), " is unknown")
	} else {
		l.Bond.LacpRate = uint8(r)
	}
	for _, target := range b.GetArp().GetIpTargets() {
		if _, ok := readAddr(target); !ok {
			errs.add("ARP target ", quote(target), " is not an IP address")
		}
	}
	for _, label := range b.GetLowerLayerNames() {
		io := ios.Get(label)
		switch {
		case io == nil:
			errs.add("bond ", quote(l.Label), " stands on ", quote(label),
				", which does not exist as an adapter")
		case !io.Ptype.IsNet():
			errs.add("bond ", quote(l.Label), " stands on ", quote(label),
				", which is not a network adapter")
		case len(l.Bond.AggregatedPorts) < 64:
			l.Bond.AggregatedPorts = append(l.Bond.AggregatedPorts, io.Logicallabel)
		}
	}
	if len(errs) == 0 && len(l.Bond.AggregatedPorts) == 0 {
		errs.add("bond ", quote(l.Label), " stands on no adapter")
	}
	l.Error = errs.String()
	return l
}

func readVLAN(v *config.VlanAdapter, ios *Adapters, bonds *Links) *Link {
	l := &Link{Label: clip(v.GetLogicallabel(), 100)}
	l.L2Type = network.L2VLAN
	var errs wrongs
	var wrong string
	l.IfName, wrong = ifName(v.GetInterfaceName(), l.Label)
	errs.add(wrong)
	if id := v.GetVlanId(); id < 1 || id > maxVLAN {
		errs.add("VLAN id ", number(int(id)), " is not between 1 and 4094")
	} else {
		l.VLAN.ID = uint16(id)
	}
	below := v.GetLowerLayerName()
	io, bond := ios.Get(below), bonds.Get(below)
	switch {
	case io != nil && !io.Ptype.IsNet():
		errs.add("VLAN ", quote(l.Label), " stands on ", quote(below), ", which is not a network adapter")
	case io != nil:
		l.VLAN.ParentPort = io.Logicallabel
	case bond != nil && bond.L2Type == network.L2Bond:
		l.VLAN.ParentPort = bond.Label
		if bond.Error != "" {
			errs.add("VLAN ", quote(l.Label), " stands on bond ", quote(below),
				", which has an error (", bond.Error, ")")
		}
	default:
		errs.add("VLAN ", quote(l.Label), " stands on ", quote(below),
			", which does not exist as an adapter or a bond")
	}
	l.Error = errs.String()
	return l
}
