// Package busbench measures the bus as it runs on a device: the time from a put in the publisher's
// turn to the turn in which the subscriber sees it, on the loop of a live device.
package busbench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// row is a row as agents have them: eight fields, texts among them.
type row struct {
	Name    string
	Title   string
	Version string
	Count   uint64
	Size    int64
	Active  bool
	Since   time.Duration
	Tags    []string
}

// Key is the name.
func (r row) Key() string { return r.Name }

// topic is the table that is measured.
var topic = bus.NewTopic[row](bus.Decl{Owner: "publisher", Name: "BenchRow", MaxRows: 100_000})

// ack is what the subscriber answers, so that the publisher puts again.
type ack struct{ N uint64 }

// Key is one for all.
func (ack) Key() string { return "ack" }

// acks is the way back.
var acks = bus.NewTopic[ack](bus.Decl{Owner: "subscriber", Name: "BenchAck"})

// bench is what the two agents share with the measurement; all of it belongs to the device's loop.
type bench struct {
	keys []string
	n    uint64 // puts so far
	warm uint64 // puts that do not count
	put  time.Time
	took []time.Duration
	done chan struct{}
}

// row makes the next version of a row.
func (b *bench) row(key string) row {
	return row{Name: key, Title: "a row of the table", Version: "1.0", Count: b.n, Size: 1 << 20,
		Active: true, Since: time.Second, Tags: tags}
}

var tags = []string{"one", "two"}

// publisher fills the table in its first turn and changes one row in every other.
type publisher struct {
	b   *bench
	in  *bus.Sub[ack]
	out *bus.Pub[row]
}

// Step puts.
func (p *publisher) Step(*agent.Turn) {
	b := p.b
	if p.out.Len() < len(b.keys) {
		for _, k := range b.keys {
			p.out.Put(b.row(k))
		}
		return
	}
	b.n++
	r := b.row(b.keys[b.n*7919%uint64(len(b.keys))])
	b.put = time.Now()
	p.out.Put(r)
}

// subscriber notes how long the put took to arrive and has the publisher go on.
type subscriber struct {
	b   *bench
	in  *bus.Sub[row]
	out *bus.Pub[ack]
}

// Step looks at what changed.
func (s *subscriber) Step(t *agent.Turn) {
	b, seen := s.b, time.Now()
	if s.in.Len() < len(b.keys) {
		return
	}
	changed := 0
	for range s.in.Changed() {
		changed++
	}
	switch {
	case b.n == 0:
	case changed != 1:
		panic(fmt.Sprintf("busbench: %d rows changed by one put", changed))
	case b.n > b.warm:
		b.took = append(b.took, seen.Sub(b.put))
	}
	if len(b.took) == cap(b.took) {
		close(b.done)
		return
	}
	s.out.Put(ack{b.n + 1})
}

// nothing is the hardware of a device that has none.
type nothing struct{}

// Wire declares no part.
func (nothing) Wire(*host.Kernel, host.Machine) {}

// Cut loses nothing.
func (nothing) Cut(func(string) uint64) {}

// Measure puts n times into a table of so many rows, one row per turn of the publisher, and returns
// the median and the 99th percentile of the time from the put to the subscriber's step.
func Measure(rows, n int) (p50, p99 time.Duration, err error) {
	b := &bench{warm: 1000, took: make([]time.Duration, 0, n), done: make(chan struct{})}
	for i := range rows {
		b.keys = append(b.keys, fmt.Sprintf("row-%06d", i))
	}
	d, err := live.New(live.Options{Name: "bench", Hardware: nothing{}, Limits: unlimited,
		Agents: []agent.Entry{
			{Name: "publisher", New: func(p bus.Port) agent.Agent {
				return &publisher{b, bus.Subscribe(p, acks), bus.Publish(p, topic)}
			}},
			{Name: "subscriber", New: func(p bus.Port) agent.Agent {
				return &subscriber{b, bus.Subscribe(p, topic), bus.Publish(p, acks)}
			}}}})
	if err != nil {
		return 0, 0, fmt.Errorf("measure the bus: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-b.done
	stop()
	if err := <-ended; err != nil {
		return 0, 0, fmt.Errorf("measure the bus: %w", err)
	}
	slices.Sort(b.took)
	return b.took[n/2], b.took[n*99/100], nil
}

// unlimited lets agents take as many turns as they like.
var unlimited = host.Limits{TurnsPerInstant: 1 << 30, TurnsPerMinute: 1 << 30,
	PutsPerMinute: -1}
