package zedmanager

import (
	"time"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// follow walks an application towards its configuration.
func (a *zedmanager) follow(t *round, cfg *app.AppInstanceConfig) {
	st := app.AppInstanceStatus{State: entity.INITIAL}
	if old := a.status.Get(cfg.UUID); old != nil {
		st = *old
	}
	st.Of, st.UUIDandVersion, st.DisplayName = a.configs.Rev(cfg.UUID), cfg.UUIDandVersion,
		cfg.DisplayName
	if a.domains.Get(cfg.UUID) == nil {
		st.Activated = false
	}
	if acc := a.accept(t, cfg, &st); acc != nil {
		st.FixedResources, st.IoAdapterList = acc.FixedResources, acc.IoAdapterList
		st.MissingMemory, st.MissingNetwork, st.NoBootPriority = false, false, false
		a.update(t, acc, &st)
		a.mark(acc, &st)
		a.stagedBootOrder(t, acc, &st)
	}
	a.status.Put(st)
}

// update walks to the first thing that is not done yet.
func (a *zedmanager) update(t *round, acc *app.AppInstanceConfig, st *app.AppInstanceStatus) {
	vols := a.keepRefs(acc, st)
	a.advance(t, acc, st, &vols)
	a.showTrouble(t, st, &vols)
}

// advance is update with the volumes as they are.
func (a *zedmanager) advance(t *round, acc *app.AppInstanceConfig, st *app.AppInstanceStatus,
	vols *volumes) {
	if !a.purge(t, acc, st, vols) {
		return
	}
	a.showVolumes(st, vols)
	if up := a.isUp(acc.UUID); !up && !vols.reached(entity.CREATED_VOLUME) {
		a.idle(acc, st)
		return
	}
	if st.PurgeInprogress == app.RecreateVolumes {
		st.PurgeInprogress = app.BringUp
	}
	if st.State < entity.INSTALLED {
		st.State = entity.INSTALLED
	}
	if !a.effective(acc) {
		a.deactivate(acc, st)
		return
	}
	if st.RestartInprogress == app.BringDown {
		if !a.halt(acc.UUID, st) {
			return
		}
		st.State, st.RestartInprogress = entity.HALTED, app.BringUp
	}
	a.activate(t, acc, st)
}

// idle is an application whose volumes are not ready and whose guest does not run. A guest that was
// switched off meanwhile is not started by what it waits for.
func (a *zedmanager) idle(acc *app.AppInstanceConfig, st *app.AppInstanceStatus) {
	if d := a.domains.Get(acc.UUID); d != nil && !a.effective(acc) {
		a.halt(acc.UUID, st)
	}
}

// purge moves a purge on and reports whether the rest of the way may be walked.
func (a *zedmanager) purge(t *round, acc *app.AppInstanceConfig, st *app.AppInstanceStatus,
	vols *volumes) (goOn bool) {
	if st.PurgeInprogress == app.DownloadAndVerify {
		if !vols.reached(entity.LOADED) {
			a.showVolumes(st, vols)
			a.runOld(t, acc, st)
			return false
		}
		st.PurgeInprogress = app.BringDown
	}
	if st.PurgeInprogress == app.BringDown {
		if !a.halt(acc.UUID, st) || !a.disconnect(acc.UUID) {
			a.showVolumes(st, vols)
			return false
		}
		if a.domains.Get(acc.UUID) != nil {
			st.State = entity.HALTED
		}
		st.PurgeInprogress = app.RecreateVolumes
		a.purges.Put(app.PurgeCounter{AppID: acc.UUID, Counter: purges(acc)})
		*vols = a.keepRefs(acc, st)
	}
	return true
}

// runOld leaves the guest alone that runs while its successor's volumes are downloaded; it may
// still be switched off, and may power itself off.
func (a *zedmanager) runOld(t *round, acc *app.AppInstanceConfig, st *app.AppInstanceStatus) {
	d := a.domains.Get(acc.UUID)
	switch {
	case d == nil:
	case !a.effective(acc):
		if a.halt(acc.UUID, st) {
			st.State = entity.HALTED
		}
	default:
		a.copyDomain(t, acc.UUID, st)
	}
}

// deactivate halts an application that is not to run. Its network stays.
func (a *zedmanager) deactivate(acc *app.AppInstanceConfig, st *app.AppInstanceStatus) {
	if !a.halt(acc.UUID, st) {
		return
	}
	st.State = entity.HALTED
	st.RestartInprogress = app.NotInprogress
	if st.PurgeInprogress == app.BringUp {
		st.PurgeInprogress = app.NotInprogress
	}
	for _, source := range []string{fromDomain, fromNetwork, fromConfig} {
		st.ClearFrom(source)
	}
}

// isUp reports whether the guest was started and not asked to stop, so that it may run.
func (a *zedmanager) isUp(id string) bool {
	d := a.domains.Get(id)
	return d != nil && d.Activate
}

// halt asks the guest to stop and reports whether it is off. Health of the network plays no part in
// it.
func (a *zedmanager) halt(id string, st *app.AppInstanceStatus) (off bool) {
	d := a.domains.Get(id)
	if d != nil && d.Activate {
		n := *d
		n.Activate = false
		a.domains.Put(n)
		d = a.domains.Get(id)
	}
	ds := a.domainStats.Get(id)
	switch {
	case d == nil && ds == nil:
		off = true
	case d != nil && ds != nil: // while it is pending, a guest that was on its way may still come
		off = ds.Of == a.domains.Rev(id) && !ds.Activated && !ds.PendingModify
	}
	if !off {
		st.State = entity.HALTING
		return false
	}
	st.Activated, st.ActivateInprogress, st.StartTime = false, false, time.Time{}
	return true
}

// disconnect takes the network of a halted application down and reports whether it is.
func (a *zedmanager) disconnect(id string) (done bool) {
	n := a.nets.Get(id)
	if n == nil {
		return true
	}
	if n.Activate {
		c := *n
		c.Activate = false
		a.nets.Put(c)
	}
	st := a.netStats.Get(id)
	return st != nil && st.Of == a.nets.Rev(id) && !st.Activated
}

// stagedBootOrder warns that a boot order waits for the next start of the guest.
func (a *zedmanager) stagedBootOrder(t *round, acc *app.AppInstanceConfig,
	st *app.AppInstanceStatus) {
	d, want := a.domains.Get(acc.UUID), acc.FixedResources.BootOrder
	if d == nil || !d.Activate || d.VmConfig.BootOrder == want {
		st.ClearFrom(fromBootOrder)
		return
	}
	if st.HasError() && st.ErrorSourceType != fromBootOrder {
		return
	}
	st.SetFrom(fromBootOrder, entity.ErrorDescription{ErrorSeverity: entity.SeverityWarning,
		Error: "BootOrder changed from " + bootOrder(d.VmConfig.BootOrder) + " to " +
			bootOrder(want) + " - restart required to apply",
		ErrorRetryCondition: "Boot order setting will be applied when application is restarted"},
		t.Wall)
}

// fromBootOrder is the source of the warning about a staged boot order.
const fromBootOrder = "BootOrder"

func bootOrder(b uint8) string {
	return [...]string{"UNSPECIFIED", "USB", "NOUSB", "UNKNOWN"}[min(b, 3)]
}
