package bridge

import (
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// The flow log: what guests of interfaces with FlowLog exchanged with whom, and which names they
// asked the DNS service of their bridge for. It is no table, since flows come in thousands: the
// part keeps records, numbered, until the caller of Flows says that it has them. Without FlowLog
// nothing is recorded, and what was recorded of an interface is forgotten when its flow log is
// turned off.
//
// A flow is the packets between two ends, in both directions. One that was admitted is recorded
// when it has rested: nothing was seen of it for FlowRest at least, longer for a connection that
// was not closed. If it goes on after that, what is new is another record. Of one that was dropped
// at the interface each collection records what is new. What every guest needs (addresses, names,
// metadata, neighbours) is no flow, nor is what is sent to many. The rules that were in force when
// a flow was opened count for it.
//
// EVE: may record a flow twice, with all its packets each time.

// FlowRest is how long a flow rests at least before it is recorded.
const FlowRest = 30 * time.Second

// MaxRecords bounds the records that a part keeps; those that come to a full house are lost.
const MaxRecords = 10_000

// MostRecords is how many records an answer has at most.
const MostRecords = 1000

// RecordsSeen says whether Flows may have something to tell.
type RecordsSeen struct {
	// May is false only while there is nothing to tell: no flow that goes on, and no record. A part
	// that does not know of flows without looking says true while an interface has a flow log.
	May bool
}

// Key is "records".
func (RecordsSeen) Key() string { return "records" }

// Records is the topic of its one row.
var Records = bus.NewTopic[RecordsSeen](bus.Decl{Owner: "bridge", Name: "RecordsSeen", MaxRows: 1})

// Endpoint is the interface of a guest that a record is about.
type Endpoint struct {
	Vif     string
	App     string // UUID
	Adapter string // its name in the application
	Network string // UUID of the network instance
}

// Flow is a record of a flow, seen from the guest.
type Flow struct {
	Endpoint
	// Inbound says that the other end opened it.
	Inbound bool
	// Protocol is the number of the protocol.
	Protocol uint8
	// Local is the guest's address, Remote the other end's as the guest knows it: of a mapped port
	// the client's. Ports are 0 but for TCP, UDP and the like.
	Local, Remote         netip.Addr
	LocalPort, RemotePort uint16
	// RuleID is that of the access rule that decided, 0 if none matched, so that it was dropped.
	RuleID int32
	// Dropped says that its packets were dropped at the guest's interface.
	Dropped bool
	// Began is when its first packet came that is counted here, Ended when the last one was known to
	// have come: by the device's clock, to a few seconds.
	Began, Ended time.Time
	// Tx is what the guest sent, Rx what it was sent.
	TxBytes, TxPkts, RxBytes, RxPkts uint64
}

// Lookup is a record of a name that a guest asked for.
type Lookup struct {
	Endpoint
	Name  string
	Addrs []netip.Addr // sorted; empty if there is none, or no answer came
	At    time.Time
}

// FlowMark is a place in the records of a part: behind a number, of one life of the part. The zero
// mark is before all of them.
type FlowMark struct {
	Life   uint64 // never 0 for a part that lives
	Number uint64
}

// FlowsReq asks for the records behind a mark. Those up to it are forgotten; so a mark may only be
// given when what came before it is safe. A mark of another life is before all records.
type FlowsReq struct{ After FlowMark }

// FlowsRes has the oldest records behind a mark, in the order in which they were made.
type FlowsRes struct {
	Flows   []Flow
	Lookups []Lookup
	// Upto is the mark behind the last of them.
	Upto FlowMark
	// More says that there are more behind it.
	More bool
	// Lost counts the records of this life that were lost.
	Lost uint64
}

// Flows collects the flow log.
var Flows = agent.NewOp[FlowsReq, FlowsRes](agent.OpDecl{
	Name: "bridge.Flows", Class: "bridge.flows", Limit: 10 * time.Second})

// ToMany reports whether packets to an address are for many.
func ToMany(a netip.Addr) bool {
	return a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
