package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
)

func TestExploreTellsForksApart(t *testing.T) {
	_, out, errs := evetwin(t, "explore", "standard", "--seeds", "10", "--forks", "3", "--json",
		"--save", t.TempDir())
	var r struct {
		Seeds, Forks, Violations uint64
		CPUS                     float64 `json:"cpu_s"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if r.Seeds != 10 || r.Forks < 4 || r.Forks > 7 || r.Violations != 0 || r.CPUS <= 0 {
		t.Errorf("%s", out)
	}
	for _, args := range [][]string{{"standard", "--forks", "-1"}, {"standard", "--forks", "64"},
		{"quickstart", "--faults", "none", "--forks", "1"}} {
		code, out, errs := evetwin(t, append([]string{"explore"}, args...)...)
		if code != cli.Refused || out != "" || !strings.Contains(errs, "--forks") {
			t.Errorf("explore %v: exit %d, %q %q", args, code, out, errs)
		}
	}
}

// A case of a fork is run as one, and says so.
func TestRunACaseOfAFork(t *testing.T) {
	traces := map[string]string{}
	for _, branches := range []string{"", `,"branches":[{"at_s":700.5,"seed":77}]`} {
		file := filepath.Join(t.TempDir(), "case.json")
		text := `{"scenario":"standard","seed":5,"faults":[{"kind":"link-down","at_s":60,"for_s":30,` +
			`"on":"eth0"}]` + branches + `,"commit":"x","rule":"none","story":"none"}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, _ := ran(t, 0, "--case", file)
		traces[r.Trace] = branches
		_, _, errs := evetwin(t, "run", "--case", file)
		if said := strings.Contains(errs, "from 700.5s on with the draws of seed 77"); said !=
			(branches != "") {
			t.Errorf("branches %q: %s", branches, errs)
		}
	}
	if len(traces) != 2 {
		t.Error("the branch changed nothing")
	}
}
