package trace

import (
	"encoding/json"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/host"
)

// Frame is a Turn or a Table.
type Frame interface{ frame() }

// Table is what a topic held when the recording of a boot began; tables of which a boot lists none
// were empty.
type Table struct {
	Device   string
	Boot     uint64
	Topic    string // "owner/Name"
	Rev      uint64
	Complete bool
	Rows     []Row
}

// Row is a row as it was put; Val is its JSON, nil if it was deleted.
type Row struct {
	Topic string // "owner/Name"
	Key   string
	Rev   uint64
	Val   json.RawMessage
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

	Moves []Move   // topics shown anew
	Fed   []Row    // rows that this turn was the first to be shown; their publishers are parts
	Due   []string // deadlines that had passed
	Ends  []End    // outcomes that had arrived

	Rows  []Row
	Whole []string // topics declared complete
	Calls []Call
	Wakes []Wake
	// Sum is the checksum of all that the agent did from the boot to this turn, requests included.
	Sum uint64
}

// Move says up to which revision a topic was shown.
type Move struct {
	Topic    string
	Rev      uint64
	Complete bool
}

// End is the outcome of a call: a result as JSON, or a fault.
type End struct {
	Op, Key      string
	Tries        int
	Began, Ended time.Duration
	Res          json.RawMessage
	Fault        *agent.Fault
}

// Call is a call wanted, redone or dropped.
type Call struct {
	Verb    host.Verb
	Op, Key string
}

// Wake is a deadline set, or dropped where At is negative.
type Wake struct {
	Key string
	At  time.Duration
}

func (*Table) frame() {}
func (*Turn) frame()  {}

// magic begins every recording.
const magic = "evtrace1\n"

// Kinds of frames.
const (
	kindTable byte = 'h'
	kindTurn  byte = 't'
)

// Flags of a turn, an end and a row.
const (
	flagFull  = 1
	flagFault = 1
	flagRetry = 2
	flagGone  = 0 // in the place of a value's length plus one
)

// texts shorter than this and earlier than that many are numbered.
const (
	maxName  = 64
	maxNames = 1 << 16
)
