package recording_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/replay"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// record runs a scenario and returns its recording.
func record(sc *scenario.Scenario, seed uint64) ([]byte, error) {
	var b bytes.Buffer
	r := trace.NewRecorder(&b)
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
