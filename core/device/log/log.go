// Package log is the spool of log lines. Lines go there from agents' turns and guests' consoles
// without being rows; agents see the files.
//
// A line is in a file within a second of being said, or is counted as dropped; nobody who says one
// waits for the disk. Files have a size and an age, and the oldest go for want of space. A process
// that is killed loses the lines of its last second, and leaves none in part: what is half written
// is cut off at the next start. Files that somebody removes are not counted any more.
//
// Rows move in coarse steps: a device that says little does not move them.
package log

import "github.com/evetwin/evetwin/core/bus"

// SpoolSeen says how much is spooled, in coarse steps so that it does not move with every line.
// There is no row before there is anything to tell: a file, or a line that was lost.
type SpoolSeen struct {
	Files   int
	Bytes   int64 // rounded up to Step
	Dropped int64 // lines lost for want of space, since boot, those of files that had to go too
}

// Step is what Bytes are rounded up to.
const Step = 64 << 10

// Coarse rounds bytes up to a Step.
func Coarse(n int64) int64 { return (n + Step - 1) / Step * Step }

// Key is "spool".
func (SpoolSeen) Key() string { return "spool" }

// Spool is the topic of the spool.
var Spool = bus.NewTopic[SpoolSeen](bus.Decl{Owner: "log", Name: "SpoolSeen"})
