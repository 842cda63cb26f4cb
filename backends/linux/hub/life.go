package hub

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// life is the time from a boot of the device to the next. Hubs may come and go in it.
type life struct {
	// Name is unlike that of any other life.
	Name string
	// Machine is the kernel's name for the boot of the machine.
	Machine string
	// Booted is when it began, in nanoseconds of CLOCK_BOOTTIME.
	Booted int64
}

// readLife is the life that a file names if the machine has not booted since, else a new one.
func readLife(path string) (life, error) {
	machine, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return life{}, fmt.Errorf("name the boot of the machine: %w", err)
	}
	var l life
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err == nil && l.Machine == strings.TrimSpace(string(machine)) && l.Name != "" {
		return l, nil
	}
	return newLife(path, strings.TrimSpace(string(machine)))
}

// newLife begins a life and writes it down.
func newLife(path, machine string) (life, error) {
	l := life{Name: rand.Text(), Machine: machine, Booted: sinceBoot().Nanoseconds()}
	b, err := json.Marshal(l)
	if err == nil {
		err = renameio.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return l, fmt.Errorf("write down the life of the device: %w", err)
	}
	return l, nil
}

// sinceBoot is the time since the machine booted.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("hub: read CLOCK_BOOTTIME: " + err.Error())
	}
	return time.Duration(ts.Nano())
}

// since is when the life began.
func (l life) since() time.Time {
	return time.Now().Add(time.Duration(l.Booted) - sinceBoot())
}

// lockFile takes the lock of a file, which falls with the process.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s, another hub may live: %w", path, err), f.Close())
	}
	return f, nil
}
