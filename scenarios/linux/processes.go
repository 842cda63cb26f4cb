package linux

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/scenarios/scenario"
)

// process is one that runs on this machine.
type process struct {
	pid  int
	line string // its command line
}

// processes are those whose command line has a text.
func processes(text string) (out []process) {
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is good
	for _, path := range found {
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte(text)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid != os.Getpid() {
			out = append(out, process{pid, strings.ReplaceAll(string(b), "\x00", " ")})
		}
	}
	return out
}

// of are the device's processes of a program.
func (d *device) of(program string) (out []process) {
	if program == scenario.Libvirtd { // whose folders are its own
		return d.libvirtd()
	}
	for _, p := range processes(string(d.root)) {
		first, _, _ := strings.Cut(p.line, " ")
		if strings.HasPrefix(filepath.Base(first), program) {
			out = append(out, p)
		}
	}
	return out
}

// libvirtd is the daemon, by the number it has written down.
func (d *device) libvirtd() []process {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(d.root.Socket()), "libvirt/run/libvirtd.pid"))
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(line, []byte("libvirtd")) {
		return nil
	}
	return []process{{pid, strings.ReplaceAll(string(line), "\x00", " ")}}
}

// ours are programs of a device that outlive the process that started them.
func ours() []string {
	return []string{"qemu-system", scenario.Libvirtd, "dnsmasq"}
}

// kill ends all programs of the device and waits for their end.
func (d *device) kill() error {
	limit := time.Now().Add(10 * time.Second)
	for {
		var left []process
		for _, program := range ours() {
			left = append(left, d.of(program)...)
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("end the device's programs: %d %s is still there", left[0].pid,
				left[0].line)
		}
		for _, p := range left {
			_ = unix.Kill(p.pid, unix.SIGKILL) // one that has ended meanwhile is fine
		}
		time.Sleep(10 * time.Millisecond)
	}
}
