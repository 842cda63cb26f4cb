package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/real"
	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/scenarios/dryrun"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// first is the name of the device that is shown.
const first = "edge"

// upRun is a device, and those beside it, on the way to a goal.
type upRun struct {
	flags    upFlags
	in       *dryrun.Inputs // nil: the bundled device
	dir      string
	steps    *steps
	terminal bool
	told     bool // the summary was printed
	live     *twin.Live
	record   *taping.File
	show     *show
	began    time.Time
	sum      summary

	mu      sync.Mutex
	changed chan struct{}
	views   []*view
	mapped  map[string]netip.AddrPort // by application
}

func newUpRun(f upFlags, s *steps, terminal bool) *upRun {
	u := &upRun{flags: f, steps: s, terminal: terminal, began: time.Now(),
		changed: make(chan struct{}, 1), mapped: map[string]netip.AddrPort{}}
	u.views = []*view{newView(first, u)}
	u.show = newShow(u.marks)
	return u
}

// options are the twin's.
func (u *upRun) options() twin.LiveOptions {
	v := u.views[0]
	o := twin.LiveOptions{Dir: u.dir, Keep: u.flags.data != "",
		Cache: lab.Cache{Dir: lab.DefaultDirs().Cache}, Hyper: u.flags.hyper, Tpm: u.flags.tpm,
		Others: u.flags.devices - 1, OnForward: u.forward, OnModel: u.modelled,
		OnOther: func(name string) twin.DeviceOptions {
			w := newView(name, u)
			u.views = append(u.views, w)
			return twin.DeviceOptions{OnTurn: w.turn, OnBoot: w.boot}
		},
		DeviceOptions: twin.DeviceOptions{Name: first, Seed: uint64(time.Now().UnixNano()),
			OnTurn: v.turn, OnBoot: v.boot, OnLine: u.steps.logLine}}
	o.DeviceOptions = u.hooks(o.DeviceOptions)
	recording.File(u.record, &o.DeviceOptions)
	if u.in != nil {
		o.Shape, o.Equip = u.in.Shape, u.in.Equip
	}
	return o
}

// run brings the device to its goal.
func (u *upRun) run(ctx context.Context) (_ summary, err error) {
	if u.record, err = taping.Create(u.flags.record); err != nil {
		return u.sum, err
	}
	defer func() { err = errors.Join(err, u.record.Close()) }()
	l, err := twin.NewLive(ctx, u.options())
	if err != nil {
		return u.sum, err
	}
	u.live = l
	defer func() { err = errors.Join(err, l.Close()) }()
	defer u.record.Flushing(l.Device.Post)()
	u.show.attach(l)
	unserve, err := u.show.serve(ctx, u.dir, u.flags.allowWrite)
	if err != nil {
		return u.sum, err
	}
	defer unserve()
	u.describe()
	if err := u.prepare(ctx); err != nil {
		return u.sum, err
	}
	u.steps.say("device boots (TPM: %s, guests: %s)", l.Tpm, l.Hyper)
	l.Start()
	if u.terminal {
		err := showTUI(ctx, u)
		return u.summary(), stopped(ctx, err)
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
		err = stopped(ctx, u.stay(ctx))
	}
	return u.summary(), err
}

// ended is closed when the device of this process has stopped; nil where it runs in others.
func (u *upRun) ended() <-chan struct{} {
	if u.live == nil {
		return nil
	}
	return u.live.Ended()
}

// stopped makes an interrupt no error: it is how a run ends that goes on forever.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// describe notes what the device is made of.
func (u *upRun) describe() {
	l, s := u.live, &u.sum
	s.Hyper, s.TPM, s.Devices = l.Hyper, l.Tpm, len(u.views)
	s.AdminURL, s.TokenFile = l.Server.AdminURL(), l.TokenFile
	if abs, err := filepath.Abs(l.TokenFile); err == nil {
		s.TokenFile = abs
	}
	s.Notes = slices.Clone(l.Notes)
	if u.in != nil {
		s.Notes, s.Unknown = append(s.Notes, u.in.Notes...), u.in.Unknown
	}
	if note := u.otherArch(); note != "" {
		s.Notes = append(s.Notes, note)
		u.steps.say("%s", note)
	}
	u.steps.say("controller listens at %s", l.Server.URL())
	u.steps.tell(stepLine{AdminURL: s.AdminURL, TokenFile: s.TokenFile},
		"its admin interface is %s/admin/v1/devices/%s, with the token in %s", s.AdminURL, first,
		s.TokenFile)
}

// otherArch says that the device is not of its model's architecture, for its guests cannot be;
// empty if it is.
func (u *upRun) otherArch() string {
	if u.in == nil || u.live.Hyper == twin.Model || u.in.Machine.Arch == "" ||
		u.in.Machine.Arch == real.Arch {
		return ""
	}
	return fmt.Sprintf("the device model is of %s, but guests in QEMU are %s here: the device is %s "+
		"and takes images for it; with --hyper model it is %s", u.in.Machine.Arch, real.Arch,
		real.Arch, u.in.Machine.Arch)
}

// prepare gives each device its configuration, which it finds when it registers.
func (u *upRun) prepare(ctx context.Context) error {
	if u.in == nil || bundled(u.in.Config) {
		if err := u.live.PublishDemo(ctx, "web", "1"); err != nil {
			return err
		}
		u.steps.say("registry serves %s/web:1", twin.Registry)
	}
	for _, v := range u.views {
		if err := u.configure(v); err != nil {
			return err
		}
		var err error
		if v.cfg, _, err = u.live.Config(v.name); err != nil {
			return err
		}
	}
	return nil
}

// bundled reports whether a configuration takes something from the bundled registry.
func bundled(cfg *config.EdgeDevConfig) bool {
	return slices.ContainsFunc(cfg.GetDatastores(), func(d *config.DatastoreConfig) bool {
		return strings.Contains(d.GetFqdn(), twin.Registry)
	})
}

// configure gives a device what the user said; without that, a device that was kept goes on with
// what it had.
func (u *upRun) configure(v *view) (err error) {
	var cfg *config.EdgeDevConfig
	switch {
	case u.in != nil:
		cfg = u.in.Config
	default:
		if _, version, err := u.live.Config(v.name); err != nil || version != "" {
			return err
		}
		if cfg, err = twin.DemoDraft(v.name).Build(); err != nil {
			return err
		}
	}
	v.wanted, err = u.live.SetConfig(v.name, cfg)
	if err != nil && u.in != nil && u.in.Config == cfg {
		return &dryrun.Refusal{Lines: []string{err.Error()}}
	}
	return err
}

// stay keeps the device running until it is interrupted.
func (u *upRun) stay(ctx context.Context) error {
	u.steps.say("running; Ctrl-C ends it")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-u.ended():
		u.steps.say("the device has powered itself off")
		return nil
	}
}
