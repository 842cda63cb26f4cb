package vmm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// endLimit is how long a process may take to end that was killed; only one in an uninterruptible
// system call takes longer than a few milliseconds.
const endLimit = 5 * time.Second

// identity is a process as long as the machine is on: its number may be another's one day, but not
// together with its start.
type identity struct {
	PID int
	// Started is when, in ticks of the kernel's clock since the machine was turned on.
	Started uint64
}

// identify finds out who has a number now.
func identify(pid int) (identity, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return identity{}, err
	}
	// The program's name, in parentheses, may hold anything; the 20th field behind it is the start.
	const start = 19
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return identity{}, fmt.Errorf("read process %d: too few fields", pid)
	}
	at, err := strconv.ParseUint(string(fields[start]), 10, 64)
	if err != nil {
		return identity{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return identity{pid, at}, nil
}

// process is a process that we hold.
type process struct {
	id identity
	fd *os.File
}

// hold takes hold of a process; nil if it has ended, whoever has its number now.
func hold(id identity) (*process, error) {
	n, err := unix.PidfdOpen(id.PID, unix.PIDFD_NONBLOCK)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT): // its number is a thread's now
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", id.PID, err)
	}
	p := &process{id: id, fd: os.NewFile(uintptr(n), "process")}
	// If the number is still that of the one that is meant, it was when the descriptor was made.
	now, err := identify(id.PID)
	gone := errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
	if err == nil && now == id && !ended(uintptr(n)) {
		return p, nil
	}
	if err == nil || gone {
		return nil, p.fd.Close()
	}
	return nil, errors.Join(err, p.fd.Close())
}

// ended says that the process of a descriptor has ended, even if nobody has asked for its outcome.
func ended(fd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// wait waits until the process has ended, and reports whether it has: not if it was let go first.
func (p *process) wait() bool {
	raw, err := p.fd.SyscallConn()
	return err == nil && raw.Read(ended) == nil
}

// endsWithin reports whether the process ends within a time.
func (p *process) endsWithin(limit time.Duration) bool {
	if p.fd.SetReadDeadline(time.Now().Add(limit)) != nil {
		return false
	}
	over := p.wait()
	return p.fd.SetReadDeadline(time.Time{}) == nil && over
}

// kill ends the process at once. One that has ended is a success.
func (p *process) kill() error {
	raw, err := p.fd.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	err = raw.Control(func(fd uintptr) {
		fault = unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0)
	})
	if errors.Is(fault, unix.ESRCH) {
		fault = nil
	}
	if err = errors.Join(err, fault); err != nil {
		return fmt.Errorf("kill process %d: %w", p.id.PID, err)
	}
	return nil
}

// end kills the process and waits until it has released all it had.
func (p *process) end() error {
	if err := p.kill(); err != nil {
		return err
	}
	if !p.endsWithin(endLimit) {
		return fmt.Errorf("process %d is still there %v after SIGKILL", p.id.PID, endLimit)
	}
	return nil
}

// release lets the process go, which runs on.
func (p *process) release() { _ = p.fd.Close() }
