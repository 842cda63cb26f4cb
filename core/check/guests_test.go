package check

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// guest is a domain of application a with volume v#0 as its disk.
func guest(name string, s hyper.State) hyper.DomainSeen {
	return hyper.DomainSeen{ID: 1, State: s, Spec: hyper.Spec{Name: name, AppID: "a",
		Disks: []hyper.Disk{{VolumeKey: "v#0"}}}}
}

func id(uuid string) entity.UUIDandVersion { return entity.UUIDandVersion{UUID: uuid} }

func TestOneGuest(t *testing.T) {
	tp := start(t, oneGuest())
	put(tp, hyper.Domains, guest("a.1", hyper.Halted))
	put(tp, hyper.Domains, guest("a.2", hyper.Running))
	tp.keeps()
	put(tp, hyper.Domains, guest("a.3", hyper.Paused))
	tp.breaks()
}

func TestVolumeUnderGuest(t *testing.T) {
	ref := volume.VolumeRefConfig{VolumeID: "v", AppUUID: "a"}
	calm := func(t *testing.T) *tape {
		tp := start(t, volumeUnderGuest())
		put(tp, store.Volumes, store.VolumeSeen{VolumeKey: "v#0"})
		put(tp, volume.Refs, ref)
		put(tp, hyper.Domains, guest("a.1", hyper.Running))
		return tp
	}
	tp := calm(t)
	put(tp, hyper.Domains, guest("a.1", hyper.Halted))
	del(tp, volume.Refs, ref.Key())
	del(tp, hyper.Domains, "a.1")
	begin(tp, store.RemoveVolume, "volumemgr", "v#0", store.VolumeReq{VolumeKey: "v#0"})(&store.None{})
	del(tp, store.Volumes, "v#0")
	tp.keeps()

	for name, spoil := range map[string]func(tp *tape){
		"withdrawn": func(tp *tape) { del(tp, volume.Refs, ref.Key()) },
		"removed": func(tp *tape) {
			begin(tp, store.RemoveVolume, "volumemgr", "v#0", store.VolumeReq{VolumeKey: "v#0"})
		},
		"vanished": func(tp *tape) { del(tp, store.Volumes, "v#0") },
		"being made": func(tp *tape) {
			del(tp, hyper.Domains, "a.1")
			begin(tp, hyper.Create, "domainmgr", "a", hyper.CreateReq{Spec: guest("a.2", "").Spec})
			del(tp, volume.Refs, ref.Key())
		},
		"started without": func(tp *tape) {
			del(tp, hyper.Domains, "a.1")
			del(tp, store.Volumes, "v#0")
			put(tp, hyper.Domains, guest("a.2", hyper.Running))
		},
		"started while it is removed": func(tp *tape) {
			del(tp, hyper.Domains, "a.1")
			begin(tp, store.RemoveVolume, "volumemgr", "v#0", store.VolumeReq{VolumeKey: "v#0"})
			put(tp, hyper.Domains, guest("a.2", hyper.Running))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			spoil(tp)
			tp.breaks()
		})
	}
}

// wishing is a tape of an application that is configured, wished and runs.
func wishing(t *testing.T) *tape {
	tp := start(t, haltAsked())
	put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a"), Activate: true})
	whole(tp, app.Configs)
	put(tp, domain.Configs, domain.DomainConfig{UUIDandVersion: id("a"), Activate: true})
	whole(tp, domain.Configs)
	put(tp, hyper.Domains, guest("a.1", hyper.Running))
	tp.wait(time.Hour)
	return tp
}

func TestHaltAsked(t *testing.T) {
	stop := func(tp *tape) {
		begin(tp, hyper.Stop, "domainmgr", "a", hyper.StopReq{Name: "a.1"})
	}
	unwish := func(tp *tape) {
		put(tp, domain.Configs, domain.DomainConfig{UUIDandVersion: id("a")})
	}
	for name, act := range map[string]func(tp *tape){
		"deleted": func(tp *tape) {
			del(tp, app.Configs, "a")
			del(tp, domain.Configs, "a")
			stop(tp)
		},
		"inactive": func(tp *tape) {
			put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a")})
			unwish(tp)
			stop(tp)
		},
		"restarted": func(tp *tape) {
			tp.turn(func() {
				put(tp, app.Statuses, app.AppInstanceStatus{UUIDandVersion: id("a"),
					RestartInprogress: app.BringDown})
				unwish(tp)
			})
			stop(tp)
		},
		"taken back a moment ago": func(tp *tape) {
			put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a")})
			put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a"), Activate: true})
			tp.wait(time.Second)
			unwish(tp)
			stop(tp)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tp := wishing(t)
			act(tp)
			tp.keeps()
		})
	}
	for name, act := range map[string]func(tp *tape){
		"stopped": stop,
		"deleted": func(tp *tape) {
			begin(tp, hyper.Delete, "domainmgr", "a", hyper.NameReq{Name: "a.1"})
		},
		"unwished": unwish,
		"purged too early": func(tp *tape) {
			tp.turn(func() {
				put(tp, app.Statuses, app.AppInstanceStatus{UUIDandVersion: id("a"),
					PurgeInprogress: app.DownloadAndVerify})
				unwish(tp)
			})
		},
	} {
		t.Run("not "+name, func(t *testing.T) {
			tp := wishing(t)
			act(tp)
			tp.breaks()
		})
	}
	t.Run("not known yet", func(t *testing.T) {
		tp := start(t, haltAsked())
		put(tp, hyper.Domains, guest("a.1", hyper.Running))
		stop(tp)
		tp.breaks()
	})
}

func TestRemovalAsked(t *testing.T) {
	remove := func(tp *tape) {
		begin(tp, store.RemoveVolume, "volumemgr", "v#0", store.VolumeReq{VolumeKey: "v#0"})
	}
	give := func(tp *tape) {
		put(tp, volume.Statuses, volume.VolumeStatus{VolumeConfig: volume.VolumeConfig{VolumeID: "v"},
			SubState: volume.SubDeleting})
	}
	calm := func(t *testing.T) *tape {
		tp := start(t, removalAsked())
		put(tp, volume.Configs, volume.VolumeConfig{VolumeID: "v"})
		whole(tp, volume.Configs)
		put(tp, volume.Refs, volume.VolumeRefConfig{VolumeID: "v", AppUUID: "a"})
		whole(tp, volume.Refs)
		tp.wait(time.Hour)
		return tp
	}
	tp := calm(t)
	del(tp, volume.Configs, "v#0")
	del(tp, volume.Refs, "v#0#a")
	give(tp)
	remove(tp)
	tp.keeps()

	tp = calm(t)
	put(tp, volume.CreatePending, volume.VolumeCreatePending{VolumeKey: "v#0"})
	remove(tp)
	tp.keeps()

	tp = calm(t)
	remove(tp)
	tp.breaks()

	tp = calm(t)
	del(tp, volume.Configs, "v#0") // it is used
	give(tp)
	tp.breaks()

	tp = start(t, removalAsked()) // nothing is known yet
	remove(tp)
	tp.breaks()
}
