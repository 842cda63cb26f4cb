package main

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// view is what is known of a device from the rows it put. Its fields belong to the run's lock, but
// for name, wanted and cfg, which stand before the device starts.
type view struct {
	u       *upRun
	name    string
	wanted  string                // version of the configuration it is to have; empty: any
	cfg     *config.EdgeDevConfig // what it is to do
	uuid    string
	version string
	apps    map[string]entity.SwState
	fetched bool      // something was downloaded in this run
	loaded  time.Time // when the last of it was verified
}

func newView(name string, u *upRun) *view {
	return &view{u: u, name: name, apps: map[string]entity.SwState{}}
}

func (v *view) onboarded() bool { return v.uuid != "" }

// running reports whether the device has its configuration and runs all that it is to run.
func (v *view) running() bool {
	if v.version == "" || v.wanted != "" && v.version != v.wanted {
		return false
	}
	for _, a := range v.cfg.GetApps() {
		state, ok := v.apps[strings.ToLower(a.GetUuidandversion().GetUuid())]
		if !ok || a.GetActivate() && state != entity.RUNNING {
			return false
		}
		if !a.GetActivate() && state != entity.HALTED && state != entity.INSTALLED {
			return false
		}
	}
	return true
}

// turn takes in the rows of a turn, on the device's loop.
func (v *view) turn(_ *host.Proc, _ *host.Input, out *host.Output) {
	moved := false
	v.u.mu.Lock()
	for i := range out.Rows {
		moved = v.row(out.Rows[i].Val) || moved
	}
	v.u.mu.Unlock()
	if !moved {
		return
	}
	select {
	case v.u.changed <- struct{}{}:
	default:
	}
}

// boot takes in who the device is already: a row that it kept is not put again.
func (v *view) boot(k *host.Kernel) {
	v.u.mu.Lock()
	defer v.u.mu.Unlock()
	if r := twin.Row(k, node.Onboarding, entity.Global); r != nil {
		v.row(r)
	}
}

// row takes a row in and reports whether somebody may wait for it.
func (v *view) row(row any) bool {
	shown := v.name == first
	say := func(format string, args ...any) {
		if shown {
			v.u.steps.say(format, args...)
		}
	}
	switch r := row.(type) {
	case *node.OnboardingStatus:
		if r.DeviceUUID != "" && v.uuid == "" {
			v.uuid = r.DeviceUUID
			v.u.steps.tell(stepLine{UUID: r.DeviceUUID}, "%s is onboarded as %s", v.name, r.DeviceUUID)
		}
	case *node.ZedAgentStatus:
		if r.ConfigVersion != v.version {
			v.version = r.ConfigVersion
			say("configuration %s is in force", r.ConfigVersion)
		}
		if r.HasError() && shown {
			v.u.steps.once("configuration: %s", r.Error)
		}
	case *content.DownloaderStatus:
		v.fetched = v.fetched || r.State == entity.DOWNLOADED
	case *content.ContentTreeStatus:
		if r.State == entity.LOADED && v.fetched {
			v.loaded = time.Now()
		}
		if shown {
			v.u.steps.progress(r.DisplayName, r.State.String(), r.CurrentSize, r.TotalSize)
		}
		v.complain(&r.ErrorDescription, "content", r.DisplayName)
	case *volume.VolumeStatus:
		v.complain(&r.ErrorDescription, "volume", r.DisplayName)
	case *network.NetworkInstanceStatus:
		v.complain(&r.NetworkErr, "network", r.DisplayName)
	case *app.AppInstanceStatus:
		id := strings.ToLower(r.UUID)
		if v.apps[id] != r.State {
			v.apps[id] = r.State
			say("application %s is %s", r.DisplayName, r.State)
		}
		v.complain(&r.ErrorDescription, "application", r.DisplayName)
	default:
		return false
	}
	return true
}

// complain tells an error of an object, each text once.
func (v *view) complain(e *entity.ErrorDescription, kind, name string) {
	if e.HasError() && v.name == first {
		v.u.steps.once("%s %s: %s", kind, name, e.Error)
	}
}

// forward notes where a mapped port listens.
func (u *upRun) forward(app, proto string, port uint16, at netip.AddrPort) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if proto == "tcp" {
		u.mapped[strings.ToLower(app)] = at
	}
	u.steps.say("%s port %d of application %s is reached at %s", proto, port, u.named(app), at)
}

// named is the name of an application, its UUID if it has none.
func (u *upRun) named(id string) string {
	for _, a := range u.views[0].cfg.GetApps() {
		if strings.EqualFold(a.GetUuidandversion().GetUuid(), id) && a.GetDisplayname() != "" {
			return a.GetDisplayname()
		}
	}
	return id
}

// modelled notes an application whose guest is a model beside QEMU's.
func (u *upRun) modelled(id, why string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	name := u.named(id)
	m := model{name, why}
	if !slices.Contains(u.sum.Models, m) {
		u.sum.Models = append(u.sum.Models, m)
		u.steps.say("application %s runs in the model: %s", name, why)
	}
}

// summary is what came of the run up to now.
func (u *upRun) summary() summary {
	var made []data.Made
	if u.live != nil {
		made = u.live.Site.Made()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.sum
	v := u.views[0]
	s.UUID = v.uuid
	if !v.loaded.IsZero() {
		s.DownloadedS = v.loaded.Sub(u.began).Seconds()
	}
	s.MadeUp = nil
	for _, m := range made {
		s.MadeUp = append(s.MadeUp, m.Ref)
	}
	slices.Sort(s.MadeUp)
	s.MadeUp = slices.Compact(s.MadeUp)
	s.Models = slices.Clone(s.Models)
	return s
}
