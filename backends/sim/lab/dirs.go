package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// Dirs are the folders evetwin keeps things in between runs.
type Dirs struct {
	// Cache holds what can be made again: the guest kernel, built guest programs, probe results.
	Cache string
	// State holds devices: their disks, their TPM state, the controller's records.
	State string
}

// DefaultDirs returns $XDG_CACHE_HOME/evetwin and $XDG_STATE_HOME/evetwin, with the XDG defaults
// below the home folder, or below the folder of temporary files for a user without a home. It
// creates nothing.
func DefaultDirs() Dirs {
	return Dirs{
		Cache: xdg("XDG_CACHE_HOME", ".cache"),
		State: xdg("XDG_STATE_HOME", filepath.Join(".local", "state")),
	}
}

func xdg(variable, below string) string {
	if base := os.Getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, "evetwin")
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return filepath.Join(os.TempDir(), fmt.Sprintf("evetwin-%d", os.Getuid()), below)
	}
	return filepath.Join(home, below, "evetwin")
}
