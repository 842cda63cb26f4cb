package farm_test

import (
	"context"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/explore/exploretest"
	"github.com/evetwin/evetwin/scenarios/farm"
)

const (
	// soon is how long a test waits for what must come.
	soon = 60 * time.Second
	// build is what coordinators and workers of these tests are built from.
	build = "b1"
)

// What is explored.
var (
	fragile = exploretest.Fragile()
	hard    = exploretest.Hard()
)

// look is what is explored in these tests.
func look(seeds uint64) explore.Options {
	return explore.Options{Scenario: fragile, Seeds: seeds, Profile: hard, Rules: []check.Rule{},
		Failures: 100, Shrink: 1}
}

// real makes runs as a worker does.
func real(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
	return func(j *explore.Job) (*explore.Run, error) {
		return j.Carry(fragile, []check.Rule{})
	}, nil
}

// toy is a run without a world, which reaches states and breaks rules as its plan has it.
func toy(j *explore.Job) *explore.Run {
	r := &explore.Run{Seed: j.Seed, Plan: j.Plan, Faults: len(j.Plan.Faults), Trace: "toy",
		Judged: []check.Count{{Rule: "toy", N: j.Seed}}, States: []uint64{}}
	for _, f := range j.Plan.Faults {
		r.States = append(r.States, math.Float64bits(float64(f.At)))
		if f.Kind == fault.PowerCut && f.At < 40 {
			r.Rule, r.Saw, r.At = "toy", f.String(), f.At.Duration()
		}
	}
	return r
}

// quick makes toy runs.
func quick(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
	return func(j *explore.Job) (*explore.Run, error) { return toy(j), nil }, nil
}

// alone carries out toy runs where there is no farm.
type alone struct{}

// Work carries one out after the other.
func (alone) Work(_ context.Context, jobs <-chan explore.Job, done chan<- explore.Done) error {
	for j := range jobs {
		done <- explore.Done{Job: j, Run: toy(&j)}
	}
	return nil
}

// toys is what one process finds in toy runs.
func toys(t *testing.T, o explore.Options) outcome {
	t.Helper()
	o.Crew = alone{}
	out := run(t, o)
	if out.sum.Violations == 0 || out.sum.Violations == out.sum.Seeds {
		t.Fatalf("toys that prove nothing: %+v", out.sum)
	}
	return out
}

func serve(t *testing.T, address, dir string) *farm.Server {
	t.Helper()
	p, err := farm.ParsePlace(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := farm.Embed(p, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *farm.Server, o farm.DialOptions) *farm.Conn {
	t.Helper()
	var err error
	if o.Place, err = farm.ParsePlace(s.URL("")); err != nil {
		t.Fatal(err)
	}
	c, err := farm.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// spec names an exploration of these tests.
func spec(name string) farm.Spec {
	return farm.Spec{Name: name, Scenario: fragile.Name, Profile: hard.Name, First: 1, Build: build,
		AckWait: 2 * time.Second}
}

func begin(t *testing.T, o farm.Options) *farm.Crew {
	t.Helper()
	c, err := farm.Begin(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hire starts workers of this process, which end with the test.
func hire(t *testing.T, s *farm.Server, n int, o farm.WorkerOptions) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	list := make([]farm.WorkerOptions, n)
	for i := range list {
		list[i] = o
		list[i].Conn = dial(t, s, farm.DialOptions{})
	}
	t.Cleanup(func() { stop(); wg.Wait() })
	for _, mine := range list {
		wg.Go(func() {
			if err := farm.Work(ctx, mine); err != nil {
				t.Error(err)
			}
		})
	}
}

// outcome is all that an exploration tells.
type outcome struct {
	sum  *explore.Sum
	runs []*explore.Run
}

func run(t *testing.T, o explore.Options) outcome {
	t.Helper()
	var out outcome
	o.OnSeed = func(r *explore.Run) { out.runs = append(out.runs, r) }
	var err error
	if out.sum, err = explore.Explore(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	out.sum.Took = 0
	return out
}

// same holds an exploration to what one process finds.
func same(t *testing.T, got outcome, want outcome) {
	t.Helper()
	if len(got.runs) != len(want.runs) {
		t.Fatalf("%d runs, not %d", len(got.runs), len(want.runs))
	}
	for i, r := range got.runs {
		if !reflect.DeepEqual(r, want.runs[i]) {
			t.Fatalf("run %d of the farm is %+v, of one process %+v", i, r, want.runs[i])
		}
	}
	if !reflect.DeepEqual(got.sum, want.sum) {
		t.Errorf("the farm found %+v, one process %+v", got.sum, want.sum)
	}
}

// Whoever ran what, the farm finds what one process finds: each seed once, in order.
func TestTheFarmFindsWhatOneProcessFinds(t *testing.T) {
	o := look(70)
	want := run(t, o)
	s := serve(t, "embed", "")
	hire(t, s, 3, farm.WorkerOptions{Build: build, Carry: real})
	conn := dial(t, s, farm.DialOptions{})
	crew := begin(t, farm.Options{Conn: conn, Spec: spec("same")})
	o.Crew = crew
	same(t, run(t, o), want)
	if crew.Workers() != 3 || crew.Redelivered() != 0 {
		t.Errorf("%d workers, %d redelivered", crew.Workers(), crew.Redelivered())
	}
	if err := crew.Close(true, false); err != nil {
		t.Fatal(err)
	}
	if left := streams(t, conn); len(left) != 1 || !strings.Contains(left[0], "explorations") {
		t.Errorf("left on the server: %v", left)
	}
}

// Two explorations on one server neither see nor disturb each other; workers serve both.
func TestTwoExplorationsOnOneServer(t *testing.T) {
	one, two := look(700), look(700)
	two.First = 1000
	wants := []outcome{toys(t, one), toys(t, two)}
	s := serve(t, "embed", "")
	hire(t, s, 2, farm.WorkerOptions{Build: build, Carry: quick})
	outs := make([]outcome, 2)
	var wg sync.WaitGroup
	for i, o := range []explore.Options{one, two} {
		sp := spec([]string{"one", "two"}[i])
		sp.First = max(o.First, 1)
		crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: sp})
		wg.Go(func() {
			o.Crew = crew
			outs[i] = run(t, o)
			if err := crew.Close(true, false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range outs {
		same(t, outs[i], wants[i])
	}
}

// An exploration that is stopped in the middle ends at once with what it has; nothing is left.
func TestAnExplorationIsStoppedInTheMiddle(t *testing.T) {
	s := serve(t, "embed", "")
	conn := dial(t, s, farm.DialOptions{})
	crew := begin(t, farm.Options{Conn: conn, Spec: spec("stop"), Jobs: 2, Carry: quick})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	o := look(0)
	o.Crew = crew
	n := 0
	o.OnSeed = func(*explore.Run) {
		if n++; n == 500 {
			stop()
		}
	}
	sum, err := explore.Explore(ctx, o)
	if err != nil || sum.Seeds < 500 || sum.Seeds > 2000 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if err := crew.Close(false, false); err != nil {
		t.Fatal(err)
	}
	if left := streams(t, conn); len(left) != 1 {
		t.Errorf("left on the server: %v", left)
	}
}
