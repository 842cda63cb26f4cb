// Package boot is what survives a reset around the operating system: two partitions with their
// states, and the record of why the device was reset.
package boot

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// PartSeen is one of the two partitions of the operating system.
type PartSeen struct {
	Label   string // "IMGA", "IMGB"
	State   string // "active", "updating", "inprogress", "unused"
	Version string // of the image on it, empty if none
	Current bool   // the device booted from it
}

// Key is the label.
func (p PartSeen) Key() string { return p.Label }

// Parts is the topic of partitions.
var Parts = bus.NewTopic[PartSeen](bus.Decl{Owner: "boot", Name: "PartSeen"})

// BootSeen is how this boot came about.
type BootSeen struct {
	First          bool   // the first boot of this installation
	Reason         string // name of the boot reason that was recorded, empty if none was
	RebootReason   string // free text that was recorded
	RebootStack    string
	RebootImage    string    // version that ran when it was recorded; without a record, that runs now
	RebootTime     time.Time // wall clock of the record; zero if there is none
	RestartCounter uint32    // counts boots
	PowerCycled    bool      // the power was off since the last boot, as the disk's counters tell
	CountsPower    bool      // the disk has such counters
	Watchdog       bool      // the hardware watchdog reset the device
	HWWatchdog     bool      // there is a hardware watchdog
}

// Key is "boot".
func (BootSeen) Key() string { return "boot" }

// Boot is the topic of this boot.
var Boot = bus.NewTopic[BootSeen](bus.Decl{Owner: "boot", Name: "BootSeen"})

// ReasonReq records why the device will be reset; the first record stays until the next boot.
type ReasonReq struct {
	Reason string // name of the boot reason
	Text   string
	Stack  string
}

// None is an empty result.
type None struct{}

// SetReason records a reason, durably; Text and Stack are cut to MaxText and MaxStack. Its
// caller is nodeagent.
var SetReason = agent.NewOp[ReasonReq, None](agent.OpDecl{
	Name: "boot.SetReason", Limit: 30 * time.Second})
