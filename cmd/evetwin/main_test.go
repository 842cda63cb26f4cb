package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/trace"
)

func evetwin(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = execute(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestUsageErrorsExit2WithOneLine(t *testing.T) {
	for _, args := range [][]string{{"no-such"}, {"run"}, {"run", "no-such"},
		{"run", "all", "--seed", "x"}, {"run", "all", "--seed", "5..1"},
		{"run", "quickstart", "--host", "moon"},
		{"up", "--until", "dawn"}, {"up", "--network", "/no/such/file"}, {"up", "surplus"},
		{"scenarios", "--no-such-flag"}, {"bench", "speed", "--days", "0"}} {
		code, out, errs := evetwin(t, args...)
		if code != cli.Refused || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("evetwin %v: exit %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestRunPrintsTheContractsKeys(t *testing.T) {
	code, out, errs := evetwin(t, "run", "quickstart", "--json", "--seed", "1..2")
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines for two seeds: %s", len(lines), out)
	}
	for _, l := range lines {
		var r map[string]any
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"name", "host", "seed", "ok", "virtual_s", "wall_s", "trace",
			"turns"} {
			if _, has := r[k]; !has {
				t.Errorf("no key %s in %s", k, l)
			}
		}
	}
}

func TestScenariosPrintsOneObjectPerLine(t *testing.T) {
	code, out, _ := evetwin(t, "scenarios", "--json")
	n := 0
	for l := range strings.Lines(out) {
		var r struct {
			Name                 string
			Covers, Hosts, Needs []string
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Name == "" || len(r.Hosts) == 0 ||
			r.Covers == nil || r.Needs == nil {
			t.Errorf("line %q: %v", l, err)
		}
		n++
	}
	if code != 0 || n < 10 {
		t.Errorf("exit %d, %d scenarios", code, n)
	}
}

func TestControlCharactersOfNamesStayAwayFromTheTerminal(t *testing.T) {
	if got := clean("a\x1b[31mb\x07\u009b"); strings.ContainsAny(got, "\x1b\x07\u009b") {
		t.Errorf("%q", got)
	}
}

func TestARecordingHoldsEveryTurnAndChangesNone(t *testing.T) {
	var traces []string
	var turns uint64
	files := []string{filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")}
	for _, f := range files {
		code, out, errs := evetwin(t, "run", "quickstart", "--json", "--record", f)
		var r struct {
			Trace string
			Turns uint64
		}
		if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
			t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
		}
		traces, turns = append(traces, r.Trace), r.Turns
	}
	_, plain, _ := evetwin(t, "run", "quickstart", "--json")
	if traces[0] != traces[1] || !strings.Contains(plain, `"trace":"`+traces[0]+`"`) {
		t.Errorf("traces %v, and without recording %s", traces, plain)
	}
	a, b := read(t, files[0]), read(t, files[1])
	if d, err := trace.Diff(bytes.NewReader(a), bytes.NewReader(b)); d != nil || err != nil {
		t.Errorf("two recordings of one seed: %+v, %v", d, err)
	}
	rd, err := trace.NewReader(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	for ; err == nil; n++ {
		_, err = rd.NextTurn()
	}
	if n--; !errors.Is(err, io.EOF) || n != turns {
		t.Errorf("%d turns recorded of %d: %v", n, turns, err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
