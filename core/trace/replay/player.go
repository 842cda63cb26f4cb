package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/trace"
)

// Reasons why a replay cannot go on.
var (
	// ErrGap says that a recording lacks what a turn was shown.
	ErrGap = errors.New("the recording lacks a table")
	// ErrRow says that a row or a result does not fit the program's type any more.
	ErrRow = errors.New("what was recorded does not fit")
)

// Options of a replay.
type Options struct {
	// Agents are the program's; turns of others are passed over.
	Agents []agent.Entry
	// Only names an agent that is replayed alone; empty: all.
	Only string
}

// Result is how a replay went.
type Result struct {
	// Turns were replayed, Passed were not: of agents that the program does not have or that had
	// differed.
	Turns, Passed uint64
	// First is the first turn that differs, nil if none does.
	First *trace.Difference
	// Differ are the first differences of all agents that differ, in order.
	Differ []*trace.Difference
	// End is the time of the last frame, since the boot of its device.
	End time.Duration
}

// Run replays a recording to its end. A recording that is torn gives the result of what is whole
// and an error for which errors.Is io.ErrUnexpectedEOF is true.
func Run(r *trace.Reader, o Options) (Result, error) {
	p := New(o)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return p.Result, nil
		}
		if err == nil {
			err = p.Take(f)
		}
		if err != nil {
			return p.Result, err
		}
	}
}

// Player replays a recording frame by frame.
type Player struct {
	Result
	o       Options
	devices map[string]*device
}

// New makes a player that has seen no frame.
func New(o Options) *Player { return &Player{o: o, devices: map[string]*device{}} }

// device is a boot of a device.
type device struct {
	name    string
	boot    uint64
	shelves map[string]*shelf
	decls   map[*bus.Decl]*shelf
	seats   []*seat
}

func (d *device) shelf(t *bus.Decl) *shelf {
	s := d.decls[t]
	if s == nil {
		s = newShelf(t, d.boot)
		d.decls[t], d.shelves[s.name] = s, s
	}
	return s
}

func (d *device) seat(name string) *seat {
	for _, s := range d.seats {
		if s.entry.Name == name {
			return s
		}
	}
	return nil
}

// Take takes the next frame of the recording.
func (p *Player) Take(f trace.Frame) error {
	switch f := f.(type) {
	case *trace.Boot:
		p.End = f.Now
		p.boot(f)
	case *trace.Table:
		if d := p.devices[f.Device]; d != nil && d.shelves[f.Topic] != nil {
			return d.shelves[f.Topic].table(f)
		}
	case *trace.Seen:
		p.End = f.Now
		if d := p.devices[f.Device]; d != nil {
			return d.rows(f.Rows)
		}
	case *trace.Start:
		if d := p.devices[f.Device]; d != nil {
			if s := d.seat(f.Agent); s != nil && !s.parted {
				return s.begin(f)
			}
		}
	case *trace.Turn:
		p.End = f.Now
		return p.turn(f)
	}
	return nil
}

// boot wires the agents anew.
func (p *Player) boot(f *trace.Boot) {
	d := &device{name: f.Device, boot: f.Boot, shelves: map[string]*shelf{},
		decls: map[*bus.Decl]*shelf{}}
	p.devices[f.Device] = d
	for _, e := range p.o.Agents {
		if p.o.Only == "" || p.o.Only == e.Name {
			d.seats = append(d.seats, newSeat(d, e))
		}
	}
}

// rows takes rows of somebody who is not replayed.
func (d *device) rows(rows []trace.Row) error {
	var done []*shelf
	for i := range rows {
		s := d.shelves[rows[i].Topic]
		if s == nil || slices.Contains(done, s) {
			continue
		}
		done = append(done, s)
		h, err := s.change(s.newest(), rows)
		if err != nil {
			return err
		}
		s.add(h)
	}
	return nil
}

// begin takes a start of an agent, or how far it was when the recording began.
func (s *seat) begin(f *trace.Start) error {
	gap := f.Start - s.start
	s.start, s.draw, s.begun = f.Start, f.Draw, true
	s.wakes, s.due = map[string]time.Duration{}, nil
	for _, t := range s.tables {
		t.calls, t.ended = nil, nil
	}
	s.agent = s.entry.New(s)
	for _, b := range s.pubs {
		switch {
		case !f.Crash:
			b.Reset(b.shelf.newest())
		case b.shelf.decl.Life == bus.Local:
			b.Reset(bus.Empty(b.Head().Rev() + gap))
		}
	}
	for _, m := range f.Shown {
		if x := s.sub(m.Topic); x != nil {
			h, err := x.shelf.at(m)
			if err != nil {
				return fmt.Errorf("%s was shown: %w", f.Agent, err)
			}
			x.Advance(h)
			x.Settle()
		}
	}
	for _, m := range f.Own {
		if x := s.pub(m.Topic); x != nil {
			h, err := x.shelf.at(m)
			if err != nil {
				return fmt.Errorf("%s had: %w", f.Agent, err)
			}
			x.Reset(h)
		}
	}
	for _, w := range f.Wakes {
		s.wakes[w.Key] = w.At
	}
	return s.held(f.Calls)
}

// held takes the calls that a recording began with.
func (s *seat) held(calls []trace.Held) error {
	for i := range calls {
		h := &calls[i]
		t := s.table(h.Op)
		if t == nil {
			continue
		}
		c := &call{key: h.Key, sum: h.Req, state: agent.CallState{Phase: h.Phase, Fault: h.Fault,
			Began: h.Began, Ended: h.Ended, Tries: h.Tries}}
		if !h.Res.IsZero() {
			c.state.Res = t.decl.NewRes()
			if err := h.Res.Into(c.state.Res); err != nil {
				return fmt.Errorf("%w: result of %s/%s: %w", ErrRow, h.Op, h.Key, err)
			}
		}
		t.put(h.Key, c)
	}
	return nil
}

func (s *seat) sub(topic string) *sub {
	for _, x := range s.subs {
		if x.shelf.name == topic {
			return x
		}
	}
	return nil
}

func (s *seat) pub(topic string) *pub {
	for _, x := range s.pubs {
		if x.shelf.name == topic {
			return x
		}
	}
	return nil
}

// sorted is a list of texts in order.
func sorted(list []string) []string {
	out := slices.Clone(list)
	sort.Strings(out)
	return out
}
