package libvirtd_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitalocean/go-libvirt"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// orphan starts a process that sees the folders of a daemon, and returns when it is the program
// cat.
func orphan(t *testing.T, dir string) *child.Process {
	t.Helper()
	in, toChild, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromChild, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start(child.Options{Name: "orphan", Path: "unshare", Stdin: in, Stdout: out,
		Args: []string{"--mount", "--propagation", "slave", "sh", "-c",
			`mkdir -p /run/libvirt && mount --bind "$1" /run/libvirt && exec cat`, "sh",
			filepath.Join(dir, "run")}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = in.Close(), out.Close() // which are the child's
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		_, _ = toChild.Close(), fromChild.Close()
	})
	if _, err := toChild.WriteString("here\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(fromChild).ReadString('\n'); err != nil || line != "here\n" {
		t.Fatalf("an orphan says %q, %v: %s", line, err, p.LastWords())
	}
	return p
}

// TestOrphansEnd has children of an earlier daemon that still run its program, and one of a daemon
// on other folders.
func TestOrphansEnd(t *testing.T) {
	ours, others := options(t), options(t)
	for _, o := range []libvirtd.Options{ours, others} {
		if err := os.Mkdir(filepath.Join(o.Dir, "run"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	left := []*child.Process{orphan(t, ours.Dir), orphan(t, ours.Dir)}
	other := orphan(t, others.Dir)
	ours.Program = "/bin/true"
	ours.Interrupted = func(string) bool { return false }
	if err := libvirtd.EndInterrupted(ours); err != nil {
		t.Fatal(err)
	}
	ours.Program = "/bin/cat"
	for _, p := range append(left, other) {
		select {
		case <-p.Done():
			t.Errorf("a process that runs no daemon's program has ended: %v", p.Err())
		default:
		}
	}
	if err := libvirtd.EndInterrupted(ours); err != nil {
		t.Fatal(err)
	}
	for _, p := range left {
		select {
		case <-p.Done():
		case <-time.After(10 * time.Second):
			t.Error("an orphan of ours has not ended")
		}
	}
	select {
	case <-other.Done():
		t.Errorf("another daemon's orphan has ended: %v", other.Err())
	default:
	}
}

// running says whether a process runs a domain.
func running(t *testing.T, name string) bool {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(line), "guest="+name+",") {
			return true
		}
	}
	return false
}

// TestHalfStartedIsOff kills a daemon over two guests, of which one is called half started.
func TestHalfStartedIsOff(t *testing.T) {
	o := options(t)
	first := start(t, o)
	l := dial(t, first, libvirt.QEMUSystem)
	half, whole := filepath.Base(o.Dir)+"-half", filepath.Base(o.Dir)+"-whole"
	for _, name := range []string{half, whole} {
		text, err := domxml.Domain{Type: domxml.QEMU, Note: []byte(name),
			Spec: qemu.Spec{Name: name, MemoryMiB: 64}}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		d, err := l.DomainDefineXMLFlags(text, 0)
		if err == nil {
			_, err = l.DomainCreateWithFlags(d, uint32(libvirt.DomainStartPaused))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Kill(first.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	o.Interrupted = func(description string) bool {
		note, err := domxml.Note(description)
		return err == nil && string(note) == half
	}
	l = dial(t, start(t, o), libvirt.QEMUSystem)
	for name, want := range map[string]bool{half: false, whole: true} {
		d, err := l.DomainLookupByName(name)
		if err != nil {
			t.Fatal(err)
		}
		alive, err := l.DomainIsActive(d)
		if err != nil || (alive != 0) != want || running(t, name) != want {
			t.Errorf("domain %s is active: %v, %v; it has a process: %v; want %v", name, alive, err,
				running(t, name), want)
		}
		if !want {
			continue
		}
		// A daemon that has not finished with finding the guest says that it went by itself.
		err = l.DomainDestroy(d)
		if running(t, name) {
			t.Errorf("domain %s still has a process: %v", name, err)
		}
	}
}
