package main

import (
	"encoding/json"

	"github.com/evetwin/evetwin/backends/linux/hub"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/tui/source"
)

// milestones are what a device has reached in a boot, for terminals.
type milestones struct {
	boot  uint64
	told  map[string]bool
	heads [4]bus.Head
}

// mileTopics are the topics that milestones are read from.
func mileTopics() [4]string {
	return [4]string{node.Onboarding.String(), node.ZedAgent.String(), content.TreeStatuses.String(),
		app.Statuses.String()}
}

// moved reports whether one of their tables did.
func (m *milestones) moved(w *hub.Watch) bool {
	any := false
	for i, name := range mileTopics() {
		if t, ok := w.Topic(name); ok && !t.Rows.Same(m.heads[i]) {
			m.heads[i], any = t.Rows, true
		}
	}
	return any
}

// reach tells what was reached since. It runs on the device's loop.
func (m *milestones) reach(k *host.Kernel, w *hub.Watch, f *source.Feed) {
	if m.boot != k.BootCount() {
		m.boot, m.told = k.BootCount(), map[string]bool{}
		f.Boot(k.Device(), m.boot)
	}
	mark := func(name, text string) {
		if !m.told[name] {
			m.told[name] = true
			f.Mark(source.Mark{Name: name, At: k.Now(), Text: text})
		}
	}
	each(w, node.Onboarding, func(r *node.OnboardingStatus) {
		if r.DeviceUUID != "" {
			mark("onboarded", "as "+r.DeviceUUID)
		}
	})
	each(w, node.ZedAgent, func(r *node.ZedAgentStatus) {
		if r.ConfigVersion != "" {
			mark("configured", "version "+r.ConfigVersion)
		}
	})
	each(w, content.TreeStatuses, func(r *content.ContentTreeStatus) {
		if r.State == entity.LOADED {
			mark("downloaded", r.DisplayName+", and verified")
		}
	})
	each(w, app.Statuses, func(r *app.AppInstanceStatus) {
		if r.State == entity.RUNNING {
			mark("running", r.DisplayName)
		}
	})
}

// each reads the rows of a topic.
func each[V bus.Row](w *hub.Watch, t bus.Topic[V], f func(*V)) {
	x, ok := w.Topic(t.String())
	if !ok {
		return
	}
	for _, v := range x.Rows.All() {
		var row V
		if r, ok := v.(*hub.Row); ok && json.Unmarshal(r.JSON, &row) == nil {
			f(&row)
		}
	}
}
