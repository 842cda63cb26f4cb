package zedmanager

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// priorityWindow is how long others wait at most for those that ran when the device went down.
const priorityWindow = 5 * time.Minute

// activeApp marks an application that ran, so that it starts first after the next boot.
type activeApp struct{ AppID string }

// Key is the application's UUID.
func (m activeApp) Key() string { return m.AppID }

var activeApps = bus.NewTopic[activeApp](bus.Decl{Owner: "zedmanager", Name: "ActiveApp",
	Life: bus.Persistent})

// mark notes that an application runs, and forgets it when the application is stopped for a reason
// of its own and not because the device goes down.
func (a *zedmanager) mark(acc *app.AppInstanceConfig, st *app.AppInstanceStatus) {
	switch {
	case st.State == entity.RUNNING:
		a.markers.Put(activeApp{acc.UUID})
	case st.State == entity.HALTED && !a.effective(acc) && !a.goesDown():
		a.markers.Delete(acc.UUID)
	}
}

// held reports whether an application has to wait for those that ran when the device went down. It
// is a plain predicate over tables: whatever else makes the application be looked at does not let
// it pass.
func (a *zedmanager) held(t *agent.Turn, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) bool {
	if a.markers.Get(acc.UUID) != nil || st.RestartInprogress != app.NotInprogress ||
		st.PurgeInprogress != app.NotInprogress || !a.waiting() {
		return false
	}
	o := a.outlook()
	if !o.Known {
		return true
	}
	end := o.Base + priorityWindow
	if t.Now >= end {
		return false
	}
	t.WakeAt(acc.UUID, end)
	return true
}

// waiting reports whether an application that ran before is not up yet.
func (a *zedmanager) waiting() bool {
	for id := range a.markers.All() {
		cfg := a.configs.Get(id)
		if cfg == nil || !a.effective(cfg) {
			continue
		}
		switch st := a.status.Get(id); {
		case st == nil:
			return true
		case st.State != entity.BOOTING && st.State != entity.RUNNING &&
			st.State != entity.HALTING && st.State != entity.START_DELAYED && !a.isUp(id):
			return true
		}
	}
	return false
}
