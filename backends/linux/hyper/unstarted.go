package hyper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
)

// endUnstarted ends guests whose start was interrupted, which is before a daemon finds them: one
// that finds a QEMU half started waits for it half a minute and more. The next start makes them
// anew. What a domain's note says and which process it has stands in the daemon's files.
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
			err = errors.Join(err, endProcess(dir, n.Spec.Name))
		}
	}
	return err
}

// endProcess ends the QEMU of a domain, if there is one.
func endProcess(dir, name string) error {
	text, err := os.ReadFile(filepath.Join(dir, "run/qemu", name+".pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var pid int
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		return fmt.Errorf("find QEMU of domain %s: %w", name, err)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(line, []byte("guest="+name)) {
		return nil // it is gone, and its number may be another's
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("end QEMU of domain %s: %w", name, err)
	}
	return nil
}
