package host

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Hooks are for those who stand around a device: rules that watch it, faults that trouble it. They
// are called on the device's loop and must not block. Watching changes nothing: a trace is the same
// with it and without. Nil hooks cost nothing.
type Hooks struct {
	// Shown sees the rows of a turn of an agent, or of a step of a part, as they become visible.
	Shown func(k *Kernel, s *Source, rows []Change)
	// Began sees a run of an op when its part hears of it or a fault keeps it from the part.
	Began func(k *Kernel, r Ran)
	// Ended sees the real end of a run: its fence has fallen.
	Ended func(k *Kernel, r Ran)
	// Crashed sees an agent's crash, behind it: the new start is to come.
	Crashed func(k *Kernel, agent string)
	// Trouble is asked before a part hears of a run.
	Trouble func(k *Kernel, r Ran) Trouble
}

// Join is both: o is told behind h. Where both trouble a run, the first that does so counts.
func (h Hooks) Join(o Hooks) Hooks {
	out := h
	if h.Shown != nil && o.Shown != nil {
		out.Shown = func(k *Kernel, s *Source, rows []Change) { h.Shown(k, s, rows); o.Shown(k, s, rows) }
	} else if h.Shown == nil {
		out.Shown = o.Shown
	}
	if h.Crashed != nil && o.Crashed != nil {
		out.Crashed = func(k *Kernel, agent string) { h.Crashed(k, agent); o.Crashed(k, agent) }
	} else if h.Crashed == nil {
		out.Crashed = o.Crashed
	}
	out.Began, out.Ended = joinRan(h.Began, o.Began), joinRan(h.Ended, o.Ended)
	if h.Trouble != nil && o.Trouble != nil {
		out.Trouble = func(k *Kernel, r Ran) Trouble {
			if x := h.Trouble(k, r); x != (Trouble{}) {
				return x
			}
			return o.Trouble(k, r)
		}
	} else if h.Trouble == nil {
		out.Trouble = o.Trouble
	}
	return out
}

func joinRan(f, g func(*Kernel, Ran)) func(*Kernel, Ran) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(k *Kernel, r Ran) { f(k, r); g(k, r) }
}

// Ran is a run of an op: one start of a call by its part.
type Ran struct {
	Op, Key string
	Caller  string // the agent
	// N counts the runs of this op and key since the boot, from 1; it is counted where there are
	// hooks only.
	N uint64
	// Began is when, since the boot.
	Began time.Duration
	// Req is the request; it must not be changed.
	Req any
	// Res and Fault are the outcome the caller was told, in Ended only. A run that nobody waited for
	// any more, or that went past its limit, has what it ended with.
	Res   any
	Fault *agent.Fault
	// Late says, in Ended, that the run went past its limit before.
	Late bool
}

// Trouble is what becomes of a run. The zero value is none.
type Trouble struct {
	// Delay holds the run back for so long before its part hears of it.
	Delay time.Duration
	// Fault is what the caller is told. With Lost the part never hears of the run; without, the part
	// carries it out, and only the news of its success is replaced.
	Fault *agent.Fault
	// Lost keeps the run from its part. Without a Fault it hangs until it is cancelled or its limit
	// passes.
	Lost bool
}

// runID names the runs that are counted together.
type runID struct {
	op  *op
	key string
}

// hooked reports whether anybody wants to know of runs.
func (k *Kernel) hooked() bool {
	h := &k.o.Hooks
	return h.Began != nil || h.Ended != nil || h.Trouble != nil
}

// seen is a run for hooks.
func (r *run) seen() Ran {
	return Ran{Op: r.t.op.decl.Name, Key: r.key, Caller: r.p.Name, N: r.n, Began: r.began, Req: r.req,
		Res: r.res, Fault: r.fault}
}

// serve has the part carry a run out, with what troubles it.
func (k *Kernel) serve(r *run) {
	var x Trouble
	if k.hooked() {
		if k.runs == nil {
			k.runs = map[runID]uint64{}
		}
		id := runID{r.t.op, r.key}
		k.runs[id]++
		r.n = k.runs[id]
		if k.o.Hooks.Trouble != nil {
			x = k.o.Hooks.Trouble(k, r.seen())
		}
		if k.o.Hooks.Began != nil {
			k.o.Hooks.Began(k, r.seen())
		}
	}
	switch {
	case x == Trouble{}:
		r.guard(func() { r.t.op.serve(r) })
	case x.Lost && x.Fault == nil:
		// It hangs: its cancellation ends it.
	default:
		k.troubled(r, x)
	}
}

// troubled carries a run out under a fault.
func (k *Kernel) troubled(r *run, x Trouble) {
	if !x.Lost {
		r.instead = x.Fault
	}
	begin := func() {
		if x.Lost {
			r.end(nil, x.Fault)
			return
		}
		r.guard(func() { r.t.op.serve(r) })
	}
	if x.Delay <= 0 && !x.Lost {
		begin()
		return
	}
	k.drv.After(x.Delay, func() {
		if !r.ended && !r.cancelled {
			begin()
			r.t.op.part.flush(nil)
		}
	})
}

// tellEnd tells of the real end of a run; late is whether it had been over for its caller before.
func (k *Kernel) tellEnd(r *run, late bool, res any, f *agent.Fault) {
	if k.o.Hooks.Ended == nil {
		return
	}
	x := r.seen()
	x.Late = late
	if late {
		x.Res, x.Fault = res, f
	}
	k.o.Hooks.Ended(k, x)
}
