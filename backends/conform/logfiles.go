package conform

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/logspool"
)

func logFiles() []Case[*logBench] {
	return []Case[*logBench]{
		{Name: "full", Run: (*logBench).fullFile, Clause: "files have a size"},
		{Name: "a long line", Run: (*logBench).longLine, Clause: "but for a single line that is longer"},
		{Name: "of age", Run: (*logBench).aged, Clause: "files have an age"},
		{Name: "the clock is set back", Run: (*logBench).setBack,
			Clause: "the last file is the youngest, whatever the clock says"},
	}
}

func (x *logBench) fullFile(t *testing.T) {
	x.says(t, lines(36, 1000)...)
	x.sees(t, 2, 1, 0)
	for _, f := range x.files(t, logspool.Device) {
		if int64(f.size) > LogLimits().Roll || f.head == "" || len(f.entries) == 0 {
			t.Errorf("a file has %d bytes and %d entries behind %q", f.size, len(f.entries), f.head)
		}
	}
	x.has(t, logspool.Device, lines(36, 1000)...)
}

func (x *logBench) longLine(t *testing.T) {
	x.says(t, line(7, 40_000))
	x.sees(t, 3, 2, 0)
	x.says(t, "behind")
	x.sees(t, 4, 2, 0)
	f := x.files(t, logspool.Device)
	if len(f) != 4 || len(f[2].entries) != 1 || f[2].entries[0].Content != line(7, 40_000) {
		t.Errorf("the long line is not in a file of its own: %.300v", f)
	}
}

func (x *logBench) aged(t *testing.T) {
	x.outside(t, func() { x.s.Late(LogLimits().Age - time.Minute) })
	x.says(t, "young enough")
	x.sees(t, 4, 2, 0)
	x.outside(t, func() { x.s.Late(2 * time.Minute) })
	x.says(t, "too old")
	x.sees(t, 5, 2, 0)
	f := x.files(t, logspool.Device)
	if len(f[3].entries) != 2 || f[4].entries[0].Content != "too old" {
		t.Errorf("the last files are %+v", f[3:])
	}
}

func (x *logBench) setBack(t *testing.T) {
	x.outside(t, func() { x.s.Late(-50 * time.Hour) })
	x.says(t, "yesterday")
	x.says(t, "a moment later")
	x.sees(t, 6, 2, 0)
	got := x.contents(t, logspool.Device)
	want := []string{"too old", "yesterday", "a moment later"}
	if !slices.Equal(got[len(got)-3:], want) {
		t.Errorf("the last lines are %.200q", got[len(got)-3:])
	}
}

func logQuota() []Case[*logBench] {
	return []Case[*logBench]{
		{Name: "too much", Run: (*logBench).tooMuch,
			Clause: "the oldest files go for want of space, and their lines are counted"},
		{Name: "much more", Run: (*logBench).muchMore, Clause: "the oldest files go"},
		{Name: "too many", Run: (*logBench).tooMany, Clause: "there are so many files at most"},
		{Name: "a flood", Run: (*logBench).flood, Loose: "how fast the disk is",
			Clause: "nobody who says a line waits: it is in a file, or counted as dropped"},
	}
}

// counted wants each of so many lines said in a boot in a file or dropped.
func (x *logBench) counted(t *testing.T, said int, streams ...string) {
	t.Helper()
	there := 0
	for _, s := range streams {
		there += len(x.contents(t, s))
	}
	x.until(t, fmt.Sprintf("%d of %d lines dropped", said-there, said), func() bool {
		row := x.spool.Get("spool")
		return row != nil && row.Dropped == int64(said-there)
	})
}

func (x *logBench) tooMuch(t *testing.T) {
	x.says(t, lines(200, 1000)...)
	x.counted(t, 200, logspool.Device)
	got := x.contents(t, logspool.Device)
	if len(got) < 80 || len(got) == 200 || !slices.Equal(got, lines(200, 1000)[200-len(got):]) {
		t.Errorf("%d lines are left, or not the last", len(got))
	}
}

func (x *logBench) muchMore(t *testing.T) {
	for range 5 {
		x.says(t, lines(100, 1000)...)
	}
	x.counted(t, 700, logspool.Device)
	size := 0
	for _, f := range x.files(t, logspool.Device) {
		size += f.size
	}
	if int64(size) > LogLimits().Quota || size == 0 {
		t.Errorf("%d bytes are kept", size)
	}
}

func (x *logBench) tooMany(t *testing.T) {
	apps := []string{logspool.Device}
	for n := range 14 {
		app := fmt.Sprintf("%s%02d", strings.TrimSuffix(logApp, "01"), n)
		apps = append(apps, app)
		x.guest(t, app, "one\n")
	}
	x.counted(t, 714, apps...)
	var n int
	x.turn(t, func() { n = x.spool.Get("spool").Files })
	if n != LogLimits().Count {
		t.Errorf("there are %d files", n)
	}
}

func (x *logBench) flood(t *testing.T) {
	x.outside(t, func() {
		for n := range 4000 {
			x.s.Line("nim", agent.Line{Level: agent.Info, Text: line(n, 1000)})
		}
		x.s.Flush()
	})
	var apps []string
	for n := range 14 {
		apps = append(apps, fmt.Sprintf("%s%02d", strings.TrimSuffix(logApp, "01"), n))
	}
	x.counted(t, 4714, append(apps, logspool.Device)...)
}
