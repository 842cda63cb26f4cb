package linux

import (
	"io"

	"github.com/evetwin/evetwin/backends/sim/lab"
)

// Options of a host.
type Options struct {
	// Program is the built zedbox.
	Program string
	// Cache has the kernel and the programs of guests.
	Cache lab.Cache
	// Whole has hub and all agents in one process, not a process each.
	Whole bool
	// Log takes what the device's processes say; nil: nobody listens.
	Log io.Writer
}

// name is the device's.
const name = "edge"

// memoryMB is what guests may have together.
const memoryMB = 1024
