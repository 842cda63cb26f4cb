package zedagentmetrics

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
	counters "github.com/evetwin/evetwin/core/topics/metrics"
)

func TestCountersOfTheFlowLog(t *testing.T) {
	b := newBench(t)
	rig.Put(b.Rig, counters.Flowlog, counters.FlowlogMetrics{
		Messages: counters.FlowCounters{Success: 1, Drops: 2, FailedAttempts: 3},
		Flows:    counters.FlowCounters{Success: 4}, DNSReqs: counters.FlowCounters{Drops: 5}})
	m, _ := b.next(61 * time.Second)
	f := m.GetDm().GetFlowlog()
	if x := f.GetMessages(); x.GetSuccess() != 1 || x.GetDrops() != 2 || x.GetFailedAttempts() != 3 {
		t.Errorf("messages %v", x)
	}
	if f.GetFlows().GetSuccess() != 4 || f.GetDnsRequests().GetDrops() != 5 {
		t.Errorf("flows %v, names %v", f.GetFlows(), f.GetDnsRequests())
	}
}
