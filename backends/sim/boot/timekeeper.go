package boot

import "github.com/evetwin/evetwin/core/host"

// Timekeeper is the part clock alone.
type Timekeeper struct {
	*Boot
	// Machine has the clock of the boot.
	Machine host.Machine
}

// Wire serves the op of the part on a boot.
func (c Timekeeper) Wire(k *host.Kernel) { c.wireClock(k, c.Machine) }
