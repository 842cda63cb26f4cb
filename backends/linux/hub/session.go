package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hub/wire"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// helloWithin is how long a process may take to say who it is.
const helloWithin = 5 * time.Second

// session is a process that is connected.
type session struct {
	h     *Hub
	b     *boot
	conn  *wire.Conn
	peer  wire.Peer
	hello wire.Hello
	pubs  []*table
	subs  []*table
	bell  chan struct{}
	done  chan struct{} // closed when the session has ended

	// The hub's mu guards what is to be sent.
	sent   []bus.Head
	open   []bool // whether a table was sent since its publisher was there
	dirty  []int
	isDue  []bool
	ends   []wire.Outcome
	stored []wire.Stored

	rung bool

	// writing guards the frame that is under way: its memory and what of it is not sent. begun says
	// that the first state was written.
	writing sync.Mutex
	begun   bool
	buf     []byte
	rest    []byte
	list    []due

	// inflight counts turns on their way to the disk; quiet, if there is one, closes behind the last.
	inflight int
	quiet    chan struct{}
}

// serve has a connection from its beginning to its end.
func (h *Hub) serve(c *net.UnixConn) {
	s := &session{h: h, conn: wire.NewConn(c), bell: make(chan struct{}, 1), done: make(chan struct{})}
	defer func() { _ = s.conn.Close() }()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-h.ended:
			_ = s.conn.Close()
		case <-stop:
		}
	}()
	err := s.begin(c)
	if err == nil {
		err = s.read()
		s.finish()
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		h.say(agent.Warn, "connection", fmt.Sprintf("process %d %v: %v", s.peer.PID, s.hello.Agents, err))
	}
}

// begin learns who is there and answers, with all that is known.
func (s *session) begin(c *net.UnixConn) (err error) {
	if s.peer, err = wire.PeerOf(c); err != nil {
		return err
	}
	if s.peer.UID != 0 {
		return s.refuse(fmt.Errorf("only root may connect, not user %d", s.peer.UID))
	}
	if err := c.SetReadDeadline(time.Now().Add(helloWithin)); err != nil {
		return err
	}
	kind, body, err := s.conn.Read()
	if err != nil {
		return err
	}
	if kind != wire.KindHello {
		return s.refuse(fmt.Errorf("the first frame is of kind %q", kind))
	}
	if err := json.Unmarshal(body, &s.hello); err != nil {
		return s.refuse(fmt.Errorf("read hello: %w", err))
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if err := s.h.check(&s.hello); err != nil {
		return s.refuse(err)
	}
	if s.b = s.h.awaitBoot(); s.b == nil {
		return s.refuse(errors.New("the hub ends"))
	}
	if err := s.h.enter(s); err != nil {
		return s.refuse(err)
	}
	w := wire.Welcome{Device: s.h.o.Name, Seed: s.h.seed(s), Boot: s.b.count, Life: s.b.life.Name,
		Booted: s.b.life.Booted}
	b, err := json.Marshal(w)
	if err == nil {
		err = s.conn.Write(wire.Frame(nil, wire.KindWelcome, b))
	}
	if err != nil {
		s.finish()
		return err
	}
	s.h.served.Add(1)
	go func() {
		defer s.h.served.Done()
		s.write()
	}()
	return nil
}

// seed is what the draws of a process derive from: other ones for each that comes.
func (h *Hub) seed(s *session) uint64 {
	var sum bus.Sum
	sum.Word(h.o.Seed)
	for _, a := range s.hello.Agents {
		sum.String(a)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts++
	sum.Word(s.b.count)
	sum.Word(h.starts)
	return sum.Value()
}

// refuse answers why the process cannot stay.
func (s *session) refuse(why error) error {
	b, err := json.Marshal(wire.Welcome{Refused: why.Error()})
	if err == nil {
		err = s.conn.Write(wire.Frame(nil, wire.KindWelcome, b))
	}
	return errors.Join(why, err)
}

// check holds a process against what its agents may do.
func (h *Hub) check(m *wire.Hello) error {
	if m.Protocol != wire.Protocol {
		return fmt.Errorf("protocol %d, the hub has %d", m.Protocol, wire.Protocol)
	}
	for _, a := range m.Agents {
		if _, known := h.wires[a]; !known {
			return fmt.Errorf("agent %s is not on this device", a)
		}
	}
	for _, p := range m.Pubs {
		if !slices.Contains(m.Agents, ownerOf(p.Topic)) {
			return fmt.Errorf("publish %s: the process is not %s", p.Topic, ownerOf(p.Topic))
		}
	}
	for _, op := range m.Ops {
		if !slices.ContainsFunc(m.Agents, func(a string) bool {
			return slices.ContainsFunc(h.wires[a].Ops, func(d *agent.OpDecl) bool { return d.Name == op })
		}) {
			return fmt.Errorf("call %s: none of %v does", op, m.Agents)
		}
	}
	return nil
}

// enter makes s the process of its agents, once those before it have ended, and a subscriber.
func (h *Hub) enter(s *session) error {
	limit := time.NewTimer(h.o.Patience)
	defer limit.Stop()
	for {
		h.mu.Lock()
		if h.boot != s.b {
			h.mu.Unlock()
			return errors.New("the device went down")
		}
		holder := h.holder(s.hello.Agents)
		if holder == nil {
			h.admit(s)
			h.release()
			return nil
		}
		h.mu.Unlock()
		select {
		case <-holder.done:
		case <-limit.C:
			return fmt.Errorf("process %d is %v already", holder.peer.PID, holder.hello.Agents)
		case <-h.ended:
			return errors.New("the hub ends")
		}
	}
}

// holder is a session that has one of the agents; mu is held.
func (h *Hub) holder(agents []string) *session {
	for _, a := range agents {
		if s := h.holders[a]; s != nil {
			return s
		}
	}
	return nil
}

// admit makes the session known and prepares its first state; mu is held.
func (h *Hub) admit(s *session) {
	h.sessions[s] = true
	h.begins(s)
	for _, a := range s.hello.Agents {
		h.holders[a] = s
		h.disown(a, s.hello.Pubs)
	}
	for i, name := range s.hello.Subs {
		t := h.table(name)
		t.subs = append(t.subs, subscription{s, i})
		s.subs = append(s.subs, t)
	}
	for _, p := range s.hello.Pubs {
		t := h.table(p.Topic)
		t.life, t.declared, t.maxRows, t.told = p.Life, true, p.MaxRows, false
		s.pubs = append(s.pubs, t)
	}
	n := len(s.subs) + len(s.pubs)
	s.sent, s.open, s.isDue = make([]bus.Head, n), make([]bool, n), make([]bool, n)
	for i := range n {
		s.mark(i)
	}
}

// disown clears the tables that the program of an agent does not have any more; mu is held. What is
// persistent stays stored, for an older program that may come back.
func (h *Hub) disown(agent string, pubs []wire.Pub) {
	for name, t := range h.tables {
		if ownerOf(name) != agent || t.part != nil || slices.ContainsFunc(pubs, func(p wire.Pub) bool {
			return p.Topic == name
		}) {
			continue
		}
		var list []change
		for key := range t.head.All() {
			list = append(list, change{key: key, rev: t.head.Rev() + 1})
		}
		if len(list) > 0 || t.head.Complete() {
			h.show(t, list, t.head.Rev()+1, false)
		}
	}
}

// finish forgets the session.
func (s *session) finish() {
	h := s.h
	h.mu.Lock()
	delete(h.sessions, s)
	for _, t := range s.subs {
		t.subs = slices.DeleteFunc(t.subs, func(x subscription) bool { return x.s == s })
	}
	quiet := make(chan struct{})
	if s.quiet = quiet; s.inflight == 0 {
		close(quiet)
	}
	h.mu.Unlock()
	select {
	case <-quiet: // a turn that is shown later would be shown among those of the next process
	case <-h.ended:
	}
	crashed := make(chan struct{})
	h.dev.Post(func() {
		defer close(crashed)
		if b := h.current(); b == s.b {
			for _, a := range s.hello.Agents {
				b.lost(a)
			}
		}
	})
	select {
	case <-crashed:
	case <-h.ended:
	}
	h.mu.Lock()
	for _, a := range s.hello.Agents {
		if h.holders[a] == s {
			delete(h.holders, a)
			h.ends(a)
		}
	}
	h.mu.Unlock()
	close(s.done)
}

// read takes what the process says until the connection ends.
func (s *session) read() error {
	for {
		kind, body, err := s.conn.Read()
		if err != nil {
			return err
		}
		switch kind {
		case wire.KindTurn:
			err = s.turn(body)
		case wire.KindTables:
			err = s.replace(body)
		case wire.KindCall:
			err = s.call(body)
		case wire.KindCancel:
			err = s.cancel(body)
		case wire.KindLine:
			err = s.said(body)
		case wire.KindHealth:
			err = s.health(body)
		default:
			err = fmt.Errorf("a frame is of kind %q", kind)
		}
		if err != nil {
			return err
		}
	}
}

// onLoop runs f on the device's loop if the session's boot is still the one.
func (s *session) onLoop(f func(b *boot) error) {
	s.h.dev.Post(func() {
		if s.h.current() != s.b || s.b.k.Dead() {
			return
		}
		if err := f(s.b); err != nil {
			s.h.say(agent.Err, "connection", fmt.Sprintf("process %d: %v", s.peer.PID, err))
			_ = s.conn.Close()
		}
	})
}

// record is what of a turn is to be durable, nil if nothing is.
func (s *session) record(agent int, turn uint64, moves []move) *host.Record {
	rec := &host.Record{Turn: turn}
	if agent >= 0 && agent < len(s.hello.Agents) {
		rec.Agent = s.hello.Agents[agent]
	}
	for _, m := range moves {
		if m.t.life != bus.Persistent {
			continue
		}
		for _, c := range m.list {
			r := host.Stored{Topic: m.t.name, Key: c.key, Rev: c.rev}
			if c.row != nil {
				r.Val, r.Version = c.row.JSON, c.row.Version
			}
			rec.Rows = append(rec.Rows, r)
		}
	}
	if len(rec.Rows) == 0 {
		return nil
	}
	return rec
}
