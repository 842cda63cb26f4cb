package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/cmd/cli"
)

// tried runs "evetwin try" and returns what a script sees of it.
func tried(args ...string) (exit int, out, errs string) {
	var o, e bytes.Buffer
	exit = execute(context.Background(), append([]string{"try"}, args...), nil, &o, &e)
	return exit, o.String(), e.String()
}

func sample(parts ...string) string {
	return filepath.Join(append([]string{"..", "..", "scenarios", "dryrun", "testdata"}, parts...)...)
}

func TestTryForScripts(t *testing.T) {
	bad := sample("bad", "network-dangling.json")
	for _, c := range []struct {
		args []string
		exit int
		ok   bool
		err  string // what stdout's "error" begins with
		errs string // what stderr is, or begins with before "*"
	}{
		{[]string{}, 0, true, "", ""},
		{[]string{"--config", sample("good", "datastores.json")}, 0, true, "", ""},
		{[]string{"--network", bad}, 2, false, bad + ": bridges[0].ports[1] (b0): there is no port",
			"evetwin: " + bad + `: bridges[0].ports[1] (b0): there is no port "p7"` + "\nevetwin: " + bad +
				`: networks[0].bridge (n0): there is no bridge "b9"` + "\n"},
		{[]string{"--for", "1s"}, 1, false, "not settled within 1s: ",
			"evetwin: not settled within 1s: *"},
		{[]string{"--for", "-1s"}, 2, false, "--for -1s: ",
			"evetwin: --for -1s: it must be more than nothing\n"},
	} {
		exit, out, errs := tried(append(c.args, "--json")...)
		var m map[string]any
		if err := json.Unmarshal([]byte(out), &m); err != nil || strings.Count(out, "\n") != 1 {
			t.Errorf("try %v: stdout is not one object: %v %q", c.args, err, out)
			continue
		}
		text, _ := m["error"].(string)
		want, open := strings.CutSuffix(c.errs, "*")
		if exit != c.exit || m["ok"] != c.ok || !strings.HasPrefix(text, c.err) ||
			(text != "") == c.ok || errs != c.errs && (!open || !strings.HasPrefix(errs, want)) {
			t.Errorf("try %v: exit %d, ok %v, error %q, stderr %q", c.args, exit, m["ok"], text, errs)
		}
	}
}

func TestTryForPeople(t *testing.T) {
	exit, out, errs := tried("--config", sample("good", "dangling.json"))
	for _, want := range []string{"settled after 2 min 10 s of device time, 5 errors\n",
		"\nPorts\n  label  interface  link  use   addresses   name servers\n",
		"      ! no port is matching label 'eth9'\n",
		"      shown by application lost (zedagent), application lost (zedmanager)\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if exit != 0 || errs != "" {
		t.Errorf("exit %d, stderr %q", exit, errs)
	}
	exit, out, errs = tried("--config", sample("bad", "config-type.json"))
	if want := "evetwin: " + sample("bad", "config-type.json") +
		`: systemAdapterList[0].uplink: "yes" is neither true nor false` + "\n"; exit != 2 || out != "" ||
		errs != want {
		t.Errorf("exit %d, stdout %q, stderr %q, want %q", exit, out, errs, want)
	}
	exit, _, errs = tried("--config")
	if exit != 2 || !strings.Contains(errs, "flag needs an argument") {
		t.Errorf("exit %d, stderr %q", exit, errs)
	}
}

func TestTryTellsOfItsOwnDefects(t *testing.T) {
	exit, out, errs := 0, "", ""
	func() {
		c := tryCommand()
		var o, e bytes.Buffer
		c.SetOut(&o)
		c.SetErr(&e)
		err := guarded(c, true, func() error { panic("something\nis wrong") })
		if err != nil {
			exit, out, errs = cli.Failed, o.String(), err.Error()
		}
	}()
	var m map[string]any
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	if exit != cli.Failed || m["ok"] != false ||
		m["error"] != "this is a defect of evetwin, please report it with the inputs: "+
			"something\nis wrong" ||
		!strings.HasPrefix(errs, m["error"].(string)) || !strings.Contains(errs, "try_test.go") {
		t.Errorf("stdout %s, error %s", out, errs)
	}
}
