package host

import (
	"math"

	"github.com/evetwin/evetwin/core/agent"
)

// AnyRun is a call of an op whose types the server does not know.
type AnyRun struct{ *run }

// Op is the op that is called.
func (c AnyRun) Op() *agent.OpDecl { return c.t.op.decl }

// Key is the caller's key of the call.
func (c AnyRun) Key() string { return c.key }

// Caller is the agent that called.
func (c AnyRun) Caller() string { return c.p.Name }

// Req is the request, a pointer to the op's request type.
func (c AnyRun) Req() any { return c.req }

// Over reports whether the call has ended or was cancelled.
func (c AnyRun) Over() bool { return c.ended || c.cancelled }

// Done ends the call with a result, a pointer to the op's result type.
func (c AnyRun) Done(res any) { c.end(res, nil) }

// Fail ends the call with a fault.
func (c AnyRun) Fail(f agent.Fault) { c.end(nil, &f) }

// OnCancel replaces what a cancellation does.
func (c AnyRun) OnCancel(f func()) { c.onCancel = f }

// serveRest gives ops and topics without a part to one that is made up.
func (k *Kernel) serveRest() {
	for _, p := range k.procs {
		for _, t := range p.tables {
			if t.op.serve == nil {
				t.op.part = k.Part(t.op.decl.Part())
				t.op.serve = func(r *run) { k.o.AnyOp(AnyRun{r}) }
				if t.op.far = k.o.Elsewhere != nil; t.op.far {
					t.op.class.width = math.MaxInt
				}
			}
		}
		for _, s := range p.subs {
			if s.shelf.owner == nil {
				s.shelf.owner = &k.Part(s.shelf.Decl.Owner).Source
			}
		}
	}
}
