package scenario

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// LiveOptions of a host of real time.
type LiveOptions struct {
	// Cache holds the guest kernel and built programs.
	Cache lab.Cache
	// Hyper and Tpm are as in twin.LiveOptions.
	Hyper, Tpm string
}

// live is the host of real time: one device, its controller and its guests.
type live struct {
	ctx   context.Context
	l     *twin.Live
	began time.Time
	moved chan struct{}
	taken bool

	mu    sync.Mutex
	turns uint64
	at    map[string]netip.AddrPort // where applications' mapped ports listen
}

// NewLive makes a host of real time for one run; Close ends it with all that belongs to it.
func NewLive(ctx context.Context, o LiveOptions) (h Host, closeAll func() error, err error) {
	v := &live{ctx: ctx, began: time.Now(), moved: make(chan struct{}, 1),
		at: map[string]netip.AddrPort{}}
	dir, err := lab.NewRunDir(lab.DefaultDirs().State, "run")
	if err != nil {
		return nil, nil, err
	}
	v.l, err = twin.NewLive(ctx, twin.LiveOptions{Dir: dir.Path, Cache: o.Cache,
		Hyper: o.Hyper, Tpm: o.Tpm,
		OnForward: func(app, proto string, _ uint16, at netip.AddrPort) {
			if proto != "tcp" {
				return
			}
			v.mu.Lock()
			v.at[app] = at
			v.mu.Unlock()
		},
		DeviceOptions: twin.DeviceOptions{Name: device, Seed: 1,
			OnTurn: func(*host.Proc, *host.Input, *host.Output) { v.turn() }}})
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	return v, func() error { return errors.Join(v.l.Close(), dir.Close()) }, nil
}

// device is the name of the host's device.
const device = "edge"

func (v *live) turn() {
	v.mu.Lock()
	v.turns++
	v.mu.Unlock()
	select {
	case v.moved <- struct{}{}:
	default:
	}
}

// Name is "live".
func (v *live) Name() string { return Live }

// Site is the outside.
func (v *live) Site() *twin.Site { return v.l.Site }

// With does f with the controller.
func (v *live) With(f func(*controllersim.Controller)) {
	if err := v.l.Server.Do(f); err != nil {
		panic(failure{"use the controller: " + err.Error()})
	}
}

// Now is the time since the run began.
func (v *live) Now() time.Duration { return time.Since(v.began) }

// Until looks whenever the device did something, and ten times a second for what is no turn of its.
func (v *live) Until(cond func() bool, limit time.Duration) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if cond() {
			return true
		}
		if v.Now() >= limit {
			return false
		}
		select {
		case <-v.moved:
		case <-tick.C:
		case <-v.l.Ended():
			panic(failure{"the device has stopped"})
		case <-v.ctx.Done():
			panic(failure{"stopped: " + v.ctx.Err().Error()})
		}
	}
}

// Turns counts turns.
func (v *live) Turns() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.turns
}

// Trace is empty: real time does not repeat.
func (v *live) Trace() string { return "" }

// Publish puts the bundled application into the registry.
func (v *live) Publish(repository, tag string) error {
	return v.l.PublishDemo(v.ctx, repository, tag)
}

// Device is the host's one device.
func (v *live) Device(o twin.DeviceOptions) (Machine, error) {
	switch {
	case v.taken:
		return nil, errors.New("a host of real time has one device")
	case o.Model != nil || o.NICs > 2 || o.Config != nil:
		return nil, errors.New("a host of real time has the default device")
	}
	v.taken = true
	first, err := v.Draft(fleet.NewDraft(device)).Build()
	if err == nil {
		_, err = v.l.SetConfig(device, first)
	}
	if err != nil {
		return nil, err
	}
	return &liveMachine{v}, nil
}

// Draft makes every configuration one that the device asks for as often as it may.
func (v *live) Draft(d *fleet.Draft) *fleet.Draft { return twin.QuickPolls(d) }

type liveMachine struct{ *live }

// Boot turns the device on.
func (m *liveMachine) Boot() error {
	m.l.Start()
	return nil
}

// Read does f on the device's loop.
func (m *liveMachine) Read(f func(*host.Kernel)) {
	if err := m.l.Device.Do(m.ctx, f); err != nil {
		panic(failure{err.Error()})
	}
}

// Kernel is for reading after the end only.
func (m *liveMachine) Kernel() *host.Kernel { return nil }

func (m *liveMachine) cable(ifname string, in bool) (err error) {
	d := twin.Device{World: m.l.Board.World, Board: m.l.Board}
	m.Read(func(*host.Kernel) { err = d.Cable(ifname, in) })
	return err
}

// Cut pulls a cable.
func (m *liveMachine) Cut(ifname string) error { return m.cable(ifname, false) }

// Plug puts a cable in.
func (m *liveMachine) Plug(ifname string) error { return m.cable(ifname, true) }

// PowerCut cuts the power.
func (m *liveMachine) PowerCut(off time.Duration) {
	m.Read(func(*host.Kernel) { m.l.Device.Reboot(off) })
}

// Crash ends an agent.
func (m *liveMachine) Crash(agent string) {
	m.Read(func(k *host.Kernel) {
		if p := k.Proc(agent); p != nil {
			k.Crash(p, nil)
		}
	})
}

// Answers asks over HTTP.
func (m *liveMachine) Answers(app string, _ uint16) bool {
	m.mu.Lock()
	at, ok := m.at[app]
	m.mu.Unlock()
	return ok && get("http://"+at.String()+"/")
}

// Guests counts guests that run.
func (m *liveMachine) Guests(app string) (n int) {
	m.Read(func(k *host.Kernel) {
		for _, d := range twin.Rows(k, hyper.Domains) {
			if d.AppID == app && d.State == hyper.Running {
				n++
			}
		}
	})
	return n
}

// Twin is nil: the device is partly real.
func (m *liveMachine) Twin() *twin.Device { return nil }
