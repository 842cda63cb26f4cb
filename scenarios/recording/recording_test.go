package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/replay"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// record runs a scenario and returns its recording, which is written beside the loop.
func record(sc *scenario.Scenario, seed uint64) (_ []byte, err error) {
	var b bytes.Buffer
	r := taping.Beside(&b)
	defer func() { err = errors.Join(err, r.Close()) }()
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, recording.Around{Recorder: r})
	if err != nil {
		return nil, err
	}
	if res := sc.Run(h, seed); !res.OK {
		return nil, fmt.Errorf("%s, seed %d: %s", sc.Name, seed, res.Error)
	} else if res.Turns != r.Turns() {
		return nil, fmt.Errorf("%s, seed %d: %d turns of %d are recorded", sc.Name, seed, r.Turns(),
			res.Turns)
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// play replays a recording with some agents.
func play(b []byte, agents []agent.Entry, only string) (replay.Result, error) {
	r, err := trace.NewReader(bytes.NewReader(b))
	if err != nil {
		return replay.Result{}, err
	}
	return replay.Run(r, replay.Options{Agents: agents, Only: only})
}

// Every scenario, with its crashes, reboots, rebuilt agents and forced full turns, replays without
// a difference: a hundred recordings at least.
func TestEveryRecordingReplaysWithoutADifference(t *testing.T) {
	type job struct {
		sc   *scenario.Scenario
		seed uint64
	}
	var jobs []job
	for _, sc := range scenarios.All() {
		if !sc.RunsOn(scenario.Virtual) || sc.Slow {
			continue
		}
		for seed := range uint64(3) {
			jobs = append(jobs, job{sc, seed + 1})
		}
	}
	if len(jobs) < 100 {
		t.Fatalf("%d recordings", len(jobs))
	}
	queue, done := make(chan job), make(chan error)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for j := range queue {
				done <- check(j.sc, j.seed)
			}
		}()
	}
	go func() {
		for _, j := range jobs {
			queue <- j
		}
		close(queue)
	}()
	for range jobs {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func check(sc *scenario.Scenario, seed uint64) error {
	b, err := record(sc, seed)
	if err != nil {
		return err
	}
	res, err := play(b, roster.Agents(), "")
	switch {
	case err != nil:
		return fmt.Errorf("%s, seed %d: %w", sc.Name, seed, err)
	case res.First != nil:
		return fmt.Errorf("%s, seed %d: %v", sc.Name, seed, res.First)
	case res.Turns < 50 || res.Passed > 0:
		return fmt.Errorf("%s, seed %d: %d turns replayed, %d not", sc.Name, seed, res.Turns, res.Passed)
	}
	return nil
}

// frames reads all frames of a recording.
func frames(t *testing.T, b []byte) (out []trace.Frame) {
	t.Helper()
	r, err := trace.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
}

// A recording may begin whenever a device is between two turns, and replays from there: in the
// middle of calls, deadlines and Local rows.
func TestARecordingThatBeginsInTheMiddleReplays(t *testing.T) {
	sc, err := scenarios.Find("quickstart")
	if err != nil {
		t.Fatal(err)
	}
	for ms := 20; ms < 1900; ms += 61 {
		var b bytes.Buffer
		r := trace.NewRecorder(&b)
		h, err := scenario.NewVirtualWorld(sim.Options{Seed: uint64(ms)}, nil,
			late{recording.Around{Recorder: r}, time.Duration(ms) * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if res := sc.Run(h, uint64(ms)); !res.OK {
			t.Fatal(res.Error)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		res, err := play(b.Bytes(), roster.Agents(), "")
		if err != nil || res.First != nil || res.Turns != r.Turns() || res.Turns == 0 {
			t.Errorf("from %d ms on: %v, %v, %d turns of %d", ms, err, res.First, res.Turns, r.Turns())
		}
	}
}

// late switches a recording on in the middle of a run.
type late struct {
	recording.Around
	at time.Duration
}

// Shape has the device recorded once it is switched on.
func (l late) Shape(v scenario.World, o *twin.DeviceOptions) {
	on := false
	var x twin.DeviceOptions
	x.Name = o.Name
	l.Around.Shape(v, &x)
	o.OnTurn = func(p *host.Proc, in *host.Input, out *host.Output) {
		if on {
			x.OnTurn(p, in, out)
		}
	}
	o.Hooks = o.Hooks.Join(host.Hooks{
		Shown: func(k *host.Kernel, s *host.Source, rows []host.Change) {
			if on {
				x.Hooks.Shown(k, s, rows)
			}
		},
		Crashed: func(k *host.Kernel, agent string) {
			if on {
				x.Hooks.Crashed(k, agent)
			}
		}})
	v.Sim.At(l.at, func() { on = true })
}

// Made begins the recording.
func (l late) Made(v scenario.World, d *twin.Device) {
	v.Sim.At(l.at, func() { l.Recorder.Begin(d.Kernel()) })
}
