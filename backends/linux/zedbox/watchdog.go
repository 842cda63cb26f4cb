package zedbox

import (
	"os"
	"path/filepath"
	"slices"
)

// arm registers a process with the watchdog daemon: its touch file and its pid file. A process that
// was never ready is not watched.
func (s *Supervisor) arm(name string) {
	if slices.Contains(s.o.Unwatched, name) {
		return
	}
	for kind, file := range map[string]string{
		"file": s.o.Root.TouchFile(name), "pid": s.o.Root.PIDFile(name)} {
		path := filepath.Join(s.o.Root.watchdog(kind), filepath.Base(file))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			s.say(name, "is not watched: "+err.Error())
		}
	}
}

// disarm takes a process out that ends, or has ended and is about to be started again: restarting
// it is this supervisor's business, and no reason to boot.
func (s *Supervisor) disarm(name string) {
	for kind, file := range map[string]string{
		"file": s.o.Root.TouchFile(name), "pid": s.o.Root.PIDFile(name)} {
		// It may never have been armed.
		_ = os.Remove(filepath.Join(s.o.Root.watchdog(kind), filepath.Base(file)))
	}
}
