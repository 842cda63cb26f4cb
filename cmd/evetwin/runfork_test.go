package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// ran runs "evetwin run" and returns its result; errs is what it said on stderr.
func ran(t *testing.T, exit int, args ...string) (r scenario.Result, errs string) {
	t.Helper()
	code, out, errs := evetwin(t, append([]string{"run", "--json"}, args...)...)
	if code != exit {
		t.Fatalf("run %v: exit %d, want %d: %s%s", args, code, exit, out, errs)
	}
	if exit == cli.Refused {
		return r, errs
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("run %v: %v: %s", args, err, out)
	}
	return r, errs
}

func TestRunsAreSavedAndForked(t *testing.T) {
	dir := t.TempDir()
	file, second := filepath.Join(dir, "run.json"), filepath.Join(dir, "fork.json")
	record := filepath.Join(dir, "fork.ev")
	whole, _ := ran(t, 0, "standard", "--seed", "3", "--faults", "flaky")
	save, _ := ran(t, 0, "standard", "--seed", "3", "--faults", "flaky", "--save-at", "10m", file)
	same, _ := ran(t, 0, "--from", file)
	if whole.Trace != save.Trace || whole.Trace != same.Trace || whole.VirtualS != same.VirtualS {
		t.Errorf("%+v, saved %+v, from the file %+v", whole, save, same)
	}
	fork, _ := ran(t, 0, "--from", file, "--seed", "9", "--save-at", "20m", second,
		"--record", record)
	calm, _ := ran(t, 0, "--from", file, "--faults", "calm")
	again, _ := ran(t, 0, "--from", second)
	if fork.Trace == whole.Trace || calm.Trace == whole.Trace || again.Trace != fork.Trace {
		t.Errorf("%s, forks %s and %s, from the fork %s", whole.Trace, fork.Trace, calm.Trace,
			again.Trace)
	}
	if code, out, errs := evetwin(t, "replay", record); code != 0 {
		t.Errorf("replay of a fork: exit %d: %s%s", code, out, errs)
	}
	cfg, _ := ran(t, 0, "--from", file, "--for", "10m",
		"--config", sample("good", "datastores.json"))
	if cfg.VirtualS < 1200 || cfg.Trace == whole.Trace {
		t.Errorf("with another configuration: %+v", cfg)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stray := strings.Replace(string(text), `"seed": 3`, `"seed": 4`, 1)
	if err := os.WriteFile(second, []byte(stray), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, errs := ran(t, cli.Failed, "--from", second); r.OK || errs != "" ||
		!strings.Contains(r.Error, "no longer comes to the saved state") {
		t.Errorf("%+v, %q", r, errs)
	}
	late, _ := ran(t, cli.Failed, "quickstart", "--save-at", "10h", second)
	if late.OK || !strings.Contains(late.Error, "it took") {
		t.Errorf("%+v", late)
	}
}

func TestRefusedForks(t *testing.T) {
	dir := t.TempDir()
	file, other := filepath.Join(dir, "run.json"), filepath.Join(dir, "other.json")
	ran(t, 0, "quickstart", "--save-at", "2s", file)
	for _, c := range []struct{ args, err string }{
		{"--save-at 10m", "one scenario"},
		{"standard --save-at 10m", "one scenario"},
		{"standard quickstart x.json --save-at 10m", "one scenario"},
		{"no-such x.json --save-at 10m", "no-such"},
		{"standard x.json --save-at -10m", "no time"},
		{"standard x.json --save-at 10m --seed 1..3", "one seed"},
		{"standard x.json --save-at 10m --host live", "virtual only"},
		{"standard x.json --save-at 10m --config c.json", "--config"},
		{"--from " + other, "no such file"},
		{"--from " + file + " standard", "standard"},
		{"--from " + file + " --seed 1..2", "one seed"},
		{"--from " + file + " --save-at 1s " + other, "goes on from 2s"},
		{"--from " + file + " --faults flaky", "does not run under faults"},
		{"--from " + file + " --faults moon", "moon"},
		{"--from " + file + " --config " + other, "no such file"},
		{"--from " + file + " --config " + sample("good", "datastores.json") + " --for -1s", "--for"},
	} {
		if _, errs := ran(t, cli.Refused, strings.Fields(c.args)...); !strings.Contains(errs, c.err) {
			t.Errorf("run %s: %q", c.args, errs)
		}
	}
}
