package metrics

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// FlowCounters counts what became of messages of the flow log, or of what is in them.
type FlowCounters struct {
	Success        uint64 // accepted by the controller
	Drops          uint64 // given up
	FailedAttempts uint64
}

// FlowlogMetrics counts the flow log since boot. Owner: zedagent-flowlog.
type FlowlogMetrics struct{ Messages, Flows, DNSReqs FlowCounters }

// Key is "global".
func (FlowlogMetrics) Key() string { return entity.Global }

// Flowlog is the topic of zedagent-flowlog; subscribe Quiet.
var Flowlog = bus.NewTopic[FlowlogMetrics](bus.Decl{
	Owner: "zedagent-flowlog", Name: "FlowlogMetrics", MaxRows: 1, MaxPuts: 2000})
