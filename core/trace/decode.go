package trace

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// decoder takes frames apart, in the order in which encoder builds them.
type decoder struct {
	*pack.Decoder
	devices map[string]*deviceIn
}

// deviceIn is what was read of a device last.
type deviceIn struct {
	d          *decoder
	name       string
	boot       uint64
	now, clock time.Duration
	topics     map[string]*topicIn
	ops        map[string]*opIn
	agents     map[string]*agentIn
}

type topicIn struct {
	name  string
	local bool
	src   *pack.Source
	last  pack.Value
	rev   uint64
	rows  map[string]pack.Value
}

type opIn struct {
	src  *pack.Source
	last pack.Value
	req  uint32
}

type agentIn struct {
	start, turn uint64
	last        time.Duration
}

func (d *decoder) device() *deviceIn {
	name := d.Text()
	x := d.devices[name]
	if x == nil {
		x = &deviceIn{d: d, name: name, topics: map[string]*topicIn{}, ops: map[string]*opIn{},
			agents: map[string]*agentIn{}}
		d.devices[name] = x
	}
	return x
}

func (x *deviceIn) topic(name string) *topicIn {
	t := x.topics[name]
	if t == nil {
		t = &topicIn{name: name, rows: map[string]pack.Value{}}
		x.topics[name] = t
	}
	return t
}

func (x *deviceIn) op(name string) *opIn {
	o := x.ops[name]
	if o == nil {
		o = &opIn{}
		x.ops[name] = o
	}
	return o
}

func (x *deviceIn) agent(name string) *agentIn {
	a := x.agents[name]
	if a == nil {
		a = &agentIn{}
		x.agents[name] = a
	}
	return a
}

func (x *deviceIn) time() time.Duration {
	x.now += time.Duration(x.d.Signed())
	x.d.Now = x.now
	return x.now
}

// source reads the description of a type.
func (d *decoder) source() *pack.Source {
	t, err := pack.Parse(string(d.Bytes(d.Number())))
	if err != nil {
		d.Bad = true
		return nil
	}
	return d.Source(t)
}

func (d *decoder) fail() { d.Bad, d.B = true, nil }

// row reads a put or delete; keep says that what follows may build on it.
func (x *deviceIn) row(keep bool) Row {
	d := x.d
	topic, key := d.Pair()
	t := x.topic(topic)
	how := byte(0)
	if b := d.Bytes(1); b != nil {
		how = b[0]
	}
	rev := t.rev + 1
	if how&rowRev != 0 {
		rev = t.rev + uint64(d.Signed())
	}
	t.rev = rev
	r := Row{Topic: t.name, Key: key, Rev: rev}
	if how&rowGone != 0 {
		if keep {
			delete(t.rows, key)
		}
		return r
	}
	if how&rowType != 0 {
		t.local = bus.Life(d.Number()) == bus.Local
		t.src, t.last = d.source(), pack.Value{}
	}
	base := t.last
	if how&rowBefore != 0 {
		base = t.rows[key]
	}
	if t.src == nil || d.Bad || how&rowBefore != 0 && base.IsZero() {
		d.fail()
		return r
	}
	r.Val = t.src.Read(base)
	t.last = r.Val
	if keep {
		t.rows[key] = r.Val
	}
	return r
}

func (x *deviceIn) rows(n int, keep bool) []Row {
	out := make([]Row, 0, n)
	for range n {
		if out = append(out, x.row(keep)); x.d.Bad {
			return nil
		}
	}
	return out
}

// rev reads a revision and whether the table is complete.
func (x *deviceIn) rev(t *topicIn) (uint64, bool) {
	n := x.d.Number()
	zig := n >> 1
	t.rev += zig>>1 ^ -(zig & 1)
	return t.rev, n&1 != 0
}

func (x *deviceIn) moves() (out []Move) {
	for range x.d.Count() {
		t := x.topic(x.d.Text())
		rev, complete := x.rev(t)
		out = append(out, Move{t.name, rev, complete})
	}
	return out
}

func (d *decoder) boot() *Boot {
	x := d.device()
	x.boot, x.now = d.Number(), 0
	for _, t := range x.topics { //order: each is changed alone
		clear(t.rows)
	}
	clear(x.agents)
	b := &Boot{Device: x.name, Boot: x.boot, Now: x.time()}
	x.clock = time.Duration(d.Signed())
	b.Wall = time.Unix(0, int64(x.clock+x.now)).UTC()
	return b
}

func (d *decoder) table() *Table {
	x := d.device()
	t := x.topic(x.d.Text())
	f := &Table{Device: x.name, Boot: x.boot, Topic: t.name}
	f.Rev, f.Complete = x.rev(t)
	n := d.Number()
	f.Old = n&1 != 0
	if n >>= 1; n > uint64(len(d.B)) {
		d.fail()
		return f
	}
	if !f.Old {
		clear(t.rows)
	}
	f.Rows = x.rows(int(n), !f.Old)
	return f
}

func (d *decoder) seen() *Seen {
	x := d.device()
	f := &Seen{Device: x.name, Boot: x.boot, Part: d.Text(), Now: x.time()}
	f.Rows = x.rows(d.Count(), true)
	return f
}

func (d *decoder) word() uint64 {
	if b := d.Bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) short() uint32 {
	if b := d.Bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) start() *Start {
	x := d.device()
	f := &Start{Device: x.name, Boot: x.boot, Agent: d.Text(), Now: x.time()}
	how := d.Number()
	f.Crash, f.Begun = how&startCrash != 0, how&startBegun != 0
	f.Start, f.Turn, f.Draw = d.Number(), d.Number(), d.word()
	for _, t := range x.topics { //order: sorted below
		if owner, _, _ := strings.Cut(t.name, "/"); f.Crash && t.local && owner == f.Agent {
			f.Lost = append(f.Lost, t.name)
			clear(t.rows)
		}
	}
	slices.Sort(f.Lost)
	*x.agent(f.Agent) = agentIn{start: f.Start, turn: f.Turn}
	if how&startLife == 0 {
		return f
	}
	f.Shown, f.Own = x.moves(), x.moves()
	for range d.Count() {
		h := Held{Op: d.Text(), Key: d.Text(), Req: d.short(), Phase: agent.Phase(d.Number()),
			Tries: int(d.Number()), Began: time.Duration(d.Signed())}
		if h.Phase >= agent.Done {
			h.Ended = time.Duration(d.Signed())
			h.Res, h.Fault = x.outcome(h.Op)
		}
		f.Calls = append(f.Calls, h)
	}
	f.Wakes = x.wakes(f.Now)
	return f
}

func (d *decoder) turn() *Turn {
	x := d.device()
	has := d.Number()
	t := &Turn{Device: x.name, Boot: x.boot, Agent: d.Text(), Now: x.time(), Full: has&hasFull != 0}
	a := x.agent(t.Agent)
	if has&hasClock != 0 {
		x.clock += time.Duration(d.Signed())
	}
	t.Wall = time.Unix(0, int64(x.clock+x.now)).UTC()
	t.Start, t.Turn = a.start, a.turn+1
	if has&hasSkip != 0 {
		t.Turn = a.turn + uint64(d.Signed())
	}
	if has&hasMoves != 0 {
		t.Moves = x.moves()
	}
	if has&hasDue != 0 {
		t.Due = d.texts()
	}
	if has&hasStarts != 0 {
		for range d.Count() {
			var b Began
			b.Op, b.Key = d.Pair()
			b.Queued = d.Number() == 0
			if !b.Queued {
				b.At = a.last + time.Duration(d.Signed())
			}
			t.Starts = append(t.Starts, b)
		}
	}
	if has&hasEnds != 0 {
		for range d.Count() {
			var e End
			e.Op, e.Key = d.Pair()
			e.Tries = int(d.Number())
			e.Began = a.last + time.Duration(d.Signed())
			e.Ended = t.Now + time.Duration(d.Signed())
			e.Res, e.Fault = x.outcome(e.Op)
			t.Ends = append(t.Ends, e)
		}
	}
	x.output(t, has)
	a.turn, a.last = t.Turn, t.Now
	return t
}

func (d *decoder) texts() (out []string) {
	for range d.Count() {
		out = append(out, d.Text())
	}
	return out
}

func (x *deviceIn) outcome(op string) (pack.Value, *agent.Fault) {
	d := x.d
	how := byte(0)
	if b := d.Bytes(1); b != nil {
		how = b[0]
	}
	switch {
	case how&endFault != 0:
		return pack.Value{}, &agent.Fault{Code: d.Text(), Text: d.Text(), Retry: how&endRetry != 0}
	case how&endNone != 0:
		return pack.Value{}, nil
	}
	o := x.op(op)
	if how&endType != 0 {
		o.src, o.last = d.source(), pack.Value{}
	}
	if o.src == nil || d.Bad {
		d.fail()
		return pack.Value{}, nil
	}
	o.last = o.src.Read(o.last)
	return o.last, nil
}

func (x *deviceIn) output(t *Turn, has uint64) {
	d := x.d
	if has&hasRows != 0 {
		t.Rows = x.rows(d.Count(), true)
	}
	if has&hasWhole != 0 {
		t.Whole = d.texts()
	}
	if has&hasCalls != 0 {
		for range d.Count() {
			t.Calls = append(t.Calls, x.call())
		}
	}
	if has&hasWakes != 0 {
		t.Wakes = x.wakes(t.Now)
	}
}

func (x *deviceIn) call() Call {
	verb := byte(callWant)
	if b := x.d.Bytes(1); b != nil {
		verb = b[0]
	}
	c := Call{Verb: host.Want}
	c.Op, c.Key = x.d.Pair()
	switch op := x.op(c.Op); verb {
	case callRedo:
		c.Verb = host.Redo
	case callDrop:
		c.Verb = host.Drop
	case callWant:
		op.req = x.d.short()
		c.Req = op.req
	case callSame:
		c.Req = op.req
	default:
		x.d.fail()
	}
	return c
}

func (x *deviceIn) wakes(now time.Duration) (out []Wake) {
	for range x.d.Count() {
		w := Wake{x.d.Text(), -1}
		switch n := x.d.Number(); {
		case n == 1:
			w.At = now - time.Duration(x.d.Number())
		case n&1 != 0:
			w.At = now + time.Duration(n-3)/2*time.Second
		case n > 0:
			w.At = now + time.Duration(n-2)/2
		}
		out = append(out, w)
	}
	return out
}
