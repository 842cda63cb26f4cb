package zedrouterflows

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/topics/network"
)

// How often records are collected: EVE's.
const (
	soonest = 108 * time.Second
	latest  = 120 * time.Second
)

// cursor is up to where the records of the part are in rows, and the number of the newest row.
type cursor struct {
	Mark   bridge.FlowMark
	Number uint64
}

// Key is "cursor".
func (cursor) Key() string { return "cursor" }

// cycle is where the agent is between two collections.
type cycle struct {
	Stage stage
	Count int
	Next  time.Duration // since boot: when to collect; of stageWaiting
	Lost  uint64        // records that the part lost, as last told
}

// Key is "cycle".
func (cycle) Key() string { return "cycle" }

type stage uint8

// Stages of a cycle.
const (
	stageIdle stage = iota
	stageWaiting
	stageCollecting
)

var (
	cursors = bus.NewTopic[cursor](bus.Decl{
		Owner: "zedrouter-flows", Name: "FlowCursor", MaxRows: 1, MaxPuts: 1000})
	cycles = bus.NewTopic[cycle](bus.Decl{
		Owner: "zedrouter-flows", Name: "Cycle", Life: bus.Local, MaxRows: 1, MaxPuts: 1000})
)

// collector is its wiring.
type collector struct {
	records *bus.Sub[bridge.RecordsSeen]
	configs *bus.Sub[network.AppNetworkConfig]
	taken   *bus.Sub[network.IPFlowTaken]
	rows    *bus.Pub[network.IPFlow]
	cursor  *bus.Pub[cursor]
	cycle   *bus.Pub[cycle]
	flows   *agent.Calls[bridge.FlowsReq, bridge.FlowsRes]
}

// New wires the agent.
func New(p bus.Port) agent.Agent {
	return &collector{
		records: bus.Subscribe(p, bridge.Records),
		configs: bus.Subscribe(p, network.AppNetworks, bus.Quiet),
		taken:   bus.Subscribe(p, network.IPFlowsTaken, bus.Optional),
		rows:    bus.Publish(p, network.IPFlows),
		cursor:  bus.Publish(p, cursors),
		cycle:   bus.Publish(p, cycles),
		flows:   agent.Use(p, bridge.Flows),
	}
}

// key is that of the one call.
const key = "flows"

// Step moves the cycle on.
func (a *collector) Step(t *agent.Turn) {
	a.clear()
	c := cycle{}
	if old := a.cycle.Get("cycle"); old != nil {
		c = *old
	}
	switch c.Stage {
	case stageIdle:
		if a.wanted() {
			c.wait(t)
		}
	case stageWaiting:
		switch {
		case !a.wanted():
			c.Stage = stageIdle
			t.Unwake("next")
		case t.Now >= c.Next:
			a.ask(&c)
		default:
			t.WakeAt("next", c.Next)
		}
	case stageCollecting:
		a.collect(t, &c)
	}
	a.cycle.Put(c)
}

// clear removes the rows that were taken.
func (a *collector) clear() {
	x := a.taken.Get("taken")
	if x == nil || a.rows.Len() == 0 {
		return
	}
	a.rows.Keep(func(key string) bool { return a.rows.Get(key).Number > x.Upto })
}

// wanted reports whether there may be something to collect.
func (a *collector) wanted() bool {
	r := a.records.Get("records")
	return r != nil && r.May
}

// wait draws the time of the next collection.
func (c *cycle) wait(t *agent.Turn) {
	c.Stage = stageWaiting
	c.Count++
	c.Next = t.Now + t.Between("flows/"+strconv.Itoa(c.Count), soonest, latest)
	t.WakeAt("next", c.Next)
}

// ask starts a collection of what is behind the records that are safe.
func (a *collector) ask(c *cycle) {
	c.Stage = stageCollecting
	req := bridge.FlowsReq{}
	if x := a.cursor.Get("cursor"); x != nil {
		req.After = x.Mark
	}
	a.flows.Drop(key)
	a.flows.Want(key, req)
}

// collect takes what a collection brought.
func (a *collector) collect(t *agent.Turn, c *cycle) {
	call := a.flows.Get(key)
	if call.Phase != agent.None && !call.Over() {
		return
	}
	more := false
	if call.Phase == agent.Done {
		if lost := call.Res.Lost; lost > c.Lost {
			t.Log(agent.Warn, "", strconv.FormatUint(lost-c.Lost, 10)+
				" records of the flow log were lost, since there were too many")
		}
		c.Lost = call.Res.Lost
		more = a.publish(call.Res) && call.Res.More
	}
	a.flows.Drop(key)
	switch {
	case more:
		a.ask(c)
	case a.wanted():
		c.wait(t)
	default:
		c.Stage = stageIdle
	}
}
