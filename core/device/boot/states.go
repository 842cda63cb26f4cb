package boot

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Labels of the partitions of the operating system.
const (
	ImgA = "IMGA"
	ImgB = "IMGB"
)

// States of a partition.
const (
	Active     = "active"     // works, and is booted from
	Updating   = "updating"   // is booted from once, at the next reset
	InProgress = "inprogress" // was booted from as an update, and is not known to work
	Unused     = "unused"
)

// Attributes of a partition as the boot loader has them in the GPT, 16 bits above the lowest 48 of
// the attributes: bits 0-3 are its priority, 4-7 how often it may be tried, 8 that it works.
const (
	activeBits     = 0x102
	updatingBits   = 0x013
	inProgressBits = 0x003
)

// Attributes are those of a state; zero for Unused, and for what is no state.
func Attributes(state string) uint16 {
	switch state {
	case Active:
		return activeBits
	case Updating:
		return updatingBits
	case InProgress:
		return inProgressBits
	}
	return 0
}

// StateOf is the state that attributes stand for, as a boot loader takes them: what works is
// Active, what may be tried Updating, and what has a priority without either InProgress.
func StateOf(attributes uint16) string {
	switch {
	case attributes&0x100 != 0:
		return Active
	case attributes&0xf0 != 0:
		return Updating
	case attributes&0xf != 0:
		return InProgress
	}
	return Unused
}

// Choose is which partition the boot loader takes, and its attributes after that: the first of the
// highest priority that works or may be tried, which uses up a try of one that is not known to
// work; -1 if there is none.
func Choose(attributes []uint16) (chosen int, after uint16) {
	chosen = -1
	for i, a := range attributes {
		if a&0x1f0 != 0 && (chosen < 0 || a&0xf > attributes[chosen]&0xf) {
			chosen = i
		}
	}
	if chosen < 0 {
		return -1, 0
	}
	after = attributes[chosen]
	if after&0x100 == 0 {
		after -= 0x10
	}
	return chosen, after
}

// MarkReq gives a partition another state.
type MarkReq struct {
	Label string
	// State is Active for the partition that the device booted from: then the other becomes Unused,
	// in the same instant. For the other it is Updating or Unused.
	State string
}

// Mark gives a partition another state, durably: the boot loader sees the old states or the new
// ones, whatever happens meanwhile.
var Mark = agent.NewOp[MarkReq, None](agent.OpDecl{Name: "boot.Mark", Limit: 30 * time.Second})

// Limits of a record of why the device was reset.
const (
	MaxReason = 64
	MaxText   = 4 << 10  // bytes of a text: the first
	MaxStack  = 32 << 10 // bytes of a stack: the last
)

// Fault codes.
const (
	FaultNoPart  = "no-partition" // there is no such partition
	FaultRefused = "refused"      // not a state to give to the partition, or no reason
	FaultIO      = "io"           // the disk failed; Retry
)

// Check says why a state cannot be given to a partition, nil if it can. current is the label of
// the one that the device booted from.
func (q *MarkReq) Check(current string) *agent.Fault {
	switch {
	case q.Label != ImgA && q.Label != ImgB:
		return &agent.Fault{Code: FaultNoPart, Text: "mark " + q.Label + ": there is no such partition"}
	case q.Label == current && q.State == Active,
		q.Label != current && (q.State == Updating || q.State == Unused):
		return nil
	}
	return &agent.Fault{Code: FaultRefused, Text: "mark " + q.Label + " " + q.State +
		": the device booted from " + current}
}

// Trim cuts a record to its limits. One without a reason, or with one that is no word, is refused.
func (q ReasonReq) Trim() (ReasonReq, *agent.Fault) {
	ok := q.Reason != "" && len(q.Reason) <= MaxReason
	for _, c := range []byte(q.Reason) {
		ok = ok && c > ' ' && c < 0x7f
	}
	if !ok {
		return q, &agent.Fault{Code: FaultRefused, Text: "record a reason: it is no word"}
	}
	q.Text = q.Text[:min(len(q.Text), MaxText)]
	q.Stack = q.Stack[len(q.Stack)-min(len(q.Stack), MaxStack):]
	return q, nil
}
