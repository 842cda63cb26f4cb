package trace

import (
	"fmt"
	"reflect"

	"github.com/evetwin/evetwin/core/bus"
)

// note remembers rows, to tell what a revision was about.
func (s *side) note(device string, rows []Row) {
	for i := range rows {
		r := &rows[i]
		var sum bus.Sum
		sum.Bytes(r.Val.JSON())
		s.rows[rowID{device, r.Topic, r.Rev}] = known{r.Key, sum.Value()}
	}
}

func differ(t *Turn, what, topic, key, a, b string) *Difference {
	return &Difference{Device: t.Device, Agent: t.Agent, Boot: t.Boot, Turn: t.Turn, At: t.Now,
		What: what, Topic: topic, Key: key, A: a, B: b}
}

// compare holds two turns of an agent against each other: what it was told first, then what it did.
func (x *comparison) compare(q *queue, a, b *Turn) *Difference {
	start := func(t *Turn) string {
		return fmt.Sprintf("turn %d of start %d in boot %d, full %v", t.Turn, t.Start, t.Boot, t.Full)
	}
	if start(a) != start(b) {
		return differ(a, "start", "", "", start(a), start(b))
	}
	if a.Now != b.Now || !a.Wall.Equal(b.Wall) {
		return differ(a, "clock", "", "", fmt.Sprint(a.Now, ", ", a.Wall),
			fmt.Sprint(b.Now, ", ", b.Wall))
	}
	if d := x.shown(q, a, b); d != nil {
		return d
	}
	if m, o, ok := first(a.Due, b.Due); ok {
		return differ(a, "due", "", *either(m, o), text(m), text(o))
	}
	if m, o, ok := first(a.Starts, b.Starts); ok {
		s := either(m, o)
		return differ(a, "started", s.Op, s.Key, text(m), text(o))
	}
	if m, o, ok := first(a.Ends, b.Ends); ok {
		e := either(m, o)
		return differ(a, "ended", e.Op, e.Key, text(m), text(o))
	}
	return did(a, b)
}

// did compares what two turns did.
func did(a, b *Turn) *Difference {
	if m, o, ok := first(a.Rows, b.Rows); ok {
		r := either(m, o)
		return differ(a, "put", r.Topic, r.Key, text(m), text(o))
	}
	if m, o, ok := first(a.Whole, b.Whole); ok {
		return differ(a, "complete", *either(m, o), "", text(m), text(o))
	}
	if m, o, ok := first(a.Calls, b.Calls); ok {
		c := either(m, o)
		return differ(a, "call", c.Op, c.Key, text(m), text(o))
	}
	if m, o, ok := first(a.Wakes, b.Wakes); ok {
		return differ(a, "deadline", "", either(m, o).Key, text(m), text(o))
	}
	return nil
}

// shown compares which tables were shown anew, and the rows in them.
func (x *comparison) shown(q *queue, a, b *Turn) *Difference {
	for i := range max(len(a.Moves), len(b.Moves)) {
		m, o := at(a.Moves, i), at(b.Moves, i)
		if m == nil || o == nil || m.Topic != o.Topic {
			return differ(a, "shown", either(m, o).Topic, "", text(m), text(o))
		}
		if d := x.content(q, a, m, o); d != nil {
			return d
		}
		if m.Rev != o.Rev {
			id := rowID{a.Device, m.Topic, min(m.Rev, o.Rev) + 1}
			key := x.sides[0].rows[id].key
			if m.Rev < o.Rev {
				key = x.sides[1].rows[id].key
			}
			return differ(a, "shown", m.Topic, key, text(m), text(o))
		}
		if m.Complete != o.Complete {
			return differ(a, "shown", m.Topic, "", text(m), text(o))
		}
		q.shown[m.Topic] = m.Rev
	}
	return nil
}

// lookBack is how many revisions before the shown one are compared when a table is first shown.
const lookBack = 1000

// content compares the rows that a move shows anew, where both recordings have them: of rows that
// were replaced before anybody saw them, each may have others.
func (x *comparison) content(q *queue, t *Turn, m, o *Move) *Difference {
	upto := min(m.Rev, o.Rev)
	from := q.shown[m.Topic]
	if upto > lookBack {
		from = max(from, upto-lookBack)
	}
	for rev := from + 1; rev <= upto; rev++ {
		id := rowID{t.Device, m.Topic, rev}
		r, in := x.sides[0].rows[id]
		s, too := x.sides[1].rows[id]
		if in && too && r != s {
			return differ(t, "shown", m.Topic, r.key, fmt.Sprintf("%s (%016x)", r.key, r.sum),
				fmt.Sprintf("%s (%016x)", s.key, s.sum))
		}
	}
	return nil
}

// first finds the first place where two lists differ; a list that has ended there gives nil.
func first[T any](a, b []T) (x, y *T, differ bool) {
	for i := range max(len(a), len(b)) {
		x, y = at(a, i), at(b, i)
		if x == nil || y == nil || !equal(x, y) {
			return x, y, true
		}
	}
	return nil, nil, false
}

func equal[T any](x, y *T) bool {
	switch r := any(x).(type) {
	case *Row:
		s := any(y).(*Row)
		return r.Topic == s.Topic && r.Key == s.Key && r.Rev == s.Rev && r.Val.Equal(s.Val)
	case *End:
		s := any(y).(*End)
		return r.Op == s.Op && r.Key == s.Key && r.Tries == s.Tries && r.Began == s.Began &&
			r.Ended == s.Ended && r.Res.Equal(s.Res) && reflect.DeepEqual(r.Fault, s.Fault)
	}
	return reflect.DeepEqual(x, y)
}

func at[T any](s []T, i int) *T {
	if i < len(s) {
		return &s[i]
	}
	return nil
}

func either[T any](x, y *T) *T {
	if x != nil {
		return x
	}
	return y
}

// text is one side of a difference for people.
func text[T any](x *T) string {
	if x == nil {
		return "nothing"
	}
	switch v := any(x).(type) {
	case *Row:
		if v.Val.IsZero() {
			return "deleted"
		}
		return string(v.Val.JSON())
	case *End:
		if v.Fault != nil {
			return fmt.Sprintf("try %d failed: %s: %s", v.Tries, v.Fault.Code, v.Fault.Text)
		}
		return fmt.Sprintf("try %d: %s", v.Tries, v.Res.JSON())
	case *Move:
		return fmt.Sprintf("%s up to revision %d, complete %v", v.Topic, v.Rev, v.Complete)
	case *Call:
		return v.String()
	}
	return fmt.Sprint(*x)
}
