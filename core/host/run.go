package host

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// op is an op on this device.
type op struct {
	decl  *agent.OpDecl
	name  uint64 // checksum of the name
	class *class
	serve func(*run)
	part  *Part
	by    string // the one caller of an op that is not a query
	far   bool   // served elsewhere, where its limit and the width of its class are kept
}

func (k *Kernel) op(d *agent.OpDecl) *op {
	for _, o := range k.ops {
		if o.decl == d {
			return o
		}
		if o.decl.Name == d.Name {
			refuse("op %s is declared twice", d.Name)
		}
	}
	cl := k.class(d.Class)
	cl.width = max(cl.width, d.Width)
	var s bus.Sum
	s.String(d.Name)
	o := &op{decl: d, name: s.Value(), class: cl}
	k.ops = append(k.ops, o)
	return o
}

func (k *Kernel) class(name string) *class {
	for _, cl := range k.classes {
		if cl.name == name {
			return cl
		}
	}
	cl := &class{name: name}
	k.classes = append(k.classes, cl)
	return cl
}

// caller checks that only those call an op who may.
func (o *op) caller(name string) {
	if o.decl.Query {
		return
	}
	if len(o.decl.Callers) > 0 {
		for _, c := range o.decl.Callers {
			if c == name {
				return
			}
		}
		refuse("%s is not among the callers of %s", name, o.decl.Name)
	}
	if o.by != "" && o.by != name {
		refuse("both %s and %s call %s", o.by, name, o.decl.Name)
	}
	o.by = name
}

// run is one start of an op by its part.
type run struct {
	k     *Kernel
	p     *Proc
	t     *table
	key   string
	req   any
	call  *call  // nil once nobody waits for it
	start uint64 // the caller's
	try   int
	began time.Duration

	over      bool // ended for the caller: done, failed, or past its limit
	ended     bool // really ended
	cancelled bool
	onCancel  func()
	n         uint64             // of the runs of this op and key, where hooks want to know
	instead   *agent.Fault       // what the caller is told where the part has success
	stop      context.CancelFunc // of real work under way
	res       any
	fault     *agent.Fault
}

// run starts a call.
func (k *Kernel) run(t *table, c *call) {
	now := k.drv.Now()
	r := &run{k: k, p: t.p, t: t, key: c.key, req: c.req, call: c, start: t.p.start, began: now}
	c.run = r
	c.state.Phase, c.state.Began = agent.Running, now
	c.state.Tries++
	r.try = c.state.Tries
	t.op.class.running++
	t.fences = append(t.fences, r)
	if !t.op.far {
		k.watch(now + t.op.decl.Limit)
	}
	k.serve(r)
	t.op.part.flush(nil)
}

// guard runs code of the part for the run. On a device its defects fail the call; in virtual time
// they are what the simulator hunts.
func (r *run) guard(f func()) {
	if r.k.o.OnPanic == nil {
		f()
		return
	}
	defer func() {
		if x := recover(); x != nil {
			r.broke(r.cause(x))
		}
	}()
	f()
}

// cause is a panic as text, with the stack it came from in later lines.
func (r *run) cause(x any) string {
	text := fmt.Sprintf("%s broke: %v", r.t.op.decl.Name, x)
	if r.k.o.Stack != nil {
		text += "\n" + r.k.o.Stack()
	}
	return text
}

// broke ends a run whose part panicked.
func (r *run) broke(cause string) {
	r.k.say(r.t.op.part.Name, r.key, cause)
	first, _, _ := strings.Cut(cause, "\n")
	r.end(nil, &agent.Fault{Code: agent.FaultPanic, Text: first})
}

// cancel asks the part to end the run.
func (r *run) cancel() {
	if r.ended || r.cancelled {
		return
	}
	if n := r.k.o.Limits.LateCancel; n > 0 && !r.over && r.draw("late")%n == 0 {
		r.call = nil
		return // a cancelled call may still take effect
	}
	r.cancelled = true
	switch {
	case r.stop != nil:
		r.stop()
	case r.onCancel != nil:
		r.onCancel()
	default:
		r.end(nil, &agent.Fault{Code: agent.FaultCancelled, Text: "cancelled", Retry: true})
	}
}

// end is the real end: rows and outcome leave together, the fence falls, the class moves on.
func (r *run) end(res any, f *agent.Fault) {
	if r.ended {
		return
	}
	r.ended = true
	if f == nil && r.instead != nil {
		res, f = nil, r.instead
	}
	if r.call != nil {
		r.call.run = nil
	}
	tell := !r.over
	r.over = true
	if tell {
		r.res, r.fault = res, f
		r.t.op.part.flush(r)
	} else {
		r.t.op.part.flush(nil)
	}
	if i := slices.Index(r.t.fences, r); i >= 0 {
		r.t.fences = slices.Delete(r.t.fences, i, i+1)
	}
	r.k.tellEnd(r, !tell, res, f)
	cl := r.t.op.class
	cl.running--
	if c := r.t.find(r.key); c != nil && c.meant && !c.off {
		r.k.enqueue(r.t, c)
	}
	r.k.advance(cl)
}

func (r *run) draw(what string) uint64 {
	var s bus.Sum
	s.Word(r.k.base)
	s.Word(r.k.o.Boot)
	s.Word(r.t.op.name)
	s.String(r.key)
	s.Word(uint64(r.try))
	s.String(what)
	return s.Value()
}

// Run is a call as its part sees it. A part ends it exactly once, with Done or Fail.
type Run[Req, Res any] struct{ *run }

// Req is the request; it must not be changed.
func (c Run[Req, Res]) Req() *Req { return c.req.(*Req) }

// Key is the caller's key of the call.
func (c Run[Req, Res]) Key() string { return c.key }

// Caller is the agent that called.
func (c Run[Req, Res]) Caller() string { return c.p.Name }

// Try counts the starts of this request by its caller, 1 at first.
func (c Run[Req, Res]) Try() int { return c.try }

// Live reports whether the call still wants work: not ended and not cancelled.
func (c Run[Req, Res]) Live() bool { return !c.ended && !c.cancelled }

// Done ends the call with a result, behind the rows that were put before.
func (c Run[Req, Res]) Done(res Res) { c.end(&res, nil) }

// Fail ends the call with a fault.
func (c Run[Req, Res]) Fail(code, text string, retry bool) {
	c.end(nil, &agent.Fault{Code: code, Text: text, Retry: retry})
}

// After goes on with f after d, unless the call was cancelled or the power was cut meanwhile: what
// the model did before stands, what f would do does not happen.
func (c Run[Req, Res]) After(d time.Duration, f func()) {
	r := c.run
	r.k.drv.After(d, func() {
		if !r.ended && !r.cancelled {
			r.guard(f)
			r.t.op.part.flush(nil)
		}
	})
}

// OnCancel replaces what a cancellation does; f must see to it that the call ends within a second.
func (c Run[Req, Res]) OnCancel(f func()) { c.onCancel = f }

// Draw is a random number for this start of the call.
func (c Run[Req, Res]) Draw(what string) uint64 { return c.draw(what) }

// Latency draws a duration in [from, to); from if there is none.
func (c Run[Req, Res]) Latency(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(c.draw("latency")%uint64(to-from))
}

// Go does real, blocking work on another goroutine. Its context ends when the call is cancelled,
// its limit passes or the host stops. Then then runs on the loop, where it may put rows, and ends
// the call.
func (c Run[Req, Res]) Go(work func(context.Context) (Res, *agent.Fault),
	then func(Res, *agent.Fault),
) {
	r := c.run
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	var res Res
	var f *agent.Fault
	var cause string
	guarded := func() {
		if r.k.o.OnPanic != nil {
			defer func() {
				if x := recover(); x != nil {
					cause = r.cause(x)
				}
			}()
		}
		res, f = work(ctx)
	}
	r.k.drv.Go(guarded, func() {
		stop()
		if cause != "" {
			r.broke(cause)
		}
		if !r.ended {
			r.guard(func() { then(res, f) })
			r.t.op.part.flush(nil)
		}
	})
}

// Finish ends a call with what real work returned; it is the usual continuation of Go.
func (c Run[Req, Res]) Finish(res Res, f *agent.Fault) {
	if f != nil {
		c.end(nil, f)
		return
	}
	c.Done(res)
}
