package source

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

// began is when stories of tests begin.
func began() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// played is the demonstration up to a second.
func played(t *testing.T, sec float64) *State {
	t.Helper()
	s, src := NewState(), DemoAt(began())
	for n := 0; float64(n)*demoStep.Seconds() <= sec; n++ {
		b, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.Apply(b)
		if n%4 == 3 {
			s.Beat()
		}
	}
	return s
}

func TestDemoRowsAreKnownToTheSocket(t *testing.T) {
	r := known()
	for _, table := range played(t, 70).Tables {
		d := r[table.Name]
		if d == nil {
			t.Errorf("%s is not known", table.Name)
			continue
		}
		for _, row := range table.Rows {
			back := r.decode(table.Name, row.JSON())
			if reflect.TypeOf(back) != reflect.TypeOf(row.Val) || !d.Equal(back, row.Val) {
				t.Errorf("%s/%s comes back as %s", table.Name, row.Key, encode(back))
			}
		}
	}
}

func TestRowThatCannotBeReadStaysJSON(t *testing.T) {
	raw := json.RawMessage(`{"BlinkCounter":"many"}`)
	got := known().decode("ledmanager/LedStatus", raw)
	if back, ok := got.(json.RawMessage); !ok || string(back) != string(raw) {
		t.Errorf("%v", got)
	}
}

func TestDemoTellsItsStory(t *testing.T) {
	states := func(s *State) []string {
		var out []string
		for _, a := range All(s, app.Statuses) {
			out = append(out, a.DisplayName+" "+a.State.String())
		}
		return out
	}
	for sec, want := range map[float64][]string{
		1:  nil,
		34: {"nginx RUNNING", "postgres DOWNLOADING", "検査カメラ VERIFYING"},
		91: {"nginx HALTING", "postgres RUNNING", "検査カメラ VERIFYING"},
	} {
		if got := states(played(t, sec)); !slices.Equal(got, want) {
			t.Errorf("at %v s: %v, want %v", sec, got, want)
		}
	}
	s := played(t, demoLoop+1)
	if s.Device.Boot != 2 || len(s.Marks) != 0 || Get(s, network.DNS, entity.Global) == nil {
		t.Errorf("the second boot: %+v, marks %v", s.Device, s.Marks)
	}
}

func TestFaultsAreListedOnceNewestFirst(t *testing.T) {
	got := played(t, 34).Faults()
	want := []Fault{
		{Object: "shopfloor", Severity: entity.SeverityWarning, Since: began().Add(30 * time.Second)},
		{Object: "検査カメラ", Severity: entity.SeverityError, Since: began().Add(17 * time.Second), Rows: 5},
		{Object: "bootstrap", Since: began().Add(-time.Hour)},
	}
	if len(got) != len(want) {
		t.Fatalf("%d faults: %+v", len(got), got)
	}
	for i, f := range got {
		w := want[i]
		if f.Object != w.Object || f.Severity != w.Severity || !f.Since.Equal(w.Since) ||
			f.Rows != w.Rows || f.Text == "" {
			t.Errorf("fault %d is %+v, want %+v", i, f, w)
		}
	}
	s := NewState()
	s.Apply(&Batch{Rows: []Change{{Topic: "nim/Trial", Key: "eth0",
		Val: json.RawMessage(`{"Error":"it is raw"}`)}}})
	if f := s.Faults(); len(f) != 1 || f[0].Text != "it is raw" || f[0].Object != "eth0" {
		t.Errorf("of a row that is only JSON: %+v", f)
	}
	s.Apply(&Batch{Rows: []Change{{Topic: "nim/Trial", Key: "eth0", Val: json.RawMessage(`{}`)}}})
	if f := s.Faults(); len(f) != 0 {
		t.Errorf("an error that went: %+v", f)
	}
}

func TestMeter(t *testing.T) {
	s, at := NewState(), began()
	load := func(after time.Duration, have int64) {
		at = at.Add(after)
		s.Apply(&Batch{At: at, Rows: []Change{{Topic: content.DownloadStatuses.String(), Key: "ab",
			Val: &content.DownloaderStatus{ImageSha256: "ab", CurrentSize: have}}}})
	}
	load(0, 1000)
	load(time.Second, 3000)
	load(50*time.Millisecond, 3001) // too short a time to tell
	load(950*time.Millisecond, 5000)
	if m := s.Meter("ab"); m.Rate != 2000 || !slices.Equal(m.Past, []float64{2000, 2000}) {
		t.Errorf("%+v", m)
	}
	load(time.Second, 10) // begins again
	if m := s.Meter("ab"); m.Rate != 0 || len(m.Past) != 0 {
		t.Errorf("after a new beginning %+v", m)
	}
	s.Apply(&Batch{At: at, Rows: []Change{{Topic: content.DownloadStatuses.String(), Key: "ab"}}})
	if m := s.Meter("ab"); m != nil {
		t.Errorf("of a download that is gone: %+v", m)
	}
}

func TestRowRemembersOneStep(t *testing.T) {
	s := NewState()
	change := func(at time.Time, reset bool, blinks string) *Row {
		s.Apply(&Batch{At: at, Reset: reset, Rows: []Change{{Topic: "led/LedSeen", Key: "led",
			Val: json.RawMessage(blinks)}}})
		return s.Table("led/LedSeen").Row("led")
	}
	if r := change(began(), true, "1"); r.Before() != nil || !r.At.IsZero() {
		t.Errorf("a snapshot is no change: %+v", r)
	}
	if r := change(began(), false, "2"); string(r.Before()) != "1" || string(r.JSON()) != "2" ||
		!r.At.Equal(began()) {
		t.Errorf("a change: %+v", r)
	}
}

func TestPulse(t *testing.T) {
	s := NewState()
	for _, turns := range []uint64{5, 8, 8, 20} {
		s.Apply(&Batch{Agents: []Agent{{Name: "nim", Turns: turns}}})
		s.Beat()
	}
	if got := s.Agents[0].Pulse.Last(4); !slices.Equal(got, []int{0, 3, 0, 12}) {
		t.Errorf("%v", got)
	}
	if got := s.Agents[0].Pulse.Last(1000); len(got) != History {
		t.Errorf("%d seconds", len(got))
	}
}

func TestClocksGoOnByThemselves(t *testing.T) {
	s := NewState()
	s.Apply(&Batch{At: began(), Device: &Device{Up: time.Minute, Wall: began().AddDate(1, 0, 0),
		Runs: true}})
	later := began().Add(5 * time.Second)
	if s.Up(later) != 65*time.Second || !s.Wall(later).Equal(later.AddDate(1, 0, 0)) {
		t.Errorf("up %v, wall %v", s.Up(later), s.Wall(later))
	}
	s.Apply(&Batch{At: later, Link: &Link{Lost: true}})
	if s.Up(later.Add(time.Hour)) != time.Minute {
		t.Error("the clock goes on without a connection")
	}
}

func TestLogOfATerminalIsBounded(t *testing.T) {
	s := NewState()
	for i := range 3 * keepLines {
		s.Apply(&Batch{Lines: []Line{{From: "nim", At: time.Duration(i)}}})
	}
	if n := len(s.Lines); n > keepLines*5/4 || s.FirstLine+n != 3*keepLines ||
		s.Lines[0].At != time.Duration(s.FirstLine) {
		t.Errorf("%d lines from %d on", n, s.FirstLine)
	}
}

func TestScriptEnds(t *testing.T) {
	s := Script{Start: began(), Scene: func(n int) *Scene {
		if n == 2 {
			return nil
		}
		return &Scene{After: time.Second, Batch: &Batch{}}
	}}
	for _, want := range []time.Time{began(), began().Add(time.Second)} {
		if b, err := s.Next(t.Context()); err != nil || !b.At.Equal(want) {
			t.Errorf("%+v, %v", b, err)
		}
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
