package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/eveapi/readjson"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/scenarios/twin"
	"github.com/lf-edge/eve-api/go/config"
)

// inputs are what the user gave.
type inputs struct {
	world *world.Model
	cfg   *config.EdgeDevConfig
}

func readInputs(f upFlags) (in inputs, err error) {
	if f.network != "" {
		b, err := os.ReadFile(f.network)
		if err != nil {
			return in, fmt.Errorf("read the network model: %w", err)
		}
		if in.world, err = world.Parse(f.network, b); err != nil {
			return in, err
		}
	}
	if f.config != "" {
		b, err := os.ReadFile(f.config)
		if err != nil {
			return in, fmt.Errorf("read the configuration: %w", err)
		}
		if in.cfg, _, err = readjson.ReadConfigJSON(f.config, b); err != nil {
			return in, err
		}
	}
	return in, nil
}

// upRun is a device on its way to a goal.
type upRun struct {
	flags    upFlags
	in       inputs
	dir      string
	steps    *steps
	terminal bool
	notes    []string
	live     *twin.Live
	began    time.Time

	mu      sync.Mutex
	changed chan struct{}
	uuid    string
	version string
	apps    map[string]entity.SwState
	names   map[string]string
	loaded  time.Time // when the last content was verified
	mapped  netip.AddrPort
}

// run brings the device to its goal.
func (u *upRun) run(ctx context.Context) (s summary, err error) {
	u.began, u.changed = time.Now(), make(chan struct{}, 1)
	u.apps, u.names = map[string]entity.SwState{}, map[string]string{}
	l, err := twin.NewLive(ctx, u.options())
	if err != nil {
		return s, err
	}
	u.live, u.notes = l, l.Notes
	s.Hyper, s.TPM = l.Hyper, l.Tpm
	defer func() { err = errors.Join(err, l.Close()) }()
	u.steps.say("controller listens at %s", l.Server.URL())
	if u.in.cfg == nil {
		if err := l.PublishDemo(ctx, "web", "1"); err != nil {
			return s, err
		}
		u.steps.say("registry serves %s/web:1", twin.Registry)
	}
	l.Start()
	u.steps.say("device boots (TPM: %s, guests: %s)", l.Tpm, l.Hyper)
	goal := rank(u.flags.until)
	within, cancel := context.WithTimeout(ctx, u.flags.limit)
	defer cancel()
	known := func() bool { return u.uuid != "" }
	if err := u.until(within, "the device to onboard", known); err != nil {
		return s, err
	}
	s.OnboardedS = time.Since(u.began).Seconds()
	if goal > 0 {
		if err := u.configured(within); err != nil {
			return s, err
		}
		if err := u.applications(within, &s); err != nil {
			return s, err
		}
	}
	s.OK = true
	if u.flags.until == "forever" {
		return s, u.stay(ctx)
	}
	return s, nil
}

// until waits for a condition over what the device showed.
func (u *upRun) until(ctx context.Context, what string, cond func() bool) error {
	for {
		u.mu.Lock()
		ok := cond()
		u.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-u.changed:
		case <-u.live.Ended():
			return fmt.Errorf("wait for %s: the device has stopped", what)
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// configured gives the device its configuration and waits until it has it.
func (u *upRun) configured(ctx context.Context) error {
	cfg := u.in.cfg
	if cfg == nil {
		made, err := twin.DemoDraft("edge").Build()
		if err != nil {
			return err
		}
		cfg = made
	}
	var version string
	var err error
	if e := u.live.Server.Do(func(c *controllersim.Controller) {
		d, ok := c.Fleet().Device(u.uuid)
		if !ok {
			err = fmt.Errorf("the controller does not know device %s", u.uuid)
			return
		}
		version, err = d.SetConfig(fleet.Change{Config: cfg, At: time.Now()})
	}); e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("set the configuration: %w", err)
	}
	return u.until(ctx, "the configuration to be taken", func() bool { return u.version == version })
}

// applications waits until all run, and the bundled one answers.
func (u *upRun) applications(ctx context.Context, s *summary) error {
	err := u.until(ctx, "the applications to run", func() bool {
		for _, st := range u.apps {
			if st != entity.RUNNING {
				return false
			}
		}
		return len(u.apps) > 0 || u.in.cfg != nil && len(u.in.cfg.GetApps()) == 0
	})
	if err != nil {
		return err
	}
	if !u.loaded.IsZero() {
		s.DownloadedS = u.loaded.Sub(u.began).Seconds()
	}
	if u.in.cfg != nil || u.live.Hyper == "model" {
		return nil
	}
	return u.answer(ctx, s)
}

// answer asks the application over HTTP until it answers.
func (u *upRun) answer(ctx context.Context, s *summary) error {
	u.mu.Lock()
	s.URL = "http://" + u.mapped.String() + "/"
	u.mu.Unlock()
	client := http.Client{Timeout: 30 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		if err != nil {
			return err
		}
		x, err := client.Do(r)
		if err == nil {
			var body struct {
				BootID  string  `json:"boot_id"`
				UptimeS float64 `json:"uptime_s"`
			}
			derr := json.NewDecoder(x.Body).Decode(&body)
			x.Body.Close()
			if derr == nil && x.StatusCode == http.StatusOK {
				s.AnsweredS = time.Since(u.began).Seconds()
				s.BootID, s.UptimeS = body.BootID, body.UptimeS
				u.steps.say("application answers at %s", s.URL)
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the application to answer at %s: %w", s.URL, ctx.Err())
		}
	}
}

// stay keeps the device running until it is interrupted.
func (u *upRun) stay(ctx context.Context) error {
	u.steps.say("running; Ctrl-C ends it")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-u.live.Ended():
		return errors.New("the device has stopped")
	}
}

// turn watches the rows of a turn, on the device's loop.
func (u *upRun) turn(_ *host.Proc, _ *host.Input, out *host.Output) {
	moved := false
	u.mu.Lock()
	for i := range out.Rows {
		moved = u.row(out.Rows[i].Key, out.Rows[i].Val) || moved
	}
	u.mu.Unlock()
	if moved {
		u.bell()
	}
}

func (u *upRun) bell() {
	select {
	case u.changed <- struct{}{}:
	default:
	}
}

// row takes in a row that was put and reports whether somebody waits for it.
func (u *upRun) row(_ string, v any) bool {
	switch r := v.(type) {
	case *node.OnboardingStatus:
		if r.DeviceUUID != "" && u.uuid == "" {
			u.uuid = r.DeviceUUID
			u.steps.say("onboarded as %s", r.DeviceUUID)
		}
	case *node.ZedAgentStatus:
		if r.ConfigVersion != u.version {
			u.version = r.ConfigVersion
			u.steps.say("configuration %s is in force", r.ConfigVersion)
		}
	case *content.ContentTreeStatus:
		if r.State == entity.LOADED && r.Progress == 100 {
			u.loaded = time.Now()
		}
		u.steps.progress(r.DisplayName, r.State.String(), r.CurrentSize, r.TotalSize)
	case *app.AppInstanceStatus:
		if u.apps[r.UUID] != r.State {
			u.apps[r.UUID] = r.State
			u.steps.say("application %s is %s", r.DisplayName, r.State)
		}
		if r.HasError() {
			u.steps.once("application %s: %s", r.DisplayName, r.Error)
		}
	default:
		return false
	}
	return true
}

func (u *upRun) logLine(from string, _ time.Duration, l agent.Line) {
	if l.Level >= agent.Err {
		u.steps.once("%s: %s", from, l.Text)
	}
}

func (u *upRun) forward(_ string, _ uint16, at netip.AddrPort) {
	u.mu.Lock()
	u.mapped = at
	u.mu.Unlock()
}
