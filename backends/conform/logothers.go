package conform

import (
	"testing"

	"github.com/evetwin/evetwin/core/logspool"
)

func logOthers() []Case[*logBench] {
	const (
		gone = "files that somebody removes are not counted any more"
		full = "what the disk does not take is counted as dropped, and nobody waits"
	)
	return []Case[*logBench]{
		{Name: "a file is removed", Run: (*logBench).lost, Clause: gone},
		{Name: "and a line comes", Run: (*logBench).afterLost, Clause: gone},
		{Name: "a file between", Run: (*logBench).lostBetween, Clause: gone},
		{Name: "removed and said at once", Run: (*logBench).lostAndSaid,
			Loose: "whether the row shows the moment without a file", Clause: gone},
		{Name: "the folder is removed", Run: (*logBench).lostAll, Clause: gone},
		{Name: "and lines come", Run: (*logBench).afterLostAll, Clause: gone},
		{Name: "a full disk", Run: (*logBench).noSpace, Clause: full},
		{Name: "a full disk, no file", Run: (*logBench).noSpaceNoFile, Clause: full},
		{Name: "space again", Run: (*logBench).spaceAgain, Clause: full},
	}
}

// loses has a file removed that is known.
func (x *logBench) loses(t *testing.T, stream string, n int) {
	t.Helper()
	name := x.files(t, stream)[n].name
	x.outside(t, func() { x.s.Lose(name) })
}

func (x *logBench) lost(t *testing.T) {
	x.says(t, "one")
	x.sees(t, 1, 1, 0)
	x.loses(t, logspool.Device, 0)
	x.sees(t, 0, 0, 0)
}

func (x *logBench) afterLost(t *testing.T) {
	x.says(t, "two")
	x.sees(t, 1, 1, 0)
	x.has(t, logspool.Device, "two")
}

func (x *logBench) lostBetween(t *testing.T) {
	x.says(t, lines(70, 1000)...)
	x.sees(t, 3, 2, 0)
	x.loses(t, logspool.Device, 1)
	x.sees(t, 2, 1, 0)
	x.says(t, "three")
	if got := x.contents(t, logspool.Device); got[0] != "two" || got[len(got)-1] != "three" {
		t.Errorf("the lines are %.300q", got)
	}
}

func (x *logBench) lostAndSaid(t *testing.T) {
	f := x.files(t, logspool.Device)
	x.outside(t, func() { x.s.Lose(f[len(f)-1].name) })
	x.says(t, "at once")
	x.sees(t, 2, 1, 0)
	if got := x.contents(t, logspool.Device); got[len(got)-1] != "at once" {
		t.Errorf("the lines are %.300q", got)
	}
}

func (x *logBench) lostAll(t *testing.T) {
	x.outside(t, func() { x.s.Lose("") })
	x.sees(t, 0, 0, 0)
}

func (x *logBench) afterLostAll(t *testing.T) {
	x.says(t, "four")
	x.guest(t, logApp, "five\n")
	x.sees(t, 2, 1, 0)
	x.has(t, logspool.Device, "four")
	x.loses(t, logApp, 0)
	x.sees(t, 1, 1, 0)
}

func (x *logBench) noSpace(t *testing.T) {
	x.outside(t, func() { x.s.Full(true) })
	x.says(t, line(1, 9000), line(2, 9000))
	x.sees(t, 1, 1, 2)
	x.has(t, logspool.Device, "four")
}

func (x *logBench) noSpaceNoFile(t *testing.T) {
	x.guest(t, logApp, line(3, 9000), line(4, 9000)+"\n")
	x.sees(t, 1, 1, 7)
	x.has(t, logApp)
}

func (x *logBench) spaceAgain(t *testing.T) {
	x.outside(t, func() { x.s.Full(false) })
	x.says(t, "six")
	x.guest(t, logApp, "seven\n")
	x.sees(t, 2, 1, 7)
	x.has(t, logspool.Device, "four", "six")
	x.has(t, logApp, "seven")
}
