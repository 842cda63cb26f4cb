package storm

import (
	"net/netip"
	"slices"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/fault"
)

func networkKinds() []kind {
	hasNetwork := func(s *Storm, a *act) bool { return s.network(a.On) >= 0 }
	mute := func(s *Storm, a *act) { s.d.World.SetDHCP(a.On, !s.holds(fault.DHCPGone, a.On)) }
	hasServer := func(s *Storm, a *act) bool { return s.d.World.HasEndpoint(a.On) }
	dns := func(s *Storm, a *act) { s.resolver(a.On) }
	return []kind{
		{name: fault.DHCPGone, available: hasNetwork, inject: mute, heal: mute},
		{name: fault.DHCPMoved, available: hasNetwork, inject: move, heal: move},
		{name: fault.OutsideGone, available: hasNetwork, inject: seal, heal: seal},
		{name: fault.DNSGone, available: hasServer, inject: dns, heal: dns},
		{name: fault.DNSRefuse, available: hasServer, inject: dns, heal: dns},
		{name: fault.DNSWrong, available: hasServer, inject: lie, heal: lie},
		{name: fault.ProxyRefuse, available: hasServer, inject: refuse, heal: refuse},
		{name: fault.HostGone, inject: silence, heal: silence},
	}
}

// network is the index of a network of the model, -1 for none.
func (s *Storm) network(label string) int {
	list := s.d.World.Model().Networks
	for i := range list {
		if list[i].Label == label {
			return i
		}
	}
	return -1
}

// move gives a network another subnet of its size, or its own back.
func move(s *Storm, a *act) {
	var to netip.Prefix
	i := s.network(a.On)
	if own := s.d.World.Model().Networks[i].IPv4(); s.holds(fault.DHCPMoved, a.On) && own != nil {
		to = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 179, byte(i), 0}), own.Subnet.Bits())
	}
	if s.d.World.Renumber(a.On, to.Masked()) {
		s.restart(a.On)
	}
}

// seal cuts a network off from the outside; one that never reached it stays as it is.
func seal(s *Storm, a *act) {
	r := s.d.World.Model().Networks[s.network(a.On)].Router
	s.d.World.SetOutside(a.On, (r == nil || r.Outside) && !s.holds(fault.OutsideGone, a.On))
}

// resolver is what all faults make of a DNS server.
func (s *Storm) resolver(label string) {
	state := world.Up
	switch {
	case s.holds(fault.DNSGone, label):
		state = world.Silent
	case s.holds(fault.DNSRefuse, label):
		state = world.Refusing
	}
	s.d.World.SetServer(label, state)
}

// lie has a DNS server tell the worst of what it is to tell.
func lie(s *Storm, a *act) {
	var lies []world.Lie
	s.each(fault.DNSWrong, func(b *act) {
		if a.On == b.On {
			lies = append(lies, []world.Lie{world.NoNames, world.Nowhere, world.Elsewhere}[b.Value])
		}
	})
	s.d.World.SetLie(a.On, slices.Max(append(lies, world.Truth)))
}

func refuse(s *Storm, a *act) {
	state := world.Up
	if s.holds(fault.ProxyRefuse, a.On) {
		state = world.Refusing
	}
	s.d.World.SetServer(a.On, state)
}

func silence(s *Storm, a *act) {
	state := world.Up
	if s.holds(fault.HostGone, a.On) {
		state = world.Silent
	}
	s.d.World.SetHost(a.On, state)
}
