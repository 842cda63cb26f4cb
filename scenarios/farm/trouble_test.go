package farm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/farm"
)

// A worker that hangs loses its job to another; when it comes back late, its result is not counted.
func TestAHungWorkersLateResultIsNotCounted(t *testing.T) {
	o := look(400)
	want := toys(t, o)
	s := serve(t, "embed", "")
	hangs, wake := make(chan uint64, 1), make(chan struct{})
	var once sync.Once
	slow := func(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
		return func(j *explore.Job) (*explore.Run, error) {
			once.Do(func() {
				hangs <- j.Seed
				<-wake
			})
			return toy(j), nil
		}, nil
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	conn := dial(t, s, farm.DialOptions{})
	go func() {
		ended <- farm.Work(ctx, farm.WorkerOptions{Conn: conn, Build: build, Carry: slow})
	}()
	sp := spec("hung")
	sp.AckWait, sp.Limit = 400*time.Millisecond, 200*time.Millisecond
	crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: sp})
	o.Crew = crew
	got := make(chan outcome, 1)
	go func() { got <- run(t, o) }()
	await(t, hangs)
	hire(t, s, 1, farm.WorkerOptions{Build: build, Carry: quick})
	same(t, await(t, got), want)
	if crew.Redelivered() == 0 {
		t.Error("nothing was given out again")
	}
	close(wake)
	stop()
	if err := await(t, ended); err != nil {
		t.Fatal(err)
	}
	if n, err := crew.Results(context.Background()); n != 400 || err != nil {
		t.Errorf("the server has %d results of 400 seeds, %v", n, err)
	}
	if err := crew.Close(true, false); err != nil {
		t.Error(err)
	}
}

// await waits for what must come.
func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(soon):
		t.Fatalf("nothing came in %v", soon)
		panic("unreachable")
	}
}

// A run that never ends, or kills every worker, is reported instead of being given out for ever.
func TestARunThatNeverEndsIsReported(t *testing.T) {
	s := serve(t, "embed", "")
	wake := make(chan struct{})
	stuck := func(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
		return func(j *explore.Job) (*explore.Run, error) {
			if j.Seed == 3 {
				<-wake
			}
			return &explore.Run{Seed: j.Seed}, nil
		}, nil
	}
	hire(t, s, 2, farm.WorkerOptions{Build: build, Carry: stuck, Jobs: 4})
	t.Cleanup(func() { close(wake) }) // before the workers are waited for
	sp := spec("stuck")
	sp.AckWait, sp.Limit = 200*time.Millisecond, 100*time.Millisecond
	crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: sp})
	o := look(20)
	o.Crew = crew
	_, err := explore.Explore(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "seed 3") ||
		!strings.Contains(err.Error(), "5 workers did not come back") {
		t.Errorf("%v", err)
	}
	if err := crew.Close(false, false); err != nil {
		t.Error(err)
	}
}

// A run that cannot be made is the exploration's error, wherever it was tried.
func TestARunThatCannotBeMadeIsAnError(t *testing.T) {
	s := serve(t, "embed", "")
	hire(t, s, 2, farm.WorkerOptions{Build: build,
		Carry: func(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
			return func(*explore.Job) (*explore.Run, error) { return nil, errors.New("no memory") }, nil
		}})
	crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: spec("error")})
	o := look(20)
	o.Crew = crew
	if _, err := explore.Explore(context.Background(), o); err == nil ||
		!strings.Contains(err.Error(), "seed 1, by worker ") ||
		!strings.Contains(err.Error(), "no memory") {
		t.Errorf("%v", err)
	}
}

// A coordinator that dies is begun again under the same name and finds what it asked for: nothing
// is run twice.
func TestACoordinatorGoesOnWhereItWas(t *testing.T) {
	o := look(1500)
	want := toys(t, o)
	s := serve(t, "embed", "")
	var made atomic.Int64
	hire(t, s, 2, farm.WorkerOptions{Build: build,
		Carry: func(*farm.Spec) (func(j *explore.Job) (*explore.Run, error), error) {
			return func(j *explore.Job) (*explore.Run, error) {
				made.Add(1)
				return toy(j), nil
			}, nil
		}})
	conn := dial(t, s, farm.DialOptions{})
	crew := begin(t, farm.Options{Conn: conn, Spec: spec("again"), Stay: true})
	other := farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: spec("again"), Stay: true}
	if _, err := farm.Begin(context.Background(), other); err == nil ||
		!strings.Contains(err.Error(), "another coordinator is at work") {
		t.Errorf("two coordinators of one name: %v", err)
	}
	first := o
	first.Crew = crew
	n := 0
	first.OnSeed = func(*explore.Run) {
		if n++; n == 700 {
			conn.Close() // as death does
		}
	}
	if sum, err := explore.Explore(context.Background(), first); err == nil {
		t.Fatalf("without a server: %+v", sum)
	}
	wrong := other
	wrong.Spec.Profile = "calm"
	if _, err := farm.Begin(context.Background(), wrong); err == nil ||
		!strings.Contains(err.Error(), "another exploration of that name") {
		t.Errorf("other options under the name: %v", err)
	}
	crew = begin(t, other)
	o.Crew = crew
	same(t, run(t, o), want)
	if made.Load() != 1500 {
		t.Errorf("%d runs were made for 1500 seeds", made.Load())
	}
	if err := crew.Close(true, false); err != nil {
		t.Error(err)
	}
}

// A worker of another build refuses, and both ends are told both builds.
func TestAWorkerOfAnotherBuildRefuses(t *testing.T) {
	s := serve(t, "embed", "")
	told := make(chan string, 10)
	crew := begin(t, farm.Options{Conn: dial(t, s, farm.DialOptions{}), Spec: spec("builds"),
		Say: func(text string) { told <- text }})
	err := farm.Work(context.Background(), farm.WorkerOptions{Conn: dial(t, s, farm.DialOptions{}),
		Build: "b2", Carry: real})
	if err == nil || !strings.Contains(err.Error(), "build b1, this worker is build b2") {
		t.Errorf("the worker says %v", err)
	}
	if text := await(t, told); !strings.Contains(text, "build b1, this worker is build b2") {
		t.Errorf("the coordinator is told %q", text)
	}
	if err := crew.Close(true, false); err != nil {
		t.Error(err)
	}
}
