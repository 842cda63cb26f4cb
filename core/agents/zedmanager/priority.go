package zedmanager

import (
	"time"

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
func (a *zedmanager) held(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) bool {
	if a.markers.Get(acc.UUID) != nil || st.RestartInprogress != app.NotInprogress ||
		st.PurgeInprogress != app.NotInprogress || t.Contest.Before == 0 {
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

// comesFirst reports whether an application ran when the device went down and is not up yet; others
// wait for it if it is to run.
func (a *zedmanager) comesFirst(id string, st *app.AppInstanceStatus) bool {
	if a.markers.Get(id) == nil {
		return false
	}
	if st == nil {
		return true
	}
	switch st.State {
	case entity.BOOTING, entity.RUNNING, entity.HALTING, entity.START_DELAYED:
		return false
	}
	return !a.isUp(id)
}
