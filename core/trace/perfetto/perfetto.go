// Package perfetto writes a recording as a trace that ui.perfetto.dev and chrome://tracing open, in
// the JSON trace event format.
//
// Each device is a process, each agent and part a track in it. A turn is a slice of a microsecond,
// as turns take no time of the device, and so is a step of a part. A call is an asynchronous slice
// from when it began to its end, on the track of its op. Flows lead from the turn or step that put
// rows to the turns that were shown them, and from the turn that asked for a call to the one that
// was told its outcome. Boots follow each other with a second between; a recording does not know
// how long a device was off.
package perfetto

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace"
)

// Event is an event of the format; its fields are the format's.
type Event struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	Ts    float64        `json:"ts"` // microseconds
	Dur   *float64       `json:"dur,omitempty"`
	Pid   int            `json:"pid"`
	Tid   int            `json:"tid"`
	ID    uint64         `json:"id,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Scope string         `json:"s,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// pause stands between two boots.
const pause = time.Second

type export struct {
	w       io.Writer
	err     error
	n       int
	devices map[string]*device
	flow    uint64
}

type device struct {
	x      *export
	pid    int
	tracks map[string]int
	offset time.Duration // of this boot
	last   time.Duration // the newest time of it
	puts   map[string][]version
	shown  map[string]uint64
	calls  map[string]*call
}

// version is where rows of a topic were put.
type version struct {
	rev uint64
	ts  float64
	tid int
}

// call is where a call was asked for.
type call struct {
	asked float64
	tid   int
}

// Export writes a recording from its next frame on. Of a torn one it writes what is whole, a whole
// trace, and returns the error.
func Export(r *trace.Reader, w io.Writer) error {
	x := &export{w: w, devices: map[string]*device{}}
	x.write(`{"displayTimeUnit":"ns","traceEvents":[`)
	var torn error
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			torn = err
			break
		}
		x.take(f)
	}
	x.write("\n]}\n")
	if x.err != nil {
		return fmt.Errorf("write the trace: %w", x.err)
	}
	return torn
}

func (x *export) write(s string) {
	if x.err == nil {
		_, x.err = io.WriteString(x.w, s)
	}
}

func (x *export) event(e Event) {
	b, err := json.Marshal(e)
	if err != nil {
		panic("perfetto: encode an event: " + err.Error())
	}
	if x.n++; x.n > 1 {
		x.write(",")
	}
	x.write("\n" + string(b))
}

func (x *export) device(name string) *device {
	d := x.devices[name]
	if d == nil {
		d = &device{x: x, pid: len(x.devices) + 1, tracks: map[string]int{}, calls: map[string]*call{},
			puts: map[string][]version{}, shown: map[string]uint64{}}
		x.devices[name] = d
		x.event(Event{Name: "process_name", Phase: "M", Pid: d.pid,
			Args: map[string]any{"name": "device " + name}})
	}
	return d
}

// track is the number of a track; it is named when it is first used.
func (d *device) track(name string) int {
	n, ok := d.tracks[name]
	if !ok {
		n = len(d.tracks) + 1
		d.tracks[name] = n
		d.x.event(Event{Name: "thread_name", Phase: "M", Pid: d.pid, Tid: n,
			Args: map[string]any{"name": name}})
	}
	return n
}

func (d *device) ts(at time.Duration) float64 {
	d.last = max(d.last, at)
	return float64(d.offset+at) / float64(time.Microsecond)
}

func (x *export) take(f trace.Frame) {
	switch f := f.(type) {
	case *trace.Boot:
		d := x.device(f.Device)
		if d.last > 0 {
			d.offset, d.last = d.offset+d.last+pause, 0
		}
		clear(d.puts)
		clear(d.shown)
		clear(d.calls)
		x.event(Event{Name: fmt.Sprintf("boot %d", f.Boot), Phase: "i", Scope: "p", Ts: d.ts(f.Now),
			Pid: d.pid, Args: map[string]any{"wall": f.Wall}})
	case *trace.Start:
		d := x.device(f.Device)
		if f.Crash {
			x.event(Event{Name: f.Agent + " crashed", Phase: "i", Scope: "t", Ts: d.ts(f.Now), Pid: d.pid,
				Tid: d.track(f.Agent), Args: map[string]any{"start": f.Start}})
		}
	case *trace.Seen:
		d := x.device(f.Device)
		ts, tid := d.ts(f.Now), d.track("part "+f.Part)
		d.slice(Event{Name: names(f.Rows), Cat: "seen", Tid: tid, Ts: ts, Args: rowArgs(f.Rows)})
		d.put(f.Rows, ts, tid)
	case *trace.Turn:
		x.device(f.Device).turn(f)
	}
}

// slice writes a slice of a microsecond.
func (d *device) slice(e Event) {
	dur := 1.0
	e.Phase, e.Dur, e.Pid = "X", &dur, d.pid
	d.x.event(e)
}

func names(rows []trace.Row) string {
	if len(rows) == 0 {
		return "turn"
	}
	_, name, _ := strings.Cut(rows[0].Topic, "/")
	if len(rows) > 1 {
		return fmt.Sprintf("%s +%d", name, len(rows)-1)
	}
	return name
}

func rowArgs(rows []trace.Row) map[string]any {
	out := map[string]any{}
	for _, r := range rows {
		out[r.Topic+"/"+r.Key] = json.RawMessage(r.Val.JSON())
	}
	return out
}

func (d *device) put(rows []trace.Row, ts float64, tid int) {
	for _, r := range rows {
		v := version{r.Rev, ts, tid}
		list := d.puts[r.Topic]
		if n := len(list); n > 0 && list[n-1].ts == ts && list[n-1].tid == tid {
			list[n-1] = v
			continue
		}
		d.puts[r.Topic] = append(list, v)
	}
}

// arrow writes a flow between two slices.
func (d *device) arrow(name string, fromTs float64, fromTid int, toTs float64, toTid int) {
	d.x.flow++
	e := Event{Name: name, Cat: "cause", Phase: "s", Ts: fromTs, Pid: d.pid, Tid: fromTid,
		ID: d.x.flow}
	d.x.event(e)
	e.Phase, e.Bind, e.Ts, e.Tid = "f", "e", toTs, toTid
	d.x.event(e)
}

func (d *device) turn(t *trace.Turn) {
	ts, tid := d.ts(t.Now), d.track(t.Agent)
	args := rowArgs(t.Rows)
	if len(t.Due) > 0 {
		args["due"] = t.Due
	}
	for i := range t.Calls {
		args["call "+t.Calls[i].Op+"/"+t.Calls[i].Key] = t.Calls[i].String()
	}
	args["turn"], args["full"] = t.Turn, t.Full
	d.slice(Event{Name: names(t.Rows), Cat: "turn", Ts: ts, Tid: tid, Args: args})
	for _, m := range t.Moves {
		place := t.Agent + " " + m.Topic
		from := d.shown[place]
		d.shown[place] = m.Rev
		list := d.puts[m.Topic]
		for i := len(list) - 1; i >= 0; i-- { // the newest of what it was shown
			if list[i].rev <= m.Rev {
				if list[i].rev > from {
					d.arrow(m.Topic, list[i].ts, list[i].tid, ts, tid)
				}
				break
			}
		}
	}
	for i := range t.Ends {
		d.end(t, &t.Ends[i], ts, tid)
	}
	d.put(t.Rows, ts, tid)
	for _, c := range t.Calls {
		id := t.Agent + " " + c.Op + "/" + c.Key
		delete(d.calls, id)
		if c.Verb != host.Drop {
			d.calls[id] = &call{asked: ts, tid: tid}
		}
	}
}

// end writes the slice of a call, and what leads to it and from it.
func (d *device) end(t *trace.Turn, e *trace.End, ts float64, tid int) {
	lane := d.track(e.Op)
	begin := d.ts(e.Began)
	dur := max(float64(e.Ended-e.Began)/float64(time.Microsecond), 1)
	args := map[string]any{"agent": t.Agent, "try": e.Tries, "result": json.RawMessage(e.Res.JSON())}
	if e.Fault != nil {
		args["fault"] = e.Fault
	}
	d.x.flow++
	id := d.x.flow
	d.x.event(Event{Name: e.Op + "/" + e.Key, Cat: "op", Phase: "b", Ts: begin, Pid: d.pid, Tid: lane,
		ID: id, Args: args})
	d.x.event(Event{Name: e.Op + "/" + e.Key, Cat: "op", Phase: "e", Ts: begin + dur, Pid: d.pid,
		Tid: lane, ID: id})
	if c := d.calls[t.Agent+" "+e.Op+"/"+e.Key]; c != nil {
		d.arrow(e.Op, c.asked, c.tid, ts, tid)
	}
}
