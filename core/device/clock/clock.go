// Package clock is the wall clock: whether it can be trusted, and how it is set.
package clock

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// ClockSeen is the state of the wall clock.
type ClockSeen struct {
	RTC    bool // the device has a clock that runs without power
	Synced bool // set from the network or from a trusted RTC since boot
}

// Key is "clock".
func (ClockSeen) Key() string { return "clock" }

// Clock is the topic of the clock.
var Clock = bus.NewTopic[ClockSeen](bus.Decl{Owner: "clock", Name: "ClockSeen"})

// SyncReq asks for the time to be set from NTP servers through the device's network.
type SyncReq struct{ Servers []string }

// None is an empty result.
type None struct{}

// Sync sets the wall clock. Its caller is waitforaddr.
var Sync = agent.NewOp[SyncReq, None](agent.OpDecl{Name: "clock.Sync", Limit: 2 * time.Minute})

// Codes of faults; both set Retry.
const (
	// FaultNoServer says that no server answered with a time.
	FaultNoServer = "no-server"
	// FaultFailed says that the system did not let its clock be set.
	FaultFailed = "failed"
)
