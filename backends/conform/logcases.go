package conform

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/logspool"
)

// An application, and another.
const (
	logApp   = "3e7a2f0c-5d4b-4c1e-9a55-6d1c1f2b7a01"
	logOther = "3e7a2f0c-5d4b-4c1e-9a55-6d1c1f2b7a02"
)

const (
	clauseFile  = "a line is in a file within a second of being said"
	clauseSteps = "rows move in coarse steps"
)

func logLines() []Case[*logBench] {
	return []Case[*logBench]{
		{Name: "after boot", Run: (*logBench).empty,
			Clause: "there is no row before there is anything to tell"},
		{Name: "first line", Run: (*logBench).first, Clause: clauseFile},
		{Name: "more lines", Run: (*logBench).more, Clause: clauseSteps},
		{Name: "order", Run: (*logBench).order, Clause: "entries are in the order they were said in"},
		{Name: "level and entity", Run: (*logBench).levels, Clause: "an entry has all of its line"},
		{Name: "any text", Run: (*logBench).strange, Clause: "one entry, a JSON object, per line"},
		{Name: "a step", Run: (*logBench).step, Clause: "Bytes are rounded up to Step"},
		{Name: "nothing said", Run: (*logBench).nothing, Clause: clauseSteps},
	}
}

func (x *logBench) empty(t *testing.T) {
	x.sees(t, 0, 0, 0)
	x.turn(t, func() {
		if row := x.spool.Get("spool"); row != nil {
			t.Errorf("the row is %+v", row)
		}
	})
}

func (x *logBench) first(t *testing.T) {
	began := time.Now()
	x.outside(t, func() { x.s.Line("nim", agent.Line{Level: agent.Info, Text: "hello"}) })
	x.sees(t, 1, 1, 0)
	if d := time.Since(began); d > 2*time.Second { // on a machine that has much to do
		t.Errorf("the line was written after %v", d)
	}
	f := x.files(t, logspool.Device)
	if len(f) != 1 || len(f[0].entries) != 1 || !strings.HasPrefix(f[0].name, "dev.log.upload.") ||
		!strings.HasPrefix(f[0].head, `{"devID":"`) {
		t.Fatalf("the files are %+v", f)
	}
	e := f[0].entries[0]
	if e.Source != "nim" || e.Severity != "info" || e.Content != "hello" || e.MsgID == 0 ||
		time.Since(e.Timestamp).Abs() > time.Minute {
		t.Errorf("the entry is %+v", e)
	}
}

func (x *logBench) more(t *testing.T) {
	before := x.rev(t)
	x.says(t, "one", "two")
	x.says(t, "three")
	if after := x.rev(t); after != before {
		t.Errorf("three lines moved the row from revision %d to %d", before, after)
	}
	x.has(t, logspool.Device, "hello", "one", "two", "three")
}

func (x *logBench) order(t *testing.T) {
	var entries []logspool.Entry
	x.says(t, lines(50, 10)...)
	for _, f := range x.files(t, logspool.Device) {
		entries = append(entries, f.entries...)
	}
	for i := 1; i < len(entries); i++ {
		if entries[i].MsgID <= entries[i-1].MsgID || entries[i].Timestamp.Before(entries[i-1].Timestamp) {
			t.Errorf("entry %d is %+v behind %+v", i, entries[i], entries[i-1])
		}
	}
}

func (x *logBench) levels(t *testing.T) {
	all := []agent.Level{agent.Debug, agent.Info, agent.Warn, agent.Err}
	x.outside(t, func() {
		for _, l := range all {
			x.s.Line("zedmanager", agent.Line{Level: l, About: "app-1", Text: "text"})
		}
		x.s.Flush()
	})
	f := x.files(t, logspool.Device)
	got := f[len(f)-1].entries
	got = got[len(got)-len(all):]
	for i, l := range all {
		if got[i].Severity != l.String() || got[i].Tags["obj_key"] != "app-1" ||
			got[i].Source != "zedmanager" {
			t.Errorf("a line of level %v is %+v", l, got[i])
		}
	}
}

func (x *logBench) strange(t *testing.T) {
	want := []string{"two\nlines", `"quoted" \ {"a":1}`, "<b>&</b>", "", "\x00\x1b[31m", "größer ☃"}
	x.says(t, want...)
	got := x.contents(t, logspool.Device)
	if got = got[len(got)-len(want):]; !slices.Equal(got, want) {
		t.Errorf("said was %q, written %q", want, got)
	}
}

func (x *logBench) step(t *testing.T) {
	x.says(t, lines(60, 1000)...)
	x.sees(t, 3, 2, 0)
}

func (x *logBench) nothing(t *testing.T) {
	before := x.rev(t)
	x.outside(t, x.s.Flush)
	if after := x.rev(t); after != before {
		t.Errorf("nothing moved the row from revision %d to %d", before, after)
	}
}

func logConsoles() []Case[*logBench] {
	const clause = "lines of guests' consoles go to files of their applications"
	return []Case[*logBench]{
		{Name: "a guest", Run: (*logBench).console, Clause: clause},
		{Name: "pieces", Run: (*logBench).pieces, Clause: "a line is whole before it is taken"},
		{Name: "ends of lines", Run: (*logBench).returns, Clause: "lines of a console end as they like"},
		{Name: "a line without end", Run: (*logBench).endless,
			Clause: "the longest line is taken in pieces"},
		{Name: "another guest", Run: (*logBench).another, Clause: clause},
		{Name: "beside the device", Run: (*logBench).beside, Clause: clause},
	}
}

func (x *logBench) console(t *testing.T) {
	x.guest(t, logApp, "booting\n")
	x.sees(t, 1, 1, 0)
	f := x.files(t, logApp)
	if len(f) != 1 || f[0].head != logApp || !strings.HasPrefix(f[0].name, "app."+logApp+".log.") {
		t.Fatalf("the files are %+v", f)
	}
	if e := f[0].entries[0]; e.Source != "guest" || e.IID != logApp && e.IID != "" {
		t.Errorf("the entry is %+v", e)
	}
	x.has(t, logApp, "booting")
}

func (x *logBench) pieces(t *testing.T) {
	x.outside(t, func() {
		w := x.s.Console(logApp)
		_, _ = w.Write([]byte("lo"))
		x.s.Flush()
	})
	x.has(t, logApp, "booting")
	x.guest(t, logApp, "lo", "gin", ": \nnext", "\n")
	x.has(t, logApp, "booting", "login: ", "next")
}

func (x *logBench) returns(t *testing.T) {
	x.guest(t, logApp, "a\r\nb\r\r\n\n")
	x.has(t, logApp, "booting", "login: ", "next", "a", "b", "")
}

func (x *logBench) endless(t *testing.T) {
	x.guest(t, logOther, strings.Repeat("z", 2*logspool.LongestLine+10), "\n")
	piece := strings.Repeat("z", logspool.LongestLine)
	x.has(t, logOther, piece, piece, "zzzzzzzzzz")
	x.sees(t, 2, 1, 0)
}

func (x *logBench) another(t *testing.T) {
	for _, app := range []string{logApp, logOther, logApp, logOther} {
		x.guest(t, app, "round\n")
	}
	a, b := x.contents(t, logApp), x.contents(t, logOther)
	if len(a) != 8 || len(b) != 5 || len(x.files(t, logApp)) != 1 {
		t.Errorf("there are %d and %d lines", len(a), len(b))
	}
}

func (x *logBench) beside(t *testing.T) {
	x.says(t, "mine")
	x.has(t, logspool.Device, "mine")
	x.sees(t, 3, 1, 0)
}
