package trace

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// Frame is a Boot, a Table, a Start, a Seen or a Turn.
type Frame interface{ frame() }

// Boot begins what was recorded of a boot of a device: the boot itself or, where the recording
// began in the middle of it, the instant when it did. Tables and starts of all its agents follow.
type Boot struct {
	Device string
	Boot   uint64        // from 1
	Now    time.Duration // since the boot
	Wall   time.Time
}

// Table is what a topic held at a revision. Topics of which a boot lists no table were empty, at
// the revision Base. Old tables are versions before one that stands in the recording already.
type Table struct {
	Device   string
	Boot     uint64
	Topic    string // "owner/Name"
	Rev      uint64
	Complete bool
	Old      bool
	Rows     []Row
}

// Base is the revision of topics before anything is put in a boot.
func Base(boot uint64) uint64 { return boot << 32 }

// Row is a row as it was put; a Val that is zero says that it was deleted.
type Row struct {
	Topic string // "owner/Name"
	Key   string
	Rev   uint64
	Val   pack.Value
}

// Start is a start of an agent, or how far it was when the recording began.
type Start struct {
	Device string
	Boot   uint64
	Agent  string
	Now    time.Duration
	// Start counts the starts since the boot, from 1; Turn the turns before.
	Start, Turn uint64
	// Draw is where the draws of this start begin (host.DrawOf).
	Draw uint64
	// Crash says that the agent started anew: its Local tables are empty, and their revision is one
	// above that of before, for each start between.
	Crash bool
	Lost  []string // the Local tables that held something before, by topic
	// Begun says that the agent has had a turn since: what follows says how far it was.
	Begun bool
	Shown []Move // what the last turn was shown
	Own   []Move // its own tables as it left them
	Calls []Held
	Wakes []Wake
}

// Held is a call as its agent had it. Req is as in Call.
type Held struct {
	Op, Key      string
	Req          uint32
	Phase        agent.Phase
	Tries        int
	Began, Ended time.Duration
	Res          pack.Value
	Fault        *agent.Fault
}

// Seen is what a device part put in one step.
type Seen struct {
	Device string
	Boot   uint64
	Part   string
	Now    time.Duration
	Rows   []Row
}

// Turn is one turn of an agent.
type Turn struct {
	Device string
	Boot   uint64 // of the device, from 1
	Agent  string
	Start  uint64 // of the agent since the boot, from 1
	Turn   uint64 // of the agent since the boot, from 1
	Now    time.Duration
	Wall   time.Time
	Full   bool

	Moves  []Move   // topics shown anew
	Due    []string // deadlines that had passed
	Starts []Began  // calls that are not as Presumed says
	Ends   []End    // outcomes that had arrived

	Rows  []Row
	Whole []string // topics declared complete
	Calls []Call
	Wakes []Wake
}

// Move says up to which revision a topic was shown.
type Move struct {
	Topic    string
	Rev      uint64
	Complete bool
}

// Began says how far a call was that the turn before, or an earlier one, had asked for. A call of
// which no turn says so began in the instant of the turn that asked for it.
type Began struct {
	Op, Key string
	Queued  bool
	At      time.Duration // when it began, unless it is queued
}

// End is the outcome of a call: a result or a fault.
type End struct {
	Op, Key      string
	Tries        int
	Began, Ended time.Duration
	Res          pack.Value
	Fault        *agent.Fault
}

// Call is a call wanted, redone or dropped. Req is a checksum of the request that is wanted
// (the lower half of agent.OpDecl.SumReq): requests themselves are not in a recording.
type Call struct {
	Verb    host.Verb
	Op, Key string
	Req     uint32
}

// String is the call for people.
func (c *Call) String() string {
	verb := map[host.Verb]string{host.Want: "want", host.Redo: "redo", host.Drop: "drop"}[c.Verb]
	if c.Verb != host.Want {
		return verb + " " + c.Op + "/" + c.Key
	}
	return fmt.Sprintf("%s %s/%s with request %08x", verb, c.Op, c.Key, c.Req)
}

// Wake is a deadline set, or dropped where At is negative.
type Wake struct {
	Key string
	At  time.Duration
}

func (*Boot) frame()  {}
func (*Table) frame() {}
func (*Start) frame() {}
func (*Seen) frame()  {}
func (*Turn) frame()  {}

// magic begins every recording: a name and the version of the format.
const (
	magicName = "evtrace"
	magic     = magicName + "2\n"
)

// Kinds of frames.
const (
	kindBoot  byte = 'b'
	kindTable byte = 'h'
	kindStart byte = 's'
	kindSeen  byte = 'p'
	kindTurn  byte = 't'
)

// What a turn's frame has.
const (
	hasFull = 1 << iota
	hasEnds
	hasRows
	hasCalls
	hasWakes
	hasMoves
	hasDue
	hasStarts
	hasWhole
	hasClock // the wall clock moved otherwise than the time since boot
	hasSkip  // turns between were discarded
)

// How a row is written.
const (
	rowGone   = 1 << iota // deleted
	rowBefore             // its base is what stood under its key, else the topic's last row
	rowRev                // its revision is not the topic's last plus one
	rowType               // the topic's life and the type of its rows stand behind it
)

// How an outcome is written.
const (
	endFault = 1 << iota
	endRetry
	endType // the type of the op's results is described behind it
	endNone // neither a result nor a fault
)

// How a call is written: its verb, and whether its request is that of the op's last.
const (
	callWant = iota
	callRedo
	callDrop
	callSame
)
