package zedmanager

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

type zedmanager struct {
	configs     *bus.Sub[app.AppInstanceConfig]
	volumeStats *bus.Sub[volume.VolumeRefStatus]
	netStats    *bus.Sub[network.AppNetworkStatus]
	domainStats *bus.Sub[domain.DomainStatus]
	memory      *bus.Sub[domain.HostMemory]
	zedagent    *bus.Sub[node.ZedAgentStatus]
	nodeagent   *bus.Sub[node.NodeAgentStatus]
	items       *bus.Sub[config.ConfigItemValueMap]
	host        *bus.Sub[hyper.HostSeen]

	status   *bus.Pub[app.AppInstanceStatus]
	summary  *bus.Pub[app.AppInstanceSummary]
	purges   *bus.Pub[app.PurgeCounter]
	refs     *bus.Pub[volume.VolumeRefConfig]
	nets     *bus.Pub[network.AppNetworkConfig]
	domains  *bus.Pub[domain.DomainConfig]
	accepted *bus.Pub[acceptance]
	outlooks *bus.Pub[outlook]
	markers  *bus.Pub[activeApp]
}

// New builds the agent.
func New(p bus.Port) agent.Agent {
	return &zedmanager{
		configs:     bus.Subscribe(p, app.Configs),
		volumeStats: bus.Subscribe(p, volume.RefStatuses),
		netStats:    bus.Subscribe(p, network.AppNetworkStatuses),
		domainStats: bus.Subscribe(p, domain.Statuses),
		memory:      bus.Subscribe(p, domain.Host),
		zedagent:    bus.Subscribe(p, node.ZedAgent),
		nodeagent:   bus.Subscribe(p, node.NodeAgent, bus.Quiet),
		items:       bus.Subscribe(p, config.Items),
		host:        bus.Subscribe(p, hyper.Host, bus.Optional),

		status:   bus.Publish(p, app.Statuses),
		summary:  bus.Publish(p, app.Summary),
		purges:   bus.Publish(p, app.PurgeCounters),
		refs:     bus.Publish(p, volume.Refs),
		nets:     bus.Publish(p, network.AppNetworks),
		domains:  bus.Publish(p, domain.Configs),
		accepted: bus.Publish(p, acceptances),
		outlooks: bus.Publish(p, outlooks),
		markers:  bus.Publish(p, activeApps),
	}
}

// Step walks every application on that something it stands on has changed for.
func (a *zedmanager) Step(t *agent.Turn) {
	var w agent.Work
	agent.Keys(&w, a.configs)
	agent.From(&w, a.volumeStats, func(v *volume.VolumeRefStatus) string { return v.AppUUID })
	agent.Keys(&w, a.netStats)
	agent.Keys(&w, a.domainStats)
	w.Add(t.Due()...)
	if a.look(t) || a.items.Moved() || a.memory.Moved() || a.configs.Moved() || a.host.Moved() {
		for id := range a.configs.All() {
			w.Add(id)
		}
		for id := range a.status.All() {
			w.Add(id)
		}
	}
	moved := false
	for _, id := range w.All() {
		moved = a.walk(t, id) || moved
	}
	// Who waits for memory or for its turn to boot looks again at what the others did.
	for n := a.status.Len(); moved && n >= 0; n-- {
		moved = false
		for id, st := range a.status.All() {
			if st.MissingMemory || st.NoBootPriority {
				moved = a.walk(t, id) || moved
			}
		}
	}
	a.summarize()
	a.complete()
}

// walk moves one application on and reports whether others see a change: in its status, or that its
// guest is wished now.
func (a *zedmanager) walk(t *agent.Turn, id string) (moved bool) {
	before, up := a.status.Rev(id), a.isUp(id)
	if cfg := a.configs.Get(id); cfg != nil {
		a.follow(t, cfg)
	} else if a.configs.Gone(id) {
		a.remove(id)
	}
	return a.status.Rev(id) != before || a.isUp(id) != up
}

// complete declares the tables whole once every configured application was looked at.
func (a *zedmanager) complete() {
	if !a.configs.Complete() || a.refs.IsComplete() {
		return
	}
	a.status.Complete()
	a.refs.Complete()
	a.nets.Complete()
	a.domains.Complete()
	for id := range a.purges.All() { // of applications deleted while the device was off
		if a.configs.Gone(id) {
			a.purges.Delete(id)
		}
	}
	for id := range a.markers.All() {
		if a.configs.Gone(id) {
			a.markers.Delete(id)
		}
	}
}
