package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/logspool"
)

func logBoots() []Case[*logBench] {
	const torn = "what is half written is cut off at the next start"
	return []Case[*logBench]{
		{Name: "power cut", Run: (*logBench).outlives, Clause: "files outlive a power cut"},
		{Name: "goes on", Run: (*logBench).goesOn, Clause: "the newest file of a stream goes on"},
		{Name: "half a line", Run: (*logBench).halfLine, Clause: torn},
		{Name: "half a first line", Run: (*logBench).halfHead, Clause: torn},
		{Name: "only a first line", Run: (*logBench).onlyHead, Clause: "a file goes on"},
		{Name: "old files", Run: (*logBench).oldFiles,
			Clause: "a file of age takes no more lines, after a start too"},
		{Name: "files of others", Run: (*logBench).foreign,
			Clause: "what is not the spool's is not counted, and stays"},
		{Name: "dropped in an earlier boot", Run: (*logBench).zeroed, Clause: "Dropped is since boot"},
		{Name: "too much at a start", Run: (*logBench).fewer,
			Clause: "the oldest files go for want of space"},
	}
}

// restart cuts the power, has something happen then, and waits for the next boot.
func (x *logBench) restart(t *testing.T, off func()) {
	t.Helper()
	cut := x.setup.Cut
	x.outside(t, func() {
		x.setup.Cut = func() {
			if cut != nil {
				cut()
			}
			if off != nil {
				off()
			}
		}
	})
	x.cycle(t)
	x.outside(t, func() { x.setup.Cut = cut })
	x.booted(t)
}

func (x *logBench) outlives(t *testing.T) {
	x.says(t, "one", "two")
	x.guest(t, logApp, "three\n")
	x.sees(t, 2, 1, 0)
	x.restart(t, nil)
	x.sees(t, 2, 1, 0)
	x.has(t, logspool.Device, "one", "two")
	x.has(t, logApp, "three")
}

func (x *logBench) goesOn(t *testing.T) {
	x.says(t, "four")
	x.guest(t, logApp, "five\n")
	x.sees(t, 2, 1, 0)
	x.has(t, logspool.Device, "one", "two", "four")
	x.has(t, logApp, "three", "five")
}

func (x *logBench) halfLine(t *testing.T) {
	name := x.files(t, logspool.Device)[0].name
	x.restart(t, func() { x.s.Place(name, `{"severity":"info","sou`) })
	x.says(t, "six")
	x.sees(t, 2, 1, 0)
	x.has(t, logspool.Device, "one", "two", "four", "six")
}

func (x *logBench) halfHead(t *testing.T) {
	name := logspool.Name(logOther, 1_700_000_000_000)
	x.restart(t, func() { x.s.Place(name, logOther[:9]) })
	x.sees(t, 2, 1, 0)
	if f := x.files(t, logOther); len(f) != 0 {
		t.Errorf("half of a first line is kept: %+v", f)
	}
}

func (x *logBench) onlyHead(t *testing.T) {
	name := logspool.Name(logOther, time.Now().UnixMilli())
	x.restart(t, func() { x.s.Place(name, logOther+"\n") })
	x.sees(t, 3, 1, 0)
	x.guest(t, logOther, "seven\n")
	x.has(t, logOther, "seven")
	if f := x.files(t, logOther); len(f) != 1 || f[0].name != name || f[0].head != logOther {
		t.Errorf("the files are %+v", f)
	}
}

func (x *logBench) oldFiles(t *testing.T) {
	x.restart(t, func() { x.s.Late(2 * LogLimits().Age) })
	x.says(t, "eight")
	x.sees(t, 4, 1, 0)
	f := x.files(t, logspool.Device)
	if len(f) != 2 || len(f[1].entries) != 1 {
		t.Errorf("the files are %+v", f)
	}
}

func (x *logBench) foreign(t *testing.T) {
	names := []string{"dev.log.upload.1.gz", "TempFile1", "app..log.1", "app.x.log.", "dev.log.1"}
	x.restart(t, func() {
		for _, n := range names {
			x.s.Place(n, "foreign")
		}
	})
	x.sees(t, 4, 1, 0)
	x.says(t, "nine")
	x.outside(t, func() {
		all := x.s.Files()
		for _, n := range names {
			if all[n] != "foreign" {
				t.Errorf("%s is %q", n, all[n])
			}
		}
	})
}

func (x *logBench) zeroed(t *testing.T) {
	x.says(t, lines(250, 1000)...)
	x.counted(t, 250+9, logspool.Device, logApp, logOther) // nine were there before
	x.restart(t, nil)
	x.until(t, "the row", func() bool {
		row := x.spool.Get("spool")
		return row != nil && row.Dropped == 0 && row.Files > 2
	})
}

func (x *logBench) fewer(t *testing.T) {
	x.restart(t, func() {
		text := "{}\n" + line(1, 8000) + "\n"
		for n := range int64(30) {
			x.s.Place(logspool.Name(logspool.Device, 1_600_000_000_000+n), text)
		}
	})
	var n int
	x.turn(t, func() { n = x.spool.Get("spool").Files })
	if n > LogLimits().Count {
		t.Errorf("%d files are kept", n)
	}
}
