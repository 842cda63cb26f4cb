package dryrun

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// spoiled are inputs that a device takes in, and says what is wrong with them.
var spoiled = []struct {
	file, kind string // testdata/bad/<file>, and the option it is given as
	want       string // an error per line: "severity agent/object: text"; "*" stands for any end
}{
	{"overrides-settings", "overrides", "error zedagent/configuration: " +
		"/config/GlobalConfig/global.json: parse settings: *"},
	{"overrides-setting", "overrides", "error zedagent/configuration: " +
		`/config/GlobalConfig/global.json: "no.such": unknown setting` + "\n" +
		`/config/GlobalConfig/global.json: "timer.config.interval": the value "1" *`},
	{"config-settings.json", "config", "error zedagent/setting \"\": unknown setting\n" +
		`error zedagent/setting "colour\x1b[31m": unknown setting` + "\n" +
		`error zedagent/setting "timer.config.interval": the value "0" is not between *`},
	{"config-networks.json", "config", "error zedagent/configuration: network " +
		"6605d17b-3273-4108-8e6e-4965441ebe01: another network has the same UUID; the last counts"},
	{"config-stores.json", "config", "error volumemgr/content tree many: more than 32 datastores\n" +
		"error zedagent/content tree many: more than 32 datastores"},
}

func TestBadInputThatSettlesIsShown(t *testing.T) {
	for _, c := range spoiled {
		began := time.Now()
		exit, lines, r := outcome(t, optionOf(c.kind, filepath.Join("testdata", "bad", c.file)))
		quick(t, began, c.file)
		if exit != 0 {
			t.Errorf("%s: exit %d %q", c.file, exit, lines)
			continue
		}
		var got []string
		for _, e := range r.Errors {
			got = append(got, e.Severity+" "+e.Agent+"/"+e.Object+": "+e.Text)
		}
		text := strings.Join(got, "\n")
		if begin, open := strings.CutSuffix(c.want, "*"); text != c.want &&
			(!open || !strings.HasPrefix(text, begin)) {
			t.Errorf("%s: errors\n%s\nwant\n%s", c.file, text, c.want)
		}
	}
}

// optionOf gives a dry run one file.
func optionOf(kind, path string) (o Options) {
	*map[string]*string{"config": &o.Config, "model": &o.Model, "network": &o.Network,
		"overrides": &o.Overrides, "bootstrap": &o.Bootstrap}[kind] = path
	return o
}

// Names of files and objects do not steer the terminal that they are shown on.
func TestNamesDoNotSteerTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[2Jb\x00\nc\x7f":               "a?[2Jb??c?",
		"c1 \u009b31m":                       "c1 ?31m",
		"turned \u202ecod.exe \u2066x\u2069": "turned ?cod.exe ?x?",
		"line\u2028separator":                "line?separator",
		"broken \xff utf8":                   "broken ? utf8",
		"größe 日本 é":                         "größe 日本 é",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestSizesOfMachines(t *testing.T) {
	for in, want := range map[string]int64{
		"4G": 4 << 30, " 512 MiB ": 512 << 20, "7.5 GB": 15 << 29, "1024": 1024, "2t": 2 << 40,
		"": 0, "G": 0, "-4G": 0, "1e3": 0, "4 G G": 0, "9999999T": 0, "0x10": 0, "1.2.3": 0, "inf": 0,
	} {
		if got := size(strings.TrimSpace(in)); got != want {
			t.Errorf("%q is %d, want %d", in, got, want)
		}
	}
}
