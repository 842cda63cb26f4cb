package conform_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

func TestLinuxHyperConforms(t *testing.T) {
	labtest.Program(t, libvirtd.DefaultProgram)
	x := newVolumes(t)
	conform.Hyper(t, realPart("libvirt"), func(t *testing.T) conform.HyperSetup {
		return newHyperLab(t, x, hyper.Libvirt, "").setup()
	})
}

func TestLinuxHyperOutlives(t *testing.T) {
	labtest.Program(t, libvirtd.DefaultProgram)
	v := newVolumes(t)
	conform.HyperOutlives(t, func(t *testing.T) conform.Outliving {
		x := newHyperLab(t, v, hyper.Libvirt, "")
		on := func(app string, f func(*libvirt.Libvirt, libvirt.Domain) error) { x.shell(app, f) }
		return conform.Outliving{HyperSetup: x.setup(), KillDaemon: x.killDaemon,
			Keep: x.keeping,
			Suspend: func(app string, stop bool) {
				on(app, func(l *libvirt.Libvirt, d libvirt.Domain) error {
					if stop {
						return l.DomainSuspend(d)
					}
					return l.DomainResume(d)
				})
			},
			TurnOff:  func(app string) { on(app, (*libvirt.Libvirt).DomainDestroy) },
			Undefine: func(app string) { on(app, (*libvirt.Libvirt).DomainUndefine) }}
	})
}

// volumes are what guests boot from, made once.
type volumes struct {
	machine        guest.Machine
	lasting, brief string // folders with prepared roots
}

func newVolumes(t *testing.T) volumes {
	t.Helper()
	labtest.Program(t, qemu.DefaultProgram)
	if os.Getuid() != 0 {
		labtest.Missing(t, "a real part hyper needs root")
	}
	demo, err := guest.DemoImage(t.Context(), labtest.Cache())
	if err != nil {
		t.Fatal(err)
	}
	img, err := guest.FromV1(demo)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	x := volumes{machine: guest.Machine{Cache: labtest.Cache(), Kernel: labtest.Kernel(t)},
		lasting: filepath.Join(dir, "a"), brief: filepath.Join(dir, "b")}
	for path, env := range map[string]string{x.lasting: "", x.brief: "DEMO_PORT=none"} {
		i := img
		if env != "" {
			i.Config.Env = append(append([]string{}, i.Config.Env...), env)
		}
		if _, err := guest.Prepare(t.Context(), i, guest.RootOptions{Dir: path}); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// hyperLab is a machine with a libvirtd of its own.
type hyperLab struct {
	t   *testing.T
	v   volumes
	dir string
	sys string
	// under is what runs guests.
	under hyper.Under
	// space is the network namespace of the device; empty: that of the test.
	space string
	out   *consoles
	part  *swapped
	// keep makes the next cut the end of only the process, and meanwhile happens behind it.
	keep      bool
	meanwhile func()
}

// swapped is the part of whichever process runs.
type swapped struct{ *hyper.Hyper }

func newHyperLab(t *testing.T, v volumes, under hyper.Under, space string) *hyperLab {
	dir, err := os.MkdirTemp("/tmp", "lv") // the paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	x := &hyperLab{t: t, v: v, dir: dir, sys: t.TempDir(), under: under, space: space,
		out: &consoles{texts: map[string]*bytes.Buffer{}, heard: make(chan struct{}, 1)}}
	if err := os.MkdirAll(filepath.Join(x.sys, "bus/pci/devices", adapter), 0o755); err != nil {
		t.Fatal(err)
	}
	x.part = &swapped{x.process()}
	t.Cleanup(func() {
		x.cut()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		_, left := x.runs("")
		if left = append(left, labtest.Offspring()...); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return x
}

// process is a process of the device.
func (x *hyperLab) process() *hyper.Hyper {
	return hyper.New(hyper.Options{Type: domxml.QEMU, Why: "as the test wants it", MemoryMB: 1024,
		Under: x.under, Dir: x.dir, Space: x.space,
		Cache: filepath.Join(labtest.Cache().Dir, "libvirt"),
		Boot:  x.boot, Console: x.console, Sys: x.sys,
		OnError: func(err error) { x.t.Log("beside the ops:", err) }})
}

// boot makes the parts for a start of a guest whose only disk is a folder with a root.
func (x *hyperLab) boot(ctx context.Context, s *device.Spec, n int) (guest.Parts, error) {
	x.out.of(s.AppID) // a new run says everything anew
	root, err := guest.Open(s.Disks[0].Path)
	if err != nil {
		return guest.Parts{}, err
	}
	return x.v.machine.Boot(ctx, root, guest.Start{UUID: s.AppID, Boot: n},
		filepath.Join(x.dir, s.AppID+".initrd"))
}

// console goes on where an earlier process has left off listening.
func (x *hyperLab) console(app string) io.Writer {
	x.out.mu.Lock()
	defer x.out.mu.Unlock()
	if x.out.texts[app] == nil {
		x.out.texts[app] = &bytes.Buffer{}
	}
	return console{x.out, app}
}

// runs are the QEMU processes of the lab's guests, by the application; empty: all.
func (x *hyperLab) runs(app string) (pids []int, lines []string) {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		x.t.Error(err)
	}
	for _, path := range found {
		text, err := os.ReadFile(path)
		// What waits to become QEMU names it among its arguments; it is no guest.
		program, _, _ := strings.Cut(string(text), "\x00")
		line := strings.ReplaceAll(string(text), "\x00", " ")
		if err != nil || !strings.Contains(program, "qemu-system") ||
			!strings.Contains(line, filepath.Join(x.dir, app)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			x.t.Error(err)
		}
		pids, lines = append(pids, pid), append(lines, fmt.Sprint(pid, " ", line))
	}
	return pids, lines
}

// kill ends the guests of an application as a crash would.
func (x *hyperLab) kill(app string) {
	pids, _ := x.runs(app)
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			x.t.Error(err)
		}
	}
}

// killAll ends all guests, and waits until they have ended.
func (x *hyperLab) killAll() {
	pids, lines := x.runs("")
	for i, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err == nil {
			err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000); n != 1 {
				x.t.Errorf("%s does not end", lines[i])
			}
			err = errors.Join(err, unix.Close(fd))
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			x.t.Error(err)
		}
	}
}

// keeping makes the next cut the end of only the process.
func (x *hyperLab) keeping(meanwhile func()) { x.keep, x.meanwhile = true, meanwhile }

// cut is a power cut: all processes end, and what a tmpfs held is gone.
func (x *hyperLab) cut() {
	x.part.Close()
	if x.keep {
		x.keep = false
		if x.meanwhile != nil {
			x.meanwhile()
		}
		x.part.Hyper = x.process()
		return
	}
	x.killAll()
	list, err := os.ReadDir(x.dir)
	if err != nil {
		x.t.Error(err)
	}
	for _, f := range list {
		if err := os.RemoveAll(filepath.Join(x.dir, f.Name())); err != nil {
			x.t.Error(err)
		}
	}
}

// shell does something with the domain of an application, by a connection of its own.
func (x *hyperLab) shell(app string, f func(*libvirt.Libvirt, libvirt.Domain) error) {
	x.t.Helper()
	l := libvirt.NewWithDialer(dialers.NewLocal(
		dialers.WithSocket(filepath.Join(x.dir, "run/libvirt-sock"))))
	err := l.ConnectToURI(libvirt.QEMUSystem)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = l.Disconnect() }() // which has no say in what was done
	d, err := l.DomainLookupByName(app + ".1.1")
	if err == nil {
		err = f(l, d)
	}
	if err != nil {
		x.t.Error(err)
	}
}

// killDaemon ends libvirtd, by the number it has written down.
func (x *hyperLab) killDaemon() {
	x.t.Helper()
	text, err := os.ReadFile(filepath.Join(x.dir, "run/libvirtd.pid"))
	var pid int
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err == nil {
		err = unix.Kill(pid, unix.SIGKILL)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *hyperLab) setup() conform.HyperSetup {
	disks := func(path string) []device.Disk {
		return []device.Disk{{VolumeKey: filepath.Base(path) + "#0", Path: path, Format: "container"}}
	}
	return conform.HyperSetup{Setup: conform.Setup{Part: x.part, Cut: x.cut}, PCI: adapter,
		Lasting: disks(x.v.lasting), Brief: disks(x.v.brief), Up: x.out.up, Kill: x.kill,
		Left: func() []string { _, lines := x.runs(""); return lines }}
}
