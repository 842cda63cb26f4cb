package hub

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/bootnote"
)

// life is the time from a boot of the device to the next. Hubs may come and go in it.
type life struct {
	// Name is unlike that of any other life.
	Name string
	// Boot is the kernel's name for the boot of the machine.
	Boot string
	// Booted is when it began, in nanoseconds of CLOCK_BOOTTIME.
	Booted int64
}

// readLife is the life that a file names if the machine has not booted since, else a new one.
func readLife(path string) (life, error) {
	note, err := lifeNote(path)
	if err != nil {
		return life{}, err
	}
	var l life
	// A file that cannot be read names no life.
	if ok, err := note.Load(&l); ok && err == nil && l.Name != "" {
		return l, nil
	}
	return newLife(path)
}

// newLife begins a life and writes it down.
func newLife(path string) (life, error) {
	l := life{Name: rand.Text(), Booted: sinceBoot().Nanoseconds()}
	note, err := lifeNote(path)
	if err == nil {
		l.Boot = note.Boot
		err = note.Save(l)
	}
	if err != nil {
		return l, fmt.Errorf("begin a life of the device: %w", err)
	}
	return l, nil
}

// lifeNote is the file of a life.
func lifeNote(path string) (*bootnote.Note, error) {
	note, err := bootnote.Open(filepath.Dir(path), filepath.Base(path), 0o700, nil)
	if err != nil {
		return nil, fmt.Errorf("find the life of the device: %w", err)
	}
	return &note, nil
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
