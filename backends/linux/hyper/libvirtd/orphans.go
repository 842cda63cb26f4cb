package libvirtd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// endLimit is how long a process may take to end that was killed; only one in an uninterruptible
// system call takes longer than a few milliseconds.
const endLimit = 5 * time.Second

// endInterrupted takes back the starts that an earlier daemon did not finish: no process and no
// file is left that would tell the next daemon of a guest. The next daemon would believe the file:
// it would show such a guest as paused, wait half a minute for a monitor that nobody serves, and
// let no other call touch the domain meanwhile.
func endInterrupted(o Options) error {
	if o.Interrupted == nil {
		return nil
	}
	// First those that may still become a guest, then guests.
	program, err := filepath.EvalSymlinks(o.Program)
	if err != nil {
		return err
	}
	err = o.endAll("an orphan of libvirtd", func(p process) bool { return p.isUnborn(program) })
	if err != nil {
		return err
	}
	files, err := domains(o.Dir)
	if err != nil {
		return fmt.Errorf("list domains: %w", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the description of a domain: %w", err)
		}
		if !o.Interrupted(string(text)) {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(path), ".xml")
		err = o.endAll("the half started guest "+name, func(p process) bool { return p.isGuest(name) })
		if err != nil {
			return err
		}
		for _, kind := range []string{".xml", ".pid"} {
			file := filepath.Join(o.Dir, "run/qemu", name+kind)
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("forget the half started guest %s: %w", name, err)
			}
		}
	}
	return nil
}

// domains are the descriptions of domains that a daemon has kept in a folder.
func domains(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "etc/qemu/*.xml"))
}

// Defined says that a folder has domains.
func Defined(dir string) bool {
	list, err := domains(dir)
	return err == nil && len(list) > 0
}

// process is one of the machine's, by its folder in /proc.
type process string

// isUnborn says that a process is an earlier daemon, or a child of one that has not become another
// program yet. Between its own program and the other one a process has no command line.
func (p process) isUnborn(program string) bool {
	line, err := os.ReadFile(filepath.Join(string(p), "cmdline"))
	if err != nil {
		return false // it is gone
	}
	runs, err := os.Readlink(filepath.Join(string(p), "exe"))
	return len(line) == 0 || err == nil && strings.TrimSuffix(runs, " (deleted)") == program
}

// isGuest says that a process is the QEMU of a domain.
func (p process) isGuest(name string) bool {
	line, err := os.ReadFile(filepath.Join(string(p), "cmdline"))
	return err == nil && bytes.Contains(line, []byte("\x00guest="+name+","))
}

// endAll ends all processes of earlier daemons on our folders that a condition holds for, until
// there is none. what says what they are.
func (o Options) endAll(what string, holds func(process) bool) error {
	ours, err := os.Stat(filepath.Join(o.Dir, "run"))
	if err != nil {
		return fmt.Errorf("find %s: %w", what, err)
	}
	// Those see our folders where the machine has others.
	isOurs := func(p process) bool {
		seen, err := os.Stat(filepath.Join(string(p), "root/run/libvirt"))
		return err == nil && os.SameFile(seen, ours) && holds(p)
	}
	for found := true; found; {
		found = false
		list, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return fmt.Errorf("find %s: %w", what, err)
		}
		for _, path := range list {
			if !isOurs(process(path)) {
				continue
			}
			found = true
			if err := process(path).end(isOurs); err != nil {
				return fmt.Errorf("end %s: %w", what, err)
			}
		}
	}
	return nil
}

// end kills a process and waits until it has ended, and so has released all it had. Nothing is done
// to one that has its number by now, for which the condition does not hold.
func (p process) end(holds func(process) bool) error {
	pid, err := strconv.Atoi(filepath.Base(string(p)))
	if err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !holds(p) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return fmt.Errorf("kill process %d: %w", pid, err)
	}
	until := time.Now().Add(endLimit)
	for {
		left := time.Until(until)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}},
			int(max(left, 0)/time.Millisecond))
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait for process %d: %w", pid, err)
		case left <= 0:
			return fmt.Errorf("process %d is still there %v after SIGKILL", pid, endLimit)
		}
	}
}
