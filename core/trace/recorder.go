package trace

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// Recorder writes the turns of devices to a stream. It is for one goroutine at a time: the loop of
// a device, or of a world.
type Recorder struct {
	w       blockWriter
	e       *pack.Encoder
	turns   uint64
	devices map[string]*device
}

// NewRecorder begins a recording on w. Close ends it; w stays open.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{w: blockWriter{w: w}, e: pack.NewEncoder(),
		devices: map[string]*device{}}
	r.w.put([]byte(magic))
	return r
}

// Turns counts the turns that were recorded.
func (r *Recorder) Turns() uint64 { return r.turns }

// Bytes counts what has been written so far.
func (r *Recorder) Bytes() int64 { return r.w.bytes }

// Flush writes what is in memory and returns the first error of the recording. It is called on the
// loop that the recorder belongs to.
func (r *Recorder) Flush() error {
	r.w.flush()
	if r.w.err != nil {
		return fmt.Errorf("record turns: %w", r.w.err)
	}
	return nil
}

// Close writes what is left in memory and returns the first error of the recording.
func (r *Recorder) Close() error { return r.Flush() }

// device is what a recording knows about one device.
type device struct {
	r     *Recorder
	e     *encoder
	name  string
	text  uint64 // the number of its name
	boot  *host.Kernel
	seats map[*host.Proc]*seat
	hooks bool // what parts put is seen
}

// seat is an agent in a recording.
type seat struct {
	start, turn uint64
	last        time.Duration // when its last turn was; negative before it had one
	starts      []host.Start
	known       uint64 // the number of its name
}

func (r *Recorder) device(name string) *device {
	d := r.devices[name]
	if d == nil {
		d = &device{r: r, e: newEncoder(r.e), name: name}
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
	s := d.seats[p]
	if s.start != in.Start {
		d.start(p, s, in.Now)
	}
	for _, m := range in.Moves {
		d.known(m)
	}
	starts := s.starts[:0]
	for _, x := range in.Starts {
		if !x.Fresh || x.Queued || x.Began != s.last {
			starts = append(starts, x)
		}
	}
	s.starts = starts
	d.r.turns++
	d.open()
	d.e.turn(in, out, s, starts)
	d.write(kindTurn)
	s.turn, s.last = in.Turn, in.Now
}

// begin records what a boot has when its recording begins; within is the agent whose first turn,
// the first of the boot, is under way.
func (d *device) begin(k *host.Kernel, within *host.Proc) {
	d.boot, d.seats = k, map[*host.Proc]*seat{}
	d.open()
	d.e.Number(k.BootCount())
	d.e.now = 0
	d.e.time(k.Now())
	d.e.clock = time.Duration(k.Wall().UnixNano()) - k.Now()
	d.e.Signed(int64(d.e.clock))
	d.write(kindBoot)
	for _, t := range d.e.topics { //order: each is changed alone
		t.from, t.top, t.old = Base(k.BootCount()), Base(k.BootCount()), nil
	}
	for _, topic := range k.Topics() {
		h, _ := k.Head(topic)
		t := d.e.topic(topic)
		t.from, t.top = h.Rev(), h.Rev()
		t.agent = k.Proc(topic.Owner) != nil
		t.bare = !d.hooks && !t.agent
		if h.Len() > 0 || h.Complete() || h.Rev() != Base(k.BootCount()) {
			d.table(t, h, false)
		}
	}
	for _, p := range k.Procs() {
		s := &seat{last: -1}
		d.seats[p] = s
		if l := p.Life(); p != within && l.Turn > 0 {
			d.life(&l, s)
		} else {
			s.start = p.Started()
			d.startFrame(p, s, k.Now(), 0)
		}
	}
}

// How a start is.
const (
	startCrash = 1
	startBegun = 2
)

// start records that an agent has started anew.
func (d *device) start(p *host.Proc, s *seat, now time.Duration) {
	s.start = p.Started()
	s.last = -1
	d.startFrame(p, s, now, startCrash)
}

func (d *device) startFrame(p *host.Proc, s *seat, now time.Duration, how uint64) {
	d.open()
	d.e.Text(p.Name)
	d.e.time(now)
	d.e.Number(how)
	d.e.Number(s.start)
	d.e.Number(s.turn)
	d.e.B = binary.LittleEndian.AppendUint64(d.e.B, p.Draws())
	d.write(kindStart)
}

// life records how far an agent was.
func (d *device) life(l *host.Life, s *seat) {
	for _, m := range l.Shown {
		d.known(m)
	}
	for _, m := range l.Own {
		d.known(m)
	}
	s.start, s.turn = l.Start, l.Turn
	e := d.e
	d.open()
	e.Text(l.Agent)
	e.time(e.now)
	how := uint64(0)
	if l.Begun {
		how = startBegun
	}
	e.Number(how | startLife)
	e.Number(l.Start)
	e.Number(l.Turn)
	e.B = binary.LittleEndian.AppendUint64(e.B, l.Draw)
	e.moves(l.Shown)
	e.moves(l.Own)
	e.Number(uint64(len(l.Calls)))
	for i := range l.Calls {
		c := &l.Calls[i]
		e.Text(c.Op.Name)
		e.Text(c.Key)
		e.B = binary.LittleEndian.AppendUint32(e.B, shorten(c.Op.SumReq(c.Req)))
		e.Number(uint64(c.State.Phase))
		e.Number(uint64(c.State.Tries))
		e.Signed(int64(c.State.Began))
		if c.State.Phase >= agent.Done {
			e.Signed(int64(c.State.Ended))
			e.outcome(e.op(c.Op.Name), c.State.Res, &c.State)
		}
	}
	e.Number(uint64(len(l.Wakes)))
	for _, w := range l.Wakes {
		e.wake(w.Key, w.At, e.now)
	}
	d.write(kindStart)
}

// startLife says that all that the agent has follows.
const startLife = 4

// known sees to it that a version of a topic is in the recording.
func (d *device) known(m host.Move) {
	t, rev := d.e.topic(m.Topic()), m.Head.Rev()
	switch {
	case rev > t.top:
		t.top = rev
		d.table(t, m.Head, false)
	case rev < t.top && (rev < t.from || t.bare) && !slices.Contains(t.old, rev):
		d.table(t, m.Head, true)
	default:
		return
	}
	if len(t.old) == maxOld {
		t.old = slices.Delete(t.old, 0, maxOld/2)
	}
	t.old = append(t.old, rev)
}

// maxOld bounds how many versions are remembered to be in the recording; others are written again.
const maxOld = 256

func (d *device) table(t *topicOut, h bus.Head, old bool) {
	d.open()
	d.e.table(t, h, old)
	d.write(kindTable)
}

// open begins a frame.
func (d *device) open() { d.e.Again(d.name, &d.text) }

// shown records what a part put.
func (d *device) shown(k *host.Kernel, s *host.Source, rows []host.Change) {
	switch {
	case k != d.boot && k.Turns() > 0:
		return
	case k != d.boot:
		d.begin(k, nil)
		return // the tables have it
	case d.e.topic(rows[0].Topic).agent:
		return
	}
	d.open()
	d.e.Text(s.Name)
	d.e.time(k.Now())
	d.e.changes(rows)
	d.write(kindSeen)
}

// crashed records the new start of an agent.
func (d *device) crashed(k *host.Kernel, name string) {
	if p := k.Proc(name); k == d.boot && p != nil {
		d.start(p, d.seats[p], k.Now())
	}
}

// write puts the frame that the encoder holds into the stream.
func (d *device) write(kind byte) {
	d.r.w.add(kind, d.r.e.B)
	d.r.e.B = d.r.e.B[:0]
}
