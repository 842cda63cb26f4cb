package conform

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/log"
	"github.com/evetwin/evetwin/core/logspool"
)

// LogSetup is a part log to check, with LogLimits and without any file. All is for the device's
// loop.
type LogSetup struct {
	Setup
	// Line says a line, Console is the console of an application's guest.
	Line    func(from string, l agent.Line)
	Console func(app string) io.Writer
	// Flush returns when what was said is written, or dropped.
	Flush func()
	// Files are the files in the folder, by their names.
	Files func() map[string]string
	// Place adds to a file, or makes it, while the part is not looking: the power has gone.
	Place func(name, text string)
	// Lose has somebody remove a file; an empty name is the folder with all that is in it.
	Lose func(name string)
	// Late has the wall clock go ahead by so much more.
	Late func(d time.Duration)
	// Full has the disk take no more, or more again.
	Full func(full bool)
}

// LogLimits are the limits of the files.
func LogLimits() logspool.Limits {
	return logspool.Limits{Roll: 32 << 10, Age: time.Hour, Quota: 160 << 10, Count: 12, Sync: 30}
}

// Log checks a part log on a backend. mk makes one; it is called more than once and cleans up with
// t.
func Log(t *testing.T, b Backend, mk func(t *testing.T) LogSetup) {
	s := suite[*logBench]{part: "log", groups: []Group[*logBench]{{"lines", logLines()},
		{"consoles", logConsoles()}, {"files", logFiles()}, {"quota", logQuota()},
		{"boots", logBoots()}, {"others", logOthers()}}}
	s.run(t, b, func(t *testing.T) *logBench { return newLogBench(t, mk) })
}

// logBench is a device with a part log alone.
type logBench struct {
	*bench
	s     LogSetup
	spool *bus.Sub[log.SpoolSeen]
}

func newLogBench(t *testing.T, mk func(t *testing.T) LogSetup) *logBench {
	t.Helper()
	x := &logBench{s: mk(t)}
	state := func() string { return rows("spool", x.spool) }
	x.bench = newBench(t, x.s.Setup, "newlogd", state, func(_ *bench, p bus.Port) []looker {
		x.spool = bus.Subscribe(p, log.Spool)
		return nil
	})
	x.booted(t)
	return x
}

func (x *logBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "a complete table", func() bool { return x.spool.Complete() })
}

// says has lines said and written.
func (x *logBench) says(t *testing.T, lines ...string) {
	t.Helper()
	x.outside(t, func() {
		for _, text := range lines {
			x.s.Line("nim", agent.Line{Level: agent.Info, Text: text})
		}
		x.s.Flush()
	})
}

// guest has a guest say something, which is written.
func (x *logBench) guest(t *testing.T, app string, pieces ...string) {
	t.Helper()
	x.outside(t, func() {
		w := x.s.Console(app)
		for _, p := range pieces {
			if _, err := io.WriteString(w, p); err != nil {
				t.Errorf("the console of %s: %v", app, err)
			}
		}
		x.s.Flush()
	})
}

// sees waits for the row.
func (x *logBench) sees(t *testing.T, files int, steps, dropped int64) {
	t.Helper()
	want := log.SpoolSeen{Files: files, Bytes: steps * log.Step, Dropped: dropped}
	var got string
	defer func() {
		if t.Failed() {
			t.Logf("the row was %s, want %+v", got, want)
		}
	}()
	x.until(t, "the row of the spool", func() bool {
		row := x.spool.Get("spool")
		got = short(row)
		if row == nil {
			return want == log.SpoolSeen{}
		}
		return *row == want
	})
}

// rev is the revision of the row.
func (x *logBench) rev(t *testing.T) (rev uint64) {
	t.Helper()
	x.turn(t, func() { rev = x.spool.Rev("spool") })
	return rev
}

// files are the files of a stream, oldest first, each with its first line and its entries.
func (x *logBench) files(t *testing.T, stream string) (out []logText) {
	t.Helper()
	var all map[string]string
	x.outside(t, func() { all = x.s.Files() })
	var names []string
	for name := range all {
		if of, _, ok := logspool.Parse(name); ok && of == stream {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, parseLog(t, name, all[name]))
	}
	return out
}

// logText is a file.
type logText struct {
	name, head string
	size       int
	entries    []logspool.Entry
}

// parseLog reads a file, whose lines must all be whole.
func parseLog(t *testing.T, name, text string) logText {
	t.Helper()
	rest, whole := strings.CutSuffix(text, "\n")
	if !whole {
		t.Errorf("%s ends half way: %.100q", name, text[max(len(text)-100, 0):])
	}
	lines := strings.Split(rest, "\n")
	out := logText{name: name, head: lines[0], size: len(text)}
	for _, l := range lines[1:] {
		var e logspool.Entry
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Errorf("%s has %.100q: %v", name, l, err)
		}
		out.entries = append(out.entries, e)
	}
	return out
}

// contents are the texts of a stream, oldest first.
func (x *logBench) contents(t *testing.T, stream string) (out []string) {
	t.Helper()
	for _, f := range x.files(t, stream) {
		for _, e := range f.entries {
			out = append(out, e.Content)
		}
	}
	return out
}

// has wants a stream to have these texts.
func (x *logBench) has(t *testing.T, stream string, want ...string) {
	t.Helper()
	if got := x.contents(t, stream); !slices.Equal(got, want) {
		t.Errorf("stream %q has %.300q, want %.300q", stream, got, want)
	}
}

// line is a text of so many bytes; numbered, so that none is like another.
func line(n, bytes int) string {
	s := strings.Repeat("x", bytes)
	return string(rune('a'+n%26)) + string(rune('a'+n/26%26)) + s[2:]
}

// lines are n texts of so many bytes each.
func lines(n, bytes int) (out []string) {
	for i := range n {
		out = append(out, line(i, bytes))
	}
	return out
}
