package qemu

// State is what a guest is doing, in the words a device's hypervisor layer uses.
type State string

// States of a guest.
const (
	// Running: the guest executes.
	Running State = "RUNNING"
	// Paused: it could, and does not.
	Paused State = "PAUSED"
	// Pausing: it is being stopped or moved.
	Pausing State = "PAUSING"
	// Halting: it has powered off, and QEMU waits to be reaped.
	Halting State = "HALTING"
	// Broken: it cannot go on.
	Broken State = "BROKEN"
	// Halted: there is no such process any more.
	Halted State = "HALTED"
)

// StateOf maps what QMP's query-status calls the run state. A state nobody knows, like one that
// says that the guest cannot go on (io-error, internal-error, guest-panicked), is Broken.
func StateOf(status string) State {
	switch status {
	case "running":
		return Running
	case "paused", "prelaunch", "suspended", "save-vm", "restore-vm", "finish-migrate",
		"postmigrate", "colo", "preconfig":
		return Paused
	case "inmigrate", "watchdog":
		return Pausing
	case "shutdown":
		return Halting
	default:
		return Broken
	}
}
