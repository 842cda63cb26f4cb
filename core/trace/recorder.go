package trace

import (
	"fmt"
	"io"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// Recorder takes down the turns of devices, and hands them over to be written. It is for one
// goroutine at a time: the loop of a device, or of a world.
type Recorder struct {
	desk    Desk
	notes   *Notes
	turns   uint64
	devices map[string]*device
	closed  bool
}

// Desk is where notes are made a recording of: a Writer, on the loop, or one beside it. It is
// called on the loop.
type Desk interface {
	// Take takes notes, to be written in the order in which they are taken, and returns empty ones
	// to go on with. It may wait until earlier ones are written; none are left out.
	Take(*Notes) *Notes
	// Flush has what was taken be written; it need not wait for that. It returns the first error
	// there has been so far.
	Flush() error
	// Close is Flush, done when it returns, and may be called again; nothing is taken any more.
	Close() error
	// Bytes counts what has been written so far.
	Bytes() int64
}

// NewRecorder begins a recording that is written to w on the recorder's loop. Close ends it; w
// stays open.
func NewRecorder(w io.Writer) *Recorder { return NewRecorderAt(NewWriter(w)) }

// NewRecorderAt begins a recording that a desk writes.
func NewRecorderAt(d Desk) *Recorder {
	return &Recorder{desk: d, notes: &Notes{}, devices: map[string]*device{}}
}

// Turns counts the turns that were recorded.
func (r *Recorder) Turns() uint64 { return r.turns }

// Bytes counts what has been written so far; Flush and Close have more written.
func (r *Recorder) Bytes() int64 { return r.desk.Bytes() }

// Flush has all written that is in memory; a desk beside the loop does so soon. It returns the
// first error of the recording so far. It is called on the loop that the recorder belongs to.
func (r *Recorder) Flush() error {
	r.hand()
	if r.closed {
		return recordError(r.desk.Close())
	}
	return recordError(r.desk.Flush())
}

// Close writes what is left in memory and returns the first error of the recording. Turns that come
// afterwards are not in it.
func (r *Recorder) Close() error {
	r.hand()
	r.closed = true
	return recordError(r.desk.Close())
}

func recordError(err error) error {
	if err != nil {
		return fmt.Errorf("record turns: %w", err)
	}
	return nil
}

// hand hands over what has been taken down.
func (r *Recorder) hand() {
	switch {
	case r.closed:
		r.notes.empty()
	case len(r.notes.list) > 0:
		r.notes = r.desk.Take(r.notes)
	}
}

// note is room for a note of a device.
func (d *device) note(kind byte) *note {
	if len(d.r.notes.list) >= maxNotes {
		d.r.hand()
	}
	return d.r.notes.add(kind, d.page)
}

// device is what a recorder knows about one device. What is written of it stands on its page.
type device struct {
	r     *Recorder
	page  *page
	boot  *host.Kernel
	seats map[*host.Source]*seat // its agents
	hooks bool                   // what parts put is seen
}

// seat is an agent of a boot. What is written of it stands on its line.
type seat struct {
	start uint64
	line  *line
}

func (r *Recorder) device(name string) *device {
	d := r.devices[name]
	if d == nil {
		d = &device{r: r, page: &page{name: name}}
		r.devices[name] = d
	}
	return d
}

// OnTurn returns what host.Options.OnTurn of a device is to be. A boot is recorded from its first
// turn on; Begin records one that is under way.
func (r *Recorder) OnTurn(name string) func(*host.Proc, *host.Input, *host.Output) {
	return r.device(name).onTurn
}

// Hooks returns what is to be joined to the hooks of a device: they make what its parts see be
// recorded when they see it, and crashes. Without them what parts see is recorded when an agent is
// shown it, a table as a whole.
func (r *Recorder) Hooks(name string) host.Hooks {
	d := r.device(name)
	d.hooks = true
	return host.Hooks{Shown: d.shown, Crashed: d.crashed}
}

// Begin begins the recording of a boot that is under way. It is called on the device's loop,
// between two turns.
func (r *Recorder) Begin(k *host.Kernel) {
	if d := r.device(k.Device()); d.boot != k {
		d.begin(k, nil)
	}
}

func (d *device) onTurn(p *host.Proc, in *host.Input, out *host.Output) {
	if k := p.Kernel(); k != d.boot {
		if k.Turns() > 1 {
			return // it is under way, and nobody has said Begin
		}
		d.begin(k, p)
	}
	s := d.seats[&p.Source]
	if s.start != in.Start {
		d.start(p, s, in.Now)
	}
	if !d.r.closed {
		d.r.turns++
	}
	n := d.note(kindTurn)
	n.line = s.line
	d.r.notes.turn(n, in, out)
}

// begin takes down what a boot has when its recording begins; within is the agent whose first turn,
// the first of the boot, is under way.
func (d *device) begin(k *host.Kernel, within *host.Proc) {
	d.boot, d.seats = k, map[*host.Source]*seat{}
	b := &begun{boot: k.BootCount(), now: k.Now(), wall: k.Wall()}
	for _, topic := range k.Topics() {
		h, _ := k.Head(topic)
		bare := !d.hooks && k.Proc(topic.Owner) == nil
		b.tables = append(b.tables, begunTable{topic, h, bare})
	}
	for _, p := range k.Procs() {
		s := &seat{start: p.Started(), line: &line{last: -1}}
		d.seats[&p.Source] = s
		a := begunAgent{name: p.Name, start: s.start, draw: p.Draws(), line: s.line}
		if p != within && p.Source.Turn > 0 {
			l := p.Life()
			a.life = &l
		}
		b.agents = append(b.agents, a)
	}
	d.note(kindBoot).begun = b
}

// start takes down that an agent has started anew.
func (d *device) start(p *host.Proc, s *seat, now time.Duration) {
	s.start = p.Started()
	n := d.note(kindStart)
	n.line, n.draw = s.line, p.Draws()
	n.in.Agent, n.in.Start, n.in.Now = p.Name, s.start, now
}

// shown takes down what a part put.
func (d *device) shown(k *host.Kernel, s *host.Source, rows []host.Change) {
	switch {
	case k != d.boot && k.Turns() > 0:
		return
	case k != d.boot:
		d.begin(k, nil)
		return // the tables have it
	case d.seats[s] != nil:
		return // the turn has it
	}
	n := d.note(kindSeen)
	n.in.Agent, n.in.Now = s.Name, k.Now()
	n.out.Rows = keep(&d.r.notes.rows, rows)
}

// crashed takes down the new start of an agent.
func (d *device) crashed(k *host.Kernel, name string) {
	if p := k.Proc(name); k == d.boot && p != nil {
		d.start(p, d.seats[&p.Source], k.Now())
	}
}
