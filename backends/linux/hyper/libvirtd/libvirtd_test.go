package libvirtd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/digitalocean/go-libvirt"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/hyper/libvirtd"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// options are those of a daemon on fresh folders, with the shared cache.
func options(t *testing.T) libvirtd.Options {
	t.Helper()
	labtest.Program(t, libvirtd.DefaultProgram)
	if os.Getuid() != 0 {
		labtest.Missing(t, "libvirtd's mount namespace needs root")
	}
	dir, err := os.MkdirTemp("/tmp", "lv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		if left := labtest.Offspring(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return libvirtd.Options{Dir: dir, Cache: filepath.Join(labtest.Cache().Dir, "libvirt")}
}

// start starts a daemon that ends with the test.
func start(t *testing.T, o libvirtd.Options) *libvirtd.Daemon {
	t.Helper()
	d, err := libvirtd.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func dial(t *testing.T, d *libvirtd.Daemon, uri libvirt.ConnectURI) *libvirt.Libvirt {
	t.Helper()
	l, err := d.Dial(uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Disconnect() }) // which may have ended with the daemon
	return l
}

// names are the domains that are defined.
func names(t *testing.T, l *libvirt.Libvirt) (out []string) {
	t.Helper()
	all, _, err := l.ConnectListAllDomains(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		out = append(out, d.Name)
	}
	return out
}

// daemonMounts are the machine's mounts where a daemon has its own; others come and go.
func daemonMounts(t *testing.T) (out []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		at := strings.Fields(line)[1]
		if strings.Contains(at, "libvirt") || at == "/etc/passwd" || at == "/etc/group" {
			out = append(out, at)
		}
	}
	return out
}

func TestKilledAndStartedAgain(t *testing.T) {
	o := options(t)
	mounts := daemonMounts(t)
	first := start(t, o)
	text, err := domxml.Domain{Type: domxml.QEMU, Note: []byte("ours"),
		Spec: qemu.Spec{Name: "one", MemoryMiB: 64}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	l := dial(t, first, libvirt.QEMUSystem)
	if _, err := l.DomainDefineXMLFlags(text, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(first.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	<-l.Disconnected()
	if first.Err() == nil {
		t.Error("a daemon that was killed ended in order")
	}
	second := start(t, o)
	l = dial(t, second, libvirt.QEMUSystem)
	if got := names(t, l); !slices.Equal(got, []string{"one"}) {
		t.Fatalf("the second daemon knows %v", got)
	}
	one, err := l.DomainLookupByName("one")
	if err != nil {
		t.Fatal(err)
	}
	back, err := l.DomainGetXMLDesc(one, libvirt.DomainXMLInactive)
	if err != nil {
		t.Fatal(err)
	}
	if note, err := domxml.Note(back); string(note) != "ours" {
		t.Errorf("the note of the domain is %q, %v", note, err)
	}
	if now := daemonMounts(t); !slices.Equal(now, mounts) {
		t.Errorf("the daemon's mounts are the machine's: %q, before %q", now, mounts)
	}
}

func TestDriverOfTests(t *testing.T) {
	l := dial(t, start(t, options(t)), libvirt.TestDefault)
	text, err := domxml.Domain{Type: domxml.QEMU, Spec: qemu.Spec{Name: "assigned",
		MemoryMiB: 64, Console: qemu.Socket{Path: "/c"}, PCI: []string{"0000:01:00.0"},
		USB: []qemu.USBDevice{{Bus: 1, Device: 4}}, Ports: []string{"/dev/ttyS1"}}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	text = strings.Replace(text, `<domain type="qemu">`, `<domain type="test">`, 1)
	// This driver has other machines than QEMU's.
	text = strings.Replace(text, ` arch="x86_64" machine="q35"`, "", 1)
	d, err := l.DomainDefineXMLFlags(text, libvirt.DomainDefineValidate)
	if err != nil {
		t.Fatal(err)
	}
	back, err := l.DomainGetXMLDesc(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>`, `<driver name='vfio'/>`,
		`<address bus='1' device='4'/>`, `<source path='/dev/ttyS1'/>`,
		`<source mode='bind' path='/c'/>`} {
		if !strings.Contains(back, want) {
			t.Errorf("the domain comes back without %s:\n%s", want, back)
		}
	}
}

func TestStartThatCannot(t *testing.T) {
	o := options(t)
	o.Program = "/bin/false"
	_, err := libvirtd.Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("starting what ends at once: %v", err)
	}
}
