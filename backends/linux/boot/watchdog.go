package boot

import (
	"os"
	"time"

	"github.com/evetwin/evetwin/core/host"
)

// feeding is how often the watchdog is fed; it waits a minute or so.
const feeding = 10 * time.Second

// watchdog is an open hardware watchdog. It is fed by the device's loop: one that hangs is reset.
type watchdog struct{ node *os.File }

// openWatchdog starts the watchdog at a device node, nil if there is none.
func openWatchdog(path string) *watchdog {
	if path == "" {
		return nil
	}
	node, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	return &watchdog{node}
}

// feed feeds it for as long as the boot lasts. A closed node goes on counting unless its letter is
// written first, so that a device that stops is reset.
func (w *watchdog) feed(pt *host.Part) {
	if _, err := w.node.WriteString("1"); err != nil {
		return
	}
	pt.After(feeding, func() { w.feed(pt) })
}
