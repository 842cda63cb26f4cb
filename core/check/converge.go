package check

import (
	"time"

	"github.com/lf-edge/eve-api/go/metrics"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// converges: an error that is shown is an answer, silence is none.
func converges() Rule {
	return Rule{Name: "converges", Covers: []string{"API-19", "APP-1"}, Live: true,
		Says: "At last the device has the configuration that the controller has for it, and every " +
			"object in it is as configured or says what is in the way; nothing is left of what is not " +
			"in it.",
		New: func(e *Ear) {
			e.OnEnd(func(time.Duration) {
				z := Get(e, node.ZedAgent, "zedagent")
				if z == nil {
					return
				}
				if w := e.Wished(); w != "" && connected(e) {
					e.Judged()
					if z.ConfigVersion != w && !z.HasError() {
						e.Break(node.ZedAgent.String(), "zedagent",
							"configuration %q is in force, the controller has %q, and no error says why",
							z.ConfigVersion, w)
					}
				}
				if z.MaintenanceMode || z.DeviceState != node.StateOnline {
					return // applications stay as they are
				}
				convergeApps(e)
				convergeStorage(e)
				convergeNetworks(e)
			})
		}}
}

func convergeApps(e *Ear) {
	z := Get(e, node.ZedAgent, "zedagent")
	for key, cfg := range Rows(e, app.Configs) {
		e.Judged()
		st := Get(e, app.Statuses, key)
		switch {
		case st == nil:
			e.Break(app.Statuses.String(), key, "it is configured and has no status")
		case st.HasError() || st.NoBootPriority || st.State == entity.START_DELAYED:
		case cfg.Activate && len(cfg.ProfileList) == 0 && st.State != entity.RUNNING:
			e.Break(app.Statuses.String(), key, "it is to run, is %s and shows no error", st.State)
		case !cfg.Activate && (st.Activated || st.State > entity.INSTALLED && st.State != entity.HALTED):
			e.Break(app.Statuses.String(), key, "it is not to run and is %s", st.State)
		case st.RestartInprogress != app.NotInprogress || st.PurgeInprogress != app.NotInprogress:
			e.Break(app.Statuses.String(), key, "its restart is at %s, its purge at %s, for ever",
				st.RestartInprogress, st.PurgeInprogress)
		}
	}
	if z.ConfigVersion == "" {
		return // nothing is known to be gone
	}
	for key := range Rows(e, app.Statuses) {
		if Gone(e, app.Configs, key) {
			e.Break(app.Statuses.String(), key, "it is not configured and still there")
		}
	}
	for name, d := range Rows(e, hyper.Domains) {
		e.Judged()
		if lives(d) && Gone(e, app.Configs, d.AppID) {
			e.Break(hyper.Domains.String(), name, "its application is not configured, and it runs")
		}
	}
}

func convergeStorage(e *Ear) {
	for key := range Rows(e, content.Trees) {
		e.Judged()
		st := Get(e, content.TreeStatuses, key)
		switch {
		case st == nil:
			e.Break(content.TreeStatuses.String(), key, "it is configured and has no status")
		case st.State < entity.LOADED && !st.HasError() && treeUsed(e, key):
			e.Break(content.TreeStatuses.String(), key, "it is %s and shows no error", st.State)
		}
	}
	for key := range Rows(e, volume.Configs) {
		e.Judged()
		st := Get(e, volume.Statuses, key)
		switch {
		case st == nil:
			e.Break(volume.Statuses.String(), key, "it is configured and has no status")
		case st.State < entity.LOADED && !st.HasError():
			e.Break(volume.Statuses.String(), key, "it is %s and shows no error", st.State)
		}
	}
	for key := range Rows(e, volume.Statuses) {
		if unwanted(e, key) {
			e.Break(volume.Statuses.String(), key, "nobody wants it, and it is still there")
		}
	}
}

// treeUsed reports whether a volume is to be made of a content tree.
func treeUsed(e *Ear, id string) bool {
	for _, v := range Rows(e, volume.Configs) {
		if v.ContentID == id {
			return true
		}
	}
	return false
}

func convergeNetworks(e *Ear) {
	for key, cfg := range Rows(e, network.Instances) {
		e.Judged()
		st := Get(e, network.InstanceStatus, key)
		switch {
		case st == nil:
			e.Break(network.InstanceStatus.String(), key, "it is configured and has no status")
		case cfg.Activate && !st.Activated && !st.NetworkErr.HasError():
			e.Break(network.InstanceStatus.String(), key, "it is not active and shows no error")
		}
	}
	for key := range Rows(e, network.InstanceStatus) {
		if Gone(e, network.Instances, key) {
			e.Break(network.InstanceStatus.String(), key, "it is not configured and still there")
		}
	}
}

// guestNumber: the controller tells guests by it.
func guestNumber() Rule {
	return Rule{Name: "guest-number", Covers: []string{"APP-46"}, Live: true,
		Says: "At last a guest has the number of its domain, and 0 exactly when there is none.",
		New: func(e *Ear) {
			e.OnEnd(func(time.Duration) {
				for key, st := range Rows(e, domain.Statuses) {
					e.Judged()
					want := 0
					for _, d := range Rows(e, hyper.Domains) {
						if d.AppID == key {
							want = d.ID
						}
					}
					if st.DomainId != want {
						e.Break(domain.Statuses.String(), key, "its number is %d, that of its domain %d",
							st.DomainId, want)
					}
				}
			})
		}}
}

// keepsReporting: a device that falls silent counts as lost.
func keepsReporting() Rule {
	return Rule{Name: "keeps-reporting", Covers: []string{"API-42"}, Live: true,
		Says: "A device that has a way to the controller goes on to send metrics at its interval.",
		New: func(e *Ear) {
			last := time.Duration(-1)
			e.OnBoot(func(Boot) { last = -1 })
			e.OnMetrics(func(*metrics.ZMetricMsg) { last = e.Now() })
			e.OnEnd(func(time.Duration) {
				items := Get(e, config.Items, entity.Global)
				if items == nil || !connected(e) {
					return
				}
				every := items.Seconds(config.MetricInterval)
				if 3*every > Patience {
					return
				}
				e.Judged()
				if last < 0 || e.Now()-last > 3*every {
					e.Break("metrics", e.UUID(), "the last message came at %v, the interval is %v", last, every)
				}
			})
		}}
}
