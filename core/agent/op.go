package agent

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/evetwin/evetwin/core/bus"
)

// OpDecl is the untyped part of an Op.
type OpDecl struct {
	Name  string        // "part.Verb"; also the point where faults are injected
	Class string        // ops of one class share a queue per device; "" means the part's name
	Width int           // how many calls of the class run at once; 0 means 1
	Limit time.Duration // every call ends by then, as a Fault with code Limit; 0 means a minute
	Query bool          // changes nothing: its result is all it gives, and any agent may call it
	// Callers names the agents that may call an op that is not a Query, each for things of its own.
	// Empty: whichever agent uses it, but only one.
	Callers []string

	equal  func(a, b any) bool
	addReq func(*bus.Sum, any)
	addRes func(*bus.Sum, any)
	newReq func() any
	newRes func() any
}

// Op names one kind of action of a device part. Every op is idempotent: a cancelled or orphaned
// call may still take effect, and a crash may lose any outcome, so callers repeat it.
type Op[Req, Res any] struct{ *OpDecl }

// NewOp declares an op. Req and Res follow the rules of rows (bus.ShapeOf).
func NewOp[Req, Res any](d OpDecl) Op[Req, Res] {
	if d.Width == 0 {
		d.Width = 1
	}
	if d.Limit == 0 {
		d.Limit = time.Minute
	}
	if d.Class == "" {
		d.Class = d.Part()
	}
	q, s := bus.ShapeOf(reflect.TypeFor[Req]()), bus.ShapeOf(reflect.TypeFor[Res]())
	d.equal = func(a, b any) bool {
		return q.Equal(unsafe.Pointer(a.(*Req)), unsafe.Pointer(b.(*Req)))
	}
	d.addReq = func(sum *bus.Sum, v any) { q.AddTo(sum, unsafe.Pointer(v.(*Req))) }
	d.addRes = func(sum *bus.Sum, v any) { s.AddTo(sum, unsafe.Pointer(v.(*Res))) }
	d.newReq = func() any { return new(Req) }
	d.newRes = func() any { return new(Res) }
	return Op[Req, Res]{&d}
}

// Part is the device part that carries the op out.
func (d *OpDecl) Part() string {
	for i := range len(d.Name) {
		if d.Name[i] == '.' {
			return d.Name[:i]
		}
	}
	return d.Name
}

// EqualReq compares two requests (pointers to Req).
func (d *OpDecl) EqualReq(a, b any) bool { return d.equal(a, b) }

// AddReq folds a request (a pointer to Req) into a checksum.
func (d *OpDecl) AddReq(s *bus.Sum, v any) { d.addReq(s, v) }

// SumReq is the checksum of a request alone.
func (d *OpDecl) SumReq(v any) uint64 {
	var s bus.Sum
	d.addReq(&s, v)
	return s.Value()
}

// NewReq makes an empty request (a pointer to Req), to be read into.
func (d *OpDecl) NewReq() any { return d.newReq() }

// NewRes makes an empty result (a pointer to Res), to be read into.
func (d *OpDecl) NewRes() any { return d.newRes() }

// AddRes folds a result (a pointer to Res) into a checksum.
func (d *OpDecl) AddRes(s *bus.Sum, v any) { d.addRes(s, v) }

// Phase is how far a call is.
type Phase uint8

// Phases, in order.
const (
	None    Phase = iota // not asked for
	Queued               // waits for its class, or for the end of the call it supersedes
	Running              // the part is at it
	Done                 // ended well; Res is set
	Failed               // ended with a Fault
)

// Fault is an error as data, so that it can be published, recorded and replayed.
type Fault struct {
	Code  string // stable, from the op's package
	Text  string // for people
	Retry bool   // may go away by itself
}

// Codes that hosts give; all others come from the op's package.
const (
	FaultLimit     = "limit"     // the op's time limit passed
	FaultCancelled = "cancelled" // a superseded or dropped call really ended
	FaultPanic     = "panic"     // the part's code broke; a defect of ours
)

// Error is the text for people.
func (f *Fault) Error() string { return f.Text }

// Call is the state of one call.
type Call[Res any] struct {
	Phase Phase
	Res   *Res   // set when Done; must not be changed
	Fault *Fault // set when Failed
	Began time.Duration
	Ended time.Duration
	Tries int // how often this request was started, 1 at first
}

// Over reports whether the call is done or failed.
func (c Call[Res]) Over() bool { return c.Phase >= Done }

// CallState is a call as the host holds it; Res is a pointer to the op's result type.
type CallState struct {
	Phase        Phase
	Res          any
	Fault        *Fault
	Began, Ended time.Duration
	Tries        int
}

// CallTable is the host's side of Calls.
type CallTable interface {
	Want(key string, req any)
	Redo(key string)
	Drop(key string)
	State(key string) *CallState
	Ended() []string
	Keys() []string
}

// Calls is an agent's table of calls of one op. It is level-triggered like every table: an outcome
// stays until it is dropped, and asking again for the same thing changes nothing.
type Calls[Req, Res any] struct {
	d *OpDecl
	h CallTable
}

// Use declares, in New, that the agent calls op. An op that is not a Query has one caller.
func Use[Req, Res any](p bus.Port, op Op[Req, Res]) *Calls[Req, Res] {
	return &Calls[Req, Res]{op.OpDecl, p.Use(op.OpDecl).(CallTable)}
}

// Want makes sure that req has been asked for under key and returns how far it is. The same request
// joins the call; another one cancels it and starts when it has really ended. An outcome travels
// behind the rows it caused: if the call is done and the Seen row differs, the world has drifted.
func (c *Calls[Req, Res]) Want(key string, req Req) Call[Res] {
	c.h.Want(key, &req)
	return c.Get(key)
}

// Redo runs a done or failed call again, with the same request; when is the agent's business.
func (c *Calls[Req, Res]) Redo(key string) { c.h.Redo(key) }

// Drop cancels and forgets. The key stays fenced until the call has really ended: a later Want is
// Queued until then.
func (c *Calls[Req, Res]) Drop(key string) { c.h.Drop(key) }

// Get returns the call of key; its Phase is None when there is none.
func (c *Calls[Req, Res]) Get(key string) Call[Res] {
	s := c.h.State(key)
	if s == nil {
		return Call[Res]{}
	}
	out := Call[Res]{Phase: s.Phase, Fault: s.Fault, Began: s.Began, Ended: s.Ended, Tries: s.Tries}
	if s.Res != nil {
		out.Res = s.Res.(*Res)
	}
	return out
}

// Ended lists, in key order, the calls that ended since the last turn; in a full turn all that
// are over.
func (c *Calls[Req, Res]) Ended() []string { return c.h.Ended() }

// Keys lists, in order, the keys that are asked for.
func (c *Calls[Req, Res]) Keys() []string { return c.h.Keys() }

// Keep drops the calls whose key is not wanted.
func (c *Calls[Req, Res]) Keep(wanted func(key string) bool) {
	for _, k := range c.h.Keys() {
		if !wanted(k) {
			c.h.Drop(k)
		}
	}
}
