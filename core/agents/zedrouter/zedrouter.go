package zedrouter

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/plan"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// zedrouter is only its wiring.
type zedrouter struct {
	instances *bus.Sub[network.NetworkInstanceConfig]
	apps      *bus.Sub[network.AppNetworkConfig]
	known     *bus.Sub[app.AppInstanceConfig] // who keeps numbers although not connected yet
	dns       *bus.Sub[network.DeviceNetworkStatus]
	model     *bus.Sub[network.PhysicalIOAdapterList]
	onboarded *bus.Sub[node.OnboardingStatus]
	items     *bus.Sub[bridge.ItemSeen]
	vifs      *bus.Sub[bridge.VifSeen]

	status     *bus.Pub[network.NetworkInstanceStatus]
	appStatus  *bus.Pub[network.AppNetworkStatus]
	numbers    *bus.Pub[network.UuidToNum]
	interfaces *bus.Pub[network.AppInterfaceToNum]
	doing      *bus.Pub[plan.Doing]
	leaving    *bus.Pub[leaving]

	set   *agent.Calls[bridge.SetReq, bridge.None]
	clear *agent.Calls[bridge.ClearReq, bridge.None]
}

// New attaches zedrouter to its tables and ops.
func New(p bus.Port) agent.Agent {
	return &zedrouter{
		instances:  bus.Subscribe(p, network.Instances),
		apps:       bus.Subscribe(p, network.AppNetworks),
		known:      bus.Subscribe(p, app.Configs, bus.Optional),
		dns:        bus.Subscribe(p, network.DNS),
		model:      bus.Subscribe(p, network.PhysicalIO, bus.Optional),
		onboarded:  bus.Subscribe(p, node.Onboarding),
		items:      bus.Subscribe(p, bridge.Items),
		vifs:       bus.Subscribe(p, bridge.Vifs),
		status:     bus.Publish(p, network.InstanceStatus),
		appStatus:  bus.Publish(p, network.AppNetworkStatuses),
		numbers:    bus.Publish(p, network.Numbers),
		interfaces: bus.Publish(p, network.AppInterfaceNumbers),
		doing:      bus.Publish(p, doings),
		leaving:    bus.Publish(p, leavings),
		set:        agent.Use(p, bridge.Set),
		clear:      agent.Use(p, bridge.Clear),
	}
}

// sheet is the work of one turn: what should be, worked out anew from the tables.
type sheet struct {
	z    *zedrouter
	t    *agent.Turn
	dns  *network.DeviceNetworkStatus // nil until nim has published
	nis  []*instance                  // the first to come first
	byID map[string]*instance
	apps []*application // the first to come first
	maps []mapped       // port maps that are taken
	want []wish         // items that should be
	// wished are their keys.
	wished map[string]bool
	// holds are the faults of items that were tried in vain, by key.
	holds map[string]string
	vifs  int // interfaces of guests that are or should be attached
	laid  map[string]bool
	// numbers are the interfaces with a number on flash, by instance.
	numbers map[string][]numbered
	// spent are the kinds of numbers of which none is free.
	spent []string
}

// Step works out what instances and applications should have, has it carried out, and tells what
// came of it. What instances share (subnets, ports, mapped ports) makes it look at all of them.
func (z *zedrouter) Step(t *agent.Turn) {
	if !z.items.Complete() || !z.vifs.Complete() {
		return // the part has not looked yet
	}
	if z.gathers(t) {
		return
	}
	s := &sheet{z: z, t: t, dns: z.dns.Get(entity.Global), byID: map[string]*instance{},
		wished: map[string]bool{}, holds: map[string]string{}}
	s.expire()
	s.takeInstances()
	s.takeApplications()
	for _, n := range s.nis {
		s.judge(n)
	}
	s.keepStrays()
	for _, a := range s.apps {
		s.connect(a)
	}
	s.list()
	s.reconcile()
	for _, n := range s.nis {
		s.tellInstance(n)
	}
	for _, a := range s.apps {
		s.tellApplication(a)
	}
	s.release()
	if z.instances.Complete() {
		z.status.Complete()
	}
	if z.apps.Complete() {
		z.appStatus.Complete()
	}
}
