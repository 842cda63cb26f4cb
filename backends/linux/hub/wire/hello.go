package wire

import (
	"github.com/evetwin/evetwin/core/bus"
)

// Protocol is the version of what is said; sides of different ones refuse each other.
const Protocol = 2

// Hello is what a process says first.
type Hello struct {
	Protocol int
	// Agents run in the process. A process without any only looks.
	Agents []string
	// Subs are the topics it subscribes to, Pubs those that its agents publish: "owner/Name". Their
	// places are their numbers in frames.
	Subs []string
	Pubs []Pub
	// Ops are the names of the ops that its agents call.
	Ops []string
	// Life is Welcome.Life of the connection before, empty for a process that begins. A process that
	// goes on has tables that it keeps.
	Life string
}

// Pub is a topic that an agent publishes.
type Pub struct {
	Topic string
	Life  bus.Life
	// MaxRows and MaxBytes are the topic's limits.
	MaxRows, MaxBytes int
}

// Welcome is the hub's answer to Hello.
type Welcome struct {
	// Refused says why the hub will not have the process; all else is empty then.
	Refused string
	// Device is the device's name, Seed what its draws derive from, for the process that asked.
	Device string
	Seed   uint64
	// Boot counts the boots of the hub; revisions grow with it.
	Boot uint64
	// Life names the life of the device that this is: it is another one once the device has booted
	// again, and the same when only the hub was.
	Life string
	// Booted is when the device booted, in nanoseconds of CLOCK_BOOTTIME.
	Booted int64
}
