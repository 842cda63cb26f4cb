package zedmanager

import (
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
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
	ledgers  *bus.Pub[ledger]
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
		ledgers:  bus.Publish(p, ledgers),
	}
}

// Step walks every application on that something it stands on has changed for.
func (a *zedmanager) Step(turn *agent.Turn) {
	t := &round{Turn: turn}
	var w agent.Work
	if a.look(t) || t.Full || a.items.Moved() || a.memory.Moved() || a.configs.Moved() ||
		a.host.Moved() {
		for id := range a.configs.All() {
			w.Add(id)
		}
		for id := range a.status.All() {
			w.Add(id)
		}
		a.count(t)
	} else if l := a.ledgers.Get(entity.Global); l != nil {
		t.ledger = *l
	}
	agent.Keys(&w, a.configs)
	agent.From(&w, a.volumeStats, func(v *volume.VolumeRefStatus) string { return v.AppUUID })
	agent.Keys(&w, a.netStats)
	agent.Keys(&w, a.domainStats)
	w.Add(t.Due()...)
	before, refs := t.Contest, a.refs.Len()
	for _, id := range w.All() {
		a.walk(t, id)
	}
	// Who waits for memory or for its turn to boot, or is about to boot, looks again at the others.
	for n := a.status.Len(); t.Contest != before && n >= 0; n-- {
		before = t.Contest
		for id, st := range a.status.All() {
			if st.MissingMemory || st.NoBootPriority || st.ActivateInprogress && !a.isUp(id) {
				a.walk(t, id)
			}
		}
	}
	if a.refs.Len() < refs {
		for id, st := range a.status.All() {
			if strings.HasSuffix(st.Error, tooManyVolumes) {
				a.walk(t, id)
			}
		}
	}
	a.ledgers.Put(t.ledger)
	a.summarize(&t.ledger)
	a.complete()
}

// walk moves one application on and counts anew what others see of it.
func (a *zedmanager) walk(t *round, id string) {
	t.subtract(a.share(id))
	if cfg := a.configs.Get(id); cfg != nil {
		a.follow(t, cfg)
	} else if a.configs.Gone(id) {
		a.remove(id)
	}
	t.add(a.share(id))
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
