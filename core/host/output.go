package host

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Input is all that one turn was told; with the rows themselves, enough to repeat it. It is valid
// until OnTurn returns.
type Input struct {
	Agent string
	Boot  uint64
	Start uint64 // of the agent since boot; seeds its draws
	Turn  uint64
	Now   time.Duration
	Wall  time.Time
	Full  bool
	Moves []Move   // topics shown anew
	Due   []string // deadlines that passed
	// Starts is how far the calls are that were wanted or redone in the turn before, and those that
	// were queued since.
	Starts []Start
	Ends   []End // outcomes that arrived
}

// Start is how far a call is that was asked for.
type Start struct {
	Op, Key string
	// Fresh says that it was asked for in the turn before, or the last one that stood.
	Fresh bool
	// Queued says that it waits; else it began at Began.
	Queued bool
	Began  time.Duration
}

// End is the outcome of a call.
type End struct {
	Op, Key string
	Call    agent.CallState
}

// Output is one turn's effects.
type Output struct {
	Rows  []Change
	Whole []*bus.Decl // declared complete
	Calls []Order
	Wakes []Wake
	Lines []agent.Line
}

// Change is a row set, or deleted when Val is nil.
type Change struct {
	Topic *bus.Decl
	Key   string
	Rev   uint64
	Val   any
	Was   any // what it replaces, nil if there was none
	shelf *shelf
}

// Verb is what an Order asks for.
type Verb byte

// Verbs.
const (
	Want Verb = 'w'
	Redo Verb = 'r'
	Drop Verb = 'd'
)

// Order is a call wanted, redone or dropped.
type Order struct {
	Op, Key string
	Verb    Verb
	Req     any
	t       *table
	c       *call // the call as it is after the order
	was     *call // the call it replaced or dropped
}

// Wake is a deadline set, or dropped when At is negative.
type Wake struct {
	Key string
	At  time.Duration
	was time.Duration
}

// Sum is a checksum of the request, 0 where there is none.
func (o *Order) Sum() uint64 {
	if o.Req == nil {
		return 0
	}
	return o.t.op.decl.SumReq(o.Req)
}

func (o *Output) reset() {
	clear(o.Rows)
	clear(o.Calls)
	o.Rows, o.Whole, o.Calls = o.Rows[:0], o.Whole[:0], o.Calls[:0]
	o.Wakes, o.Lines = o.Wakes[:0], o.Lines[:0]
}

// mark is a place in an Output: how many rows, tables, calls and deadlines it has.
type mark [4]int

func (o *Output) mark() mark {
	return mark{len(o.Rows), len(o.Whole), len(o.Calls), len(o.Wakes)}
}

// since names the effects behind a mark, for people.
func (o *Output) since(m mark) string {
	var s strings.Builder
	for _, r := range o.Rows[m[0]:] {
		if r.Val == nil {
			fmt.Fprintf(&s, " delete %s/%s;", r.Topic, r.Key)
		} else {
			fmt.Fprintf(&s, " put %s/%s %+v;", r.Topic, r.Key, reflect.Indirect(reflect.ValueOf(r.Val)))
		}
	}
	for _, d := range o.Whole[m[1]:] {
		fmt.Fprintf(&s, " complete %s;", d)
	}
	for _, c := range o.Calls[m[2]:] {
		fmt.Fprintf(&s, " %c %s/%s;", c.Verb, c.Op, c.Key)
	}
	for _, w := range o.Wakes[m[3]:] {
		fmt.Fprintf(&s, " wake %s at %v;", w.Key, w.At)
	}
	return s.String()
}
