package nic

import (
	"slices"

	device "github.com/evetwin/evetwin/core/device/nic"
)

// wireGuard is the kind of its interfaces and items.
const wireGuard = "wireguard"

// tunnelMTU is the MTU of an interface of WireGuard for which nobody asks for another.
const tunnelMTU = 1420

// baseOfWireGuard checks a spec of WireGuard and what it stands on; it returns why not, or nothing.
func (n *Nic) baseOfWireGuard(name string, s *device.Spec) string {
	if s.WireGuard == nil || name == "" {
		return "the spec does not fit the item"
	}
	if why := s.WireGuard.Refusal(); why != "" {
		return why
	}
	if mtu := s.WireGuard.MTU; mtu != 0 && mtu < device.LeastMTU {
		return "the MTU is too small"
	}
	text, known := "", false
	if n.keeper != nil {
		text, known = n.keeper.Reveal(s.WireGuard.PrivateKey)
	}
	if !known {
		return "nobody knows the private key"
	}
	if _, ok := device.WireGuardKey(text); !ok {
		return "the private key is none"
	}
	if l := n.links[name]; l != nil && l.Kind != wireGuard {
		return name + " is an interface of another kind"
	}
	if slices.Contains(n.Lacks, "WireGuard") {
		return "this kernel lacks WireGuard"
	}
	return ""
}

// makeWireGuard makes an interface of WireGuard. Nothing goes through it.
func (n *Nic) makeWireGuard(name string, s *device.WireGuardSpec) {
	l := n.links[name]
	if l == nil {
		l = &link{Interface: Interface{Name: name, Kind: wireGuard}, index: 100 + len(n.links),
			mtu: tunnelMTU}
		n.links[name] = l
	}
	if l.up = true; s.MTU != 0 {
		l.mtu = s.MTU
	}
	n.show(l)
}
