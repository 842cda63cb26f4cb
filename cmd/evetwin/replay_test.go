package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/core/trace/perfetto"
)

// recorded is the file of a recorded run.
func recorded(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if code, out, errs := evetwin(t, "run", name, "--record", file); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	return file
}

func object(t *testing.T, text string) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &out); err != nil || strings.Count(text, "\n") != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

func TestReplayPrintsTheContractsKeys(t *testing.T) {
	file := recorded(t, "quickstart")
	for _, args := range [][]string{nil, {"--diff"}, {"--agent", "nim"}} {
		code, out, errs := evetwin(t, append([]string{"replay", file, "--json"}, args...)...)
		r := object(t, out)
		if code != 0 || errs != "" || r["ok"] != true || r["file"] != file || r["turns"].(float64) < 20 ||
			r["first_diff"] != nil {
			t.Errorf("%v: exit %d, %s%s", args, code, out, errs)
		}
	}
	code, out, _ := evetwin(t, "replay", file)
	if code != 0 || !strings.Contains(out, "turns replayed, no difference") {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestReplayRefusesWhatIsNoRecording(t *testing.T) {
	dir := t.TempDir()
	file := recorded(t, "quickstart")
	whole := read(t, file)
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	damaged := slices.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	for _, c := range []struct{ file, says string }{
		{write("text", []byte("no recording at all")), "not a recording of this version"},
		{write("old", []byte("evtrace1\nabc")), "version 1, and this program reads 2"},
		{write("damaged", damaged), "damaged block"},
		{write("empty", nil), "not a recording of this version"},
		{filepath.Join(dir, "absent"), "no such file"}} {
		for _, mode := range [][]string{nil, {"--at", "1s"}, {"--why", "a/b/c"},
			{"--export", "perfetto", "--out", filepath.Join(dir, "out")}} {
			code, _, errs := evetwin(t, append([]string{"replay", c.file}, mode...)...)
			if code != cli.Refused || !strings.Contains(errs, c.says) || strings.Count(errs, "\n") != 1 {
				t.Errorf("%s %v: exit %d, %s", c.file, mode, code, errs)
			}
		}
	}
	code, out, errs := evetwin(t, "replay", write("torn", whole[:len(whole)-9]), "--json")
	r := object(t, out)
	if code != 0 || r["torn"] != true || r["turns"].(float64) < 50 ||
		!strings.Contains(errs, "is torn: what is whole ends ") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	for _, args := range [][]string{{"--at", "-1s"}, {"--why", "nim"}, {"--export", "svg"},
		{"--agent", "nobody"}, {"--out", "x"}, {"--diff", "--at", "1s"}, {"--at", "9h"}} {
		code, out, _ := evetwin(t, append([]string{"replay", file}, args...)...)
		if code != cli.Refused || out != "" {
			t.Errorf("%v: exit %d, %s", args, code, out)
		}
	}
}

// The tables at a time are those that the turns up to then have put.
func TestReplayShowsTheTablesAtATime(t *testing.T) {
	file := recorded(t, "quickstart")
	rows := func(at, topic string, more ...string) int {
		t.Helper()
		code, out, errs := evetwin(t, append([]string{"replay", file, "--json", "--at", at}, more...)...)
		var x instant
		if err := json.Unmarshal([]byte(out), &x); code != 0 || err != nil || !x.OK || x.Boot != 1 {
			t.Fatalf("exit %d, %v: %s", code, err, errs)
		}
		for _, table := range x.Tables {
			if table.Topic == topic {
				return len(table.Rows)
			}
		}
		return -1
	}
	const apps, seen = "zedmanager/AppInstanceStatus", "hyper/DomainSeen"
	if rows("0s", apps) > 0 || rows("100ms", apps) > 0 || rows("3s", apps) != 1 ||
		rows("3s", seen) != 1 || rows("3s", seen, "--agent", "nim") != -1 {
		t.Error("applications come when they should not")
	}
	code, out, _ := evetwin(t, "replay", file, "--at", "3s")
	if code != 0 || !strings.Contains(out, apps+": 1 rows, complete\n  ") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// Why an application runs leads back to the configuration, by way of everybody who had a part in
// it.
func TestReplayKnowsWhy(t *testing.T) {
	file := recorded(t, "quickstart")
	_, out, _ := evetwin(t, "replay", file, "--at", "3s", "--json")
	var x instant
	if err := json.Unmarshal([]byte(out), &x); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(x.Tables, func(v tableView) bool {
		return v.Topic == "zedmanager/AppInstanceStatus"
	})
	row := "zedmanager/AppInstanceStatus/" + x.Tables[i].Rows[0].Key
	code, out, errs := evetwin(t, "replay", file, "--why", row, "--json")
	var a answer
	if err := json.Unmarshal([]byte(out), &a); code != 0 || err != nil || !a.OK {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	first, last := a.Chain[0], a.Chain[len(a.Chain)-1]
	by := map[string]bool{}
	for i, l := range a.Chain {
		by[l.By] = true
		if i > 0 && l.At > a.Chain[i-1].At {
			t.Errorf("%s is later than what it causes", l.Text)
		}
	}
	if first.Topic+"/"+first.Key != row || last.Topic != "web.Send" || last.Key != "config" ||
		!strings.Contains(last.Text, "with an answer from outside") {
		t.Errorf("from %s to %s", first.Text, last.Text)
	}
	for _, agent := range []string{"zedmanager", "domainmgr", "volumemgr", "downloader", "zedagent"} {
		if !by[agent] {
			t.Errorf("%s has no part in %s", agent, out)
		}
	}
	if code, out, _ := evetwin(t, "replay", file, "--why", row); code != 0 ||
		strings.Count(out, "\n") != len(a.Chain) {
		t.Errorf("exit %d, %s", code, out)
	}
	code, out, _ = evetwin(t, "replay", file, "--why", row, "--at", "1ms", "--json")
	if code != cli.Failed || !strings.Contains(out, `"ok":false,"error":"no such row`) {
		t.Errorf("exit %d, %s", code, out)
	}
}

// The export has the form of trace events: named tracks, slices, and flows with two ends.
func TestReplayExportsForPerfetto(t *testing.T) {
	file := recorded(t, "agent-crashes")
	code, out, errs := evetwin(t, "replay", file, "--export", "perfetto")
	var x struct{ TraceEvents []perfetto.Event }
	if err := json.Unmarshal([]byte(out), &x); code != 0 || err != nil {
		t.Fatalf("exit %d, %v, %s", code, err, errs)
	}
	type track struct{ pid, tid int }
	tracks, at := map[track]string{}, map[track]map[float64]bool{}
	open := map[uint64]perfetto.Event{}
	count := map[string]int{}
	for _, e := range x.TraceEvents {
		on := track{e.Pid, e.Tid}
		count[e.Phase]++
		switch e.Phase {
		case "M":
			tracks[on], _ = e.Args["name"].(string)
			at[on] = map[float64]bool{}
		case "X":
			if e.Dur == nil || *e.Dur <= 0 || e.Name == "" {
				t.Fatalf("a slice without length or name: %+v", e)
			}
			at[on][e.Ts] = true
		case "s", "b":
			open[e.ID] = e
		case "f", "e":
			from, ok := open[e.ID]
			if !ok || from.Name != e.Name || from.Cat != e.Cat || from.Ts > e.Ts {
				t.Fatalf("%+v ends what %+v began", e, from)
			}
			delete(open, e.ID)
		case "i":
		default:
			t.Fatalf("phase %q", e.Phase)
		}
		if e.Phase != "M" && e.Phase != "i" && tracks[on] == "" {
			t.Fatalf("%+v is on a track without a name", e)
		}
		if e.Phase == "s" && !at[on][e.Ts] {
			t.Fatalf("%+v comes from no slice", e)
		}
	}
	if len(open) > 0 || count["X"] < 200 || count["s"] < 200 || count["b"] < 20 {
		t.Errorf("%d are open, %v", len(open), count)
	}
}
