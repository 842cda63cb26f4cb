package scenario

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// virtual is the host of virtual time.
type virtual struct {
	w      *sim.World
	site   *twin.Site
	watch  Watch
	around []Around
}

// Around is somebody who stands around the devices of a run: faults that trouble them, rules that
// watch them.
type Around interface {
	// Shape may change the options of a device before it is made; hooks are added with
	// host.Hooks.Join.
	Shape(v World, o *twin.DeviceOptions)
	// Made is told of the device, which is off.
	Made(v World, d *twin.Device)
}

// Storm is who brings faults around the devices of a run.
type Storm interface {
	// Healed is the time of the run from which on nothing is wrong any more.
	Healed() time.Duration
}

// World is a run in virtual time as those around its devices see it.
type World struct {
	Sim  *sim.World
	Site *twin.Site
}

// Watch makes what is told of the turns of a device; trace.Recorder's OnTurn is one.
type Watch func(device string) func(*host.Proc, *host.Input, *host.Output)

// NewVirtual makes a virtual host for one run.
func NewVirtual(seed uint64) (Host, error) { return NewWatched(seed, nil) }

// NewWatched makes a virtual host for one run and has somebody told of every turn; watch may be
// nil.
func NewWatched(seed uint64, watch Watch) (Host, error) {
	return NewVirtualWorld(sim.Options{Seed: seed}, watch)
}

// NewVirtualWorld is NewWatched with other options of the world, and with those who stand around
// its devices.
func NewVirtualWorld(o sim.Options, watch Watch, around ...Around) (Host, error) {
	return NewRemembering(o, nil, watch, around...)
}

// NewRemembering is NewVirtualWorld for a world that repeats others: it shares a memory with them,
// which may be nil.
func NewRemembering(o sim.Options, m *twin.Memory, watch Watch, around ...Around) (Host, error) {
	site, err := twin.NewSite(twin.SiteOptions{Seed: o.Seed, Memory: m})
	if err != nil {
		return nil, err
	}
	w := sim.New(o)
	site.After = func(d time.Duration, f func(time.Time)) { w.At(w.Now()+d, func() { f(w.Wall()) }) }
	return &virtual{w: w, site: site, watch: watch, around: around}, nil
}

// Healed is when all faults are over, 0 without any.
func (v *virtual) Healed() (at time.Duration) {
	for _, a := range v.around {
		if f, ok := a.(Storm); ok {
			at = max(at, f.Healed())
		}
	}
	return at
}

// Wall is the controller's clock.
func (v *virtual) Wall() time.Time { return v.w.Wall().Add(v.site.Skew) }

// Name is "virtual".
func (v *virtual) Name() string { return Virtual }

// Site is the outside.
func (v *virtual) Site() *twin.Site { return v.site }

// With does f with the controller.
func (v *virtual) With(f func(*controllersim.Controller)) { f(v.site.Controller) }

// Now is the world's time.
func (v *virtual) Now() time.Duration { return v.w.Now() }

// Until runs the world.
func (v *virtual) Until(cond func() bool, limit time.Duration) bool {
	return v.w.RunUntil(cond, limit)
}

// Turns counts turns.
func (v *virtual) Turns() uint64 { return v.w.Turns() }

// Trace is the world's.
func (v *virtual) Trace() string { return fmt.Sprintf("%016x", v.w.Trace()) }

// Device makes a device.
func (v *virtual) Device(o twin.DeviceOptions) (Machine, error) {
	if v.watch != nil {
		o.OnTurn = v.watch(o.Name)
	}
	x := World{v.w, v.site}
	for _, a := range v.around {
		a.Shape(x, &o)
	}
	d, err := v.site.NewDevice(v.w, o)
	if err != nil {
		return nil, err
	}
	for _, a := range v.around {
		a.Made(x, d)
	}
	return &virtualMachine{d}, nil
}

type virtualMachine struct{ d *twin.Device }

// Boot turns the device on.
func (m *virtualMachine) Boot() error { return m.d.Boot() }

// Read does f with the running boot.
func (m *virtualMachine) Read(f func(*host.Kernel)) { f(m.d.Kernel()) }

// Kernel is the running boot.
func (m *virtualMachine) Kernel() *host.Kernel { return m.d.Kernel() }

// Cut pulls a cable.
func (m *virtualMachine) Cut(ifname string) error { return m.d.Cable(ifname, false) }

// Plug puts a cable in.
func (m *virtualMachine) Plug(ifname string) error { return m.d.Cable(ifname, true) }

// PowerCut cuts the power.
func (m *virtualMachine) PowerCut(off time.Duration) { m.d.Reboot(off) }

// Crash ends an agent.
func (m *virtualMachine) Crash(agent string) { m.d.Crash(agent) }

// Twin is the model.
func (m *virtualMachine) Twin() *twin.Device { return m.d }
