package snapshot_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/snapshot"
)

func find(t *testing.T, name string) *scenario.Scenario {
	t.Helper()
	sc, err := scenarios.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func profile(t *testing.T, name string) fault.Profile {
	t.Helper()
	p, err := fault.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lived runs a life with others around it.
func lived(t *testing.T, l snapshot.Life, around ...scenario.Around) scenario.Result {
	t.Helper()
	h, err := l.Begin(around...)
	if err != nil {
		t.Fatal(err)
	}
	return find(t, l.Scenario).Run(h, l.Seed)
}

// saved runs a life and reads what it saved at an instant, through a file.
func saved(t *testing.T, l snapshot.Life, at time.Duration) (*snapshot.Snapshot, scenario.Result) {
	t.Helper()
	v := snapshot.Save(l, at, "then")
	r := lived(t, l, v)
	file := filepath.Join(t.TempDir(), "run.json")
	if err := v.Write(file, time.Hour); err != nil {
		t.Fatal(err)
	}
	return read(t, file), r
}

func read(t *testing.T, file string) *snapshot.Snapshot {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Read(file, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// whole is a run's end, that it must come to however it gets there.
func whole(r scenario.Result) [4]any { return [4]any{r.OK, r.Trace, r.Turns, r.VirtualS} }

// Saving moves nothing, and what goes on from the file ends as the run that was never interrupted:
// every scenario, at two instants of its life.
func TestARunGoesOnFromItsSnapshot(t *testing.T) {
	n := 0
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) || sc.Slow {
			continue
		}
		n++
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			l := snapshot.Life{Scenario: sc.Name, Seed: 5}
			want := lived(t, l)
			for _, share := range []float64{0.3, 0.8} {
				at := time.Duration(want.VirtualS * share * float64(time.Second))
				goesOn(t, l, at, want)
			}
		})
	}
	if n < 6 {
		t.Errorf("%d scenarios", n)
	}
}

func goesOn(t *testing.T, l snapshot.Life, at time.Duration, want scenario.Result) {
	t.Helper()
	s, r := saved(t, l, at)
	if whole(r) != whole(want) {
		t.Fatalf("saved at %v: %v, without %v", at, whole(r), whole(want))
	}
	if !reflect.DeepEqual(s.Life, l) || s.At.Duration() != at || s.Commit != "then" {
		t.Fatalf("read %+v", s)
	}
	a := s.Arrive("now")
	if r := lived(t, s.Life, a); whole(r) != whole(want) || !a.Come() || a.Strayed() {
		t.Fatalf("from %v: %v %s, uninterrupted %v", at, whole(r), r.Error, whole(want))
	}
}

// The same under faults, and in worlds that rebuild agents and run them twice.
func TestARunUnderFaultsGoesOnFromItsSnapshot(t *testing.T) {
	sc := find(t, "standard")
	for _, name := range []string{fault.Calm, fault.Flaky} {
		for _, shaken := range []bool{false, true} {
			l := snapshot.Life{Scenario: sc.Name, Seed: 11, Shaken: shaken}.Replanned(0,
				profile(t, name), sc.Span)
			want := lived(t, l)
			for _, at := range []time.Duration{time.Second, 7*time.Minute + 1, 21 * time.Minute} {
				goesOn(t, l, at, want)
			}
		}
	}
}

// A fork has the state of the snapshot, and an end of its own; so have forks of forks.
func TestForks(t *testing.T) {
	sc, at := find(t, "standard"), 10*time.Minute
	l := snapshot.Life{Scenario: sc.Name, Seed: 2}.Replanned(0, profile(t, fault.Flaky), sc.Span)
	s, base := saved(t, l, at)
	if got := s.Life.Reseeded(at, 2); !reflect.DeepEqual(got, l) {
		t.Errorf("its own seed made a fork: %+v", got)
	}
	ends := map[string]string{"base": base.Trace}
	fork := func(name string, l snapshot.Life, from *snapshot.Snapshot) {
		t.Helper()
		a := from.Arrive("now")
		r, again := lived(t, l, a), lived(t, l)
		if !a.Come() || a.Strayed() || whole(r) != whole(again) {
			t.Fatalf("%s: %v %s, again %v", name, whole(r), r.Error, whole(again))
		}
		for other, trace := range ends {
			if trace == r.Trace {
				t.Errorf("%s ends as %s", name, other)
			}
		}
		ends[name] = r.Trace
	}
	seven := s.Life.Reseeded(at, 7)
	fork("seed 7", seven, s)
	fork("seed 8", s.Life.Reseeded(at, 8), s)
	calm := s.Life.Replanned(at, profile(t, fault.Calm), sc.Span)
	fork("calm", calm, s)
	fork("seed 7, calm", seven.Replanned(at, profile(t, fault.Calm), sc.Span), s)
	fork("no faults", s.Life.Replanned(at, profile(t, fault.None), sc.Span), s)
	for i, f := range calm.Faults {
		if old := i < len(l.Faults) && f == l.Faults[i]; old != (f.At.Duration() < at) ||
			f.End() > sc.Span+time.Minute {
			t.Errorf("calm from %v on: fault %d is %v", at, i, &f)
		}
	}
	later, _ := saved(t, seven, 20*time.Minute)
	if len(later.Branches) != 1 || later.Current() != 7 {
		t.Fatalf("%+v", later.Life)
	}
	fork("seed 7, then 9", later.Life.Reseeded(20*time.Minute, 9), later)
}

// Code that comes to another state says so, with both commits, and ends there.
func TestAnotherStateIsNoPlaceToGoOnFrom(t *testing.T) {
	s, _ := saved(t, snapshot.Life{Scenario: "quickstart", Seed: 1}, time.Second)
	s.Seed = 2
	a := s.Arrive("now")
	r := lived(t, s.Life, a)
	if r.OK || !a.Strayed() || !strings.Contains(r.Error, "commit now") ||
		!strings.Contains(r.Error, "commit then") || r.VirtualS > 1 {
		t.Errorf("%v, %+v", a.Strayed(), r)
	}
}

func TestAnInstantBehindTheEnd(t *testing.T) {
	v := snapshot.Save(snapshot.Life{Scenario: "quickstart", Seed: 1}, 10*time.Hour, "")
	r := lived(t, snapshot.Life{Scenario: "quickstart", Seed: 1}, v)
	file := filepath.Join(t.TempDir(), "run.json")
	err := v.Write(file, time.Duration(r.VirtualS)*time.Second)
	if err == nil || !strings.Contains(err.Error(), "it took ") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is a file")
	}
}

func TestBadSnapshots(t *testing.T) {
	good := `{"version":1,"scenario":"standard","seed":3,` +
		`"branches":[{"at_s":5,"seed":2}],"at_s":600,"trace":"00aa00aa00aa00aa","commit":"x"}`
	if _, err := snapshot.Read("f", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, err string }{
		{`"version":1`, `"version":2`, "version is 2"},
		{`"version":1,`, ``, "version is 0"},
		{`{"version"`, `["version"`, "invalid character"},
		{`"seed":3`, `"seed":-3`, "seed"},
		{`"seed":3`, `"seeds":3`, "seeds"},
		{`"x"}`, `"x"} {}`, "after top-level value"},
		{`"x"}`, `"x"`, "unexpected end"},
		{`"standard"`, `""`, "it names none"},
		{`"at_s":600`, `"at_s":0`, "at_s: 0"},
		{`"at_s":600`, `"at_s":-1`, "at_s: -1"},
		{`"at_s":600`, `"at_s":4`, "branches[0].at_s: 5 does not lie before"},
		{`"at_s":5`, `"at_s":0`, "branches[0].at_s: 0"},
		{`00aa00aa00aa00aa`, `00AA00aa00aa00aa`, "16 hex digits"},
		{`"branches"`, `"faults":[{"kind":"moon","at_s":1}],"branches"`, "faults[0].kind"},
		{`"branches"`, `"faults":[{"kind":"link-down","at_s":1}],"branches"`, "faults[0].on"},
		{`[{"at_s":5,"seed":2}]`, `[{"at_s":5,"seed":2},{"at_s":4,"seed":2}]`, "branches[1]"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s is not there", c.old)
		}
		_, err := snapshot.Read("f.json", []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.err) ||
			!strings.Contains(err.Error(), "f.json") {
			t.Errorf("%s for %s: %v", c.new, c.old, err)
		}
	}
}
