package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/plan"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

var conn = controllerconn.Declare("nim")

// nim is only its wiring.
type nim struct {
	config   *bus.Sub[config.ConfigItemValueMap]
	wishes   *bus.Sub[network.DevicePortConfig] // of the controller
	manual   *bus.Sub[network.DevicePortConfig] // of the local operator
	files    *bus.Sub[store.FileSeen]
	links    *bus.Sub[nic.LinkSeen]
	addrs    *bus.Sub[nic.AddrSeen]
	items    *bus.Sub[nic.ItemSeen]
	adapters *bus.Sub[network.AssignableAdapters]

	dpcl     *bus.Pub[network.DevicePortConfigList]
	dns      *bus.Pub[network.DeviceNetworkStatus]
	ingested *bus.Pub[network.PortConfigFile]
	led      *bus.Pub[node.LedBlinkCounter]

	trial    *bus.Pub[trial]
	failures *bus.Pub[failure]
	taken    *bus.Pub[taken]
	doing    *bus.Pub[plan.Doing]

	set   *agent.Calls[nic.SetReq, nic.None]
	clear *agent.Calls[nic.ClearReq, nic.None]
	read  *agent.Calls[store.ReadReq, store.ReadRes]
	conn  *controllerconn.Conn
}

// New attaches nim to its tables and ops.
func New(p bus.Port) agent.Agent {
	return &nim{
		config:   bus.Subscribe(p, config.Items),
		wishes:   bus.Subscribe(p, network.DPCs.Of("zedagent")),
		manual:   bus.Subscribe(p, network.ManualDPC, bus.Optional),
		files:    bus.Subscribe(p, store.Files),
		links:    bus.Subscribe(p, nic.Links),
		addrs:    bus.Subscribe(p, nic.Addrs),
		items:    bus.Subscribe(p, nic.Items),
		adapters: bus.Subscribe(p, network.Assignable, bus.Optional),
		dpcl:     bus.Publish(p, network.DPCL),
		dns:      bus.Publish(p, network.DNS),
		ingested: bus.Publish(p, network.PortConfigFiles),
		led:      bus.Publish(p, node.Led.Of("nim")),
		trial:    bus.Publish(p, trials),
		failures: bus.Publish(p, failures),
		taken:    bus.Publish(p, takens),
		doing:    bus.Publish(p, doings),
		set:      agent.Use(p, nic.Set),
		clear:    agent.Use(p, nic.Clear),
		read:     agent.Use(p, store.Read),
		conn:     controllerconn.Attach(p, conn, controllerconn.Options{}),
	}
}

// sheet is the work of one turn.
type sheet struct {
	n       *nim
	t       *agent.Turn
	set     settings
	list    []network.DevicePortConfig
	trial   trial
	results []portResult                // that stand on the ports of the one in use
	ports   []network.NetworkPortStatus // of the one in use, as they are seen
	other   bool                        // this turn began a verification or chose another one
	reading bool                        // a file of the installer
	done    reconciled
}

// Step takes in what is wished, verifies it, applies it, and tells what came of it.
func (n *nim) Step(t *agent.Turn) {
	s := &sheet{n: n, t: t, set: n.settings()}
	if !n.links.Complete() || !n.files.Complete() || !n.items.Complete() {
		return // the parts have not looked yet
	}
	s.recall()
	if s.configured() {
		s.takeIn()
		s.verify()
		s.settle()
	}
	s.publish()
}

// recall takes up where the last turn, the agent before its crash, or the boot before left off.
func (s *sheet) recall() {
	if row := s.n.dpcl.Get(entity.Global); row != nil {
		s.list = row.PortConfigList
	}
	dns := s.n.dns.Get(entity.Global)
	switch old := s.n.trial.Get(trial{}.Key()); {
	case old != nil:
		s.trial = *old
	case dns == nil:
		s.list = loaded(s.list)
	case dns.CurrentIndex >= 0 && dns.CurrentIndex < len(s.list):
		s.trial = trial{Current: identify(&s.list[dns.CurrentIndex]), State: dns.State,
			Since: time.Duration(dns.StateSince), Running: dns.Testing, Started: s.t.Now,
			Test: s.t.Now + s.set.interval}
	}
	if dns != nil {
		s.results = standing(dns.Ports)
	}
}
