package linux

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Host is a host for one run with one device.
type Host struct {
	ctx     context.Context
	o       Options
	began   time.Time
	street  *street
	outside *outside
	device  *device
}

var _ scenario.Host = (*Host)(nil)

// New makes the outside of a device, and the device, which is off. It needs root.
func New(ctx context.Context, o Options) (h *Host, err error) {
	if os.Getuid() != 0 {
		return nil, errors.New("a device of real parts needs root: network namespaces, nftables, libvirt")
	}
	if _, err := os.Stat(o.Program); err != nil {
		return nil, fmt.Errorf("find zedbox: %w; \"make build\" makes it", err)
	}
	sweep()
	h = &Host{ctx: ctx, o: o, began: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
			h = nil
		}
	}()
	if h.street, err = newStreet(); err != nil {
		return h, err
	}
	dir, err := os.MkdirTemp("", "evetwin-out-")
	if err != nil {
		return h, err
	}
	if h.outside, err = newOutside(h.street, dir); err != nil {
		return h, errors.Join(err, os.RemoveAll(dir))
	}
	h.outside.closers = append([]func() error{func() error { return os.RemoveAll(dir) }},
		h.outside.closers...)
	files, err := h.outside.site.ConfigFiles(name)
	if err != nil {
		return h, err
	}
	h.device, err = newDevice(ctx, o, h.street, files, h.outside.server.RootPEM())
	return h, err
}

// Close ends the device and its outside, and removes all of both.
func (h *Host) Close() error {
	var errs []error
	if h.device != nil {
		errs = append(errs, h.device.close())
	}
	if h.outside != nil {
		errs = append(errs, h.outside.close())
	}
	if h.street != nil {
		errs = append(errs, h.street.close())
	}
	return errors.Join(errs...)
}

// Name is "linux".
func (h *Host) Name() string { return scenario.Linux }

// Site is the outside.
func (h *Host) Site() *twin.Site { return h.outside.site }

// With does f with the controller.
func (h *Host) With(f func(*controllersim.Controller)) {
	if err := h.outside.server.Do(f); err != nil {
		scenario.Stop("use the controller: %v", err)
	}
}

// Now is the time since the host was made.
func (h *Host) Now() time.Duration { return time.Since(h.began) }

// told is how much of the device's log is shown.
const told = 8 << 10

// Told is the end of what the device's processes have said.
func (h *Host) Told() string {
	text, err := os.ReadFile(h.device.path(logFile))
	if err != nil {
		return err.Error()
	}
	text = text[max(0, len(text)-told):]
	return string(text[bytes.IndexByte(text, '\n')+1:])
}

// Wall is the controller's clock.
func (h *Host) Wall() time.Time { return time.Now() }

// Until looks ten times a second.
func (h *Host) Until(cond func() bool, limit time.Duration) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if cond() {
			return true
		}
		if h.Now() >= limit {
			return false
		}
		select {
		case <-tick.C:
		case <-h.ctx.Done():
			scenario.Stop("stopped: %v", h.ctx.Err())
		}
	}
}

// Publish puts the bundled application into the registry.
func (h *Host) Publish(repository, tag string) error {
	return h.outside.publish(h.ctx, h.o.Cache, repository, tag)
}

// Turns is 0: they are taken elsewhere.
func (h *Host) Turns() uint64 { return 0 }

// Trace is empty: real time does not repeat.
func (h *Host) Trace() string { return "" }

// Draft makes every configuration one that the device asks for as often as it may.
func (h *Host) Draft(d *fleet.Draft) *fleet.Draft { return twin.QuickPolls(d) }

// Device is the host's one device.
func (h *Host) Device(o twin.DeviceOptions) (scenario.Machine, error) {
	if o.Model != nil || o.NICs > len(cables()) || o.Config != nil || o.Name != name {
		return nil, errors.New("a host of real parts has the default device, " + name)
	}
	err := h.Configure(h.Draft(fleet.NewDraft(name)))
	return &machine{Host: h}, err
}

// Configure gives the device a configuration, which it finds when it registers.
func (h *Host) Configure(draft *fleet.Draft) error {
	cfg, err := draft.Build()
	if err != nil {
		return err
	}
	e := h.outside.server.Do(func(c *controllersim.Controller) {
		d, ok := c.Fleet().ByName(name)
		if !ok {
			d, err = c.Fleet().AddDevice(fleet.NewDevice{Name: name, Serial: name})
		}
		if err != nil {
			return
		}
		if _, _, have := d.ConfigBytes(); have != "" {
			cfg.Id = nil // its version is the next one
		}
		_, err = d.SetConfig(fleet.Change{Config: cfg, At: time.Now()})
	})
	return errors.Join(err, e)
}

// Start turns the device on.
func (h *Host) Start() error { return h.device.start() }

// Root is the folder that the device takes for "/".
func (h *Host) Root() string { return string(h.device.root) }

// Programs are the processes of what the device's parts run, but for guests.
func (h *Host) Programs() (pids []int) {
	for _, program := range []string{scenario.Libvirtd, scenario.Dnsmasq} {
		for _, p := range h.device.of(program) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// machine is the device as scenarios have it.
type machine struct {
	*Host
	killed int // the process that Break ended last
}

var (
	_ scenario.Machine = (*machine)(nil)
	_ scenario.Tables  = (*machine)(nil)
)

// Boot turns the device on.
func (m *machine) Boot() error { return m.device.start() }

// Read does f with nothing: the kernel is in another process.
func (m *machine) Read(f func(*host.Kernel)) { f(nil) }

// Kernel is nil.
func (m *machine) Kernel() *host.Kernel { return nil }

// Cut pulls a cable.
func (m *machine) Cut(ifname string) error { return m.street.set(ifname, false) }

// Plug puts a cable in.
func (m *machine) Plug(ifname string) error { return m.street.set(ifname, true) }

// PowerCut cuts the power.
func (m *machine) PowerCut(off time.Duration) {
	if err := m.device.powerCut(off); err != nil {
		scenario.Stop("%v", err)
	}
}

// Twin is nil: there is no model.
func (m *machine) Twin() *twin.Device { return nil }
