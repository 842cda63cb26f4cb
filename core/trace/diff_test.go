package trace_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/trace"
)

func diff(t *testing.T, a, b []byte) *trace.Difference {
	t.Helper()
	d, err := trace.Diff(bytes.NewReader(a), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheSameSeedIsTheSameRecording(t *testing.T) {
	for seed := range uint64(5) {
		a, b := recorded(t, seed, twist{}), recorded(t, seed, twist{})
		if !bytes.Equal(a, b) {
			t.Fatalf("seed %d: recordings of %d and %d bytes differ", seed, len(a), len(b))
		}
		if d := diff(t, a, b); d != nil {
			t.Fatalf("seed %d: %v", seed, d)
		}
	}
}

// Diff names the first turn that differs and what it is about, however small the cause.
func TestDiffNamesTheFirstTurnThatDiffers(t *testing.T) {
	at := 2*time.Minute + time.Second
	for _, c := range []struct {
		x                       twist
		agent, what, topic, key string
	}{
		{twist{at: at, put: true}, "boss", "put", "boss/Wish", "a"},
		{twist{at: at, lamp: true}, "", "shown", "lamp/Lamp", ""},
		{twist{at: at, request: true}, "worker", "", "", ""},
		{twist{at: at, alarm: true}, "boss", "deadline", "", "next"},
	} {
		for seed := range uint64(3) {
			a, b := recorded(t, seed, twist{}), recorded(t, seed, c.x)
			d, o := diff(t, a, b), diff(t, b, a)
			if d == nil || o == nil {
				t.Fatalf("%+v: no difference", c.x)
			}
			if c.agent != "" && d.Agent != c.agent || c.what != "" && d.What != c.what ||
				c.topic != "" && d.Topic != c.topic || c.key != "" && d.Key != c.key {
				t.Errorf("%+v: %v", c.x, d)
			}
			if d.Device != "edge" || d.Boot != 1 || d.At < at || d.At > at+time.Minute || d.Turn == 0 {
				t.Errorf("%+v: %+v", c.x, d)
			}
			if o.Turn != d.Turn || o.Agent != d.Agent || o.What != d.What || o.A != d.B || o.B != d.A {
				t.Errorf("the other way round: %v, and %v", d, o)
			}
			checkFirst(t, a, b, d)
		}
	}
}

func turns(frames []trace.Frame) (out []*trace.Turn) {
	for _, f := range frames {
		if t, ok := f.(*trace.Turn); ok {
			out = append(out, t)
		}
	}
	return out
}

// checkFirst looks for a turn before the difference that is not alike in both recordings.
func checkFirst(t *testing.T, a, b []byte, d *trace.Difference) {
	t.Helper()
	x, y := turns(frames(t, a)), turns(frames(t, b))
	for i, p := range x {
		if p.Agent == d.Agent && p.Turn == d.Turn && p.Boot == d.Boot {
			return
		}
		if o := y[i]; readAs(o, tables{}).out != readAs(p, tables{}).out || o.Agent != p.Agent {
			t.Fatalf("turn %d differs before turn %d of %s", i, d.Turn, d.Agent)
		}
	}
	t.Fatalf("turn %d of %s is in neither recording", d.Turn, d.Agent)
}

func TestDiffOfAShorterRecordingAndOfOneWithMoreAgents(t *testing.T) {
	a := recorded(t, 1, twist{})
	r, err := trace.NewReader(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	var all []*trace.Turn
	for {
		x, err := r.NextTurn()
		if err != nil {
			break
		}
		all = append(all, x)
	}
	short := a[:len(a)/2]
	for { // to the end of a frame
		if d, err := trace.Diff(bytes.NewReader(a), bytes.NewReader(short)); err == nil {
			if d == nil || d.What != "missing" || d.B != "no such turn" || d.A != "a turn" {
				t.Fatalf("%v", d)
			}
			break
		} else if !strings.Contains(err.Error(), "read trace in the block at byte ") {
			t.Fatal(err)
		}
		short = short[:len(short)-1]
	}
	d := diff(t, a, recorded(t, 1, twist{newcomer: true}))
	if d == nil || d.Agent != "early" || d.What != "missing" || d.A != "no such turn" {
		t.Fatalf("%v, in %d turns", d, len(all))
	}
	if d := diff(t, a, recorded(t, 2, twist{})); d == nil {
		t.Fatal("two seeds gave one recording")
	}
	if _, err := trace.Diff(bytes.NewReader(a), strings.NewReader("{}")); !errors.Is(err,
		trace.ErrForeign) {
		t.Fatal(err)
	}
}
