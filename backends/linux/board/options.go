package board

import (
	"crypto/x509"
	"io"
	"time"

	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/sim/lab"
)

// Options of a board.
type Options struct {
	// Name is the device's, Root the folder that it takes for "/"; empty means "/".
	Name, Root string
	// ConfigFrom is where the partition with the device's inputs is mounted; /config is a copy of it
	// in memory. Empty: they are in /config.
	ConfigFrom string
	// Run is a folder on a tmpfs, for what a reset is to forget; its path is short.
	Run string
	// Space is the network namespace by its name under /run/netns; empty: that of the process. Ports
	// are interfaces that count as physical beside those that hang on a bus.
	Space string
	Ports []string
	// ResolvConf is the file of the name service; empty: none is written.
	ResolvConf string
	// TPM is the path of a TPM 2.0, a device node or a socket; empty: keys are kept in files. TPMKind
	// is what it is called, "device" or "swtpm".
	TPM, TPMKind string
	// Disk is the disk with the operating system, a device or an image; empty: there is none that
	// could be updated. Current is the label of the partition that runs; empty: the kernel's command
	// line has it.
	Disk, Current string
	// Roots are the roots that the system trusts; nil: those of this machine.
	Roots *x509.CertPool
	// Cache has the kernel and the programs of guests.
	Cache lab.Cache
	// Accel is what guests run under, lab.KVM or lab.TCG, and Why is why.
	Accel, Why string
	// Hyper is what runs guests, libvirt or QEMU alone; empty: libvirt where it is installed.
	Hyper hyper.Under
	// MemoryMB is what guests may have together; 0 means all of the machine.
	MemoryMB uint64
	// Sys is where sysfs is mounted, for adapters and what the firmware says; empty: /sys.
	Sys string
	// Lights is where the kernel shows lights; empty: /sys/class/leds. Console is told of patterns
	// where there is none.
	Lights  string
	Console io.Writer
	// SetClock sets the clock of the system; nil: by clock_settime.
	SetClock func(time.Time) error
	// Exit says that a reset is the end of this process, after a word to Exited of whether the device
	// is to stay off; else it is reboot(2).
	Exit   bool
	Exited func(off bool) error
	// Guest takes the console of a guest, by application; nil: nobody listens.
	Guest func(app string) io.Writer
	// OnError is told by a part of what goes wrong beside its ops, from any goroutine.
	OnError func(part string, err error)
}

// On is a part, and what it stands on.
type On struct {
	// Name is the part's, Kind "linux" or "none".
	Name, Kind string
	// Why says what it stands on, or why there is none.
	Why string
}
