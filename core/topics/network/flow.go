package network

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// FlowScope is the interface of an application that records of flows are about.
type FlowScope struct {
	AppID   string // UUID
	Adapter string // its name in the application
	Vif     string
	Network string // UUID of the network instance
}

// FlowRecord is a flow of an application, seen from it.
type FlowRecord struct {
	Local, Remote         netip.Addr
	LocalPort, RemotePort uint16
	Protocol              uint8
	Inbound               bool // the other end opened it
	ACLID                 int32
	ACLName               string
	Dropped               bool
	Began, Ended          time.Time // wall
	TxBytes, TxPkts       uint64    // sent by the application
	RxBytes, RxPkts       uint64
}

// DNSRequest is a name that an application asked for.
type DNSRequest struct {
	HostName string
	Addrs    []netip.Addr
	At       time.Time // wall
}

// IPFlow is records of the flow log that make one message. Owner: zedrouter-flows. Rows are
// numbered, and go when zedagent-flowlog has taken them.
type IPFlow struct {
	Number uint64
	Scope  FlowScope
	Flows  []FlowRecord
	DNS    []DNSRequest
}

// MaxFlowRecords bounds the records of a row; a name counts for each of its addresses, too.
const MaxFlowRecords = 125

// Key is the number, so that rows are in their order.
func (f IPFlow) Key() string { return fmt.Sprintf("%020d", f.Number) }

// MaxIPFlows is how many rows wait to be taken when no more are added.
const MaxIPFlows = 100

// IPFlows is the topic of zedrouter-flows. A collection may bring a row for each of many
// interfaces.
var IPFlows = bus.NewTopic[IPFlow](bus.Decl{
	Owner: "zedrouter-flows", Name: "IPFlow", MaxRows: 2000, MaxBytes: 128 << 10})

// IPFlowTaken says up to which number rows of IPFlow were taken, or dropped. Owner:
// zedagent-flowlog.
type IPFlowTaken struct{ Upto uint64 }

// Key is "taken".
func (IPFlowTaken) Key() string { return "taken" }

// IPFlowsTaken is the topic of zedagent-flowlog.
var IPFlowsTaken = bus.NewTopic[IPFlowTaken](bus.Decl{
	Owner: "zedagent-flowlog", Name: "IPFlowTaken", MaxRows: 1, MaxPuts: 2000})
