package judge

import (
	"fmt"

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

// Settle takes away what the run left in the way of its devices: faults of the controller and
// cables that are out. It then lets them be for check.Patience and judges what must have come true
// by then. With Stop, a violation is returned as the error.
func (j *Judge) Settle() (err error) {
	if j.world.Sim == nil {
		return nil
	}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *check.Violation:
			err = fmt.Errorf("let the devices settle: %w", x)
		default:
			panic(x)
		}
	}()
	j.world.Site.Controller.ClearFaults()
	for _, d := range j.devices {
		for _, f := range d.Board.Nic.Interfaces {
			d.World.Plug(f.Port)
		}
	}
	for _, n := range j.names {
		j.checkers[n].Healed()
	}
	j.world.Sim.Run(j.world.Sim.Now() + check.Patience)
	for _, n := range j.names {
		j.checkers[n].End()
	}
	return nil
}

// Violations are those of all devices, device by device in the order they were made.
func (j *Judge) Violations() (out []*check.Violation) {
	for _, n := range j.names {
		out = append(out, j.checkers[n].Violations()...)
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
