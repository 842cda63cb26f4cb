package vmm

import "github.com/evetwin/evetwin/backends/sim/qemu"

// State is what a guest does, or how its last run ended.
type State string

// States of guests.
const (
	// Off: it was never started, as far as is known.
	Off State = ""
	// Shutdown: it turned itself off, or reset where that ends it, or obeyed the power button.
	Shutdown State = "shutdown"
	// Killed: somebody ended it.
	Killed State = "killed"
	// Crashed: its process ended without a word, or the guest panicked.
	Crashed State = "crashed"
	// Running: it executes.
	Running State = "running"
	// Paused: it could, and does not.
	Paused State = "paused"
	// GoingDown: it is off, and its process is about to end.
	GoingDown State = "going down"
)

// stateOf maps what the monitor says of a process that is there.
func stateOf(status string) State {
	switch qemu.StateOf(status) {
	case qemu.Running:
		return Running
	case qemu.Halting:
		return GoingDown
	}
	return Paused
}

// endOf maps the reason of the monitor's event SHUTDOWN; guest says that the guest did it.
func endOf(reason string, guest bool) State {
	switch {
	case reason == "guest-panic":
		return Crashed
	case guest:
		return Shutdown
	}
	return Killed
}
