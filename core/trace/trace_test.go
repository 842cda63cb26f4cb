package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/trace"
)

// turnSeen is what a turn was told and did, taken down by other means than the recorder's.
type turnSeen struct {
	id, in, out string
	tables      []string // of the topics that moved
}

func text(rows map[string]string) string {
	var out []string
	for k, v := range rows {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// collect takes a turn down.
func collect(into *[]turnSeen) func(*host.Proc, *host.Input, *host.Output) {
	js := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return func(p *host.Proc, in *host.Input, out *host.Output) {
		s := turnSeen{id: fmt.Sprint(in.Agent, in.Boot, in.Start, in.Turn, in.Now, in.Wall, in.Full)}
		s.in = fmt.Sprint(in.Due)
		for _, e := range in.Ends {
			s.in += fmt.Sprint(e.Op, e.Key, e.Call.Tries, e.Call.Began, e.Call.Ended)
			if e.Call.Fault != nil {
				s.in += fmt.Sprint(*e.Call.Fault)
			} else {
				s.in += js(e.Call.Res)
			}
		}
		for _, m := range in.Moves {
			rows := map[string]string{}
			for k, v := range m.Head.All() {
				rows[k] = js(v)
			}
			s.tables = append(s.tables, fmt.Sprint(m.Topic().String(), m.Head.Rev(), m.Head.Complete(),
				text(rows)))
		}
		for _, r := range out.Rows {
			s.out += fmt.Sprint(r.Topic.String(), r.Key, r.Rev)
			if r.Val != nil {
				s.out += js(r.Val)
			}
		}
		whole := []string(nil)
		for _, d := range out.Whole {
			whole = append(whole, d.String())
		}
		s.out += fmt.Sprint(whole)
		for _, c := range out.Calls {
			s.out += fmt.Sprint(c.Verb, c.Op, c.Key, uint32(c.Sum()))
		}
		for _, w := range out.Wakes {
			s.out += fmt.Sprint(w.Key, w.At)
		}
		*into = append(*into, s)
	}
}

// tables rebuilds what turns were shown from the rows of a recording.
type tables map[string][]trace.Row // by topic

// frame takes what is no turn. A boot begins with what its tables list.
func (x tables) frame(f trace.Frame) {
	switch f := f.(type) {
	case *trace.Boot:
		clear(x)
	case *trace.Table:
		x.table(f)
	case *trace.Seen:
		x.take(f.Rows)
	}
}

// table takes a table as a whole: what it does not have is gone.
func (x tables) table(f *trace.Table) {
	has := func(key string) bool {
		return slices.ContainsFunc(f.Rows, func(r trace.Row) bool { return r.Key == key })
	}
	for _, r := range x[f.Topic] {
		if r.Rev <= f.Rev && !has(r.Key) {
			x[f.Topic] = append(x[f.Topic], trace.Row{Key: r.Key, Rev: f.Rev})
		}
	}
	x.take(f.Rows)
}

func (x tables) take(rows []trace.Row) {
	for _, r := range rows {
		x[r.Topic] = append(x[r.Topic], r)
	}
}

func (x tables) at(topic string, rev uint64) string {
	rows, newest := map[string]string{}, map[string]uint64{}
	for _, r := range x[topic] {
		if r.Rev > rev || r.Rev < newest[r.Key] {
			continue
		}
		newest[r.Key] = r.Rev
		if rows[r.Key] = string(r.Val.JSON()); r.Val.IsZero() {
			delete(rows, r.Key)
		}
	}
	return text(rows)
}

// readAs takes a recorded turn down as collect does.
func readAs(t *trace.Turn, x tables) turnSeen {
	s := turnSeen{id: fmt.Sprint(t.Agent, t.Boot, t.Start, t.Turn, t.Now, t.Wall, t.Full),
		in: fmt.Sprint(t.Due)}
	for _, e := range t.Ends {
		s.in += fmt.Sprint(e.Op, e.Key, e.Tries, e.Began, e.Ended)
		if e.Fault != nil {
			s.in += fmt.Sprint(*e.Fault)
		} else {
			s.in += string(e.Res.JSON())
		}
	}
	for _, m := range t.Moves {
		s.tables = append(s.tables, fmt.Sprint(m.Topic, m.Rev, m.Complete, x.at(m.Topic, m.Rev)))
	}
	x.take(t.Rows)
	for _, r := range t.Rows {
		s.out += fmt.Sprint(r.Topic, r.Key, r.Rev)
		if !r.Val.IsZero() {
			s.out += string(r.Val.JSON())
		}
	}
	s.out += fmt.Sprint(t.Whole)
	for _, c := range t.Calls {
		s.out += fmt.Sprint(c.Verb, c.Op, c.Key, c.Req)
	}
	for _, w := range t.Wakes {
		s.out += fmt.Sprint(w.Key, w.At)
	}
	return s
}

// What a recording says of each turn is what the turn was told and did, down to every row of every
// table it was shown.
func TestARecordingHoldsAllThatTurnsWereToldAndDid(t *testing.T) {
	for seed := range uint64(20) {
		var want []turnSeen
		var b bytes.Buffer
		r := trace.NewRecorder(&b)
		w, _ := world(t, seed, twist{}, r, collect(&want))
		w.Run(10 * time.Minute)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		x, n := tables{}, 0
		for _, f := range frames(t, b.Bytes()) {
			turn, ok := f.(*trace.Turn)
			if !ok {
				x.frame(f)
				continue
			}
			got := readAs(turn, x)
			if fmt.Sprint(got) != fmt.Sprint(want[n]) {
				t.Fatalf("seed %d, turn %d:\n%v\nwant\n%v", seed, n, got, want[n])
			}
			n++
		}
		if n != len(want) || n < 200 {
			t.Fatalf("seed %d: %d turns of %d", seed, n, len(want))
		}
	}
}

// A recording that begins in the middle of a life begins with what there is.
func TestARecordingMayBeginAtAnyTime(t *testing.T) {
	var want []turnSeen
	var b bytes.Buffer
	r := trace.NewRecorder(&b)
	late, on := collect(&want), false
	record := r.OnTurn("edge")
	w, d := world(t, 3, twist{}, nil, func(p *host.Proc, in *host.Input, out *host.Output) {
		if on {
			late(p, in, out)
			record(p, in, out)
		}
	})
	w.Run(2 * time.Minute)
	on = true
	r.Begin(d.Kernel())
	w.Run(10 * time.Minute)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	x, n := tables{}, 0
	for i, f := range frames(t, b.Bytes()) {
		turn, ok := f.(*trace.Turn)
		if !ok {
			x.frame(f)
			continue
		}
		if i == 0 {
			t.Fatal("no snapshot")
		}
		if got := readAs(turn, x); fmt.Sprint(got) != fmt.Sprint(want[n]) {
			t.Fatalf("turn %d:\n%v\nwant\n%v", n, got, want[n])
		}
		n++
	}
	if n != len(want) || n < 100 {
		t.Fatalf("%d turns of %d", n, len(want))
	}
}

// A torn recording gives its whole frames and then says that it is torn; no damage brings the
// reader down.
func TestTornAndDamagedRecordings(t *testing.T) {
	whole := recorded(t, 1, twist{})[:6000]
	read := func(b []byte) (n int, err error) {
		r, err := trace.NewReader(bytes.NewReader(b))
		for err == nil {
			if _, err = r.Next(); err == nil {
				n++
			}
		}
		return n, err
	}
	last := 0
	for cut := range whole {
		n, err := read(whole[:cut])
		switch {
		case cut < len("evtrace2\n"):
			if !errors.Is(err, trace.ErrForeign) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
		case n < last || n > last+200 || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			t.Fatalf("cut at %d: %d frames after %d, %v", cut, n, last, err)
		case n > last && !errors.Is(err, io.EOF):
			t.Fatalf("cut at %d, behind a block: %v", cut, err)
		}
		last = n
		for _, bit := range []byte{1, 0x80} {
			b := slices.Clone(whole[:min(cut+200, len(whole))])
			b[cut] ^= bit
			if _, err := read(b); err == nil {
				t.Fatalf("byte %d flipped: no end", cut)
			}
		}
	}
}

type fullDisk struct{ left int }

// Write takes what fits.
func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.left {
		return 0, errors.New("the disk is full")
	}
	d.left -= len(b)
	return len(b), nil
}

func TestARecordingThatCannotBeWrittenSaysSo(t *testing.T) {
	r := trace.NewRecorder(&fullDisk{10_000})
	w, _ := world(t, 1, twist{}, r, nil)
	w.Run(time.Hour)
	if err := r.Close(); err == nil || err.Error() != "record turns: the disk is full" {
		t.Fatalf("error %v", err)
	}
}

// The recorder moves no turn.
func TestRecordingMovesNothing(t *testing.T) {
	plain, _ := world(t, 5, twist{}, nil, nil)
	plain.Run(10 * time.Minute)
	r := trace.NewRecorder(io.Discard)
	w, _ := world(t, 5, twist{}, r, nil)
	w.Run(10 * time.Minute)
	if plain.Trace() != w.Trace() {
		t.Fatalf("trace %x, recorded %x", plain.Trace(), w.Trace())
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprint(on), func(b *testing.B) {
			var r *trace.Recorder
			if on {
				r = trace.NewRecorder(io.Discard)
			}
			w, _ := world(b, 1, twist{}, r, nil)
			w.Run(10 * time.Minute)
			turns, bytes := w.Turns(), int64(0)
			if on {
				bytes = r.Bytes()
			}
			b.ReportAllocs()
			b.ResetTimer()
			w.Run(time.Duration(b.N) * time.Minute)
			n := float64(w.Turns() - turns)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/turn")
			if on {
				b.ReportMetric(float64(r.Bytes()-bytes)/n, "B/turn")
			}
		})
	}
}
