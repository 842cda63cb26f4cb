package trace

import (
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace/pack"
)

// Writer writes what a Recorder has taken down. It is for one goroutine at a time, which need not
// be the recorder's.
type Writer struct {
	w blockWriter
	e *pack.Encoder
}

// NewWriter begins a recording on w, which stays open.
func NewWriter(w io.Writer) *Writer {
	out := &Writer{w: blockWriter{w: w}, e: pack.NewEncoder()}
	out.w.put([]byte(magic))
	return out
}

// Take writes notes and returns them empty.
func (w *Writer) Take(n *Notes) *Notes {
	for i := range n.list {
		x := &n.list[i]
		x.page.take(w, x)
	}
	n.empty()
	return n
}

// Flush writes what is in memory and returns the first error of the recording.
func (w *Writer) Flush() error {
	w.w.flush()
	return w.w.err
}

// Close is Flush.
func (w *Writer) Close() error { return w.Flush() }

// Bytes counts what has been written so far.
func (w *Writer) Bytes() int64 { return w.w.bytes }

var _ Desk = (*Writer)(nil)

// page is what is written of one device. Whoever writes has it, but for its name.
type page struct {
	name string
	w    *Writer
	e    *encoder
	text uint64 // the number of its name
}

// line is what is written of an agent of a boot. Whoever writes has it.
type line struct {
	turn   uint64
	last   time.Duration // when its last turn was; negative before it had one
	starts []host.Start
	known  uint64 // the number of its name
}

// take writes a note.
func (p *page) take(w *Writer, n *note) {
	if p.e == nil {
		p.w, p.e = w, newEncoder(w.e)
	}
	switch n.kind {
	case kindBoot:
		p.begin(n.begun)
	case kindStart:
		n.line.last = -1
		p.start(n.in.Agent, n.line, n.in.Now, startCrash, n.in.Start, n.draw)
	case kindSeen:
		p.open()
		p.e.Text(n.in.Agent)
		p.e.time(n.in.Now)
		p.e.changes(n.out.Rows)
		p.write(kindSeen)
	case kindTurn:
		p.turn(n)
	}
}

func (p *page) turn(n *note) {
	l := n.line
	for _, m := range n.in.Moves {
		p.known(m)
	}
	starts := l.starts[:0]
	for _, x := range n.in.Starts {
		if !x.Fresh || x.Queued || x.Began != l.last {
			starts = append(starts, x)
		}
	}
	l.starts = starts
	p.open()
	p.e.turn(&n.in, &n.out, l, starts)
	p.write(kindTurn)
	l.turn, l.last = n.in.Turn, n.in.Now
}

// begin writes what a boot has when its recording begins.
func (p *page) begin(b *begun) {
	e := p.e
	p.open()
	e.Number(b.boot)
	e.now = 0
	e.time(b.now)
	e.clock = time.Duration(b.wall.UnixNano()) - b.now
	e.Signed(int64(e.clock))
	p.write(kindBoot)
	for _, t := range e.topics { //order: each is changed alone
		t.from, t.top, t.old = Base(b.boot), Base(b.boot), nil
	}
	for i := range b.tables {
		x := &b.tables[i]
		h, t := x.head, e.topic(x.topic)
		t.from, t.top, t.bare = h.Rev(), h.Rev(), x.bare
		if h.Len() > 0 || h.Complete() || h.Rev() != Base(b.boot) {
			p.table(t, h, false)
		}
	}
	for i := range b.agents {
		if a := &b.agents[i]; a.life != nil {
			p.life(a.life, a.line)
		} else {
			p.start(a.name, a.line, b.now, 0, a.start, a.draw)
		}
	}
}

// How a start is.
const (
	startCrash = 1
	startBegun = 2
)

// start writes that an agent has started.
func (p *page) start(agent string, l *line, now time.Duration, how, start, draw uint64) {
	p.open()
	p.e.Text(agent)
	p.e.time(now)
	p.e.Number(how)
	p.e.Number(start)
	p.e.Number(l.turn)
	p.e.B = binary.LittleEndian.AppendUint64(p.e.B, draw)
	p.write(kindStart)
}

// life writes how far an agent was.
func (p *page) life(l *host.Life, s *line) {
	for _, m := range l.Shown {
		p.known(m)
	}
	for _, m := range l.Own {
		p.known(m)
	}
	s.turn = l.Turn
	e := p.e
	p.open()
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
	p.write(kindStart)
}

// startLife says that all that the agent has follows.
const startLife = 4

// known sees to it that a version of a topic is in the recording.
func (p *page) known(m host.Move) {
	t, rev := p.e.topic(m.Topic()), m.Head.Rev()
	switch {
	case rev > t.top:
		t.top = rev
		p.table(t, m.Head, false)
	case rev < t.top && (rev < t.from || t.bare) && !slices.Contains(t.old, rev):
		p.table(t, m.Head, true)
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

func (p *page) table(t *topicOut, h bus.Head, old bool) {
	p.open()
	p.e.table(t, h, old)
	p.write(kindTable)
}

// open begins a frame.
func (p *page) open() { p.e.Again(p.name, &p.text) }

// write puts the frame that the encoder holds into the stream.
func (p *page) write(kind byte) {
	p.w.w.add(kind, p.e.B)
	p.e.B = p.e.B[:0]
}
