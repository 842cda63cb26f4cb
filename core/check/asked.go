package check

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// lately remembers when a reason for something that is destroyed ceased to hold, so that whoever
// was shown the reason may act on it a little later.
type lately map[string]time.Duration

func (l lately) ended(e *Ear, key string) { l[key] = e.Now() }

// holds reports whether a reason that ceased may still be acted upon.
func (l lately) holds(e *Ear, key string) bool {
	at, ok := l[key]
	return ok && e.Now() <= at+Grace
}

// haltAsked: agents that tore down what they had merely not been told of yet, after a crash or a
// boot, are why tables say that they are complete; see bus.Sub.Gone.
func haltAsked() Rule {
	return Rule{Name: "halt-asked", Covers: []string{"APP-47"},
		Says: "A guest that runs is stopped only if its domain is not wished any more, and a domain " +
			"stops to be wished only because its application is gone, inactive or not in the profile, " +
			"or because of a restart or purge.",
		New: func(e *Ear) {
			a := &asked{e: e, left: lately{}, wish: lately{}}
			e.OnBoot(func(Boot) { clear(a.left); clear(a.wish) })
			OnRow(e, app.Configs, func(key string, was, now *app.AppInstanceConfig) {
				if now != nil && now.Activate && (was == nil || !was.Activate) {
					a.left.ended(e, key)
				}
			})
			OnRow(e, node.ZedAgent, func(_ string, was, now *node.ZedAgentStatus) {
				if was != nil && now != nil && was.CurrentProfile != now.CurrentProfile {
					for key := range Rows(e, app.Configs) {
						a.left.ended(e, key)
					}
				}
			})
			OnRow(e, app.Statuses, func(key string, was, now *app.AppInstanceStatus) {
				if was != nil && commanded(was) && !commanded(now) {
					a.left.ended(e, key)
				}
			})
			OnRow(e, domain.Configs, a.wished)
			OnBegan(e, hyper.Stop, func(_ *host.Ran, req *hyper.StopReq) {
				a.stops(hyper.Stop.Name, req.Name)
			})
			OnBegan(e, hyper.Delete, func(_ *host.Ran, req *hyper.NameReq) {
				a.stops(hyper.Delete.Name, req.Name)
			})
		}}
}

type asked struct {
	e    *Ear
	left lately // reasons not to wish the domain of an application
	wish lately // domains that were not wished, by application
}

// commanded reports whether a restart or purge halts the guest.
func commanded(st *app.AppInstanceStatus) bool {
	return st != nil && (st.RestartInprogress != app.NotInprogress ||
		st.PurgeInprogress != app.NotInprogress && st.PurgeInprogress != app.DownloadAndVerify)
}

// wished judges a domain that is not wished any more.
func (a *asked) wished(key string, was, now *domain.DomainConfig) {
	on := now != nil && now.Activate
	if on && (was == nil || !was.Activate) {
		a.wish.ended(a.e, key)
	}
	if was == nil || !was.Activate || on {
		return
	}
	a.e.Judged()
	if a.reason(key) || a.left.holds(a.e, key) {
		return
	}
	a.e.Break(domain.Configs.String(), key,
		"its guest is not wished any more, and nothing asks for that")
}

// reason reports whether the domain of an application need not run.
func (a *asked) reason(id string) bool {
	cfg := Get(a.e, app.Configs, id)
	if cfg == nil {
		return Gone(a.e, app.Configs, id)
	}
	if !cfg.Activate || commanded(Get(a.e, app.Statuses, id)) {
		return true
	}
	z := Get(a.e, node.ZedAgent, "zedagent")
	return z != nil && z.CurrentProfile != "" && len(cfg.ProfileList) > 0 &&
		!slices.Contains(cfg.ProfileList, z.CurrentProfile)
}

// stops judges a run that ends a guest.
func (a *asked) stops(op, name string) {
	d := Get(a.e, hyper.Domains, name)
	if d == nil || d.State != hyper.Running && d.State != hyper.Paused {
		return
	}
	a.e.Judged()
	c := Get(a.e, domain.Configs, d.AppID)
	switch {
	case c == nil && Gone(a.e, domain.Configs, d.AppID):
	case c != nil && !c.Activate:
	case a.wish.holds(a.e, d.AppID):
	case c == nil:
		a.e.Break(op, name, "it ends a guest that runs, of which %s is not told yet",
			domain.Configs.String())
	default:
		a.e.Break(op, name, "it ends a guest that runs and is wished")
	}
}

// removalAsked: content is the most expensive thing to lose.
func removalAsked() Rule {
	return Rule{Name: "removal-asked", Covers: []string{"APP-28", "APP-29"},
		Says: "A volume is removed only if it is not configured and not used any more, or if a power " +
			"cut left it half made.",
		New: func(e *Ear) {
			left := lately{}
			e.OnBoot(func(Boot) { clear(left) })
			OnRow(e, volume.Configs, func(key string, was, now *volume.VolumeConfig) {
				if was == nil && now != nil {
					left.ended(e, key)
				}
			})
			OnRow(e, volume.Refs, func(_ string, was, now *volume.VolumeRefConfig) {
				if was == nil && now != nil {
					left.ended(e, now.VolumeKey())
				}
			})
			OnBegan(e, store.RemoveVolume, func(_ *host.Ran, req *store.VolumeReq) {
				key := req.VolumeKey
				e.Judged()
				st := Get(e, volume.Statuses, key)
				half := Get(e, volume.CreatePending, key) != nil
				if half || st != nil && st.SubState == volume.SubDeleting || unwanted(e, key) ||
					left.holds(e, key) {
					return
				}
				e.Break(store.RemoveVolume.Name, key, "the volume is configured, used or not known yet")
			})
			OnRow(e, volume.Statuses, func(key string, was, now *volume.VolumeStatus) {
				if now == nil || now.SubState != volume.SubDeleting ||
					was != nil && was.SubState == volume.SubDeleting {
					return
				}
				e.Judged()
				if !unwanted(e, key) && !left.holds(e, key) {
					e.Break(volume.Statuses.String(), key,
						"it is given up while it is configured, used or not known yet")
				}
			})
		}}
}

// unwanted reports whether a volume is neither configured nor used, as complete tables say.
func unwanted(e *Ear, key string) bool {
	if !Gone(e, volume.Configs, key) {
		return false
	}
	h, ok := e.Boot().Head(volume.Refs.Decl)
	if !ok || !h.Complete() {
		return false
	}
	for _, r := range Rows(e, volume.Refs) {
		if r.VolumeKey() == key {
			return false
		}
	}
	return true
}
