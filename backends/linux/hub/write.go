package hub

import (
	"fmt"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// due is a table that is to be sent, as it stood at one instant with all others.
type due struct {
	topic    int
	was, now bus.Head
	open     bool
	full     bool
}

// keepBuffer is how much memory for frames a session keeps.
const keepBuffer = 1 << 20

// directRows is how many rows a step may move for its subscribers to be written to at once, by
// whoever took the step; more are left to the writers.
const directRows = 64

// mark notes that a table moved; mu is held.
func (s *session) mark(i int) {
	if !s.isDue[i] {
		s.isDue[i] = true
		s.dirty = append(s.dirty, i)
	}
	s.ring()
}

// ring has the session written to once mu is given back by release; mu is held.
func (s *session) ring() {
	if !s.rung {
		s.rung = true
		s.h.rung = append(s.h.rung, s)
	}
}

// release gives mu back and writes to those for whom there is news, as much as each has room for;
// the writers do the rest. It waits for nobody.
func (h *Hub) release() {
	list, direct := h.rung, h.moved <= directRows
	h.rung, h.moved = nil, 0
	for _, s := range list {
		s.rung = false
	}
	h.mu.Unlock()
	for _, s := range list {
		if !direct || !s.tryWrite() {
			s.wake()
		}
	}
}

// wake has the writer look.
func (s *session) wake() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// end tells the process that a call has ended.
func (s *session) end(o wire.Outcome) {
	s.h.mu.Lock()
	defer s.h.release()
	s.ends = append(s.ends, o)
	s.ring()
}

// tryWrite sends what is new if the process has room for it, and reports whether all was sent.
func (s *session) tryWrite() bool {
	if !s.writing.TryLock() {
		return false
	}
	defer s.writing.Unlock()
	if !s.begun || len(s.rest) > 0 {
		return false
	}
	if !s.prepare() {
		return false
	}
	n, err := s.conn.TryWrite(s.buf)
	if err != nil {
		_ = s.conn.Close()
		return true
	}
	s.rest = s.buf[n:]
	return len(s.rest) == 0
}

// write sends what is new whenever the process has read what was sent before. What moved meanwhile
// is sent as it is then.
func (s *session) write() {
	for {
		select {
		case <-s.bell:
		case <-s.done:
			return
		}
		if !s.writeAll() {
			_ = s.conn.Close()
			return
		}
	}
}

// writeAll sends what is left of the frame before, and what is new. It waits for the process to
// read.
func (s *session) writeAll() bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	if len(s.rest) > 0 {
		if err := s.conn.Write(s.rest); err != nil {
			return false
		}
		s.rest = nil
	}
	if s.begun = true; !s.prepare() {
		return false
	}
	err := s.conn.Write(s.buf)
	if cap(s.buf) > keepBuffer {
		s.buf = nil
	}
	return err == nil
}

// prepare makes the next frame; writing is held.
func (s *session) prepare() bool {
	var st wire.State
	s.list, st = s.take(s.list[:0])
	var err error
	if s.buf, err = s.encode(s.buf[:0], s.list, &st); err != nil {
		s.h.say(agent.Err, "connection", fmt.Sprintf("process %d: %v", s.peer.PID, err))
		_ = s.conn.Close()
		return false
	}
	clear(s.list)
	return true
}

// take is what is to be sent at this instant.
func (s *session) take(list []due) ([]due, wire.State) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	for _, i := range s.dirty {
		s.isDue[i] = false
		t := s.at(i)
		d := due{topic: i, was: s.sent[i], now: t.head, open: t.open}
		d.full = d.was == (bus.Head{}) || t.open && !s.open[i]
		s.sent[i], s.open[i] = t.head, t.open
		list = append(list, d)
	}
	st := wire.State{Skew: int64(s.b.skew), Stored: s.stored, Ends: s.ends}
	s.dirty, s.stored, s.ends = s.dirty[:0], nil, nil
	return list, st
}

// at is the table of a number in the session: subscriptions, then publications.
func (s *session) at(i int) *table {
	if i < len(s.subs) {
		return s.subs[i]
	}
	return s.pubs[i-len(s.subs)]
}

// encode makes the frame of a state.
func (s *session) encode(b []byte, list []due, st *wire.State) ([]byte, error) {
	b, at, err := wire.AppendState(b, st, len(list))
	if err != nil {
		return b, err
	}
	var rows []wire.Row
	for i := range list {
		d := &list[i]
		was := d.was
		if d.full {
			was = bus.Head{}
		}
		rows = rows[:0]
		for key, v := range d.now.Since(was) {
			r := wire.Row{Key: key, Rev: d.now.Rev()}
			if v != nil {
				row := v.(*Row)
				r.Rev, r.Version, r.JSON = row.Rev, row.Version, row.JSON
			}
			rows = append(rows, r)
		}
		b = wire.AppendWhole(b, &wire.Table{Topic: d.topic, Rev: d.now.Rev(), Full: d.full,
			Complete: d.now.Complete(), Open: d.open, Rows: rows})
	}
	if n := len(b) - at; n > wire.MaxFrame {
		return b, fmt.Errorf("the tables take %d bytes, at most %d", n, wire.MaxFrame)
	}
	return wire.End(b, at), nil
}
