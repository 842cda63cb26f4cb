package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// taken runs a scenario under flaky faults with a recorder, which it closes.
func taken(sc *scenario.Scenario, seed uint64, r *trace.Recorder, more ...scenario.Around) error {
	p, err := fault.Named(fault.Flaky)
	if err != nil {
		return err
	}
	around := slices.Concat(more, []scenario.Around{recording.Around{Recorder: r}})
	if sc.Faults {
		around = append(around, storm.New(fault.Draw(p, seed, storm.Usual(), sc.Span)))
	}
	o := sim.Options{Seed: seed, Rebuild: 5, FullTurn: 5}
	h, err := scenario.NewVirtualWorld(o, nil, around...)
	if err != nil {
		return err
	}
	if res := sc.Run(h, seed); !res.OK {
		return fmt.Errorf("%s, seed %d: %s", sc.Name, seed, res.Error)
	}
	return r.Close()
}

// perTurn does something behind each turn of a device, on its loop.
type perTurn struct{ do func() }

// Shape has it done.
func (p perTurn) Shape(_ scenario.World, o *twin.DeviceOptions) {
	was := o.OnTurn
	o.OnTurn = func(x *host.Proc, in *host.Input, out *host.Output) {
		if was != nil {
			was(x, in, out)
		}
		p.do()
	}
}

// Made does nothing.
func (perTurn) Made(scenario.World, *twin.Device) {}

// slowly lets everybody else go first.
type slowly struct{ io.Writer }

// Write is slow.
func (s slowly) Write(b []byte) (int, error) {
	for range 1000 {
		runtime.Gosched()
	}
	return s.Writer.Write(b)
}

// What is written beside the loop is what is written on it, to the byte: with crashes, power cuts
// and faults, wherever it is flushed, and if the writer is slower than the loop.
func TestBesideTheLoopTheSameBytesAreWritten(t *testing.T) {
	for _, name := range []string{"standard", "quickstart", "port-failover"} {
		sc, err := scenarios.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(4) {
			every := []uint64{0, 1, 37, 1000}[seed]
			var on, beside bytes.Buffer
			rs := []*trace.Recorder{trace.NewRecorder(&on), taping.Beside(slowly{&beside})}
			for _, r := range rs {
				err := taken(sc, seed+1, r, perTurn{func() {
					if every > 0 && r.Turns()%every == 0 {
						if err := r.Flush(); err != nil {
							t.Error(err)
						}
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(on.Bytes(), beside.Bytes()) {
				t.Errorf("%s, seed %d: %d bytes on the loop, %d others beside it", name, seed+1,
					on.Len(), beside.Len())
			}
			if n := int64(on.Len()); rs[0].Bytes() != n || rs[1].Bytes() != n || n < 10_000 {
				t.Errorf("%s, seed %d: %d bytes, said to be %d and %d", name, seed+1, n,
					rs[0].Bytes(), rs[1].Bytes())
			}
			if rs[0].Turns() != rs[1].Turns() || rs[0].Turns() < 256 {
				t.Errorf("%s, seed %d: %d turns, %d", name, seed+1, rs[0].Turns(), rs[1].Turns())
			}
		}
	}
}

// gate keeps what is written behind the first line waiting until it is opened.
type gate struct {
	bytes.Buffer
	open   chan struct{}
	writes int
}

// Write waits.
func (g *gate) Write(b []byte) (int, error) {
	if g.writes++; g.writes > 1 {
		<-g.open
	}
	return g.Buffer.Write(b)
}

// The loop goes on while the writer waits for its disk. If it could not, this would never end.
func TestTheLoopGoesOnWhileTheWriterWaits(t *testing.T) {
	g, shut := &gate{open: make(chan struct{})}, true
	r := taping.Beside(g)
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	err = taken(sc, 1, r, perTurn{func() {
		switch n := r.Turns(); {
		case n == 5:
			if err := r.Flush(); err != nil {
				t.Error(err)
			}
		case n == 255 && shut:
			shut = false
			close(g.open)
		}
	}})
	if err != nil || shut {
		t.Fatal(shut, err)
	}
	n := uint64(0)
	for _, f := range frames(t, g.Bytes()) {
		if _, ok := f.(*trace.Turn); ok {
			n++
		}
	}
	if n != r.Turns() {
		t.Fatalf("%d turns of %d", n, r.Turns())
	}
}

// full has no room behind the first line.
type full struct{ lines int }

var errFull = errors.New("the disk is full")

// Write takes one line.
func (f *full) Write(b []byte) (int, error) {
	if f.lines++; f.lines > 1 {
		return 0, errFull
	}
	return len(b), nil
}

// What could not be written beside the loop is told by Close, each time, and keeps nobody waiting;
// a turn behind it is neither recorded nor waited for.
func TestWhatCannotBeWrittenBesideTheLoopIsTold(t *testing.T) {
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	f := &full{}
	r := taping.Beside(f)
	for range 3 {
		if err := taken(sc, 1, r); !errors.Is(err, errFull) ||
			err.Error() != "record turns: the disk is full" {
			t.Fatalf("error %v", err)
		}
		if err := r.Flush(); !errors.Is(err, errFull) {
			t.Fatalf("error %v", err)
		}
	}
	if f.lines != 2 {
		t.Errorf("%d writes", f.lines)
	}
	var b bytes.Buffer
	ok := taping.Beside(&b)
	if err := taken(sc, 1, ok); err != nil {
		t.Fatal(err)
	}
	n, turns := b.Len(), ok.Turns()
	if err := taken(sc, 2, ok); err != nil || b.Len() != n || ok.Turns() != turns {
		t.Fatalf("behind the end: %v, %d bytes behind %d, %d turns behind %d", err, b.Len(), n,
			ok.Turns(), turns)
	}
}

// A recording of a device in real time may be read up to the last flush while the device goes on:
// what a killed program leaves.
func TestWhatIsFlushedBesideTheLoopIsWhole(t *testing.T) {
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{open: make(chan struct{})}
	close(g.open)
	written := make(chan []byte, 10_000)
	r := taping.Beside(io.MultiWriter(g, told(written)))
	at := uint64(0)
	if err := taken(sc, 1, r, perTurn{func() {
		if r.Turns() != 300 || at > 0 {
			return
		}
		at = 300
		if err := r.Flush(); err != nil {
			t.Error(err)
		}
		var b []byte
		for timeout := time.After(time.Minute); ; {
			select {
			case more := <-written:
				b = append(b, more...)
			case <-timeout:
				t.Error("no flush")
				return
			}
			n := uint64(0)
			for _, f := range frames(t, b) {
				if x, ok := f.(*trace.Turn); ok && x != nil {
					n++
				}
			}
			if n == 300 {
				return
			}
		}
	}}); err != nil || at == 0 {
		t.Fatal(at, err)
	}
}

// told tells what is written.
type told chan<- []byte

// Write tells it.
func (x told) Write(b []byte) (int, error) {
	x <- bytes.Clone(b)
	return len(b), nil
}
