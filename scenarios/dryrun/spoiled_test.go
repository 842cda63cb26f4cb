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
