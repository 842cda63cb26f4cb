package hubbench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// Sizes of what is measured.
const (
	tableRows = 1000
	warm      = 500
	writers   = 8
)

// row is a row as agents have them.
type row struct {
	Name    string
	Title   string
	Version string
	Count   uint64
	Size    int64
	Active  bool
	// At is when it was put, in nanoseconds of CLOCK_MONOTONIC, which all processes share.
	At   int64
	Tags []string
}

// Key is the name.
func (r row) Key() string { return r.Name }

// The tables that are measured: one that changes row by row, the answers to it, and a large one.
var (
	rows  = bus.NewTopic[row](bus.Decl{Owner: "talker", Name: "BenchRow", MaxRows: 100_000})
	acks  = bus.NewTopic[row](bus.Decl{Owner: "listener", Name: "BenchAck"})
	large = bus.NewTopic[row](bus.Decl{Owner: "filler", Name: "BenchLarge", MaxRows: 100_000})
	kept  = bus.NewFamily[row](bus.Decl{Name: "BenchKept", Life: bus.Persistent}, "writer-0",
		"writer-1", "writer-2", "writer-3", "writer-4", "writer-5", "writer-6", "writer-7")
)

// bench is what the agents of a process share with the measurement.
type bench struct {
	n    int
	tell func(any)
	took []time.Duration
	// turns are durable turns that are over, of all agents.
	turns int
	began time.Time
}

// roster is all agents that there are.
func (b *bench) roster() []agent.Entry {
	list := []agent.Entry{
		{Name: "talker", New: func(p bus.Port) agent.Agent {
			return &publisher{b, bus.Subscribe(p, acks, bus.Optional), bus.Publish(p, rows)}
		}},
		{Name: "listener", New: func(p bus.Port) agent.Agent {
			return &subscriber{b, bus.Subscribe(p, rows), bus.Publish(p, acks)}
		}},
		{Name: "filler", New: func(p bus.Port) agent.Agent {
			return &filler{b, bus.Publish(p, large)}
		}},
		{Name: "late", New: func(p bus.Port) agent.Agent {
			return &late{b, bus.Subscribe(p, large)}
		}},
	}
	for _, name := range kept.Owners() {
		list = append(list, agent.Entry{Name: name, New: func(p bus.Port) agent.Agent {
			return &writer{b, bus.Publish(p, kept.Of(name))}
		}})
	}
	return list
}

// make is the nth version of a row.
func (b *bench) row(key string, n uint64) row {
	return row{Name: key, Title: "a row of the table", Version: "1.0", Count: n, Size: 1 << 20,
		Active: true, At: monotonic(), Tags: []string{"one", "two"}}
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("hubbench: read CLOCK_MONOTONIC: " + err.Error())
	}
	return ts.Nano()
}

// publisher fills its table and puts one row for each answer.
type publisher struct {
	b   *bench
	in  *bus.Sub[row]
	out *bus.Pub[row]
}

// Step puts.
func (p *publisher) Step(*agent.Turn) {
	for i := p.out.Len(); i < tableRows; i++ {
		p.out.Put(p.b.row(fmt.Sprintf("row-%06d", i), 0))
	}
	if a := p.in.Get("ack"); a != nil {
		key := fmt.Sprintf("row-%06d", a.Count*7919%tableRows)
		if r := p.out.Get(key); r.Count != a.Count {
			p.out.Put(p.b.row(key, a.Count))
		}
	}
}

// subscriber notes how long a row took and asks for the next one.
type subscriber struct {
	b   *bench
	in  *bus.Sub[row]
	out *bus.Pub[row]
}

// Step looks at what changed.
func (s *subscriber) Step(*agent.Turn) {
	now, b := monotonic(), s.b
	if s.in.Len() < tableRows || len(b.took) == cap(b.took) {
		return
	}
	next := uint64(1)
	if a := s.out.Get("ack"); a != nil {
		r := s.in.Get(fmt.Sprintf("row-%06d", a.Count*7919%tableRows))
		if r.Count != a.Count {
			return
		}
		next = a.Count + 1
		if a.Count > warm {
			b.took = append(b.took, time.Duration(now-r.At))
		}
	}
	if len(b.took) == cap(b.took) {
		slices.Sort(b.took)
		b.tell(Result{P50: b.took[len(b.took)/2], P99: b.took[len(b.took)*99/100]})
		return
	}
	s.out.Put(b.row("ack", next))
}

// filler has a large table.
type filler struct {
	b   *bench
	out *bus.Pub[row]
}

// Step fills it, with rows that take 1 KiB as JSON.
func (f *filler) Step(*agent.Turn) {
	text := strings.Repeat("x", 1024-150)
	for i := range f.b.n {
		r := f.b.row(fmt.Sprintf("row-%06d", i), uint64(i))
		r.Title, r.At = text, 0
		f.out.Put(r)
	}
	f.out.Complete()
}

// late is a subscriber of it.
type late struct {
	b  *bench
	in *bus.Sub[row]
}

// Step tells how long it took to be here.
func (l *late) Step(*agent.Turn) {
	if l.in.Len() == l.b.n {
		l.b.tell(time.Since(l.b.began))
	}
}

// writer puts a durable row in each turn.
type writer struct {
	b   *bench
	out *bus.Pub[row]
}

// Step puts the next row; a turn comes when the one before is durable.
func (w *writer) Step(t *agent.Turn) {
	b := w.b
	switch b.turns++; {
	case b.turns == 1:
		b.began = time.Now()
	case b.turns == b.n:
		b.tell(float64(b.n) / time.Since(b.began).Seconds())
	}
	if b.turns < b.n {
		w.out.Put(b.row("kept", uint64(b.turns)))
		t.WakeAt("next", t.Now+1)
	}
}
