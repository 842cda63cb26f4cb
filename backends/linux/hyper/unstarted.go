package hyper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
)

// endUnstarted ends guests whose start was interrupted, which is before a daemon finds them: one
// that finds a QEMU half started waits for it half a minute and more. The next start makes them
// anew. What a domain's note says stands in the daemon's files.
func endUnstarted(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "etc/qemu/*.xml"))
	for _, path := range files {
		text, rerr := os.ReadFile(path)
		if rerr != nil {
			err = errors.Join(err, rerr)
			continue
		}
		// A file that was not written to its end is the daemon's affair.
		raw, rerr := domxml.Note(string(text))
		if rerr != nil {
			continue
		}
		n, rerr := readNote(raw)
		if rerr == nil && n != nil && n.Starting {
			err = errors.Join(err, endProcess(n.Spec.Name))
		}
	}
	return err
}

// endProcess ends the QEMU of a domain, if there is one. Its process is looked for by what it was
// told: the file with its number may not be written yet.
func endProcess(name string) error {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, rerr := os.ReadFile(path)
		if rerr != nil || !bytes.Contains(line, []byte("guest="+name+",")) {
			continue // it is gone, or another
		}
		pid, rerr := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if rerr == nil {
			rerr = unix.Kill(pid, unix.SIGKILL)
		}
		if rerr != nil && !errors.Is(rerr, unix.ESRCH) {
			err = errors.Join(err, fmt.Errorf("end QEMU of domain %s: %w", name, rerr))
		}
	}
	return err
}
