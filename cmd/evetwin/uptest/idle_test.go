package uptest_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/core/agents/roster"
)

// The idle device of the measurement is a whole one: in one process or in one per agent, onboarded,
// and gone behind it.
func TestBenchIdle(t *testing.T) {
	p := newPlace(t)
	box := filepath.Join(t.TempDir(), "zedbox")
	out, err := exec.Command("go", "build", "-o", box, "github.com/evetwin/evetwin/cmd/zedbox").
		CombinedOutput()
	if err != nil {
		t.Fatalf("build zedbox: %v: %s", err, out)
	}
	agents := len(roster.Agents())
	for flag, processes := range map[string]int{"--split=false": 1, "--split": agents + 2} {
		c := exec.Command(program, "bench", "idle", "--json", "--for", "100ms", "--settle", "0s",
			"--program", box, flag)
		c.Env = p.env
		out, err := c.Output()
		var x struct {
			RSS       float64 `json:"rss_mib"`
			Agents    int
			Processes int
			Onboarded bool
			Binary    float64 `json:"binary_mb"`
			Start     float64 `json:"start_ms"`
		}
		if err == nil {
			err = json.Unmarshal(out, &x)
		}
		if err != nil || !x.Onboarded || x.Agents != agents || x.Processes != processes || x.RSS < 5 ||
			x.RSS > 400 || x.Binary < 5 || x.Binary > 50 || x.Start <= 0 {
			t.Errorf("%s: %v, %s", flag, err, out)
		}
	}
}
