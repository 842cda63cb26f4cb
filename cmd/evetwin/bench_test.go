package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hub/hubbench"
	"github.com/evetwin/evetwin/cmd/cli"
)

// The test binary is one of the processes that a measurement starts.
func TestMain(m *testing.M) { os.Exit(hubbench.Test(m.Run)) }

// bench runs a measurement and returns its one line of JSON.
func bench(t *testing.T, args ...string) map[string]any {
	t.Helper()
	code, out, errs := evetwin(t, append([]string{"bench", "--json"}, args...)...)
	if code != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("bench %v: exit %d, stdout %q, stderr %q", args, code, out, errs)
	}
	var r map[string]any
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r["commit"] == "" || r["commit"] == nil {
		t.Errorf("no commit in %s", out)
	}
	return r
}

// between fails unless a key holds a number in a range.
func between(t *testing.T, r map[string]any, key string, low, high float64) {
	t.Helper()
	n, ok := r[key].(float64)
	if !ok || n < low || n > high {
		t.Errorf("%s is %v, not between %v and %v", key, r[key], low, high)
	}
}

func TestBenchSpeedCountsWhatReallyHappened(t *testing.T) {
	r := bench(t, "speed", "--days", "0.05")
	between(t, r, "virtual_s", 4320, 4320)
	between(t, r, "speed", 100, 1e8)
	between(t, r, "turns", 200, 50_000)
	// A configuration is asked for every 18 to 60 s, and answered with a signature or without a body.
	between(t, r, "exchanges", 72, 2000)
	between(t, r, "signatures", 72, 4000)
	between(t, r, "verifications", 72, 4000)
	between(t, r, "cores", 1, 1024)
	between(t, r, "seconds", 0, 600)
}

func TestBenchFleet(t *testing.T) {
	r := bench(t, "fleet", "--devices", "5", "--for", "1s", "--settle", "0s")
	between(t, r, "devices", 5, 5)
	between(t, r, "kib_per_device", 20, 20_000) // what all devices share weighs much among five
	between(t, r, "heap_kib_per_device", 20, 20_000)
	between(t, r, "cores", 0, 64)
	between(t, r, "polls", 0, 50)
	between(t, r, "polls_missed", 0, 0)
	between(t, r, "seconds", 1, 60)
}

func TestBenchBus(t *testing.T) {
	r := bench(t, "bus", "--puts", "300")
	for _, k := range []string{"memory_p50_us", "memory_p50_1_us"} {
		between(t, r, k, 0.01, 1e5)
	}
	if r["memory_p99_us"].(float64) < r["memory_p50_us"].(float64) {
		t.Errorf("99 of 100 within %v us, half within %v us", r["memory_p99_us"], r["memory_p50_us"])
	}
	if os.Getuid() != 0 {
		t.Log("not root: a hub would not have us")
		return
	}
	for _, k := range []string{"socket_p50_us", "socket_p99_us", "late_sync_ms"} {
		between(t, r, k, 1, 1e5)
	}
	between(t, r, "durable_per_s", 10, 1e6)
	between(t, r, "durable_alone_per_s", 10, 1e6)
	between(t, r, "durable_writers", 2, 100)
}

func TestBenchController(t *testing.T) {
	for _, kind := range []string{"memory", "file"} {
		r := bench(t, "controller", "--devices", "5", "--requests", "20", "--store", kind)
		if r["store"] != kind {
			t.Errorf("store %v, asked for %s", r["store"], kind)
		}
		between(t, r, "devices", 5, 5)
		for _, k := range []string{"unchanged_per_s", "changed_per_s", "register_per_s",
			"handler_unchanged_per_s", "handler_changed_per_s"} {
			between(t, r, k, 1, 1e6)
		}
		between(t, r, "start_ms", 0.01, 60_000)
		between(t, r, "rss_mib", 5, 4096)
		between(t, r, "config_bytes", 3000, 3300)
	}
}

func TestBenchRefusesWhatItCannotMeasure(t *testing.T) {
	for args, says := range map[string]string{
		"idle --host qemu": "only linux", "controller --store tape": "memory or file",
		"controller --devices 0": "at least 1", "fleet --devices 0": "at least one device",
		"fleet --for 0s": "at least one device", "bus --puts 1": "at least 100",
		"speed --days 0": "at least 0.01"} {
		code, out, errs := evetwin(t, append([]string{"bench"}, strings.Fields(args)...)...)
		if code != cli.Refused || out != "" || !strings.Contains(errs, says) {
			t.Errorf("bench %s: exit %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestBenchIsReadable(t *testing.T) {
	code, out, _ := evetwin(t, "bench", "bus", "--puts", "300")
	if code != 0 || strings.Contains(out, "{") || !strings.Contains(out, "1,000 rows") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// The cost is a comparison of two ways that do the same: what is recorded is known, what it takes
// is not, on a machine that does something else, too.
func TestBenchRecord(t *testing.T) {
	r := bench(t, "record", "--days", "0.25", "--seeds", "3")
	for _, key := range []string{"slowdown_percent", "cpu_slowdown_percent", "loop_slowdown_percent",
		"seeds_slowdown_percent", "seeds_cpu_slowdown_percent", "seeds_loop_slowdown_percent"} {
		between(t, r, key, -100, 1000)
	}
	between(t, r, "trace_mib_per_device_day", 0.2, 2)
	between(t, r, "trace_kib_per_seed", 30, 500)
	between(t, r, "pieces", 12, 12)
	between(t, r, "device_days", 0.25, 0.25)
	between(t, r, "seeds", 3, 3)
	if code, _, _ := evetwin(t, "bench", "record", "--days", "0"); code != 2 {
		t.Errorf("a measurement of nothing ends with %d", code)
	}
}
