package trace

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// Recorder writes the turns of devices to a stream. It is for one goroutine at a time: the loop of
// a device, or of a world.
type Recorder struct {
	w     *bufio.Writer
	e     encoder
	turns uint64
	bytes int64
	err   error
	turn  Turn // memory for the next frame
}

// NewRecorder begins a recording on w. Close ends it; w stays open.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{w: bufio.NewWriterSize(w, 64<<10), e: encoder{names: map[string]uint64{},
		revs: map[string]uint64{}, clock: map[string]time.Duration{}}}
	n, err := r.w.WriteString(magic)
	r.bytes, r.err = int64(n), err
	return r
}

// Turns counts the turns that were recorded.
func (r *Recorder) Turns() uint64 { return r.turns }

// Bytes counts what the recording takes so far.
func (r *Recorder) Bytes() int64 { return r.bytes }

// Close writes what is left in memory and returns the first error of the recording.
func (r *Recorder) Close() error {
	if err := r.w.Flush(); r.err == nil {
		r.err = err
	}
	if r.err != nil {
		return fmt.Errorf("record turns: %w", r.err)
	}
	return nil
}

// seat is an agent's place in a topic.
type seat struct {
	agent string
	topic *bus.Decl
}

// written is the newest revision of a part's row in the recording; gone says that it was deleted.
type written struct {
	rev  uint64
	gone bool
}

// device is what a recording knows about one device.
type device struct {
	r     *Recorder
	name  string
	boot  *host.Kernel
	shown map[seat]bus.Head
	parts map[*bus.Decl]map[string]written // rows of topics that no agent owns
}

// OnTurn returns what host.Options.OnTurn of a device is to be.
func (r *Recorder) OnTurn(name string) func(*host.Proc, *host.Input, *host.Output) {
	d := &device{r: r, name: name}
	return d.onTurn
}

func (d *device) onTurn(p *host.Proc, in *host.Input, out *host.Output) {
	if k := p.Kernel(); k != d.boot {
		d.begin(k)
	}
	t := &d.r.turn
	*t = Turn{Device: d.name, Boot: in.Boot, Agent: in.Agent, Start: in.Start, Turn: in.Turn,
		Now: in.Now, Wall: in.Wall, Full: in.Full, Due: in.Due, Sum: p.Sum(),
		Moves: t.Moves[:0], Fed: t.Fed[:0], Ends: t.Ends[:0], Rows: t.Rows[:0],
		Whole: t.Whole[:0], Calls: t.Calls[:0], Wakes: t.Wakes[:0]}
	for _, m := range in.Moves {
		t.Moves = append(t.Moves, Move{m.Topic().String(), m.Head.Rev(), m.Head.Complete()})
		d.fed(t, m)
	}
	for i := range in.Ends {
		t.Ends = append(t.Ends, endOf(&in.Ends[i]))
	}
	for i := range out.Rows {
		t.Rows = append(t.Rows, rowOf(&out.Rows[i]))
	}
	for _, w := range out.Whole {
		t.Whole = append(t.Whole, w.String())
	}
	for i := range out.Calls {
		o := &out.Calls[i]
		t.Calls = append(t.Calls, Call{o.Verb, o.Op, o.Key})
	}
	for _, w := range out.Wakes {
		t.Wakes = append(t.Wakes, Wake{w.Key, w.At})
	}
	d.r.turns++
	d.r.e.turn(t)
	d.r.write(kindTurn)
	clear(t.Fed)
	clear(t.Rows)
	clear(t.Ends)
}

// begin records what a boot has when its recording begins.
func (d *device) begin(k *host.Kernel) {
	d.boot, d.shown = k, map[seat]bus.Head{}
	d.parts = map[*bus.Decl]map[string]written{}
	for _, topic := range k.Topics() {
		h, _ := k.Head(topic)
		t := Table{Device: d.name, Boot: k.BootCount(), Topic: topic.String(), Rev: h.Rev(),
			Complete: h.Complete()}
		var known map[string]written
		if k.Proc(topic.Owner) == nil {
			known = map[string]written{}
			d.parts[topic] = known
		}
		for key, v := range h.All() {
			_, rev := h.Get(key)
			t.Rows = append(t.Rows, Row{t.Topic, key, rev, encode(v)})
			if known != nil {
				known[key] = written{rev: rev}
			}
		}
		if h.Len() > 0 || h.Complete() {
			d.r.e.table(&t)
			d.r.write(kindTable)
		}
	}
}

// fed adds the rows of a part that this turn is the first to be shown. Rows of agents are in the
// frames of the turns that put them. An agent that is behind the others may be shown rows which
// have been replaced since: they are added, too. The revision of a delete is that of the table it
// is seen in.
func (d *device) fed(t *Turn, m host.Move) {
	topic := m.Topic()
	known := d.parts[topic]
	if known == nil {
		return
	}
	s := seat{t.Agent, topic}
	was := d.shown[s]
	if was.Same(m.Head) {
		return
	}
	d.shown[s] = m.Head
	for key, v := range m.Head.Since(was) {
		r := Row{Topic: topic.String(), Key: key, Rev: m.Head.Rev()}
		if v != nil {
			_, r.Rev = m.Head.Get(key)
		}
		has, seen := known[key]
		switch {
		case v != nil && seen && !has.gone && has.rev == r.Rev,
			v == nil && (!seen || has.gone && has.rev <= r.Rev):
			continue // in the recording already
		case !seen || r.Rev > has.rev:
			known[key] = written{r.Rev, v == nil}
		}
		if v != nil {
			r.Val = encode(v)
		}
		t.Fed = append(t.Fed, r)
	}
}

func rowOf(c *host.Change) Row {
	r := Row{Topic: c.Topic.String(), Key: c.Key, Rev: c.Rev}
	if c.Val != nil {
		r.Val = encode(c.Val)
	}
	return r
}

func endOf(x *host.End) End {
	c := &x.Call
	e := End{Op: x.Op, Key: x.Key, Tries: c.Tries, Began: c.Began, Ended: c.Ended, Fault: c.Fault}
	if c.Fault == nil && c.Res != nil {
		e.Res = encode(c.Res)
	}
	return e
}

// write puts the frame that the encoder holds into the stream.
func (r *Recorder) write(kind byte) {
	var head [binary.MaxVarintLen64 + 1]byte
	n := binary.PutUvarint(head[:], uint64(len(r.e.b))+1)
	head[n] = kind
	for _, b := range [][]byte{head[:n+1], r.e.b} {
		r.bytes += int64(len(b))
		if r.err == nil {
			_, r.err = r.w.Write(b)
		}
	}
	r.e.b = r.e.b[:0]
}
