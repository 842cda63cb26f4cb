package replay

import (
	"slices"
	"sort"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// seat is an agent that is replayed; it is the host of its turns.
type seat struct {
	d      *device
	entry  agent.Entry
	agent  agent.Agent
	turn   *agent.Turn
	subs   []*sub
	pubs   []*pub
	tables []*table
	wakes  map[string]time.Duration
	due    []string
	start  uint64
	draw   uint64
	begun  bool // its start is in the recording
	parted bool // it has differed
	moved  []*bus.Cursor

	rows  []put
	whole []*bus.Decl
	calls []order
	alarm []wake
}

type sub struct {
	*bus.Cursor
	shelf *shelf
}

type pub struct {
	*bus.Cursor
	shelf *shelf
}

// put, order and wake are what a turn does.
type put struct {
	decl *bus.Decl
	key  string
	rev  uint64
	val  any
}

type order struct {
	verb host.Verb
	t    *table
	key  string
	req  any
}

type wake struct {
	key string
	at  time.Duration
}

func newSeat(d *device, e agent.Entry) *seat {
	s := &seat{d: d, entry: e, wakes: map[string]time.Duration{}}
	s.turn = agent.NewTurn(s)
	s.agent = e.New(s)
	return s
}

// Agent is the name, for package bus.
func (s *seat) Agent() string { return s.entry.Name }

// Subscribe attaches to a topic; see bus.Port.
func (s *seat) Subscribe(d *bus.Decl, _ bus.Mode) *bus.Cursor {
	sh := s.d.shelf(d)
	for _, x := range s.subs {
		if x.shelf == sh {
			return x.Cursor
		}
	}
	x := &sub{bus.NewCursor(d, sh.newest()), sh}
	s.subs = append(s.subs, x)
	sh.readers = append(sh.readers, x)
	return x.Cursor
}

// Publish claims a topic; see bus.Port.
func (s *seat) Publish(d *bus.Decl) (*bus.Cursor, bus.Outlet) {
	sh := s.d.shelf(d)
	for _, x := range s.pubs {
		if x.shelf == sh {
			return x.Cursor, s
		}
	}
	x := &pub{bus.NewWriter(d, sh.newest(), &bus.Way{}), sh}
	s.pubs = append(s.pubs, x)
	return x.Cursor, s
}

// Use declares an op; see bus.Port.
func (s *seat) Use(op any) any {
	d := op.(*agent.OpDecl)
	if t := s.table(d.Name); t != nil {
		return t
	}
	t := &table{s: s, decl: d}
	s.tables = append(s.tables, t)
	return t
}

func (s *seat) table(op string) *table {
	for _, t := range s.tables {
		if t.decl.Name == op {
			return t
		}
	}
	return nil
}

// Write takes a put or delete of the turn; see bus.Outlet.
func (s *seat) Write(c *bus.Cursor, key string, val any) {
	s.rows = append(s.rows, put{c.Decl, key, c.Put(key, val), val})
}

// Complete takes a declaration of the turn; see bus.Outlet.
func (s *seat) Complete(c *bus.Cursor) {
	c.SetComplete()
	s.whole = append(s.whole, c.Decl)
}

// Wake sets a deadline; see agent.Host.
func (s *seat) Wake(key string, at time.Duration) {
	if was, ok := s.wakes[key]; ok && was == at {
		return
	}
	s.wakes[key] = at
	s.alarm = append(s.alarm, wake{key, at})
}

// Unwake drops a deadline; see agent.Host.
func (s *seat) Unwake(key string) {
	if _, ok := s.wakes[key]; ok {
		delete(s.wakes, key)
		s.alarm = append(s.alarm, wake{key, -1})
	}
}

// Due lists spent deadlines; see agent.Host.
func (s *seat) Due() []string { return s.due }

// Draw is the random number of a key; see agent.Host.
func (s *seat) Draw(key string) uint64 { return host.DrawOf(s.draw, key) }

// Log throws a line away: lines are not recorded; see agent.Host.
func (s *seat) Log(agent.Line) {}

// table is an agent's calls of one op.
type table struct {
	s     *seat
	decl  *agent.OpDecl
	calls []*call // by key
	ended []string
}

// call is a call as its agent sees it. A call that a recording began with has no request, only the
// checksum of one.
type call struct {
	key   string
	req   any
	sum   uint32
	state agent.CallState
	fresh bool // asked for in the turn that ran last
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

func (t *table) order(v host.Verb, key string, req any, c *call) {
	t.put(key, c)
	t.s.calls = append(t.s.calls, order{v, t, key, req})
}

// Want asks for req under key; see agent.CallTable.
func (t *table) Want(key string, req any) {
	if was := t.find(key); was != nil {
		if was.req == nil && was.sum == uint32(t.decl.SumReq(req)) ||
			was.req != nil && t.decl.EqualReq(was.req, req) {
			return
		}
	}
	t.order(host.Want, key, req, &call{key: key, req: req, fresh: true,
		state: agent.CallState{Phase: agent.Queued}})
}

// Redo runs a call that is over again; see agent.CallTable.
func (t *table) Redo(key string) {
	was := t.find(key)
	if was == nil || was.state.Phase < agent.Done {
		return
	}
	t.order(host.Redo, key, nil, &call{key: key, req: was.req, sum: was.sum, fresh: true,
		state: agent.CallState{Phase: agent.Queued, Tries: was.state.Tries}})
}

// Drop forgets a call; see agent.CallTable.
func (t *table) Drop(key string) {
	if t.find(key) != nil {
		t.order(host.Drop, key, nil, nil)
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
	if !t.s.turn.Full {
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

var (
	_ bus.Port        = (*seat)(nil)
	_ bus.Outlet      = (*seat)(nil)
	_ agent.Host      = (*seat)(nil)
	_ agent.CallTable = (*table)(nil)
)
