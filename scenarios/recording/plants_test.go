//go:build planted

package recording_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// lookFor is how many seeds are looked at for one in which a bug breaks a rule.
const lookFor = 10

// shared says which bugs are in code that several agents share: any of them may be the first to
// show it.
func shared(bug plant.Bug) bool {
	switch bug.Name {
	case plant.CountersBack, plant.QueueReorders, plant.InfoLost:
		return true
	}
	return false
}

// set plants a bug, or none.
func set(t *testing.T, name string) {
	t.Helper()
	if err := plant.Set(name); err != nil {
		t.Fatal(err)
	}
}

// tape records a run of a case, and returns which rule it breaks.
func tape(t *testing.T, sc *scenario.Scenario, c *corpus.Case) ([]byte, *explore.Run) {
	t.Helper()
	var b bytes.Buffer
	rec := trace.NewRecorder(&b)
	r, err := explore.Replay(sc, c, recording.Around{Recorder: rec})
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), r
}

// Each mistake that can be planted is named by a replay with the code that does not make it: the
// agent, and the very turn in which the device with the mistake parts from the one without, before
// anybody sees a rule broken. With the mistake its recording replays without a difference.
// EVETWIN_PLANT names a single one.
func TestPlantedBugsAreNamedByTheirRecordings(t *testing.T) {
	t.Cleanup(func() { set(t, "") })
	broken, agents := 0, map[string]bool{}
	only := os.Getenv("EVETWIN_PLANT")
	for _, bug := range plant.List() {
		if only != "" && only != bug.Name {
			continue
		}
		t.Run(bug.Name, func(t *testing.T) {
			for seed := uint64(1); seed <= lookFor; seed++ {
				d, run := named(t, bug, seed)
				if d == nil || run.Rule == "" {
					continue
				}
				broken++
				agents[d.Agent] = true
				t.Logf("seed %d: turn %d of %s, %v after boot %d; %q is broken %v after the start", seed,
					d.Turn, d.Agent, d.At, d.Boot, run.Rule, run.At)
				return
			}
		})
	}
	if only == "" && (len(agents) < 6 || broken < 8) {
		t.Errorf("%d agents, %d bugs that break a rule", len(agents), broken)
	}
}

// named records a seed with a bug and without, and returns what a replay without it names: nil
// where it had no occasion, or where its turn panicked, for that is in no recording.
func named(t *testing.T, bug plant.Bug, seed uint64) (*trace.Difference, *explore.Run) {
	t.Helper()
	sc, err := scenarios.Find(bug.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fault.Named(bug.Profile)
	if err != nil {
		t.Fatal(err)
	}
	c := &corpus.Case{Scenario: sc.Name, Seed: seed}
	c.Faults = fault.Draw(p, seed, storm.Usual(), sc.Span).Faults
	set(t, bug.Name)
	with, run := tape(t, sc, c)
	if same, err := play(with, roster.Agents(), ""); err != nil || same.First != nil {
		t.Errorf("seed %d: with the bug a replay differs: %v, %v", seed, err, same.First)
	}
	set(t, "")
	without, good := tape(t, sc, c)
	if good.Rule != "" {
		t.Errorf("seed %d: without the bug it breaks %s: %s", seed, good.Rule, good.Saw)
	}
	parts, err := trace.Diff(bytes.NewReader(with), bytes.NewReader(without))
	if err != nil {
		t.Fatal(err)
	}
	res, err := play(with, roster.Agents(), "")
	if err != nil {
		t.Fatal(err)
	}
	d := res.First
	switch {
	case d == nil && (parts != nil || run.Rule != "") && run.Rule != explore.RulePanic:
		t.Errorf("seed %d breaks %q, parts at %v, and replays", seed, run.Rule, parts)
	case d == nil:
	case parts == nil || d.Agent != parts.Agent || d.Turn != parts.Turn || d.Boot != parts.Boot ||
		d.Agent != bug.Agent && !shared(bug):
		t.Errorf("seed %d: the replay names %v, the devices part at %v", seed, d, parts)
	}
	return d, run
}
