package zedagentmetrics

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// cycle is where the agent is between two messages.
type cycle struct {
	Stage    stage
	Count    int
	Next     time.Duration // since boot: when the next sample is due
	Interval time.Duration // in force
	Told     time.Duration // the interval that the message under way tells
}

// Key is "cycle".
func (cycle) Key() string { return "cycle" }

type stage uint8

// Stages of a cycle.
const (
	stageStart stage = iota
	stageWaiting
	stageSampling
	stageSending
)

var (
	conn   = controllerconn.Declare("zedagent-metrics")
	cycles = bus.NewTopic[cycle](bus.Decl{
		Owner: "zedagent-metrics", Name: "Cycle", Life: bus.Local, MaxRows: 1})
	samples = bus.NewTopic[sample](bus.Decl{
		Owner: "zedagent-metrics", Name: "Sample", MaxRows: 1, MaxBytes: 1 << 20})
)

// meter is its wiring.
type meter struct {
	conn      *controllerconn.Conn
	cycles    *bus.Pub[cycle]
	samples   *bus.Pub[sample]
	identity  *bus.Sub[node.OnboardingStatus]
	items     *bus.Sub[config.ConfigItemValueMap]
	net       *bus.Sub[network.DeviceNetworkStatus]
	zedagent  *bus.Sub[node.ZedAgentStatus]
	apps      *bus.Sub[app.AppInstanceStatus]
	instances *bus.Sub[network.NetworkInstanceStatus]
	volumes   *bus.Sub[volume.VolumeStatus]
	volumemgr *bus.Sub[volume.VolumeMgrStatus]
	memory    *bus.Sub[domain.HostMemory]
	space     *bus.Sub[store.SpaceSeen]
	maps      *bus.SubFamily[metrics.MetricsMap]
	flowlog   *bus.Sub[metrics.FlowlogMetrics]
	own       *bus.Pub[metrics.MetricsMap]
	nic       *agent.Calls[nic.CountersReq, nic.CountersRes]
	bridge    *agent.Calls[bridge.CountersReq, bridge.CountersRes]
	hyper     *agent.Calls[hyper.UsageReq, hyper.UsageRes]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &meter{
		conn:      controllerconn.Attach(p, conn, controllerconn.Options{}),
		cycles:    bus.Publish(p, cycles),
		samples:   bus.Publish(p, samples),
		identity:  bus.Subscribe(p, node.Onboarding),
		items:     bus.Subscribe(p, config.Items, bus.Optional),
		net:       bus.Subscribe(p, network.DNS, bus.Quiet),
		zedagent:  bus.Subscribe(p, node.ZedAgent, bus.Quiet),
		apps:      bus.Subscribe(p, app.Statuses, bus.Quiet),
		instances: bus.Subscribe(p, network.InstanceStatus, bus.Quiet),
		volumes:   bus.Subscribe(p, volume.Statuses, bus.Quiet),
		volumemgr: bus.Subscribe(p, volume.Mgr, bus.Quiet),
		memory:    bus.Subscribe(p, domain.Host, bus.Quiet),
		space:     bus.Subscribe(p, store.Space, bus.Quiet),
		maps:      bus.SubscribeFamily(p, metrics.Maps, bus.Quiet),
		flowlog:   bus.Subscribe(p, metrics.Flowlog, bus.Quiet),
		own:       bus.Publish(p, metrics.Maps.Of("zedagent-metrics")),
		nic:       agent.Use(p, nic.Counters),
		bridge:    agent.Use(p, bridge.Counters),
		hyper:     agent.Use(p, hyper.Usages),
	}
}

const key = "metrics"

// Step moves the cycle on.
func (a *meter) Step(t *agent.Turn) {
	id := a.identity.Get(entity.Global)
	if id == nil || id.DeviceUUID == "" {
		return
	}
	c := cycle{}
	if old := a.cycles.Get("cycle"); old != nil {
		c = *old
	}
	a.retime(t, &c)
	switch c.Stage {
	case stageWaiting:
		if t.Now >= c.Next {
			a.ask()
			c.Stage = stageSampling
		}
	case stageSampling:
		if a.sampled() {
			a.take()
			c.Told = a.configured()
			a.send(t, &c, id.DeviceUUID)
		}
	case stageSending:
		if res := a.conn.Get(t, key); res.Over() || res.Phase == agent.None {
			if res.OK() { // a shorter interval may have come meanwhile
				c.Interval = min(c.Told, a.configured())
			}
			a.conn.Drop(t, key)
			c.wait(t)
		}
	}
	a.cycles.Put(c)
}

func (a *meter) configured() time.Duration {
	return a.items.Get(entity.Global).Seconds(config.MetricInterval)
}

// wait draws the time until the next message.
func (c *cycle) wait(t *agent.Turn) {
	c.Stage = stageWaiting
	c.Count++
	c.Next = t.Now + max(c.draw(t), time.Second)
	t.WakeAt("next", c.Next)
}

func (c *cycle) draw(t *agent.Turn) time.Duration {
	return t.Between("metrics/"+strconv.Itoa(c.Count), c.Interval*3/10, c.Interval)
}

// retime starts the first cycle, and takes up a shorter interval at once.
func (a *meter) retime(t *agent.Turn, c *cycle) {
	every := a.configured()
	switch {
	case c.Stage == stageStart:
		c.Interval = every
		c.wait(t)
	case every < c.Interval:
		c.Interval = every
		if c.Stage == stageWaiting && c.Next > t.Now+every {
			c.wait(t)
		}
	}
}

// ask starts the queries.
func (a *meter) ask() {
	a.nic.Drop(key)
	a.bridge.Drop(key)
	a.hyper.Drop(key)
	a.nic.Want(key, nic.CountersReq{})
	a.bridge.Want(key, bridge.CountersReq{})
	a.hyper.Want(key, hyper.UsageReq{})
}

// sampled reports whether the queries are over.
func (a *meter) sampled() bool {
	return a.nic.Get(key).Over() && a.bridge.Get(key).Over() && a.hyper.Get(key).Over()
}
