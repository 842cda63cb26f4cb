package replay

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/trace"
)

// turn replays a turn of an agent, or takes what it did from the recording.
func (p *Player) turn(t *trace.Turn) error {
	d := p.devices[t.Device]
	if d == nil {
		return nil
	}
	s := d.seat(t.Agent)
	if s == nil || s.parted || !s.begun {
		p.Passed++
		return d.rows(t.Rows)
	}
	diff, err := s.play(t)
	if err != nil {
		return fmt.Errorf("turn %d of %s: %w", t.Turn, t.Agent, err)
	}
	p.Turns++
	if diff == nil {
		s.settle()
		return nil
	}
	s.parted = true
	p.Differ = append(p.Differ, diff)
	if p.First == nil {
		p.First = diff
	}
	return d.rows(t.Rows)
}

// play gives the agent the turn and compares what it does.
func (s *seat) play(t *trace.Turn) (*trace.Difference, error) {
	if err := s.tell(t); err != nil {
		return nil, err
	}
	if cause := s.step(); cause != nil {
		return differ(t, "panic", "", "", "no panic", fmt.Sprint(cause)), nil
	}
	return s.compare(t), nil
}

// tell shows the agent what the turn was told.
func (s *seat) tell(t *trace.Turn) error {
	s.rows, s.whole, s.calls, s.alarm = s.rows[:0], s.whole[:0], s.calls[:0], s.alarm[:0]
	s.turn.Now, s.turn.Wall, s.turn.Full = t.Now, t.Wall, t.Full
	for _, m := range t.Moves {
		x := s.sub(m.Topic)
		if x == nil {
			continue // the program has no use for it
		}
		h, err := x.shelf.at(m)
		if err != nil {
			return err
		}
		x.Advance(h)
		s.moved = append(s.moved, x.Cursor)
	}
	if t.Full {
		s.moved = s.moved[:0]
		for _, x := range s.subs {
			x.Full()
			s.moved = append(s.moved, x.Cursor)
		}
	}
	s.due = sorted(t.Due)
	for _, k := range t.Due {
		delete(s.wakes, k)
	}
	for i := range t.Starts {
		s.started(&t.Starts[i])
	}
	for i := range t.Ends {
		if err := s.ended(&t.Ends[i]); err != nil {
			return err
		}
	}
	return nil
}

// started corrects how far a call is that was presumed to run.
func (s *seat) started(b *trace.Began) {
	t := s.table(b.Op)
	if t == nil {
		return
	}
	c := t.find(b.Key)
	if c == nil {
		return
	}
	switch x := &c.state; {
	case b.Queued:
		x.Phase, x.Began = agent.Queued, 0
		x.Tries--
	case x.Phase == agent.Queued:
		x.Phase, x.Began = agent.Running, b.At
		x.Tries++
	default:
		x.Began = b.At
	}
}

// ended takes an outcome.
func (s *seat) ended(e *trace.End) error {
	t := s.table(e.Op)
	if t == nil {
		return nil
	}
	c := t.find(e.Key)
	if c == nil {
		return nil
	}
	x := &c.state
	x.Phase, x.Fault, x.Began, x.Ended, x.Tries = agent.Done, e.Fault, e.Began, e.Ended, e.Tries
	if e.Fault != nil {
		x.Phase = agent.Failed
	}
	if !e.Res.IsZero() {
		x.Res = t.decl.NewRes()
		if err := e.Res.Into(x.Res); err != nil {
			return fmt.Errorf("%w: result of %s/%s: %w", ErrRow, e.Op, e.Key, err)
		}
	}
	if i, has := slices.BinarySearch(t.ended, e.Key); !has {
		t.ended = slices.Insert(t.ended, i, e.Key)
	}
	return nil
}

// step runs the agent and returns what it panicked with.
func (s *seat) step() (cause any) {
	defer func() { cause = recover() }()
	s.agent.Step(s.turn)
	return nil
}

// settle ends a turn that was as recorded.
func (s *seat) settle() {
	for _, c := range s.moved {
		c.Settle()
	}
	s.moved, s.due = s.moved[:0], nil
	for _, t := range s.tables {
		t.ended = t.ended[:0]
	}
	for _, o := range s.calls {
		if c := o.t.find(o.key); c != nil && c.fresh {
			c.fresh = false
			c.state.Phase, c.state.Began = agent.Running, s.turn.Now
			c.state.Tries++
		}
	}
	var done []*bus.Decl
	shown := func(d *bus.Decl) {
		if d.Life != bus.Local && !slices.Contains(done, d) {
			done = append(done, d)
			x := s.pub(d.String())
			x.shelf.add(x.Head())
		}
	}
	for i := range s.rows {
		shown(s.rows[i].decl)
	}
	for _, d := range s.whole {
		shown(d)
	}
}

func differ(t *trace.Turn, what, topic, key, was, now string) *trace.Difference {
	return &trace.Difference{Device: t.Device, Agent: t.Agent, Boot: t.Boot, Turn: t.Turn, At: t.Now,
		What: what, Topic: topic, Key: key, A: was, B: now}
}

// nothing is what stands where one side has nothing.
const nothing = "nothing"

// compare holds what the agent did against what it had done.
func (s *seat) compare(t *trace.Turn) *trace.Difference {
	for i := range max(len(t.Rows), len(s.rows)) {
		if d := s.compareRow(t, i); d != nil {
			return d
		}
	}
	for i := range max(len(t.Whole), len(s.whole)) {
		was, now := nothing, nothing
		if i < len(t.Whole) {
			was = t.Whole[i]
		}
		if i < len(s.whole) {
			now = s.whole[i].String()
		}
		if was != now {
			topic := was
			if was == nothing {
				topic = now
			}
			return differ(t, "complete", topic, "", was, now)
		}
	}
	for i := range max(len(t.Calls), len(s.calls)) {
		if d := s.compareCall(t, i); d != nil {
			return d
		}
	}
	for i := range max(len(t.Wakes), len(s.alarm)) {
		var was, now *trace.Wake
		if i < len(t.Wakes) {
			was = &t.Wakes[i]
		}
		if i < len(s.alarm) {
			now = &trace.Wake{Key: s.alarm[i].key, At: s.alarm[i].at}
		}
		if was == nil || now == nil || *was != *now {
			key := was
			if was == nil {
				key = now
			}
			return differ(t, "deadline", "", key.Key, alarmText(was), alarmText(now))
		}
	}
	return nil
}

func alarmText(w *trace.Wake) string {
	switch {
	case w == nil:
		return nothing
	case w.At < 0:
		return w.Key + " dropped"
	}
	return fmt.Sprintf("%s at %v", w.Key, w.At)
}

func (s *seat) compareRow(t *trace.Turn, i int) *trace.Difference {
	if i >= len(t.Rows) {
		r := &s.rows[i]
		return differ(t, "put", r.decl.String(), r.key, nothing, rowText(r.val))
	}
	was := &t.Rows[i]
	text := "deleted"
	if !was.Val.IsZero() {
		text = string(was.Val.JSON())
	}
	if i >= len(s.rows) {
		return differ(t, "put", was.Topic, was.Key, text, nothing)
	}
	now := &s.rows[i]
	if now.decl.String() != was.Topic || now.key != was.Key {
		return differ(t, "put", was.Topic, was.Key, text,
			fmt.Sprintf("%s/%s %s", now.decl, now.key, rowText(now.val)))
	}
	if now.rev != was.Rev {
		return differ(t, "put", was.Topic, was.Key, fmt.Sprintf("revision %d", was.Rev),
			fmt.Sprintf("revision %d", now.rev))
	}
	if was.Val.IsZero() != (now.val == nil) {
		return differ(t, "put", was.Topic, was.Key, text, rowText(now.val))
	}
	if now.val == nil {
		return nil
	}
	v := now.decl.NewRow()
	if err := was.Val.Into(v); err != nil || !now.decl.Equal(v, now.val) {
		return differ(t, "put", was.Topic, was.Key, text, rowText(now.val))
	}
	return nil
}

func rowText(v any) string {
	if v == nil {
		return "deleted"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

func (s *seat) compareCall(t *trace.Turn, i int) *trace.Difference {
	var was, now *trace.Call
	if i < len(t.Calls) {
		was = &t.Calls[i]
	}
	detail := ""
	if i < len(s.calls) {
		o := &s.calls[i]
		now = &trace.Call{Verb: o.verb, Op: o.t.decl.Name, Key: o.key}
		if o.req != nil {
			now.Req = uint32(o.t.decl.SumReq(o.req))
			detail = ": " + rowText(o.req)
		}
	}
	switch {
	case was == nil:
		return differ(t, "call", now.Op, now.Key, nothing, now.String()+detail)
	case now == nil:
		return differ(t, "call", was.Op, was.Key, was.String(), nothing)
	case *was != *now:
		return differ(t, "call", was.Op, was.Key, was.String(), now.String()+detail)
	}
	return nil
}
