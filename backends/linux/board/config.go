package board

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store"
)

// copyConfig puts a copy of the device's inputs into memory, once in a boot of the machine: a later
// process finds it there. From is where their partition is mounted; empty: they are where they lie.
func copyConfig(from, to string) error {
	if from == "" {
		return nil
	}
	var at, above unix.Stat_t
	if err := unix.Stat(to+"/..", &above); err != nil {
		return fmt.Errorf("copy the configuration to %s: %w", to, err)
	}
	if err := unix.Stat(to, &at); err == nil && at.Dev != above.Dev {
		return nil
	}
	return store.CopyConfig(from, to)
}
