package host

import (
	"slices"
	"sort"

	"github.com/evetwin/evetwin/core/agent"
)

// call is one wish for an op under a key.
type call struct {
	key   string
	req   any // *Req
	state agent.CallState
	run   *run // the run that serves it, nil while queued and when it has ended
	off   bool // dropped or superseded
	meant bool // the turn that asked for it is committed: it may start
}

// table is an agent's calls of one op.
type table struct {
	p      *Proc
	op     *op
	calls  []*call // by key
	fences []*run  // runs that have not really ended, also those nobody waits for
	ended  []string
}

func (t *table) at(key string) int {
	return sort.Search(len(t.calls), func(i int) bool { return t.calls[i].key >= key })
}

func (t *table) find(key string) *call {
	if i := t.at(key); i < len(t.calls) && t.calls[i].key == key {
		return t.calls[i]
	}
	return nil
}

// put sets the call of a key, or removes it when c is nil.
func (t *table) put(key string, c *call) {
	i := t.at(key)
	has := i < len(t.calls) && t.calls[i].key == key
	switch {
	case has && c != nil:
		t.calls[i] = c
	case has:
		t.calls = slices.Delete(t.calls, i, i+1)
	case c != nil:
		t.calls = slices.Insert(t.calls, i, c)
	}
}

func (t *table) order(v Verb, key string, req any, c, was *call) {
	if was != nil {
		was.off = true
	}
	t.put(key, c)
	t.p.out.Calls = append(t.p.out.Calls, Order{Op: t.op.decl.Name, Key: key, Verb: v, Req: req,
		t: t, c: c, was: was})
	if len(t.calls) > t.p.k.o.Limits.Calls {
		panic("host: " + t.p.Name + " has too many calls of " + t.op.decl.Name + ", the newest " + key)
	}
}

// undo takes an order of a discarded turn back.
func (o *Order) undo() {
	if o.was != nil {
		o.was.off = false
	}
	o.t.put(o.Key, o.was)
}

// Want asks for req under key; see agent.CallTable.
func (t *table) Want(key string, req any) {
	was := t.find(key)
	if was != nil && t.op.decl.EqualReq(was.req, req) {
		return
	}
	c := &call{key: key, req: req, state: agent.CallState{Phase: agent.Queued}}
	t.order(Want, key, req, c, was)
}

// Redo runs a call that is over again; see agent.CallTable.
func (t *table) Redo(key string) {
	was := t.find(key)
	if was == nil || was.state.Phase < agent.Done {
		return
	}
	c := &call{key: key, req: was.req,
		state: agent.CallState{Phase: agent.Queued, Tries: was.state.Tries}}
	t.order(Redo, key, nil, c, was)
}

// Drop forgets a call; see agent.CallTable.
func (t *table) Drop(key string) {
	if was := t.find(key); was != nil {
		t.order(Drop, key, nil, nil, was)
	}
}

// State is the call of a key; see agent.CallTable.
func (t *table) State(key string) *agent.CallState {
	if c := t.find(key); c != nil {
		return &c.state
	}
	return nil
}

// Ended lists calls that ended since the last turn; see agent.CallTable.
func (t *table) Ended() []string {
	if !t.p.turn.Full {
		return t.ended
	}
	var out []string
	for _, c := range t.calls {
		if c.state.Phase >= agent.Done {
			out = append(out, c.key)
		}
	}
	return out
}

// Keys lists what is asked for; see agent.CallTable.
func (t *table) Keys() []string {
	out := make([]string, len(t.calls))
	for i, c := range t.calls {
		out[i] = c.key
	}
	return out
}

func (t *table) fence(key string) *run {
	for _, r := range t.fences {
		if r.key == key {
			return r
		}
	}
	return nil
}

// carry commits an order: what it replaced is cancelled, what it wants is queued or started.
func (k *Kernel) carry(o *Order) {
	if o.c != nil {
		o.c.meant = true
	}
	if o.was != nil && o.was.run != nil {
		o.was.run.cancel()
	}
	if o.c != nil && !o.c.off {
		k.enqueue(o.t, o.c)
	}
}

// enqueue starts a call, or has it wait for the end of its predecessor or for its class. A call
// that was started already, by the end of its predecessor, stays as it is.
func (k *Kernel) enqueue(t *table, c *call) {
	if c.state.Phase != agent.Queued || k.closing || t.fence(c.key) != nil {
		return // behind a fence: started by the end of that run
	}
	cl := t.op.class
	if cl.running >= cl.width {
		cl.queue = append(cl.queue, queued{t, c})
		return
	}
	k.run(t, c)
}

// class is a queue that ops share on one device.
type class struct {
	name    string
	width   int
	running int
	queue   []queued
}

type queued struct {
	t *table
	c *call
}

// advance starts what waits for the class.
func (k *Kernel) advance(cl *class) {
	for cl.running < cl.width && len(cl.queue) > 0 && !k.closing {
		q := cl.queue[0]
		cl.queue = slices.Delete(cl.queue, 0, 1)
		if !q.c.off && q.c.state.Phase == agent.Queued && q.t.fence(q.c.key) == nil {
			k.run(q.t, q.c)
		}
	}
}

// outcome shows an ended run to its caller and reports whether it was still asked for.
func (p *Proc) outcome(r *run) bool {
	c := r.call
	if c == nil || c.off || r.start != p.start {
		return false
	}
	c.state.Ended = p.k.drv.Now()
	if r.fault != nil {
		c.state.Phase, c.state.Fault = agent.Failed, r.fault
	} else {
		c.state.Phase, c.state.Res = agent.Done, r.res
	}
	if i, has := slices.BinarySearch(r.t.ended, c.key); !has {
		r.t.ended = slices.Insert(r.t.ended, i, c.key)
	}
	return true
}
