package trace

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Difference is where two recordings part.
type Difference struct {
	Device, Agent string
	Boot, Turn    uint64
	At            time.Duration // since boot
	// What differs: "missing", "clock", "start", "shown", "due", "started", "ended" in what the turn
	// was told; "put", "complete", "call", "deadline", "panic" in what it did.
	What string
	// Topic and Key name the row, or the op and key of a call; both may be empty.
	Topic, Key string
	// A and B are what the two recordings have there.
	A, B string
}

// String is the difference as a sentence.
func (d *Difference) String() string {
	at := strings.Trim(d.Topic+"/"+d.Key, "/")
	return fmt.Sprintf("%s of %s at %v in boot %d, turn %d: %s %s: %s, and %s", d.Agent, d.Device,
		d.At, d.Boot, d.Turn, d.What, at, d.A, d.B)
}

// Diff compares two recordings agent by agent, so that agents which only one of them has, and
// another order between agents, do not hide what is alike, and returns the first turn that
// differs: the one that stands first in either recording. It returns nil if there is none.
func Diff(a, b io.Reader) (*Difference, error) {
	x := comparison{waiting: map[string]*queue{}}
	for i, r := range []io.Reader{a, b} {
		reader, err := NewReader(r)
		if err != nil {
			return nil, err
		}
		x.sides[i] = side{r: reader, rows: map[rowID]known{}}
	}
	for !x.sides[0].ended || !x.sides[1].ended {
		for i := range x.sides {
			if err := x.take(i); err != nil {
				return nil, err
			}
		}
	}
	x.missing()
	return x.found, nil
}

// comparison is two recordings on the way to their first difference.
type comparison struct {
	sides   [2]side
	waiting map[string]*queue // turns of an agent that only one side has come to
	order   []string          // the agents, as they came
	found   *Difference
	at      int // place of found: the smaller number of its turn in either recording
}

type side struct {
	r     *Reader
	n     int // turns so far
	ended bool
	rows  map[rowID]known
}

// queue holds turns that one side is ahead with.
type queue struct {
	turns  [2][]numbered
	parted bool // the agent has differed
	shown  map[string]uint64
}

type numbered struct {
	*Turn
	n int
}

// rowID names one put of a row.
type rowID struct {
	device, topic string
	rev           uint64
}

// known is what a put was: its key and a checksum of its value.
type known struct {
	key string
	sum uint64
}

// take reads a turn of one side and compares it with its counterpart, once both are there.
func (x *comparison) take(i int) error {
	s := &x.sides[i]
	if s.ended {
		return nil
	}
	t, err := s.next()
	if errors.Is(err, io.EOF) {
		s.ended = true
		return nil
	}
	if err != nil {
		return err
	}
	s.n++
	name := t.Device + "/" + t.Agent
	q := x.waiting[name]
	if q == nil {
		q = &queue{shown: map[string]uint64{}}
		x.waiting[name] = q
		x.order = append(x.order, name)
	}
	if q.parted {
		return nil
	}
	q.turns[i] = append(q.turns[i], numbered{t, s.n})
	if len(q.turns[0]) > 0 && len(q.turns[1]) > 0 {
		p, o := q.turns[0][0], q.turns[1][0]
		q.turns[0], q.turns[1] = q.turns[0][1:], q.turns[1][1:]
		if d := x.compare(q, p.Turn, o.Turn); d != nil {
			q.part(x, d, min(p.n, o.n))
		}
	}
	return nil
}

// part notes that an agent differs from here on.
func (q *queue) part(x *comparison, d *Difference, at int) {
	q.parted, q.turns = true, [2][]numbered{}
	if x.found == nil || at < x.at {
		x.found, x.at = d, at
	}
}

// missing notes the turns that one side does not have.
func (x *comparison) missing() {
	for _, name := range x.order {
		q := x.waiting[name]
		for i := range q.turns {
			if len(q.turns[i]) == 0 {
				continue
			}
			t := q.turns[i][0]
			has := [2]string{"no such turn", "no such turn"}
			has[i] = "a turn"
			q.part(x, differ(t.Turn, "missing", "", "", has[0], has[1]), t.n)
			break
		}
	}
}

// next is the next turn of a side, with its rows noted.
func (s *side) next() (*Turn, error) {
	for {
		f, err := s.r.Next()
		if err != nil {
			return nil, err
		}
		switch f := f.(type) {
		case *Table:
			s.note(f.Device, f.Rows)
		case *Seen:
			s.note(f.Device, f.Rows)
		case *Turn:
			s.note(f.Device, f.Rows)
			return f, nil
		}
	}
}
