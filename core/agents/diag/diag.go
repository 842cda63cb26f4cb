package diag

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// diag is only its wiring.
type diag struct {
	led      *bus.Sub[node.LedStatus]
	net      *bus.Sub[network.DeviceNetworkStatus]
	dpcl     *bus.Sub[network.DevicePortConfigList]
	files    *bus.Sub[network.PortConfigFile]
	client   *bus.Sub[node.ClientStatus]
	who      *bus.Sub[node.OnboardingStatus]
	zedagent *bus.Sub[node.ZedAgentStatus]
	config   *bus.Sub[config.ConfigItemValueMap]
	server   *controllerconn.File
	send     *agent.Calls[web.SendReq, web.SendRes]
	outage   *bus.Pub[outage]
	probes   *bus.Pub[probe]
	sections *bus.Pub[node.DiagSection]
}

// New attaches diag to its tables and ops.
func New(p bus.Port) agent.Agent {
	return &diag{
		led:      bus.Subscribe(p, node.LedShown, bus.Optional),
		net:      bus.Subscribe(p, network.DNS),
		dpcl:     bus.Subscribe(p, network.DPCL),
		files:    bus.Subscribe(p, network.PortConfigFiles, bus.Optional),
		client:   bus.Subscribe(p, node.Client, bus.Optional),
		who:      bus.Subscribe(p, node.Onboarding, bus.Optional),
		zedagent: bus.Subscribe(p, node.ZedAgent, bus.Optional),
		config:   bus.Subscribe(p, config.Items, bus.Quiet),
		server:   controllerconn.AttachFile(p, controllerconn.ServerFile),
		send:     agent.Use(p, web.Send),
		outage:   bus.Publish(p, outages),
		probes:   bus.Publish(p, probes),
		sections: bus.Publish(p, node.Diag),
	}
}

// Step is one turn: the probes that are due, then the report.
func (a *diag) Step(t *agent.Turn) {
	dns := a.net.Get(entity.Global)
	a.probe(t, dns)
	r := &report{}
	a.summary(t, r)
	a.configurations(r, dns)
	if dns != nil {
		for i := range dns.Ports {
			portSection(r, &dns.Ports[i])
		}
	}
	a.controller(r, dns)
	for _, s := range r.sections {
		a.sections.Put(s)
	}
	a.sections.Keep(r.has)
	a.sections.Complete()
}
