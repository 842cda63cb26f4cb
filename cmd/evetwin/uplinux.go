package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/linux/zedbox"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/linux"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
	"github.com/evetwin/evetwin/tui"
	"github.com/evetwin/evetwin/tui/source"
)

// checkLinux refuses what the device of real parts is not built for.
func (f *upFlags) checkLinux() error {
	if f.host == scenario.Linux && (f.given() || f.devices > 1 || f.data != "" || f.hyper != "" ||
		f.tpm != "" || f.record != "" || f.until == untilSettled) {
		return errors.New("--host linux: one device with the bundled configuration, real parts and no " +
			"memory; only --until onboarded, running or forever, and how to show it, go with it")
	}
	return nil
}

// linux brings a device of real parts to its goal: the program zedbox in a lab on this machine.
func (u *upRun) linux(ctx context.Context) (_ summary, err error) {
	program, err := zedboxBeside()
	if err != nil {
		return u.sum, err
	}
	h, err := linux.New(ctx, linux.Options{Program: program,
		Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}})
	if err != nil {
		return u.sum, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	m, err := u.prepareLinux(h)
	if err != nil {
		return u.sum, err
	}
	at, unforward, err := h.Forward(twin.DemoPort)
	if err != nil {
		return u.sum, err
	}
	defer unforward()
	u.forward(twin.DemoDraft(first).AppID("web"), "tcp", twin.DemoPort, at)
	u.steps.say("device boots from %s (TPM: %s, parts: those of this machine)", h.Root(), u.sum.TPM)
	if err := h.Start(); err != nil {
		return u.sum, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() { defer close(watched); u.watch(ctx, m) }()
	defer func() { cancel(); <-watched }()
	if u.terminal {
		return u.summary(), stopped(ctx, u.attach(ctx, zedbox.Root(h.Root()).TerminalSocket()))
	}
	if err := u.goals(ctx); err != nil {
		return u.summary(), err
	}
	if u.flags.until == untilForever {
		if !u.flags.json {
			s := u.summary()
			s.print(u.steps.out)
			u.told = true
		}
		<-ctx.Done()
	}
	return u.summary(), nil
}

// prepareLinux gives the device what it is to find outside.
func (u *upRun) prepareLinux(h *linux.Host) (scenario.Machine, error) {
	u.sum.TPM, u.sum.Devices = twin.SWTPM, 1
	u.views[0].fetched = true // nothing is kept from an earlier run
	if err := h.Publish("web", "1"); err != nil {
		return nil, err
	}
	m, err := h.Device(twin.DeviceOptions{Name: first})
	if err != nil {
		return nil, err
	}
	draft := twin.DemoDraft(first)
	if u.views[0].cfg, err = draft.Build(); err != nil {
		return nil, err
	}
	return m, h.Configure(draft)
}

// watchEvery is how often the rows of a device of another process are looked at.
const watchEvery = 50 * time.Millisecond

// watch takes in the rows of a device of another process until ctx ends.
func (u *upRun) watch(ctx context.Context, m scenario.Machine) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	since := map[string]any{}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		t := m.(scenario.Tables)
		u.mu.Lock()
		take(u, t, node.Onboarding, since)
		take(u, t, node.ZedAgent, since)
		take(u, t, content.DownloadStatuses, since)
		take(u, t, content.TreeStatuses, since)
		take(u, t, volume.Statuses, since)
		take(u, t, network.InstanceStatus, since)
		take(u, t, app.Statuses, since)
		for _, h := range scenario.Shown(t, hyper.Host) {
			u.sum.Hyper = h.Hypervisor
		}
		u.mu.Unlock()
		select {
		case u.changed <- struct{}{}:
		default:
		}
	}
}

// take takes the rows of a topic in that have moved since; the caller holds mu.
func take[V bus.Row](u *upRun, m scenario.Tables, t bus.Topic[V], since map[string]any) {
	for _, row := range scenario.Shown(m, t) {
		key := t.String() + "/" + (*row).Key()
		if old, ok := since[key].(*V); ok && t.Equal(old, row) {
			continue
		}
		since[key] = row
		u.views[0].row(row)
	}
}

// attach shows the device at its own socket until the user leaves.
func (u *upRun) attach(ctx context.Context, socket string) error {
	var c *source.Client
	err := u.until(ctx, "the device's socket", func(*view) bool {
		d, err := source.Dial(ctx, socket, source.DialOptions{Write: u.flags.allowWrite})
		c = d
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("look at the device behind %s: %w", socket, err)
	}
	defer func() { _ = c.Close() }()
	err = tui.Run(ctx, c, tui.Options{ReadOnly: !u.flags.allowWrite})
	u.steps.speak()
	u.set(func(s *summary) { s.OK = err == nil })
	return err
}
