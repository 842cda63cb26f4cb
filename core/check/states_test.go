package check

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

func TestAppStates(t *testing.T) {
	walk := func(t *testing.T, purge app.Inprogress, states ...entity.SwState) *tape {
		tp := start(t, appStates())
		for _, s := range states {
			put(tp, app.Statuses, app.AppInstanceStatus{UUIDandVersion: id("a"), State: s,
				PurgeInprogress: purge})
		}
		return tp
	}
	const none = app.NotInprogress
	walk(t, none, entity.INITIAL, entity.DOWNLOADING, entity.VERIFYING, entity.INITIAL, entity.LOADED,
		entity.INSTALLED, entity.AWAITNETWORKINSTANCE, entity.INSTALLED, entity.BOOTING, entity.RUNNING,
		entity.HALTING, entity.HALTED, entity.BOOTING, entity.BROKEN, entity.BOOTING).keeps()
	walk(t, app.RecreateVolumes, entity.HALTED, entity.CREATING_VOLUME).keeps()
	for _, bad := range [][]entity.SwState{
		{entity.RUNNING, entity.BOOTING}, {entity.RUNNING, entity.INSTALLED},
		{entity.RUNNING, entity.DOWNLOADING}, {entity.HALTED, entity.INITIAL},
		{entity.BOOTING, entity.LOADED}, {entity.HALTING, entity.INSTALLED}, {entity.PAUSING},
		{entity.FAILED}, {0},
	} {
		walk(t, none, bad...).breaks()
	}
	walk(t, app.DownloadAndVerify, entity.RUNNING, entity.DOWNLOADING).breaks()
}

func TestHaltedIsOff(t *testing.T) {
	halted := func(tp *tape) {
		put(tp, app.Statuses, app.AppInstanceStatus{UUIDandVersion: id("a"), State: entity.HALTED})
	}
	tp := start(t, haltedIsOff())
	put(tp, hyper.Domains, guest("a.1", hyper.Halted))
	halted(tp)
	tp.keeps()

	tp = start(t, haltedIsOff())
	put(tp, hyper.Domains, guest("a.1", hyper.Halting))
	halted(tp)
	tp.breaks()

	tp = start(t, haltedIsOff())
	end := begin(tp, hyper.Create, "domainmgr", "a", hyper.CreateReq{Spec: guest("a.1", "").Spec})
	halted(tp)
	end(nil)
	tp.breaks()
}

func TestDomainStates(t *testing.T) {
	walk := func(t *testing.T, list ...domain.DomainStatus) *tape {
		tp := start(t, domainStates())
		for _, st := range list {
			st.UUIDandVersion = id("a")
			put(tp, domain.Statuses, st)
		}
		return tp
	}
	halting := domain.DomainStatus{State: entity.HALTING, Boots: 1}
	walk(t, domain.DomainStatus{State: entity.INSTALLED}, domain.DomainStatus{State: entity.BOOTING},
		domain.DomainStatus{State: entity.RUNNING}, halting,
		domain.DomainStatus{State: entity.BOOTING, Boots: 2}).keeps()
	walk(t, halting, domain.DomainStatus{State: entity.BOOTING, Boots: 1}).breaks()
	walk(t, domain.DomainStatus{State: entity.RUNNING},
		domain.DomainStatus{State: entity.BOOTING}).breaks()
	walk(t, halting, domain.DomainStatus{State: entity.RUNNING}).breaks()
}

func TestVerifyOnce(t *testing.T) {
	ref := volume.VolumeRefConfig{VolumeID: "v", AppUUID: "a"}
	only := ref
	only.VerifyOnly = true
	tp := start(t, verifyOnce())
	put(tp, volume.Refs, only)
	put(tp, volume.Refs, ref)
	tp.keeps()
	put(tp, volume.Refs, only)
	tp.breaks()
	tp = start(t, verifyOnce())
	put(tp, volume.Refs, ref)
	tp.breaks()
}
