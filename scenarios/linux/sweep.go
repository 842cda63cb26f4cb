package linux

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netspace"
)

// sweep removes what hosts left behind whose process was killed: namespaces, and guests of a folder
// that is gone. What cannot be removed now is removed another time.
func sweep() {
	list, _ := os.ReadDir(filepath.Dir(netspace.Path("x"))) // without the folder there are none
	for _, e := range list {
		id, ok := strings.CutPrefix(e.Name(), "evetwin-out-")
		if !ok {
			if id, ok = strings.CutPrefix(e.Name(), "evetwin-dev-"); !ok {
				continue
			}
		}
		text, _, _ := strings.Cut(id, "-")
		pid, err := strconv.Atoi(text)
		if err != nil || unix.Kill(pid, 0) == nil {
			continue
		}
		for _, pid := range inside(e.Name()) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		_ = netspace.Delete(e.Name())
	}
	for _, p := range processes("/run/zedbox/libvirt/") {
		_, after, _ := strings.Cut(p.line, "file=/")
		root, _, ok := strings.Cut("/"+after, "/run/zedbox/libvirt/")
		if _, err := os.Stat(root); ok && os.IsNotExist(err) {
			_ = unix.Kill(p.pid, unix.SIGKILL)
		}
	}
}

// inside are the processes in a network namespace.
func inside(space string) (pids []int) {
	var want, is unix.Stat_t
	if unix.Stat(netspace.Path(space), &want) != nil {
		return nil
	}
	found, _ := filepath.Glob("/proc/[0-9]*/ns/net") // the pattern is good
	for _, path := range found {
		if unix.Stat(path, &is) != nil || is.Ino != want.Ino || is.Dev != want.Dev {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(path, "/")[2]); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}
