package judge

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Options of a Judge.
type Options struct {
	// Rules are what every device is held to.
	Rules []check.Rule
	// Stop ends the run at the first violation: a *check.Violation is panicked on the world's loop,
	// which scenario.Run turns into a failed result that names the rule.
	Stop bool
	// Healed is when the last fault around the devices heals, as a time of the run; nil: there are
	// none.
	Healed func() time.Duration
}

// Judge holds the devices of one run to rules. It is for one run and one goroutine.
type Judge struct {
	o        Options
	world    scenario.World
	watched  bool
	names    []string
	checkers map[string]*check.Checker
	devices  []*twin.Device
	seen     map[string]uint64 // the newest report of each device, by UUID
	panicked *check.Violation  // while the devices settled
}

// New makes a judge for one run.
func New(o Options) *Judge {
	return &Judge{o: o, checkers: map[string]*check.Checker{}, seen: map[string]uint64{}}
}

var _ scenario.Around = (*Judge)(nil)

// Shape adds the checker of a device to its hooks.
func (j *Judge) Shape(w scenario.World, o *twin.DeviceOptions) {
	j.world = w
	if !j.watched {
		j.watched = true
		f := w.Site.Controller.Fleet()
		f.Watch(func(uuid string) { j.reported(f, uuid) })
	}
	name := o.Name
	if name == "" {
		name = "edge"
	}
	c := check.New(j.o.Rules, name)
	if j.o.Stop {
		c.OnBroken = func(v *check.Violation) { panic(v) }
	}
	j.names = append(j.names, name)
	j.checkers[name] = c
	o.Hooks = o.Hooks.Join(c.Hooks())
	cut := o.Cut
	o.Cut = func(r *host.Record) sim.Cut {
		c.Writing(r)
		if cut == nil {
			return sim.Cut{}
		}
		return cut(r)
	}
}

// Made takes note of a device.
func (j *Judge) Made(_ scenario.World, d *twin.Device) { j.devices = append(j.devices, d) }

// Checker is the checker of a device by its name, nil if there is none.
func (j *Judge) Checker(device string) *check.Checker { return j.checkers[device] }

// reported hands the newest messages of a device to its checker.
func (j *Judge) reported(f *fleet.Fleet, uuid string) {
	d, ok := f.Device(uuid)
	if !ok {
		return
	}
	_, soft := d.Serials()
	c := j.checkers[soft]
	if c == nil {
		return
	}
	if d.LastSeq() == j.seen[uuid] {
		_, _, version := d.ConfigBytes()
		c.Wished(version)
		return
	}
	since := j.seen[uuid]
	j.seen[uuid] = d.LastSeq()
	for _, r := range d.ReportsSince(eveapi.Info, since) {
		if r.Old {
			continue // the controller knows better already
		}
		if m, err := eveapi.ParseInfo(r.Body); err == nil {
			c.Info(m)
		}
	}
	for _, r := range d.ReportsSince(eveapi.Metrics, since) {
		if m, err := eveapi.ParseMetrics(r.Body); err == nil {
			c.Metrics(m)
		}
	}
}

// Settle takes away what the run left in the way of its devices, once the last fault has healed:
// faults of the controller, servers that are silent, cables that are out. It then lets them be for
// check.Patience and judges what must have come true by then. The first violation is the error; a
// panic is one of the rule "panic".
func (j *Judge) Settle() (err error) {
	if j.world.Sim == nil {
		return nil
	}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *check.Violation:
		default:
			v := &check.Violation{Rule: "panic", Device: j.names[0], Where: "panic",
				Saw: fmt.Sprint(x)}
			if k := j.devices[0].Kernel(); k != nil {
				v.Boot, v.At = k.BootCount(), k.Now()
			}
			j.panicked = v
		}
		if v := j.Violations(); len(v) > 0 {
			err = fmt.Errorf("let the devices settle: %w", v[0])
		}
	}()
	w := j.world.Sim
	if j.o.Healed != nil {
		w.Run(max(w.Now(), j.o.Healed()))
	}
	j.heal()
	for _, n := range j.names {
		j.checkers[n].Healed()
	}
	w.Run(w.Now() + check.Patience)
	for _, n := range j.names {
		j.checkers[n].End()
	}
	return nil
}

// heal makes everything around the devices work as it was made.
func (j *Judge) heal() {
	j.world.Site.Controller.ClearFaults()
	for _, d := range j.devices {
		d.World.SetServer(world.ControllerLabel, world.Up)
		m := d.World.Model()
		for _, p := range m.Ports {
			if p.AdminUP {
				d.World.Plug(p.Label)
			}
			d.World.SetLoss(p.Label, 0)
			d.World.SetRate(p.Label, 0)
		}
		for _, n := range m.Networks {
			d.World.SetDHCP(n.Label, true)
		}
	}
}

// Violations are those of all devices, device by device in the order they were made.
func (j *Judge) Violations() (out []*check.Violation) {
	for _, n := range j.names {
		out = append(out, j.checkers[n].Violations()...)
	}
	if j.panicked != nil {
		out = append(out, j.panicked)
	}
	return out
}

// Judged is how often each rule had something to judge, over all devices.
func (j *Judge) Judged() []check.Count {
	out := make([]check.Count, len(j.o.Rules))
	for i, r := range j.o.Rules {
		out[i].Rule = r.Name
	}
	for _, n := range j.names {
		for i, c := range j.checkers[n].Judged() {
			out[i].N += c.N
		}
	}
	return out
}
