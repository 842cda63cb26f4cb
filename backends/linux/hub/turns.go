package hub

import (
	"bytes"
	"fmt"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
)

// move is what becomes of a table in one step.
type move struct {
	t    *table
	m    wire.Table
	list []change
}

// turn takes what an agent did in a turn: durable first, if it has persistent rows, then visible.
func (s *session) turn(body []byte) error {
	t, err := wire.ReadTurn(body)
	if err != nil {
		return err
	}
	if t.Agent < 0 || t.Agent >= len(s.hello.Agents) {
		return fmt.Errorf("turn of agent number %d", t.Agent)
	}
	owner := s.hello.Agents[t.Agent]
	for i := range t.Tables {
		if n := t.Tables[i].Topic; n >= 0 && n < len(s.pubs) && ownerOf(s.pubs[n].name) != owner {
			return fmt.Errorf("a turn of %s puts into %s", owner, s.pubs[n].name)
		}
	}
	_, err = s.commit(t.Agent, t.Number, t.Tables, func() {
		s.turned(owner, t.Number)
		if t.Durable {
			s.stored = append(s.stored, wire.Stored{Agent: t.Agent, Number: t.Number})
			s.ring()
		}
	})
	return err
}

// replace takes all that a process publishes and wants.
func (s *session) replace(body []byte) error {
	t, err := wire.ReadTables(body)
	if err != nil {
		return err
	}
	for i := range t.Tables {
		t.Tables[i].Full = true
	}
	ids := make(map[uint64]bool, len(t.Calls))
	for _, id := range t.Calls {
		ids[id] = true
	}
	s.onLoop(func(b *boot) error {
		for _, a := range s.hello.Agents {
			b.relays[a].keep(s, ids)
		}
		return nil
	})
	shown, err := s.commit(-1, 0, t.Tables, func() {
		for _, pub := range s.pubs {
			pub.open = true
		}
		for i, n := range t.Turns {
			if n > 0 && i < len(s.hello.Agents) {
				s.turned(s.hello.Agents[i], n)
			}
		}
		s.stored = append(s.stored, t.Stored...)
		s.ring()
	})
	if err != nil {
		return err
	}
	select {
	case <-shown: // turns build on the tables
	case <-s.h.ended:
	}
	return nil
}

// commit makes moves durable and visible, as one unit, and then calls then with mu held. What it
// returns closes behind that.
func (s *session) commit(agent int, turn uint64, list []wire.Table, then func(),
) (<-chan struct{}, error) {
	h, shown := s.h, make(chan struct{})
	moves := make([]move, 0, len(list))
	h.mu.Lock()
	for _, m := range list {
		if m.Topic < 0 || m.Topic >= len(s.pubs) {
			h.mu.Unlock()
			return nil, fmt.Errorf("publish topic number %d of %d", m.Topic, len(s.pubs))
		}
		t := s.pubs[m.Topic]
		moves = append(moves, move{t, m, t.changes(&m)})
		if n := t.lenBehind(moves[len(moves)-1].list); n > t.maxRows {
			h.mu.Unlock()
			return nil, fmt.Errorf("%s has %d rows, at most %d", t.name, n, t.maxRows)
		}
	}
	rec := s.record(agent, turn, moves)
	if rec == nil {
		s.show(moves, then)
		h.release()
		close(shown)
		return shown, nil
	}
	s.inflight++
	h.mu.Unlock()
	for _, m := range list {
		for i := range m.Rows { // the frame's memory is for the next frame
			m.Rows[i].JSON = bytes.Clone(m.Rows[i].JSON)
		}
	}
	h.dev.Durable(rec, func() {
		h.mu.Lock()
		defer close(shown)
		defer h.release()
		if s.inflight--; s.inflight == 0 && s.quiet != nil {
			close(s.quiet)
		}
		if h.boot != s.b {
			return
		}
		for i := range moves {
			moves[i].list = moves[i].t.changes(&moves[i].m)
		}
		s.show(moves, then)
	})
	return shown, nil
}

// show makes moves visible; mu is held.
func (s *session) show(moves []move, then func()) {
	for _, m := range moves {
		if m.m.Full || m.m.Rev >= m.t.head.Rev() {
			s.h.show(m.t, m.list, m.m.Rev, m.m.Complete)
		}
	}
	then()
}

// call passes a call on.
func (s *session) call(body []byte) error {
	c, err := wire.ReadCall(body)
	if err != nil {
		return err
	}
	if c.Agent < 0 || c.Agent >= len(s.hello.Agents) || c.Op < 0 || c.Op >= len(s.hello.Ops) {
		return fmt.Errorf("call of op number %d by agent number %d", c.Op, c.Agent)
	}
	c.Req = append([]byte(nil), c.Req...)
	name, op := s.hello.Agents[c.Agent], s.hello.Ops[c.Op]
	s.onLoop(func(b *boot) error { return b.relays[name].call(s, op, c) })
	return nil
}

// cancel passes the end of a wish on.
func (s *session) cancel(body []byte) error {
	id, err := wire.ReadCancel(body)
	if err != nil {
		return err
	}
	s.onLoop(func(b *boot) error {
		for _, a := range s.hello.Agents {
			b.relays[a].cancel(s, id)
		}
		return nil
	})
	return nil
}
