package zedbox

import (
	"fmt"
	"os"
	"path/filepath"
)

// Hub is the name of the process that has tables and parts, Steps that of the supervisor. EVE calls
// them so.
const (
	Hub   = "zedbox"
	Steps = "device-steps"
)

// Root is the folder below which a device keeps its files; "/" on a device.
type Root string

// Run is the folder of what a reboot forgets.
func (r Root) Run() string { return filepath.Join(string(r), "run") }

// Persist is the folder of what outlives it.
func (r Root) Persist() string { return filepath.Join(string(r), "persist") }

// Config is the folder of what the device was installed with.
func (r Root) Config() string { return filepath.Join(string(r), "config") }

// Socket is the hub's.
func (r Root) Socket() string { return filepath.Join(r.own(), "hub.sock") }

// MonitorSocket is where EVE's terminal UI connects.
func (r Root) MonitorSocket() string { return filepath.Join(r.Run(), "monitor.sock") }

// TerminalSocket is where "evetwin tui" connects.
func (r Root) TerminalSocket() string { return filepath.Join(r.Run(), "tui.sock") }

// Journal is the folder of the hub's journal.
func (r Root) Journal() string { return filepath.Join(r.Persist(), "journal") }

// PIDFile is that of a process.
func (r Root) PIDFile(name string) string { return filepath.Join(r.Run(), name+".pid") }

// TouchFile is the file that an agent touches while its loop turns.
func (r Root) TouchFile(name string) string { return filepath.Join(r.Run(), name+".touch") }

// StatusFile is where the supervisor says what it knows, PartsFile where the hub says what it is
// made of.
func (r Root) StatusFile() string { return filepath.Join(r.own(), "status.json") }

// PartsFile has the hub's []Part as JSON.
func (r Root) PartsFile() string { return filepath.Join(r.own(), "parts.json") }

// Link is the program under the name of a process.
func (r Root) Link(name string) string { return filepath.Join(r.own(), "bin", name) }

func (r Root) own() string { return filepath.Join(r.Run(), Hub) }

func (r Root) watchdog(kind string) string { return filepath.Join(r.Run(), "watchdog", kind) }

// Make makes the folders.
func (r Root) Make() error {
	for _, dir := range []string{filepath.Join(r.own(), "bin"), r.watchdog("pid"), r.watchdog("file"),
		filepath.Join(r.Persist(), "status"), r.Config()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the folders of the device: %w", err)
		}
	}
	return nil
}
