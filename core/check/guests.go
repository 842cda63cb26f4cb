package check

import (
	"slices"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// lives reports whether something of a guest may run in a domain.
func lives(d *hyper.DomainSeen) bool {
	return d != nil &&
		(d.State == hyper.Running || d.State == hyper.Paused || d.State == hyper.Halting)
}

// oneGuest: an application has one guest, however often agents crash.
func oneGuest() Rule {
	return Rule{Name: "one-guest", Covers: []string{"APP-47"},
		Says: "No application has two guests that run at once.",
		New: func(e *Ear) {
			OnRow(e, hyper.Domains, func(key string, was, now *hyper.DomainSeen) {
				if !lives(now) || lives(was) || now.AppID == "" {
					return
				}
				e.Judged()
				for name, d := range Rows(e, hyper.Domains) {
					if name != key && d.AppID == now.AppID && lives(d) {
						e.Break(hyper.Domains.String(), key, "domain %s of application %s runs as well",
							name, now.AppID)
					}
				}
			})
		}}
}

// volumeUnderGuest: what a guest has as a disk stays until the guest is off.
func volumeUnderGuest() Rule {
	return Rule{Name: "volume-under-guest", Covers: []string{"APP-39"},
		Says: "No volume is withdrawn or removed while a guest that has it as a disk runs or is being " +
			"made, and no guest runs without its volumes.",
		New: func(e *Ear) {
			u := &underGuest{e: e, removing: map[string]int{}}
			e.OnBoot(func(Boot) { clear(u.removing); u.making = nil })
			e.OnCrash(func(agent string) {
				if agent == "domainmgr" { // a run that outlives its caller is nobody's, and is undone
					u.making = nil
				}
			})
			OnBegan(e, hyper.Create, func(_ *host.Ran, r *hyper.CreateReq) {
				u.making = append(u.making, r)
			})
			OnEnded(e, hyper.Create, func(_ *host.Ran, r *hyper.CreateReq, _ *hyper.None) {
				u.making = slices.DeleteFunc(u.making, func(o *hyper.CreateReq) bool { return o == r })
			})
			OnBegan(e, store.RemoveVolume, func(_ *host.Ran, req *store.VolumeReq) {
				u.removing[req.VolumeKey]++
				u.unused(store.RemoveVolume.Name, req.VolumeKey, "", "it is being removed")
			})
			OnEnded(e, store.RemoveVolume, func(_ *host.Ran, req *store.VolumeReq, _ *store.None) {
				u.removing[req.VolumeKey]--
			})
			OnRow(e, store.Volumes, func(key string, was, now *store.VolumeSeen) {
				if was != nil && now == nil {
					u.unused(store.Volumes.String(), key, "", "it is gone from the disk")
				}
			})
			OnRow(e, volume.Refs, func(_ string, was, now *volume.VolumeRefConfig) {
				if was != nil && now == nil {
					u.unused(volume.Refs.String(), was.VolumeKey(), was.AppUUID, "it is withdrawn")
				}
			})
			OnRow(e, hyper.Domains, u.starts)
		}}
}

type underGuest struct {
	e        *Ear
	removing map[string]int // runs of store.RemoveVolume by volume
	making   []*hyper.CreateReq
}

// unused judges that no guest, or none of one application, has a volume.
func (u *underGuest) unused(where, key, app, what string) {
	for name, d := range Rows(u.e, hyper.Domains) {
		if lives(d) || d.State == hyper.Defined {
			u.without(&d.Spec, where, key, app, what+" while domain "+name+" is "+string(d.State))
		}
	}
	for _, r := range u.making {
		u.without(&r.Spec, where, key, app, what+" while domain "+r.Spec.Name+" is being made")
	}
}

// without judges that a guest does not have a volume.
func (u *underGuest) without(g *hyper.Spec, where, key, app, what string) {
	if app != "" && g.AppID != app {
		return
	}
	u.e.Judged()
	for i := range g.Disks {
		if g.Disks[i].VolumeKey == key {
			u.e.Break(where, key, "%s, which has it as a disk", what)
		}
	}
}

// starts judges the disks of a guest that begins to run.
func (u *underGuest) starts(key string, was, now *hyper.DomainSeen) {
	if now == nil || now.State != hyper.Running || was != nil && was.State == hyper.Running {
		return
	}
	for i := range now.Disks {
		disk := &now.Disks[i]
		if disk.VolumeKey == "" {
			continue
		}
		u.e.Judged()
		switch {
		case Get(u.e, store.Volumes, disk.VolumeKey) == nil:
			u.e.Break(hyper.Domains.String(), key, "it runs, and its volume %s is not on the disk",
				disk.VolumeKey)
		case u.removing[disk.VolumeKey] > 0:
			u.e.Break(hyper.Domains.String(), key, "it runs while its volume %s is being removed",
				disk.VolumeKey)
		}
	}
}
