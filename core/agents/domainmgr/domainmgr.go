package domainmgr

import (
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/network"
)

// domainmgr is only its wiring.
type domainmgr struct {
	configs  *bus.Sub[domain.DomainConfig]
	known    *bus.Sub[app.AppInstanceConfig]
	model    *bus.Sub[network.PhysicalIOAdapterList]
	settings *bus.Sub[config.ConfigItemValueMap]
	dns      *bus.Sub[network.DeviceNetworkStatus]
	links    *bus.Sub[nic.LinkSeen]
	domains  *bus.Sub[hyper.DomainSeen]
	machine  *bus.Sub[hyper.HostSeen]
	pci      *bus.Sub[hyper.AdapterSeen]

	status   *bus.Pub[domain.DomainStatus]
	memory   *bus.Pub[domain.HostMemory]
	caps     *bus.Pub[domain.Capabilities]
	adapters *bus.Pub[network.AssignableAdapters]
	halts    *bus.Pub[halt]
	retries  *bus.Pub[retry]

	create *agent.Calls[hyper.CreateReq, hyper.None]
	start  *agent.Calls[hyper.NameReq, hyper.None]
	stop   *agent.Calls[hyper.StopReq, hyper.None]
	remove *agent.Calls[hyper.NameReq, hyper.None]
	bind   *agent.Calls[hyper.BindReq, hyper.None]
}

// New attaches domainmgr to its tables and ops.
func New(p bus.Port) agent.Agent {
	return &domainmgr{
		configs:  bus.Subscribe(p, domain.Configs),
		known:    bus.Subscribe(p, app.Configs, bus.Optional),
		model:    bus.Subscribe(p, network.PhysicalIO),
		settings: bus.Subscribe(p, config.Items),
		dns:      bus.Subscribe(p, network.DNS),
		links:    bus.Subscribe(p, nic.Links, bus.Optional),
		domains:  bus.Subscribe(p, hyper.Domains),
		machine:  bus.Subscribe(p, hyper.Host),
		pci:      bus.Subscribe(p, hyper.Adapters, bus.Optional),
		status:   bus.Publish(p, domain.Statuses),
		memory:   bus.Publish(p, domain.Host),
		caps:     bus.Publish(p, domain.Caps),
		adapters: bus.Publish(p, network.Assignable),
		halts:    bus.Publish(p, halts),
		retries:  bus.Publish(p, retries),
		create:   agent.Use(p, hyper.Create),
		start:    agent.Use(p, hyper.Start),
		stop:     agent.Use(p, hyper.Stop),
		remove:   agent.Use(p, hyper.Delete),
		bind:     agent.Use(p, hyper.Bind),
	}
}

// sheet is the work of one turn.
type sheet struct {
	m      *domainmgr
	t      *agent.Turn
	seen   map[string]*hyper.DomainSeen // by application
	strays []*hyper.DomainSeen          // second domains of an application
	// adapters are those of the model; nil if nothing about them can have changed.
	adapters *stock
}

// Step looks at the machine, and at every application of which something has moved.
func (m *domainmgr) Step(t *agent.Turn) {
	if !m.domains.Complete() {
		return // the hypervisor has not looked yet
	}
	s := &sheet{m: m, t: t, seen: map[string]*hyper.DomainSeen{}}
	for _, d := range m.domains.All() {
		s.see(d)
	}
	m.tellMachine()
	work := s.work()
	if s.adaptersMoved(work) {
		s.adapters = s.stock()
		for id, c := range m.configs.All() {
			if len(c.IoAdapterList) > 0 {
				work.Add(id)
			}
		}
	}
	for _, id := range work.All() {
		s.follow(id)
	}
	if s.adapters != nil {
		s.tellAdapters()
	}
	s.clearStrays()
	if m.configs.Complete() {
		m.status.Complete()
	}
}

// see notes the domain of an application. There should be one; of several the one that runs counts,
// else the newest.
func (s *sheet) see(d *hyper.DomainSeen) {
	have := s.seen[d.AppID]
	switch {
	case have == nil:
		s.seen[d.AppID] = d
	case runs(d) && !runs(have), runs(d) == runs(have) && d.ID > have.ID:
		s.seen[d.AppID] = d
		s.strays = append(s.strays, have)
	default:
		s.strays = append(s.strays, d)
	}
}

func runs(d *hyper.DomainSeen) bool { return d.State == hyper.Running || d.State == hyper.Paused }

// work lists the applications to look at.
func (s *sheet) work() *agent.Work {
	var w agent.Work
	m := s.m
	agent.Keys(&w, m.configs)
	agent.From(&w, m.domains, func(d *hyper.DomainSeen) string { return d.AppID })
	w.Add(m.create.Ended()...)
	w.Add(m.start.Ended()...)
	w.Add(m.stop.Ended()...)
	w.Add(m.remove.Ended()...)
	for _, key := range s.t.Due() {
		w.Add(strings.TrimPrefix(strings.TrimPrefix(key, haltKey), reapKey))
	}
	if m.configs.Moved() || m.known.Moved() || m.machine.Moved() || m.settings.Moved() {
		for id := range m.status.All() { // complete tables, retry times, abilities
			w.Add(id)
		}
		for _, d := range m.domains.All() {
			w.Add(d.AppID)
		}
	}
	return &w
}

// clearStrays deletes second domains of applications: a start that was thought lost.
func (s *sheet) clearStrays() {
	for _, d := range s.strays {
		s.reap(d.Name, d)
	}
}
