package zedagentflowlog

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/eveapi/report"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	// maxQueue bounds the queue; what comes to a full one is dropped.
	maxQueue = 100
	// crowded is how many messages may wait while the first one is sent again; of more the first is
	// dropped when it fails.
	crowded = maxQueue * 9 / 10
	// firstWait and longestWait bound the pauses before a message is sent again; each is twice the
	// one before.
	firstWait   = time.Second
	longestWait = 128 * time.Second
)

// message is one of the queue.
type message struct{ network.IPFlow }

// Key is the number.
func (m message) Key() string { return m.IPFlow.Key() }

// pace is how the first message of the queue fares.
type pace struct {
	Number uint64        // of the message
	Failed int           // attempts
	Next   time.Duration // since boot: when to send it again
}

// Key is "pace".
func (pace) Key() string { return "pace" }

var (
	conn  = controllerconn.Declare("zedagent-flowlog")
	queue = bus.NewTopic[message](bus.Decl{Owner: "zedagent-flowlog", Name: "FlowMessage",
		MaxRows: maxQueue, MaxBytes: 128 << 10})
	paces = bus.NewTopic[pace](bus.Decl{Owner: "zedagent-flowlog", Name: "Pace", Life: bus.Local,
		MaxRows: 1, MaxPuts: 2000})
)

// sender is its wiring.
type sender struct {
	conn   *controllerconn.Conn
	flows  *bus.Sub[network.IPFlow]
	taken  *bus.Pub[network.IPFlowTaken]
	queue  *bus.Pub[message]
	pace   *bus.Pub[pace]
	counts *bus.Pub[metrics.FlowlogMetrics]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &sender{
		conn:   controllerconn.Attach(p, conn, controllerconn.Options{}),
		flows:  bus.Subscribe(p, network.IPFlows, bus.Optional),
		taken:  bus.Publish(p, network.IPFlowsTaken),
		queue:  bus.Publish(p, queue),
		pace:   bus.Publish(p, paces),
		counts: bus.Publish(p, metrics.Flowlog),
	}
}

// key is that of the one exchange.
const key = "flowlog"

// Step takes what is new and moves the queue on.
func (a *sender) Step(t *agent.Turn) {
	a.take(t)
	device := a.conn.Device()
	if device == "" {
		return
	}
	if res := a.conn.Get(t, key); res.Phase != agent.None {
		if !res.Over() {
			return
		}
		a.ended(t, &res)
		a.conn.Drop(t, key)
	}
	m := a.first()
	if m == nil {
		a.pace.Delete("pace")
		return
	}
	if p := a.pace.Get("pace"); p != nil && p.Number == m.Number && t.Now < p.Next {
		t.WakeAt("again", p.Next)
		return
	}
	body, err := eveapi.FlowLogBody(report.FlowLog(&m.IPFlow, device))
	if err != nil {
		t.Log(agent.Err, m.Scope.AppID, "flow log: "+err.Error())
		a.drop(m)
		return
	}
	a.conn.Want(t, key, controllerconn.Request{Endpoint: eveapi.FlowLog, Payload: body})
}

// take puts new records into the queue, or drops them if it is full.
func (a *sender) take(t *agent.Turn) {
	x := network.IPFlowTaken{}
	if old := a.taken.Get("taken"); old != nil {
		x = *old
	}
	dropped := 0
	for _, f := range a.flows.All() {
		switch {
		case f.Number <= x.Upto:
			continue
		case a.queue.Len() < maxQueue:
			a.queue.Put(message{*f})
		default:
			dropped++
			a.count(f, dropsOf)
		}
		x.Upto = f.Number
	}
	a.taken.Put(x)
	if dropped > 0 {
		t.Log(agent.Warn, "", fmt.Sprintf("the queue of the flow log is full: %d messages are lost",
			dropped))
	}
}

// first is the first message of the queue, nil if it is empty.
func (a *sender) first() *message {
	for _, m := range a.queue.All() {
		return m
	}
	return nil
}

// ended takes the outcome for the first message.
func (a *sender) ended(t *agent.Turn, res *controllerconn.Result) {
	m := a.first()
	if m == nil {
		return
	}
	if res.OK() {
		a.count(&m.IPFlow, successOf)
		a.queue.Delete(m.Key())
		return
	}
	a.count(&m.IPFlow, failuresOf)
	if a.queue.Len() > crowded {
		a.drop(m)
		return
	}
	p := pace{Number: m.Number}
	if old := a.pace.Get("pace"); old != nil && old.Number == m.Number {
		p = *old
	}
	p.Next = t.Now + min(firstWait<<min(p.Failed, 10), longestWait)
	p.Failed++
	a.pace.Put(p)
	t.WakeAt("again", p.Next)
}

// drop gives a message up.
func (a *sender) drop(m *message) {
	a.count(&m.IPFlow, dropsOf)
	a.queue.Delete(m.Key())
}

// What may become of a message.
func successOf(c *metrics.FlowCounters) *uint64  { return &c.Success }
func dropsOf(c *metrics.FlowCounters) *uint64    { return &c.Drops }
func failuresOf(c *metrics.FlowCounters) *uint64 { return &c.FailedAttempts }

// count counts a message and what is in it.
func (a *sender) count(f *network.IPFlow, of func(*metrics.FlowCounters) *uint64) {
	x := metrics.FlowlogMetrics{}
	if old := a.counts.Get("global"); old != nil {
		x = *old
	}
	*of(&x.Messages)++
	*of(&x.Flows) += uint64(len(f.Flows))
	*of(&x.DNSReqs) += uint64(len(f.DNS))
	a.counts.Put(x)
}
