package bridge

import (
	"net"
	"slices"
	"strconv"
)

// Sane says what is wrong with a spec, whatever the state of the device; empty if nothing is.
// Every backend refuses what it refuses.
func Sane(s *Spec) string {
	switch {
	case s.Bridge != nil:
		if _, err := net.ParseMAC(s.Bridge.MAC); err != nil {
			return "the MAC of the bridge makes no sense"
		}
	case s.Service != nil:
		x := s.Service
		if !x.Subnet.IsValid() || !x.Subnet.Contains(x.Gateway) || !x.Subnet.Contains(x.Start) ||
			!x.Subnet.Contains(x.End) || x.End.Less(x.Start) {
			return "gateway and range of the service do not lie in its subnet"
		}
	case s.NAT != nil:
		if !s.NAT.Subnet.IsValid() || s.NAT.Table < 1 {
			return "no subnet, or no table"
		}
	case s.Vif != nil:
		return saneVif(s.Vif)
	}
	return ""
}

func saneVif(v *VifSpec) string {
	for _, m := range v.PortMaps {
		if m.Protocol != "tcp" && m.Protocol != "udp" {
			return "a port of protocol " + m.Protocol + " cannot be mapped"
		}
		if !m.Target.IsValid() || m.Port == 0 || m.ToPort == 0 {
			return "a port map without a target, or a port"
		}
	}
	for i := range v.Rules {
		r := &v.Rules[i]
		ported := r.Protocol == "tcp" || r.Protocol == "udp"
		if (r.FPort > 0 || r.LPort > 0) && !ported {
			return "rule " + strconv.Itoa(int(r.RuleID)) + ": a port needs protocol tcp or udp"
		}
		if _, err := strconv.ParseUint(r.Protocol, 10, 8); err != nil && !ported &&
			!slices.Contains([]string{"", "icmp", "icmpv6"}, r.Protocol) {
			return "rule " + strconv.Itoa(int(r.RuleID)) + ": no protocol " + r.Protocol
		}
	}
	return ""
}

// Contend reports whether two interfaces map the same port of an interface of the device.
func Contend(a, b *VifSpec) bool {
	for _, x := range a.PortMaps {
		for _, y := range b.PortMaps {
			if x.Protocol == y.Protocol && x.Port == y.Port && slices.ContainsFunc(x.In,
				func(in string) bool { return slices.Contains(y.In, in) }) {
				return true
			}
		}
	}
	return false
}
