package storm

import (
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Storm is a plan that is carried out in one run.
type Storm struct {
	plan   fault.Plan
	acts   []*act
	kinds  map[fault.Kind]*kind
	v      scenario.World
	d      *twin.Device
	cables map[string]*cable
}

// act is a fault of the plan under way.
type act struct {
	fault.Fault
	k    *kind
	name string // of a fault of the controller
	on   bool
	met  int    // how often it acted
	gone int    // how often it had nothing to act on
	n    uint64 // occasions since it is on
	down bool   // a flapping cable is down
	from time.Duration
	took int64  // bytes of the disk
	undo func() // heals what only it knows
}

// cable is one of the device.
type cable struct {
	ifname, port string
	traffic      world.Traffic // without faults
	bounced      int           // how many restarts of its switch are under way
	pulled       bool          // by the storm
}

// New makes a storm of a plan, for one run.
func New(p fault.Plan) *Storm {
	s := &Storm{plan: p, kinds: map[fault.Kind]*kind{}}
	table := kinds()
	for i := range table {
		s.kinds[table[i].name] = &table[i]
	}
	for i := range p.Faults {
		f := p.Faults[i]
		s.acts = append(s.acts, &act{Fault: f, k: s.kinds[f.Kind], name: actName(i)})
	}
	return s
}

// Plan is what is carried out.
func (s *Storm) Plan() fault.Plan { return s.plan }

// Healed is the time of the run from which on nothing is wrong any more.
func (s *Storm) Healed() time.Duration { return s.plan.Healed() }

// Injected counts how often faults have acted.
func (s *Storm) Injected() (n int) {
	for _, a := range s.acts {
		n += a.met
	}
	return n
}

// Count is how often faults of a kind acted, and how many had nothing to act on.
type Count struct {
	Kind   fault.Kind `json:"kind"`
	Acted  int        `json:"acted"`
	Missed int        `json:"missed"`
}

// Counts are the counts of the plan's kinds, in the order of fault.Kinds.
func (s *Storm) Counts() []Count {
	var out []Count
	for _, k := range fault.Kinds() {
		c, any := Count{Kind: k}, false
		for _, a := range s.acts {
			if a.Kind == k {
				c.Acted, c.Missed, any = c.Acted+a.met, c.Missed+a.gone, true
			}
		}
		if any {
			out = append(out, c)
		}
	}
	return out
}

// Shape hooks the storm to the device.
func (s *Storm) Shape(v scenario.World, o *twin.DeviceOptions) {
	if s.d != nil {
		return
	}
	s.v = v
	ops, slow, cuts := false, false, false
	for _, a := range s.acts {
		switch a.Kind {
		case fault.OpFail, fault.OpDelay, fault.OpHang, fault.OpDeny, fault.PowerInOp:
			ops = true
		case fault.AgentSlow:
			slow = true
		case fault.PowerBefore, fault.PowerWithin, fault.PowerAfter:
			cuts = true
		}
	}
	if ops {
		o.Hooks = o.Hooks.Join(host.Hooks{Trouble: s.trouble})
	}
	if before := o.Lag; slow {
		o.Lag = func(agent string, turn uint64) time.Duration {
			d := s.lag(agent)
			if before != nil {
				d += before(agent, turn)
			}
			return d
		}
	}
	if before := o.Cut; cuts {
		o.Cut = func(r *host.Record) sim.Cut {
			if before != nil {
				if c := before(r); c.When != sim.NoCut {
					return c
				}
			}
			return s.cut(r)
		}
	}
}

// Made sets the times of all faults.
func (s *Storm) Made(v scenario.World, d *twin.Device) {
	if s.d != nil {
		return
	}
	s.v, s.d, s.cables = v, d, map[string]*cable{}
	for _, f := range d.Board.Nic.Interfaces {
		if p, ok := d.World.Port(f.Port); ok {
			s.cables[f.Name] = &cable{ifname: f.Name, port: f.Port, traffic: p.Traffic}
		}
	}
	for _, a := range s.acts {
		v.Sim.At(a.At.Duration(), func() { s.begin(a) })
		v.Sim.At((a.At + a.For).Duration(), func() { s.end(a) })
	}
}

func (s *Storm) begin(a *act) {
	if a.k.available != nil && !a.k.available(s, a) {
		a.gone++
		return
	}
	a.on, a.from = true, s.v.Sim.Now()
	if a.k.inject != nil {
		a.met++
		a.k.inject(s, a)
	}
}

func (s *Storm) end(a *act) {
	if !a.on {
		return
	}
	a.on = false
	if a.k.heal != nil {
		a.k.heal(s, a)
	}
	if a.met == 0 {
		a.gone++
	}
}

// each calls f with all faults of a kind that hold.
func (s *Storm) each(k fault.Kind, f func(a *act)) {
	for _, a := range s.acts {
		if a.on && a.Kind == k {
			f(a)
		}
	}
}

// holds reports whether a fault of a kind about something holds.
func (s *Storm) holds(k fault.Kind, on string) (yes bool) {
	s.each(k, func(a *act) { yes = yes || a.On == on })
	return yes
}

var (
	_ scenario.Around = (*Storm)(nil)
	_ scenario.Storm  = (*Storm)(nil)
)
