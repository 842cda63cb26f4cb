package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/explore"
)

// A failure is kept with a recording beside its case, under the same name, and replays.
func TestAFailureIsKeptWithItsRecording(t *testing.T) {
	sc, err := scenarios.Find("standard")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	f := exploreFlags{record: dir}
	x := &explore.Failure{Run: explore.Run{Seed: 3, Plan: fault.Plan{Seed: 3, Faults: []fault.Fault{
		{Kind: fault.PowerCut, At: 200, For: 5}}}}}
	kept, err := f.keep(sc, x) // the rule it breaks is none
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(kept.File) != dir ||
		kept.Recording != strings.TrimSuffix(kept.File, ".json")+".ev" ||
		kept.Replay != "evetwin run --case "+kept.File || kept.Faults != 1 {
		t.Errorf("%+v", kept)
	}
	code, out, errs := evetwin(t, "replay", kept.Recording, "--json")
	var r replayed
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || !r.OK || r.Turns < 300 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
	x.Rule = explore.RuleScenario
	if kept, err := f.keep(sc, x); err == nil || kept.Recording != "" {
		t.Errorf("a run that breaks nothing was taken for one that does: %+v", kept)
	}
}

// Without a failure there is no recording, and no folder for one.
func TestNothingIsRecordedWithoutAFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	evetwin(t, "explore", "standard", "--seeds", "2", "--faults", "calm", "--record", dir)
	if _, err := os.Stat(dir); err == nil {
		t.Error("there is a folder for recordings of no failure")
	}
}
