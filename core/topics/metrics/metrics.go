// Package metrics has the topics of counters. Counters that move all the time are sampled by a
// query when a report is due; rows hold what is kept between reports.
package metrics

import (
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// URLCounters counts exchanges with one URL over one port.
type URLCounters struct {
	URL           string
	TryMsgCount   int64
	TryByteCount  int64
	SentMsgCount  int64
	SentByteCount int64
	RecvMsgCount  int64
	RecvByteCount int64
	TotalTimeMs   int64
}

// PortCounters counts exchanges over one port.
type PortCounters struct {
	Interface              string
	FailureCount           int64
	SuccessCount           int64
	LastFailure            int64 // unix seconds, 0: none
	LastSuccess            int64 // unix seconds, 0: none
	AuthVerifyFailureCount int64
	URLs                   []URLCounters // by URL
}

// MetricsMap is an agent's counters of exchanges with the controller and datastores.
type MetricsMap struct {
	Ports []PortCounters // by interface
}

// Key is "global".
func (MetricsMap) Key() string { return entity.Global }

// Maps is the family of every agent that sends; subscribe Quiet.
var Maps = bus.NewFamily[MetricsMap](bus.Decl{Name: "MetricsMap", MaxPuts: 2000},
	"zedclient", "zedagent", "zedagent-info", "zedagent-metrics", "zedagent-flowlog", "nim",
	"downloader", "diag")
