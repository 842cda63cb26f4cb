package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/trace"
)

func TestExplorePrintsTheContractsKeys(t *testing.T) {
	code, out, errs := evetwin(t, "explore", "standard", "--seeds", "6", "--faults", "brutal",
		"--json", "--save", t.TempDir())
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	for _, k := range []string{"scenario", "seeds", "violations", "seeds_per_min", "faults", "states",
		"rules", "failures"} {
		if _, has := r[k]; !has {
			t.Errorf("no key %s in %s", k, out)
		}
	}
	if r["seeds"] != 6.0 || r["violations"] != 0.0 || r["faults"].(float64) < 20 ||
		r["rules"].(map[string]any)["one-run"].(float64) < 100 {
		t.Errorf("%s", out)
	}
	// A few seeds may not give every rule something to judge, which fails where all should.
	unjudged := len(r["unjudged"].([]any)) > 0
	if unjudged != (code == cli.Failed) || unjudged != !r["ok"].(bool) {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestExploreRefuses(t *testing.T) {
	list := [][]string{{"explore"}, {"explore", "no-such"},
		{"explore", "standard", "--faults", "mild"},
		{"explore", "quickstart", "--seeds", "1"}, {"explore", "--plant", "no-such"},
		{"run", "--case", "/no/such/file"}, {"run", "--case", "x", "quickstart"}}
	if !plant.Can {
		list = append(list, []string{"explore", "--plant", plant.RetryStorm})
	}
	for _, args := range list {
		code, out, errs := evetwin(t, args...)
		if code != cli.Refused || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("evetwin %v: exit %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestPlantsAreListedInAnyBuild(t *testing.T) {
	code, out, _ := evetwin(t, "explore", "--plant", "list", "--json")
	if n := strings.Count(out, "\n"); code != 0 || n != len(plant.List()) || n < 12 {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestACaseIsRunAgainAndRecorded(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.json", `{"scenario": "standard", "seed": 3, "faults": [
		{"kind": "power-cut", "at_s": 200, "for_s": 5}], "rule": "scenario", "commit": "", "story": ""}`)
	record := filepath.Join(dir, "case.ev")
	code, out, errs := evetwin(t, "run", "--case", good, "--record", record, "--json")
	if code != 0 || !strings.Contains(out, `"ok":true`) {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	f, err := os.Open(record)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	boots := uint64(0)
	r, err := trace.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		x, err := r.NextTurn()
		if err != nil {
			break
		}
		boots = max(boots, x.Boot)
	}
	if boots != 3 { // the cut, and the reboot that the scenario commands
		t.Errorf("%d boots are recorded", boots)
	}
	for name, text := range map[string]string{
		"kind":  `{"scenario": "standard", "faults": [{"kind": "meteor", "at_s": 1}]}`,
		"field": `{"scenario": "standard", "sead": 3}`,
		"none":  `{"seed": 3}`,
		"other": `{"scenario": "no-such"}`,
		"plant": `{"scenario": "standard", "plant": "no-such"}`,
		"text":  `seed 3`,
	} {
		path := file(name+".json", text)
		code, out, errs := evetwin(t, "run", "--case", path)
		if code != cli.Refused || out != "" || !strings.Contains(errs, path) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", name, code, out, errs)
		}
	}
}
