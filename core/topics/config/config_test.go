package config

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTable checks the declaration itself: order, defaults that pass their own check, bounds.
func TestTable(t *testing.T) {
	if len(table) < 125 {
		t.Errorf("%d settings declared, the device has more", len(table))
	}
	for i, it := range table {
		if i > 0 && table[i-1].Key >= it.Key {
			t.Errorf("%q does not come after %q", it.Key, table[i-1].Key)
		}
		if find(it.Key) == nil || find(it.Key).Key != it.Key {
			t.Errorf("%q is not found", it.Key)
		}
		for _, def := range []string{it.Default, it.text(false)} {
			if text, wrong := it.canonical(def); wrong != "" || text != def {
				t.Errorf("default %q of %s: %s (canonical %q)", def, it.Key, wrong, text)
			}
		}
		if (it.Kind == KindUint) != (it.Max > 0) {
			t.Errorf("%s: bounds do not fit its kind", it.Key)
		}
	}
	if find("timer.config") != nil || find("") != nil || find("zzz") != nil {
		t.Error("an undeclared key was found")
	}
}

// TestEveryItem drives each declared setting to and beyond its bounds.
func TestEveryItem(t *testing.T) {
	type try struct {
		value, want string // want "" means refused
	}
	for _, it := range All() {
		var tries []try
		switch it.Kind {
		case KindUint:
			lo, hi := strconv.Itoa(int(it.Min)), strconv.Itoa(int(it.Max))
			tries = []try{{lo, lo}, {hi, hi}, {"0" + hi, hi}, {"-1", ""}, {"4294967296", ""}, {"x", ""}}
			if it.Min > 0 {
				tries = append(tries, try{strconv.Itoa(int(it.Min) - 1), ""})
			}
			if it.Max < math.MaxUint32 {
				tries = append(tries, try{strconv.Itoa(int(it.Max) + 1), ""})
			}
		case KindBool:
			tries = []try{{"1", "true"}, {"T", "true"}, {"False", "false"}, {"yes", ""}, {"", ""}}
		case KindTristate:
			tries = []try{{"on", "enabled"}, {"enable", "enabled"}, {"off", "disabled"},
				{"disable", "disabled"}, {"none", "none"}, {"true", ""}}
		case KindText:
			tries = []try{{it.Default, it.Default}, {strings.Repeat("x", MaxText+1), ""}}
		}
		for _, tr := range tries {
			m, errs := Parse([]Value{{it.Key, tr.value}}, nil, true)
			if refused := len(errs) > 0; refused != (tr.want == "" && it.Default != tr.value) {
				t.Errorf("%s = %.20q: errors %v", it.Key, tr.value, errs)
			}
			want := tr.want
			if len(errs) > 0 {
				want = it.text(false) // the previous value of a nil map
			}
			if got := m.Text(it.Key); got != want {
				t.Errorf("%s = %.20q became %q, want %q", it.Key, tr.value, got, want)
			}
		}
	}
}

func TestAPI28_OutOfRangeAbsentUnknown(t *testing.T) {
	prev, errs := Parse([]Value{{ConfigInterval, "30"}, {MetricInterval, "10"}}, nil, true)
	if len(errs) > 0 {
		t.Fatalf("errors %v", errs)
	}
	next, errs := Parse([]Value{{ConfigInterval, "4"}, {"no.such.key", "1"}}, &prev, true)
	if next.Seconds(ConfigInterval) != 30*time.Second {
		t.Errorf("a value out of range gave %v, want the previous 30s", next.Seconds(ConfigInterval))
	}
	if next.Seconds(MetricInterval) != time.Minute {
		t.Errorf("an absent item gave %v, want its default", next.Seconds(MetricInterval))
	}
	if len(errs) != 2 || errs[0].Key != ConfigInterval || errs[0].Value != "30" ||
		errs[1].Key != "no.such.key" || errs[1].Error == "" {
		t.Errorf("errors %+v", errs)
	}
	// A refused value does not fall back to a default that it never had.
	if next, _ = Parse([]Value{{ConfigInterval, "x"}}, &next, true); next.Uint(ConfigInterval) != 30 {
		t.Errorf("second refused value gave %d", next.Uint(ConfigInterval))
	}
}

func TestAPI30_UsbUntilFirstControllerConfig(t *testing.T) {
	for _, key := range []string{UsbAccess, VgaAccess, ConsoleAccess} {
		before, _ := Parse(nil, nil, false)
		after, _ := Parse(nil, &before, true)
		if !before.Bool(key) || after.Bool(key) {
			t.Errorf("%s is %v before and %v after, want true and false", key, before.Bool(key),
				after.Bool(key))
		}
		on, _ := Parse([]Value{{key, "true"}}, &before, true)
		off, _ := Parse([]Value{{key, "false"}}, nil, false)
		if !on.Bool(key) || off.Bool(key) {
			t.Errorf("%s cannot be set", key)
		}
	}
	var none *ConfigItemValueMap
	if !none.Bool(UsbAccess) {
		t.Error("a device that knows nothing has no USB")
	}
}

func TestAgentLogLevels(t *testing.T) {
	m, errs := Parse([]Value{
		{"agent.nim.debug.loglevel", "debug"}, {"debug.zedrouter.remote.loglevel", "error"},
		{"agent.nim.debug.speed", "fast"}, {"agent.a-b.debug.loglevel", "info"},
		{"agent.diag.debug.loglevel", "loud"}, {DefaultLogLevel, "warning"},
	}, nil, true)
	if len(errs) != 3 {
		t.Errorf("errors %v", errs)
	}
	got := []string{m.LogLevel("nim", false), m.LogLevel("nim", true), m.LogLevel("zedrouter", true),
		m.LogLevel("zedrouter", false), m.LogLevel("diag", false)}
	if want := []string{"debug", "info", "error", "warning", "warning"}; !slices.Equal(got, want) {
		t.Errorf("levels %v, want %v", got, want)
	}
}

func TestTextChecks(t *testing.T) {
	good := map[string][]string{
		DefaultLogLevel:                  {"all", "none", "Trace"},
		"debug.kernel.loglevel":          {"emerg", "critical", "all"},
		AppBootOrder:                     {"", "usb", "nousb"},
		"igpu.gop":                       {"gop.rom"},
		"vector.config":                  {"eA=="},
		"k3s.version":                    {"", "v1.28.5+k3s1"},
		DiagProbeHTTP:                    {"example.com", "http://10.0.0.1:80/x", "10.0.0.1"},
		DiagProbeHTTPS:                   {"https://example.com", "example.com:444"},
		"storage.longhorn.snapshot.cron": {"*/5 0-3 1,15 * 7"},
	}
	bad := map[string][]string{
		DefaultLogLevel:                      {"", "loud"},
		"debug.kernel.loglevel":              {"trace"},
		AppBootOrder:                         {"disk"},
		"igpu.gop":                           {"../gop.rom", ".."},
		"vector.config":                      {"%"},
		"k3s.version":                        {"1.28.5+k3s1", "v1.28+k3s1", "v1.28.5", "v1.a.5+k3s1"},
		DiagProbeHTTP:                        {"", "ftp://x", "https://example.com"},
		DiagProbeHTTPS:                       {"https://10.0.0.1", "[::1]:443"},
		"storage.longhorn.snapshot.cron":     {"", "* * * *", "60 * * * *", "*/0 * * * *", "3-1 * * * *"},
		"storage.longhorn.node-drain-policy": {"never"},
		SSHAuthorizedKeys:                    {"ssh-ed25519 \xff"},
	}
	for key, values := range good {
		for _, v := range values {
			if _, errs := Parse([]Value{{key, v}}, nil, true); len(errs) > 0 {
				t.Errorf("%s = %q is refused: %v", key, v, errs)
			}
		}
	}
	for key, values := range bad {
		for _, v := range values {
			if _, errs := Parse([]Value{{key, v}}, nil, true); len(errs) != 1 {
				t.Errorf("%s = %q is taken", key, v)
			}
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	var flood []Value
	for i := range 20000 {
		flood = append(flood, Value{"bogus." + strconv.Itoa(i), strings.Repeat("v", 100)},
			Value{"agent.a" + strconv.Itoa(i) + ".debug.loglevel", "debug"})
	}
	m, errs := Parse(flood, nil, true)
	if len(errs) != MaxErrors || len(m.Values) > maxValues {
		t.Errorf("%d errors and %d values", len(errs), len(m.Values))
	}
	if last := errs[len(errs)-1].Error; !strings.HasPrefix(last, "and 19902 more") {
		t.Errorf("the last error is %q", last)
	}
}

func TestLastOfTwoCounts(t *testing.T) {
	m, _ := Parse([]Value{{ConfigInterval, "10"}, {ConfigInterval, "60"}}, nil, true)
	if len(m.Values) != 0 || m.Uint(ConfigInterval) != 60 {
		t.Errorf("values %v", m.Values)
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	m, _ := Parse([]Value{{ConfigInterval, "10"}}, nil, true)
	if n := testing.AllocsPerRun(100, func() {
		if m.Seconds(ConfigInterval) != 10*time.Second || m.Bool(AllowAppVnc) {
			t.Error("wrong value")
		}
	}); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}
