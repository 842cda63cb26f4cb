package zedrouter

import (
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/topics/network"
)

// defaultMTU is that of an instance without ports.
const defaultMTU = 1500

func mtuOf(p *network.NetworkPortStatus) uint16 {
	if p.MTU == 0 {
		return defaultMTU
	}
	return p.MTU
}

// carries reports whether a port goes by a label: its own, or one it shares.
func carries(p *network.NetworkPortStatus, label string) bool {
	return p.Logicallabel == label || slices.Contains(p.SharedLabels, label)
}

// choosePorts finds the ports of an instance. It reports false as long as nim has not said which
// there are. Of a shared label those ports are taken that fit; a port that is named must fit.
func (s *sheet) choosePorts(n *instance) bool {
	label := n.cfg.PortLabel
	if label == "" {
		return true // air-gapped
	}
	if s.dns == nil {
		return false
	}
	var all []*network.NetworkPortStatus
	for i := range s.dns.Ports {
		if carries(&s.dns.Ports[i], label) {
			all = append(all, &s.dns.Ports[i])
		}
	}
	if len(all) == 0 {
		n.block("no port is matching label '" + label + "'")
		return true
	}
	var wrong []string
	for _, p := range all {
		if text := s.unfit(n, p, len(all) > 1); text != "" {
			wrong = append(wrong, text)
		} else {
			n.ports = append(n.ports, p)
		}
	}
	if len(wrong) > 0 && (len(n.ports) == 0 || !n.local()) {
		n.ports = nil
		n.block(strings.Join(wrong, "\n"))
	}
	return true
}

// unfit is why an instance cannot use a port, empty if it can.
func (s *sheet) unfit(n *instance, p *network.NetworkPortStatus, several bool) string {
	label := "port " + p.Logicallabel
	addressed := p.IsL3Port && (p.Dhcp == network.DhcpClient || p.Dhcp == network.DhcpStatic)
	switch {
	case p.InvalidConfig:
		return label + " has an invalid configuration"
	case n.local() && !addressed:
		return label + " has no IP configuration, as a local network instance needs"
	case n.local():
		return s.contested(n, p, several)
	case s.wireless(p):
		return "wireless " + label + " cannot be used by a switch network instance"
	case several && p.Dhcp != network.DhcpNone:
		return label + " has an IP configuration; a switch network instance with several ports" +
			" takes only ports without"
	case several && s.isParent(p):
		return label + " has VLANs; a switch network instance with several ports takes only ports" +
			" without"
	}
	return s.contested(n, p, several)
}

// contested says which instance that came before excludes this one from a port: a switch shares a
// port with no other switch, and with several ports not with a local instance either.
func (s *sheet) contested(n *instance, p *network.NetworkPortStatus, several bool) string {
	for _, o := range s.nis {
		if o == n {
			break
		}
		if !o.up || !slices.Contains(o.ports, p) || n.local() && o.local() {
			continue
		}
		if !n.local() && !o.local() || !n.local() && several || !o.local() && len(o.ports) > 1 {
			return "port " + p.Logicallabel + " is used by network instance " + o.cfg.DisplayName +
				" (" + o.id + ")"
		}
	}
	return ""
}

// wireless asks the device model; a port that it does not know tells by its name.
func (s *sheet) wireless(p *network.NetworkPortStatus) bool {
	for _, list := range s.z.model.All() {
		for i := range list.AdapterList {
			if a := &list.AdapterList[i]; a.Phylabel == p.Phylabel {
				return a.Ptype == network.IoNetWLAN || a.Ptype == network.IoNetWWAN
			}
		}
	}
	return strings.HasPrefix(p.IfName, "wlan") || strings.HasPrefix(p.IfName, "wwan")
}

// isParent reports whether a VLAN stands on a port.
func (s *sheet) isParent(p *network.NetworkPortStatus) bool {
	for i := range s.dns.Ports {
		o := &s.dns.Ports[i]
		if o.L2Type == network.L2VLAN && o.VLAN.ParentPort == p.Logicallabel {
			return true
		}
	}
	return false
}

// chooseMTU takes the configured MTU, or what the narrowest port allows.
func (s *sheet) chooseMTU(n *instance) {
	n.mtu = n.cfg.MTU
	var least *network.NetworkPortStatus
	for _, p := range n.ports {
		if least == nil || mtuOf(p) < mtuOf(least) {
			least = p
		}
	}
	switch {
	case least == nil && n.mtu == 0:
		n.mtu = defaultMTU
	case least == nil:
	case n.mtu == 0:
		n.mtu = mtuOf(least)
	case n.mtu > mtuOf(least):
		n.errs = append(n.errs, "MTU "+itoa(int(n.mtu))+" is higher than MTU "+itoa(int(mtuOf(least)))+
			" of port "+least.Logicallabel+", which is used instead")
		n.mtu = mtuOf(least)
	}
}

// conflict says what the subnet of an instance overlaps: that of one that came before it, or one
// that the device is in.
func (s *sheet) conflict(n *instance) string {
	if !n.local() {
		return ""
	}
	subnet := n.cfg.Subnet
	for _, o := range s.nis {
		if o == n {
			break
		}
		if o.up && o.local() && o.cfg.Subnet.Overlaps(subnet) {
			return "subnet " + subnet.String() + " overlaps subnet " + o.cfg.Subnet.String() +
				" of network instance " + o.cfg.DisplayName + " (" + o.id + ")"
		}
	}
	if s.dns == nil {
		return ""
	}
	for i := range s.dns.Ports {
		p := &s.dns.Ports[i]
		for _, a := range p.AddrInfoList {
			if !a.Addr().IsLinkLocalUnicast() && a.Overlaps(subnet) {
				return "subnet " + subnet.String() + " overlaps subnet " + a.Masked().String() +
					" of port " + p.Logicallabel
			}
		}
	}
	return ""
}
