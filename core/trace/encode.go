package trace

import (
	"encoding/binary"
	"reflect"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// encoder builds frames of one device.
type encoder struct {
	*pack.Encoder
	topics map[*bus.Decl]*topicOut
	near   [nearTopics]*topicOut // those that were looked up lately
	ops    map[string]*opOut
	clock  time.Duration // wall clock less time since boot
	now    time.Duration
}

// topicOut is what was written of a topic last.
type topicOut struct {
	decl  *bus.Decl
	name  string
	known uint64 // the number of its name
	pair  lastPair
	coder *pack.Coder
	last  any
	rev   uint64
	from  uint64   // the revision with which the recording of this boot begins
	top   uint64   // the newest version in it
	bare  bool     // its publisher is a part whose steps are not recorded
	old   []uint64 // versions that are in it as tables
}

// opOut is what was written of an op last.
type opOut struct {
	pair  lastPair
	coder *pack.Coder
	last  any
	req   uint32
}

// lastPair is the number of the pair that a topic or op was written with last: most go on with it.
type lastPair struct {
	key string
	n   uint64
}

// pair writes a topic or op and a key.
func (e *encoder) pair(name, key string, last *lastPair) {
	if last.n > 0 && last.key == key {
		e.Number(last.n)
		return
	}
	*last = lastPair{key, e.Pair(name, key)}
}

func newEncoder(e *pack.Encoder) *encoder {
	return &encoder{Encoder: e, topics: map[*bus.Decl]*topicOut{}, ops: map[string]*opOut{}}
}

// nearTopics is how many topics are found without the map; a power of two.
const nearTopics = 256

func (e *encoder) topic(d *bus.Decl) *topicOut {
	near := &e.near[d.Sum()%nearTopics]
	if t := *near; t != nil && t.decl == d {
		return t
	}
	t := e.topics[d]
	if t == nil {
		t = &topicOut{decl: d, name: d.String()}
		e.topics[d] = t
	}
	*near = t
	return t
}

func (e *encoder) op(name string) *opOut {
	o := e.ops[name]
	if o == nil {
		o = &opOut{}
		e.ops[name] = o
	}
	return o
}

// time writes an instant, which is not long after the last one.
func (e *encoder) time(now time.Duration) {
	e.Signed(int64(now - e.now))
	e.now, e.Now = now, now
}

// row writes a put or delete; was is what stood under the key.
func (e *encoder) row(t *topicOut, key string, rev uint64, val, was any) {
	var how byte
	switch {
	case val == nil:
		how = rowGone
	case was != nil:
		how = rowBefore
	}
	if rev != t.rev+1 {
		how |= rowRev
	}
	if val != nil && t.coder == nil {
		how |= rowType
	}
	e.pair(t.name, key, &t.pair)
	e.B = append(e.B, how)
	if how&rowRev != 0 {
		e.Signed(int64(rev - t.rev))
	}
	t.rev = rev
	if val == nil {
		return
	}
	if t.coder == nil {
		t.coder = e.Coder(t.decl.RowType())
		e.Number(uint64(t.decl.Life))
		e.describe(t.coder)
	}
	if was == nil {
		was = t.last
	}
	t.coder.Write(val, was)
	t.last = val
}

func (e *encoder) describe(c *pack.Coder) {
	desc := c.Describe()
	e.Number(uint64(len(desc)))
	e.B = append(e.B, desc...)
}

func (e *encoder) changes(rows []host.Change) {
	e.Number(uint64(len(rows)))
	for i := range rows {
		r := &rows[i]
		t := e.topic(r.Topic)
		e.row(t, r.Key, r.Rev, r.Val, r.Was)
		t.top = r.Rev
	}
}

// table writes a version of a topic.
func (e *encoder) table(t *topicOut, h bus.Head, old bool) {
	e.Again(t.name, &t.known)
	e.rev(t, h)
	n := uint64(0)
	if old {
		n = 1
	}
	e.Number(uint64(h.Len())<<1 | n)
	for key, v := range h.All() {
		_, rev := h.Get(key)
		e.row(t, key, rev, v, nil)
	}
}

// rev writes a revision as its distance to the topic's last, and whether the table is complete.
func (e *encoder) rev(t *topicOut, h bus.Head) {
	d := int64(h.Rev() - t.rev)
	n := uint64(d)<<1 ^ uint64(d>>63)
	t.rev = h.Rev()
	if n <<= 1; h.Complete() {
		n |= 1
	}
	e.Number(n)
}

func (e *encoder) moves(moves []host.Move) {
	e.Number(uint64(len(moves)))
	for _, m := range moves {
		t := e.topic(m.Topic())
		e.Again(t.name, &t.known)
		e.rev(t, m.Head)
	}
}

// has are the flags of a turn.
func (e *encoder) has(in *host.Input, out *host.Output, starts int) (flags uint64) {
	flag := func(on bool, bit uint64) {
		if on {
			flags |= bit
		}
	}
	flag(in.Full, hasFull)
	flag(len(in.Moves) > 0, hasMoves)
	flag(len(in.Due) > 0, hasDue)
	flag(starts > 0, hasStarts)
	flag(len(in.Ends) > 0, hasEnds)
	flag(len(out.Rows) > 0, hasRows)
	flag(len(out.Whole) > 0, hasWhole)
	flag(len(out.Calls) > 0, hasCalls)
	flag(len(out.Wakes) > 0, hasWakes)
	return flags
}

// turn writes a turn of an agent behind its last one.
func (e *encoder) turn(in *host.Input, out *host.Output, s *line, starts []host.Start) {
	turn, last := s.turn, max(s.last, 0)
	flags := e.has(in, out, len(starts))
	clock := time.Duration(in.Wall.UnixNano()) - in.Now
	if clock != e.clock {
		flags |= hasClock
	}
	if in.Turn != turn+1 {
		flags |= hasSkip
	}
	e.Number(flags)
	e.Again(in.Agent, &s.known)
	e.time(in.Now)
	if flags&hasClock != 0 {
		e.Signed(int64(clock - e.clock))
		e.clock = clock
	}
	if flags&hasSkip != 0 {
		e.Signed(int64(in.Turn - turn))
	}
	if flags&hasMoves != 0 {
		e.moves(in.Moves)
	}
	if flags&hasDue != 0 {
		e.Number(uint64(len(in.Due)))
		for _, k := range in.Due {
			e.Text(k)
		}
	}
	if flags&hasStarts != 0 {
		e.starts(starts, last)
	}
	if flags&hasEnds != 0 {
		e.Number(uint64(len(in.Ends)))
		for i := range in.Ends {
			e.end(&in.Ends[i], last)
		}
	}
	e.output(in, out, flags)
}

func (e *encoder) starts(starts []host.Start, last time.Duration) {
	e.Number(uint64(len(starts)))
	for i := range starts {
		s := &starts[i]
		e.Pair(s.Op, s.Key)
		if s.Queued {
			e.Number(0)
			continue
		}
		e.Number(1)
		e.Signed(int64(s.Began - last))
	}
}

func (e *encoder) end(x *host.End, last time.Duration) {
	c := &x.Call
	op := e.op(x.Op)
	e.pair(x.Op, x.Key, &op.pair)
	e.Number(uint64(c.Tries))
	e.Signed(int64(c.Began - last))
	e.Signed(int64(c.Ended - e.now))
	e.outcome(op, c.Res, c)
}

// outcome writes a result or a fault.
func (e *encoder) outcome(o *opOut, res any, c *agent.CallState) {
	switch f := c.Fault; {
	case f != nil:
		how := byte(endFault)
		if f.Retry {
			how |= endRetry
		}
		e.B = append(e.B, how)
		e.Text(f.Code)
		e.Text(f.Text)
		return
	case res == nil:
		e.B = append(e.B, endNone)
		return
	}
	if o.coder != nil {
		e.B = append(e.B, 0)
	} else {
		e.B = append(e.B, endType)
		o.coder = e.Coder(reflect.TypeOf(res).Elem())
		e.describe(o.coder)
	}
	o.coder.Write(res, o.last)
	o.last = res
}

func (e *encoder) output(in *host.Input, out *host.Output, flags uint64) {
	if flags&hasRows != 0 {
		e.changes(out.Rows)
	}
	if flags&hasWhole != 0 {
		e.Number(uint64(len(out.Whole)))
		for _, d := range out.Whole {
			e.Text(d.String())
		}
	}
	if flags&hasCalls != 0 {
		e.Number(uint64(len(out.Calls)))
		for i := range out.Calls {
			e.call(&out.Calls[i])
		}
	}
	if flags&hasWakes != 0 {
		e.Number(uint64(len(out.Wakes)))
		for _, w := range out.Wakes {
			e.wake(w.Key, w.At, in.Now)
		}
	}
}

func (e *encoder) call(o *host.Order) {
	var req uint32
	verb, op := byte(callWant), e.op(o.Op)
	switch o.Verb {
	case host.Redo:
		verb = callRedo
	case host.Drop:
		verb = callDrop
	case host.Want:
		req = shorten(o.Sum())
		if op.req == req {
			verb = callSame
		} else {
			op.req = req
		}
	}
	e.B = append(e.B, verb)
	e.pair(o.Op, o.Key, &op.pair)
	if verb == callWant {
		e.B = binary.LittleEndian.AppendUint32(e.B, req)
	}
}

// wake writes a deadline: nothing, or how far it is from now.
func (e *encoder) wake(key string, at, now time.Duration) {
	e.Text(key)
	if at < 0 {
		e.Number(0)
		return
	}
	switch d := at - now; {
	case d < 0: // it has passed, and its turn is to come
		e.Number(1)
		e.Number(uint64(-d))
	case d%time.Second == 0:
		e.Number(uint64(d/time.Second)<<1 + 3)
	default:
		e.Number(uint64(d)<<1 + 2)
	}
}

// shorten makes a checksum of 32 bits.
func shorten(sum uint64) uint32 { return uint32(sum) }
