package zedbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrAlive says that a process of the name lives.
var ErrAlive = errors.New("it is running")

// PIDFile is the file of a process, which holds its lock.
type PIDFile struct{ f *os.File }

// Hold makes this process the one of a name, or ends with ErrAlive where there is one. The file of
// a process that has died is taken over: its lock fell with it, whoever has its number now.
func Hold(r Root, name string) (*PIDFile, error) {
	path := r.PIDFile(name)
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("begin %s: %w", name, err)
		}
		if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, whole()); err != nil {
			pid, _ := read(f)
			f.Close()
			return nil, fmt.Errorf("begin %s, process %d has %s: %w", name, pid, path, ErrAlive)
		}
		// The holder before may have removed the file between the two.
		if !same(f, path) {
			f.Close()
			continue
		}
		err = f.Truncate(0)
		if err == nil {
			_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("begin %s: %w", name, err)
		}
		return &PIDFile{f}, nil
	}
}

// Release removes the file.
func (p *PIDFile) Release() error {
	return errors.Join(os.Remove(p.f.Name()), p.f.Close())
}

// Alive is the process of a name, 0 if none lives.
func Alive(r Root, name string) (pid int, err error) {
	f, err := os.Open(r.PIDFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look for %s: %w", name, err)
	}
	defer f.Close()
	lock := whole()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, lock); err != nil {
		return 0, fmt.Errorf("look for %s: %w", name, err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return read(f)
}

func read(f *os.File) (int, error) {
	b := make([]byte, 20)
	n, err := f.ReadAt(b, 0)
	if n == 0 {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b[:n])))
}

func same(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// whole is a lock of a whole file. It belongs to the open file: asking for it takes none, and it
// falls with the process.
func whole() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK} }
