package node

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
)

// RequestState is how far a request of the operator is.
type RequestState uint8

// States of a request.
const (
	RequestRunning RequestState = iota // it is being carried out
	RequestDone                        // it was carried out
	RequestRefused                     // it was not; Reason says why
)

// String is the state in a word.
func (s RequestState) String() string {
	return [...]string{"running", "done", "refused"}[min(s, RequestRefused)]
}

// OperatorRequestStatus is what became of a request that was made at the device itself. The newest
// stay to be looked at. It is not in EVE, which only logs it. Owner: monitor.
type OperatorRequestStatus struct {
	ID    string // that of the request, in the order in which they came
	Kind  string // EVE's name of the request
	About string // the interface or server it is about
	State RequestState
	// Reason is why it was refused, for people; Fields are those that are wrong, "name: reason" each.
	// It is no error of the device.
	Reason string
	Fields []string
	At     time.Time // wall: when it came to that state
}

// Key is the ID.
func (s OperatorRequestStatus) Key() string { return s.ID }

// OperatorRequests is monitor's topic.
var OperatorRequests = bus.NewTopic[OperatorRequestStatus](bus.Decl{Owner: "monitor",
	Name: "OperatorRequestStatus", MaxRows: 64})
