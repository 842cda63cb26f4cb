package zedmanager

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// activate walks an application whose volumes are there to a running guest. A guest that was
// started is only looked after.
func (a *zedmanager) activate(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) {
	up := a.isUp(acc.UUID)
	if !up {
		if a.held(t, acc, st) {
			st.NoBootPriority = true
			return
		}
		if !a.admit(t, acc, st) {
			st.ActivateInprogress = false
			return
		}
	}
	st.ActivateInprogress = !st.Activated
	if ready := a.connect(t, acc, st); !ready && !up {
		return
	}
	if !up {
		if a.delayed(t, acc, st) || !a.boot(t, acc, st) {
			return
		}
	}
	a.copyDomain(t, acc.UUID, st)
}

// delayed reports whether the start delay of an application still runs.
func (a *zedmanager) delayed(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) bool {
	st.StartTime = time.Time{}
	if acc.Delay == 0 {
		return false
	}
	o := a.outlook()
	if o.Known && t.Now >= o.Base+acc.Delay {
		return false
	}
	st.State = entity.START_DELAYED
	if o.Known {
		st.StartTime = o.BaseWall.Add(acc.Delay)
		t.WakeAt(acc.UUID, o.Base+acc.Delay)
	}
	return true
}

// copyDomain takes over what domainmgr says about the guest, if it speaks of the guest as it is
// wished.
func (a *zedmanager) copyDomain(t *round, id string, st *app.AppInstanceStatus) {
	ds := a.domainStats.Get(id)
	if ds == nil || ds.Of != a.domains.Rev(id) {
		return
	}
	st.Activated = ds.Activated
	st.ActivateInprogress = !ds.Activated
	st.DomainName, st.BootTime = ds.DomainName, ds.BootTime
	if len(ds.IoAdapterList) > 0 {
		st.IoAdapterList = ds.IoAdapterList
	}
	if ds.State >= entity.BOOTING {
		st.State = ds.State
	}
	if ds.HasError() {
		st.SetFrom(fromDomain, ds.ErrorDescription, t.Wall)
	} else {
		st.ClearFrom(fromDomain)
	}
	if !ds.Activated || ds.State != entity.RUNNING {
		return
	}
	if st.RestartInprogress == app.BringUp {
		st.RestartInprogress = app.NotInprogress
	}
	if st.PurgeInprogress == app.BringUp {
		st.PurgeInprogress = app.NotInprogress
	}
}
