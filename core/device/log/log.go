// Package log is the spool of log lines. Lines go there from agents' turns and guests' consoles
// without being rows; agents see the files.
package log

import "github.com/evetwin/evetwin/core/bus"

// SpoolSeen says how much is spooled, in coarse steps so that it does not move with every line.
type SpoolSeen struct {
	Files   int
	Bytes   int64 // rounded up to 64 KiB
	Dropped int64 // lines lost for want of space, since boot
}

// Key is "spool".
func (SpoolSeen) Key() string { return "spool" }

// Spool is the topic of the spool.
var Spool = bus.NewTopic[SpoolSeen](bus.Decl{Owner: "log", Name: "SpoolSeen"})
