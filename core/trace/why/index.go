package why

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/trace"
)

// Index is what can be asked of a recording: who put which row, moved by what.
type Index struct {
	events []event
	puts   map[put]int      // who put a revision
	keys   map[row][]put    // the puts of a row, in order
	topics map[where][]put  // the puts of a topic, in order
	last   map[string]int   // the last turn of an agent, while the recording is read
	shown  map[where]uint64 // up to where an agent has been shown a topic, likewise
}

// row is a row of a device in a boot.
type row struct {
	device     string
	boot       uint64
	topic, key string
}

// put is a revision of one.
type put struct {
	row
	rev uint64
}

// where is a topic of a device in a boot, as an agent sees it or, without one, as it is.
type where struct {
	device string
	boot   uint64
	agent  string
	topic  string
}

// event is a turn of an agent, a step of a part, or a table with which a recording begins.
type event struct {
	device string
	boot   uint64
	at     time.Duration
	who    string
	kind   Kind
	turn   uint64
	before int // the agent's turn before, -1 if there is none
	moved  []put
	due    []string
	ends   []trace.End
	calls  []trace.Call
	wakes  []string
	full   bool
}

// Read makes an index of the rest of a recording. Of a torn one it has what is whole, and an error.
func Read(r *trace.Reader) (*Index, error) {
	x := &Index{puts: map[put]int{}, keys: map[row][]put{}, topics: map[where][]put{},
		last: map[string]int{}, shown: map[where]uint64{}}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return x, nil
		}
		if err != nil {
			return x, err
		}
		x.take(f)
	}
}

func (x *Index) take(f trace.Frame) {
	switch f := f.(type) {
	case *trace.Boot:
		x.add(event{device: f.Device, boot: f.Boot, at: f.Now, kind: Booted, who: f.Device})
	case *trace.Table:
		if !f.Old {
			x.rows(len(x.events)-1, f.Device, f.Boot, f.Rows)
		}
	case *trace.Start:
		x.add(event{device: f.Device, boot: f.Boot, at: f.Now, kind: Booted, who: f.Agent})
		delete(x.last, f.Device+"/"+f.Agent)
	case *trace.Seen:
		x.add(event{device: f.Device, boot: f.Boot, at: f.Now, kind: Seen, who: f.Part})
		x.rows(len(x.events)-1, f.Device, f.Boot, f.Rows)
	case *trace.Turn:
		x.turn(f)
	}
}

// End is when the recording ends, since the boot of its device.
func (x *Index) End() time.Duration {
	if n := len(x.events); n > 0 {
		return x.events[n-1].at
	}
	return 0
}

func (x *Index) add(e event) { x.events = append(x.events, e) }

func (x *Index) turn(t *trace.Turn) {
	e := event{device: t.Device, boot: t.Boot, at: t.Now, kind: Turned, who: t.Agent, turn: t.Turn,
		due: t.Due, ends: t.Ends, calls: t.Calls, full: t.Full, before: -1}
	name := t.Device + "/" + t.Agent
	if i, ok := x.last[name]; ok {
		e.before = i
	}
	for _, m := range t.Moves {
		e.moved = append(e.moved, x.moved(t, m)...)
	}
	for _, w := range t.Wakes {
		if w.At >= 0 {
			e.wakes = append(e.wakes, w.Key)
		}
	}
	x.last[name] = len(x.events)
	x.add(e)
	x.rows(len(x.events)-1, t.Device, t.Boot, t.Rows)
}

// moved are the rows that a move shows anew.
func (x *Index) moved(t *trace.Turn, m trace.Move) (out []put) {
	place := where{t.Device, t.Boot, t.Agent, m.Topic}
	from := x.shown[place]
	x.shown[place] = m.Rev
	list := x.topics[where{t.Device, t.Boot, "", m.Topic}]
	for i := len(list) - 1; i >= 0 && list[i].rev > from; i-- {
		if list[i].rev <= m.Rev {
			out = append(out, list[i])
		}
	}
	return out
}

func (x *Index) rows(by int, device string, boot uint64, rows []trace.Row) {
	for _, r := range rows {
		p := put{row{device, boot, r.Topic, r.Key}, r.Rev}
		x.puts[p] = by
		x.keys[p.row] = append(x.keys[p.row], p)
		place := where{device, boot, "", r.Topic}
		x.topics[place] = append(x.topics[place], p)
	}
}

// part is the device part that carries an op out.
func part(op string) string {
	p, _, _ := strings.Cut(op, ".")
	return p
}
