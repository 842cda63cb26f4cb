package storm

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/fault"
)

func cableKinds() []kind {
	hasCable := func(s *Storm, a *act) bool { return s.cables[a.On] != nil }
	pull := func(s *Storm, a *act) { s.pull(s.cables[a.On]) }
	treat := func(s *Storm, a *act) { s.treat(s.cables[a.On]) }
	return []kind{
		{name: fault.LinkDown, available: hasCable, inject: pull, heal: pull},
		{name: fault.LinkFlap, available: hasCable, inject: flap, heal: pull},
		{name: fault.LinkLoss, available: hasCable, inject: treat, heal: treat},
		{name: fault.LinkDelay, available: hasCable, inject: treat, heal: treat},
	}
}

// flap turns a cable's state over, again and again.
func flap(s *Storm, a *act) {
	a.down = !a.down
	s.pull(s.cables[a.On])
	s.v.Sim.At(s.v.Sim.Now()+time.Duration(a.Value)*time.Millisecond, func() {
		if a.on {
			flap(s, a)
		}
	})
}

// pull pulls a cable or puts it in as the faults that hold want it. A cable that somebody else
// pulled is left alone.
func (s *Storm) pull(c *cable) {
	down := c.bounced > 0 || s.holds(fault.LinkDown, c.ifname)
	s.each(fault.LinkFlap, func(a *act) { down = down || a.On == c.ifname && a.down })
	switch {
	case down && !c.pulled && s.d.World.Carrier(c.port):
		c.pulled = true
		s.d.World.Cut(c.port)
	case !down && c.pulled:
		c.pulled = false
		s.d.World.Plug(c.port)
	}
}

// treat has a cable lose and delay packets: the worst loss, all delays.
func (s *Storm) treat(c *cable) {
	t := c.traffic
	s.each(fault.LinkLoss, func(a *act) {
		if a.On == c.ifname {
			t.Loss = max(t.Loss, uint8(a.Value))
		}
	})
	s.each(fault.LinkDelay, func(a *act) {
		if a.On == c.ifname {
			t.Delay += uint32(a.Value)
			t.Jitter += uint32(a.Value / 2)
		}
	})
	s.d.World.SetTraffic(c.port, t)
}

// restart has the switch of a network lose all its links for a moment.
func (s *Storm) restart(network string) {
	for _, name := range disk.Keys(s.cables) {
		c := s.cables[name]
		if n, ok := s.d.World.Segment(c.port, 0); !ok || n.Label != network {
			continue
		}
		c.bounced++
		s.pull(c)
		s.v.Sim.At(s.v.Sim.Now()+fault.SwitchRestart.Duration(), func() {
			c.bounced--
			s.pull(c)
		})
	}
}
