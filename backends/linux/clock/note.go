package clock

import (
	"fmt"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
)

// memory is what a process leaves to the next one of the same boot.
type memory struct {
	// Boot is the kernel's name of the boot.
	Boot string
	// Synced says that the clock was set by a server.
	Synced bool
}

// note is the file of the memory.
func (c *Clock) note() (bootnote.Note, error) {
	return bootnote.Open(c.o.State, "clock.json", 0o700, nil)
}

// remembers reports whether the clock was set in this boot.
func (c *Clock) remembers() bool {
	var m memory
	note, err := c.note()
	if err == nil {
		_, err = note.Load(&m)
	}
	if err != nil {
		c.o.OnError(fmt.Errorf("read whether the clock was set: %w", err))
	}
	return m.Synced
}

// remember notes that it was.
func (c *Clock) remember() {
	note, err := c.note()
	if err == nil {
		err = note.Save(memory{note.Boot, true})
	}
	if err != nil {
		c.o.OnError(fmt.Errorf("remember that the clock was set: %w", err))
	}
}
