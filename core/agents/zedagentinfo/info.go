package zedagentinfo

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// reported is an entity whose state was noticed and put into the queue. It survives a crash of the
// agent, so that what is gone afterwards is told, too.
type reported struct {
	Kind report.Kind
	ID   string // row's key
	Rev  uint64 // of the row noticed last; 0: the row is gone
}

// Key is kind and row.
func (r reported) Key() string { return string(r.Kind) + "." + r.ID }

// pace is the agent's memory of the device's own report.
type pace struct {
	Device   string // UUID it reports for
	Epoch    int64  // of the controller
	Known    bool   // Epoch is known
	Stamp    uint64 // of all rows that make up the device's report
	Ticks    int
	Next     time.Duration // since boot: when the device is due without a change
	BootTime time.Time     // wall
	Gone     bool          // the last word on some entity is not told yet
	Told     time.Time     // the newest stamp of a message
	Retell   time.Duration // since boot: when all is told once more; 0: not at all
}

// Key is "pace".
func (pace) Key() string { return "pace" }

var (
	conn      = controllerconn.Declare("zedagent-info")
	reporteds = bus.NewTopic[reported](bus.Decl{
		Owner: "zedagent-info", Name: "Reported", MaxRows: controllerconn.MaxDue})
	paces = bus.NewTopic[pace](bus.Decl{
		Owner: "zedagent-info", Name: "Pace", Life: bus.Local, MaxRows: 1, MaxPuts: 1000})
)

// reporter is its wiring.
type reporter struct {
	conn      *controllerconn.Conn
	reported  *bus.Pub[reported]
	pace      *bus.Pub[pace]
	identity  *bus.Sub[node.OnboardingStatus]
	apps      *bus.Sub[app.AppInstanceStatus]
	instances *bus.Sub[network.NetworkInstanceStatus]
	volumes   *bus.Sub[volume.VolumeStatus]
	trees     *bus.Sub[content.ContentTreeStatus]
	blobs     *bus.Sub[content.BlobStatus]
	metaData  *bus.Sub[app.AppInstMetaData]
	zedagent  *bus.Sub[node.ZedAgentStatus]
	nodeagent *bus.Sub[node.NodeAgentStatus]
	names     *bus.Sub[node.EdgeNodeInfo]
	items     *bus.Sub[config.ConfigItemValueMap]
	itemStat  *bus.Sub[config.ItemStatus]
	net       *bus.Sub[network.DeviceNetworkStatus]
	dpcl      *bus.Sub[network.DevicePortConfigList]
	adapters  *bus.Sub[network.AssignableAdapters]
	memory    *bus.Sub[domain.HostMemory]
	caps      *bus.Sub[domain.Capabilities]
	tpm       *bus.Sub[security.TpmStatus]
	host      *bus.Sub[hyper.HostSeen]
	boot      *bus.Sub[boot.BootSeen]
	parts     *bus.Sub[boot.PartSeen]
	space     *bus.Sub[store.SpaceSeen]
	files     *bus.Sub[store.FileSeen]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &reporter{
		conn:      controllerconn.Attach(p, conn, controllerconn.Options{}),
		reported:  bus.Publish(p, reporteds),
		pace:      bus.Publish(p, paces),
		identity:  bus.Subscribe(p, node.Onboarding),
		apps:      bus.Subscribe(p, app.Statuses, bus.Optional),
		instances: bus.Subscribe(p, network.InstanceStatus, bus.Optional),
		volumes:   bus.Subscribe(p, volume.Statuses, bus.Optional),
		trees:     bus.Subscribe(p, content.TreeStatuses, bus.Optional),
		blobs:     bus.Subscribe(p, content.Blobs, bus.Optional),
		metaData:  bus.Subscribe(p, app.MetaData, bus.Optional),
		zedagent:  bus.Subscribe(p, node.ZedAgent, bus.Optional),
		nodeagent: bus.Subscribe(p, node.NodeAgent, bus.Optional),
		names:     bus.Subscribe(p, node.Info, bus.Optional),
		items:     bus.Subscribe(p, config.Items, bus.Optional),
		itemStat:  bus.Subscribe(p, config.Status, bus.Optional),
		net:       bus.Subscribe(p, network.DNS, bus.Optional),
		dpcl:      bus.Subscribe(p, network.DPCL, bus.Optional),
		adapters:  bus.Subscribe(p, network.Assignable, bus.Optional),
		memory:    bus.Subscribe(p, domain.Host, bus.Quiet), // news of guests come with it
		caps:      bus.Subscribe(p, domain.Caps, bus.Optional),
		tpm:       bus.Subscribe(p, security.Tpm, bus.Optional),
		host:      bus.Subscribe(p, hyper.Host, bus.Optional),
		boot:      bus.Subscribe(p, boot.Boot, bus.Optional),
		parts:     bus.Subscribe(p, boot.Parts, bus.Optional),
		space:     bus.Subscribe(p, store.Space, bus.Optional),
		files:     bus.Subscribe(p, store.Files, bus.Optional),
	}
}

// Step notices what has changed and moves the queue on.
func (a *reporter) Step(t *agent.Turn) {
	id := a.identity.Get(entity.Global)
	if id == nil || id.DeviceUUID == "" {
		return
	}
	p := pace{}
	if old := a.pace.Get("pace"); old != nil {
		p = *old
	}
	// After the agent's start the queue is empty, and a new epoch or identity wants everything again.
	all := p.Device != id.DeviceUUID
	if e, known := a.epoch(); known && (!p.Known || p.Epoch != e) {
		all = all || p.Known
		p.Epoch, p.Known = e, true
	}
	if all {
		if p.Device != "" {
			a.conn.ForgetSent()
			a.conn.Forget(deviceItem(p.Device))
		}
		p.Device = id.DeviceUUID
	}
	p.Gone = a.entities(t, all) > 0 || p.Gone
	a.device(t, &p, all)
	a.afresh(t, &p)
	a.pace.Put(p)
	a.conn.Pump(t, func(i controllerconn.Item) controllerconn.Message { return a.build(t, &p, i) })
	a.forget(&p)
	a.pace.Put(p)
}

// forget drops what is gone once that was told.
func (a *reporter) forget(p *pace) {
	if !p.Gone {
		return
	}
	p.Gone = false
	for key, r := range a.reported.All() {
		switch {
		case r.Rev != 0:
		case a.conn.IsDue(item(r.Kind, r.ID)), a.conn.Refused(item(r.Kind, r.ID)):
			p.Gone = true
		default:
			a.conn.Forget(item(r.Kind, r.ID))
			a.reported.Delete(key)
		}
	}
}

// again makes what the controller refused for good due once more, at the pace of the device's own
// report: the queue has dropped the message, but the state is still not known there.
//
// EVE: pillar's controllerconn tells it when it changes, or never.
func (a *reporter) again(t *agent.Turn) {
	for _, r := range a.reported.All() {
		i := item(r.Kind, r.ID)
		if !a.conn.IsDue(i) && (a.conn.Refused(i) || r.Rev != 0 && !a.conn.Said(i)) {
			a.conn.MarkDue(t, i, false)
		}
	}
}

func (a *reporter) epoch() (int64, bool) {
	if z := a.zedagent.Get("zedagent"); z != nil && !z.LastProcessedConfig.IsZero() {
		return z.ControllerEpoch, true
	}
	return 0, false
}

// debounce is how long changes are collected into one message.
const debounce = time.Second

func deviceItem(uuid string) controllerconn.Item {
	return controllerconn.Item{
		Class: controllerconn.ClassRest, Kind: string(report.KindDevice), Entity: uuid}
}

// device makes the device due when its rows have changed, and when its ticker says so.
func (a *reporter) device(t *agent.Turn, p *pace, all bool) {
	// The wall clock at boot, as it is known now; small corrections of the clock do not count.
	if at := t.Wall.Add(-t.Now); at.Sub(p.BootTime).Abs() > 5*time.Second {
		p.BootTime = at.Truncate(time.Second)
		p.Retell = t.Now + eveapi.LateBy
		t.WakeAt("retell", p.Retell)
	}
	if p.Ticks > 0 && !all && t.Now < p.Next && !a.moved() {
		return
	}
	stamp := a.stamp()
	tick := p.Ticks == 0 || t.Now >= p.Next
	if tick {
		p.Ticks++
		every := a.items.Get(entity.Global).Seconds(config.DeviceInfoInterval)
		p.Next = t.Now + t.Between("device/"+strconv.Itoa(p.Ticks), every*8/10, every*12/10)
		t.WakeAt("device", p.Next)
		a.again(t)
	}
	if tick || all || stamp != p.Stamp {
		a.conn.MarkDueAt(t, deviceItem(p.Device), t.Now+debounce, tick || all)
	}
	p.Stamp = stamp
}
