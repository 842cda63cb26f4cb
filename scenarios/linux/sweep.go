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
		for _, p := range processes(strings.Replace(e.Name(), "-out-", "-dev-", 1)) {
			_ = unix.Kill(p.pid, unix.SIGKILL)
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
