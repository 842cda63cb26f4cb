package hub

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// pokes is the part that wakes relays, tables the agent that follows the parts.
const (
	pokes  = "hub"
	tables = "hub-tables"
)

// poke is a row that does nothing but change.
type poke struct{ N uint64 }

// Key is one for all.
func (poke) Key() string { return "poke" }

// relay calls ops for an agent that runs elsewhere: to the kernel of the hub it is that agent. It
// belongs to the device's loop.
type relay struct {
	h     *Hub
	k     *host.Kernel
	proc  *host.Proc
	name  string
	topic bus.Topic[poke]
	ops   []*relayed
	inbox []order
	n     uint64
}

// relayed is an op that the agent may call.
type relayed struct {
	decl  *agent.OpDecl
	calls agent.CallTable
	asked map[string]wish // by key
}

// wish is a call of the agent's process.
type wish struct {
	s  *session
	id uint64
}

// order asks for a call, or takes the wish for it back where op is nil.
type order struct {
	wish
	op  *relayed
	key string
	req any
}

// relays are the agents of the hub's own kernel.
func (h *Hub) relays() []agent.Entry {
	list := []agent.Entry{{Name: tables, New: h.follow, Turns: math.MaxInt}}
	for _, e := range h.o.Agents {
		topic := bus.NewTopic[poke](bus.Decl{Owner: pokes, Name: e.Name})
		list = append(list, agent.Entry{Name: e.Name, Turns: math.MaxInt,
			New: func(p bus.Port) agent.Agent { return h.relay(p.(*host.Proc), topic) }})
	}
	return list
}

// relay makes the relay of an agent for a start of its process.
func (h *Hub) relay(p *host.Proc, topic bus.Topic[poke]) *relay {
	r := &relay{h: h, k: p.Kernel(), proc: p, name: p.Name, topic: topic}
	if old, ok := p.Slot.(*relay); ok {
		r.n = old.n
	}
	p.Slot = r
	bus.Subscribe(p, topic, bus.Optional)
	for _, d := range h.wires[p.Name].Ops {
		r.ops = append(r.ops, &relayed{decl: d, calls: p.Use(d).(agent.CallTable),
			asked: map[string]wish{}})
	}
	return r
}

// find is the op of a name, nil if the agent does not call it.
func (r *relay) find(op string) *relayed {
	for _, o := range r.ops {
		if o.decl.Name == op {
			return o
		}
	}
	return nil
}

// call has the relay ask for an op. It runs on the loop.
func (r *relay) call(s *session, op string, c wire.Call) error {
	o := r.find(op)
	if o == nil {
		return fmt.Errorf("call %s: %s does not", op, r.name)
	}
	if o.asked[c.Key] == (wish{s, c.ID}) {
		return nil // said again
	}
	req := o.decl.NewReq()
	if err := json.Unmarshal(c.Req, req); err != nil {
		return fmt.Errorf("call %s for %s: read the request: %w", op, c.Key, err)
	}
	r.take(order{wish: wish{s, c.ID}, op: o, key: c.Key, req: req})
	return nil
}

// cancel takes the wish for a call back. It runs on the loop.
func (r *relay) cancel(s *session, id uint64) { r.take(order{wish: wish{s, id}}) }

// take has the relay look at an order in its next turn.
func (r *relay) take(o order) {
	r.inbox = append(r.inbox, o)
	pt := r.k.Part(pokes)
	pt.Do(func() {
		r.n++
		bus.Publish(pt, r.topic).Put(poke{r.n})
	})
}

// lost ends all that a process asked for: it has ended.
func (b *boot) lost(agent string) {
	if r := b.relays[agent]; r != nil {
		b.k.Crash(r.proc, func(string, string) bool { return true })
		b.relays[agent] = r.proc.Slot.(*relay)
	}
}

// Step asks for what was ordered and tells what has ended.
func (r *relay) Step(*agent.Turn) {
	inbox := r.inbox
	r.inbox = nil
	for _, o := range inbox {
		if o.op != nil {
			o.op.calls.Drop(o.key) // a call that was asked for anew runs anew
			o.op.calls.Want(o.key, o.req)
			o.op.asked[o.key] = o.wish
		} else {
			r.forget(o.wish)
		}
	}
	r.h.pull(r.k)
	for _, o := range r.ops {
		for _, key := range o.calls.Ended() {
			st := o.calls.State(key)
			if st == nil || st.Phase < agent.Done {
				continue
			}
			w := o.asked[key]
			w.s.end(outcome(w.id, o.decl, st))
			delete(o.asked, key)
			o.calls.Drop(key)
		}
	}
}

// forget drops a call, unless another took its place.
func (r *relay) forget(w wish) {
	for _, o := range r.ops {
		for key, asked := range o.asked {
			if asked == w {
				o.calls.Drop(key)
				delete(o.asked, key)
				return
			}
		}
	}
}

// keep forgets the calls of a process that are not among those it wants. It runs on the loop.
func (r *relay) keep(s *session, ids map[uint64]bool) {
	for _, o := range r.ops {
		for _, w := range o.asked {
			if w.s == s && !ids[w.id] {
				r.cancel(s, w.id)
			}
		}
	}
}

// outcome is the end of a call for its process.
func outcome(id uint64, d *agent.OpDecl, st *agent.CallState) wire.Outcome {
	if st.Phase == agent.Failed {
		return wire.Outcome{ID: id, Fault: st.Fault}
	}
	js, err := json.Marshal(st.Res)
	if err != nil {
		return wire.Outcome{ID: id, Fault: &agent.Fault{Code: agent.FaultPanic,
			Text: fmt.Sprintf("encode result of %s: %v", d.Name, err)}}
	}
	return wire.Outcome{ID: id, Res: js}
}
