package zedagent

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// zedagent is its wiring.
type zedagent struct {
	conn     *controllerconn.Conn
	nodes    *bus.Sub[node.NodeAgentStatus]
	net      *bus.Sub[network.DeviceNetworkStatus]
	who      *bus.Sub[node.OnboardingStatus]
	lent     *bus.Sub[security.ControllerCert] // by zedclient
	files    *bus.Sub[store.FileSeen]
	clock    *bus.Sub[clock.ClockSeen]
	status   *bus.Pub[node.ZedAgentStatus]
	certs    *bus.Pub[security.ControllerCert]
	checks   *bus.Pub[node.UUIDCheck]
	led      *bus.Pub[node.LedBlinkCounter]
	works    *bus.Pub[work]
	states   *bus.Pub[state]
	counters *bus.Pub[counter]
	read     *agent.Calls[store.ReadReq, store.ReadRes]
	write    *agent.Calls[store.WriteReq, store.None]
	out      outputs
}

// outputs are the tables that a configuration becomes.
type outputs struct {
	sections  *bus.Pub[section]
	items     *bus.Pub[config.ConfigItemValueMap]
	itemErrs  *bus.Pub[config.ItemStatus]
	names     *bus.Pub[node.EdgeNodeInfo]
	ios       *bus.Pub[network.PhysicalIOAdapterList]
	dpcs      *bus.Pub[network.DevicePortConfig]
	instances *bus.Pub[network.NetworkInstanceConfig]
	stores    *bus.Pub[content.DatastoreConfig]
	trees     *bus.Pub[content.ContentTreeConfig]
	volumes   *bus.Pub[volume.VolumeConfig]
	apps      *bus.Pub[app.AppInstanceConfig]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &zedagent{
		conn:     controllerconn.Attach(p, conn, controllerconn.Options{}),
		nodes:    bus.Subscribe(p, node.NodeAgent, bus.Optional),
		net:      bus.Subscribe(p, network.DNS, bus.Optional),
		who:      bus.Subscribe(p, node.Onboarding, bus.Optional),
		lent:     bus.Subscribe(p, security.ControllerCerts.Of("zedclient"), bus.Optional),
		files:    bus.Subscribe(p, store.Files, bus.Optional),
		clock:    bus.Subscribe(p, clock.Clock, bus.Quiet),
		status:   bus.Publish(p, node.ZedAgent),
		certs:    bus.Publish(p, security.ControllerCerts.Of("zedagent")),
		checks:   bus.Publish(p, node.UUIDChecks),
		led:      bus.Publish(p, node.Led.Of("zedagent")),
		works:    bus.Publish(p, works),
		states:   bus.Publish(p, states),
		counters: bus.Publish(p, counters),
		read:     agent.Use(p, store.Read),
		write:    agent.Use(p, store.Write),
		out: outputs{
			sections:  bus.Publish(p, sections),
			items:     bus.Publish(p, config.Items),
			itemErrs:  bus.Publish(p, config.Status),
			names:     bus.Publish(p, node.Info),
			ios:       bus.Publish(p, network.PhysicalIO),
			dpcs:      bus.Publish(p, network.DPCs.Of("zedagent")),
			instances: bus.Publish(p, network.Instances),
			stores:    bus.Publish(p, content.Datastores),
			trees:     bus.Publish(p, content.Trees),
			volumes:   bus.Publish(p, volume.Configs),
			apps:      bus.Publish(p, app.Configs),
		},
	}
}

// Step reads the settings the device starts with, and from then on keeps certificates and
// configuration up to date.
func (a *zedagent) Step(t *agent.Turn) {
	x := a.begin(t)
	for n := 0; n == 0 || x.moved && n < maxPasses; n++ {
		x.moved = false
		x.pass()
	}
	x.end()
}

// maxPasses bounds a turn: what has ended may let something else begin.
const maxPasses = 8

func (x *turn) pass() {
	if !x.start() {
		return
	}
	x.judgeMaintenance()
	x.keepCerts()
	x.keepConfig()
	x.readSaved()
	x.runDeferred()
	x.haltApps()
	x.keepCheckpoint()
}

// turn is one turn's work: what is remembered, taken from rows at its begin and put back at its
// end.
type turn struct {
	a *zedagent
	t *agent.Turn
	w work
	s state
	// moved is true if this pass ended something, so that another is needed.
	moved bool
}

func (a *zedagent) begin(t *agent.Turn) *turn {
	x := &turn{a: a, t: t}
	if w := a.works.Get(workKey); w != nil {
		x.w = *w
	}
	if s := a.states.Get(entity.Global); s != nil {
		x.s = *s
	}
	return x
}

func (x *turn) end() {
	x.a.works.Put(x.w)
	x.a.states.Put(x.s)
	x.tell()
}

// settings are those in force.
func (x *turn) settings() *config.ConfigItemValueMap { return x.a.out.items.Get(entity.Global) }

// nodeStatus is nodeagent's word; empty before it has spoken.
func (x *turn) nodeStatus() node.NodeAgentStatus {
	for _, n := range x.a.nodes.All() {
		return *n
	}
	return node.NodeAgentStatus{}
}

// log writes a line about the device.
func (x *turn) log(l agent.Level, text string) { x.t.Log(l, "", text) }
