package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// hangs is a QEMU that tells its version and then stays alive without a word.
const hangs = `case $1 in --version) echo QEMU 7.2.0 ;; *) exec sleep 600 ;; esac`

// script writes a program that stands in for QEMU.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyKernel gives a test a cache of its own that holds the real kernel.
func copyKernel(t *testing.T) lab.Cache {
	t.Helper()
	kernel := labtest.Kernel(t)
	cache := lab.Cache{Dir: t.TempDir()}
	from := filepath.Dir(kernel.Path)
	if err := os.Symlink(from, filepath.Join(cache.Dir, filepath.Base(from))); err != nil {
		t.Fatal(err)
	}
	return cache
}

// TestLAB1_APP49_KVMThatHangs gives the probe a device node that can be opened and a QEMU that
// stays alive and never runs a guest.
func TestLAB1_APP49_KVMThatHangs(t *testing.T) {
	prober := lab.Prober{
		Cache: copyKernel(t), QEMU: script(t, hangs), KVMDevice: "/dev/null",
		KVMDeadline: 300 * time.Millisecond,
	}
	start := time.Now()
	verdict := prober.Accel(context.Background())
	if verdict.Accel != lab.TCG || verdict.HWAssisted() {
		t.Errorf("verdict is %+v, want TCG", verdict)
	}
	want := "no KVM: a guest under KVM gave no sign of life in 300ms"
	if verdict.Why != want {
		t.Errorf("it says %q, want %q", verdict.Why, want)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v with a deadline of 300 ms", took)
	}
	if left := labtest.Offspring(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestLAB1_ThisMachine asks for the verdict on the machine the test runs on, with all
// limits as they are in real use.
func TestLAB1_ThisMachine(t *testing.T) {
	labtest.Program(t, lab.DefaultQEMU)
	prober := lab.Prober{Cache: copyKernel(t)}
	start := time.Now()
	verdict := prober.Accel(context.Background())
	took := time.Since(start)
	t.Logf("%s after %v: %s", verdict.Accel, took.Round(time.Millisecond), verdict.Why)
	if took > 12*time.Second {
		t.Errorf("start-up took %v to select an accelerator, want 12 s at most", took)
	}
	if verdict.Accel != lab.KVM && !strings.HasPrefix(verdict.Why, "no KVM: ") {
		t.Errorf("TCG without a reason: %q", verdict.Why)
	}
	if verdict.HWAssisted() != (verdict.Accel == lab.KVM) {
		t.Errorf("HWAssisted is %v under %s", verdict.HWAssisted(), verdict.Accel)
	}
	start = time.Now()
	if again := prober.Accel(context.Background()); again != verdict {
		t.Errorf("verdict changed from %+v to %+v", verdict, again)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a verdict of this boot was found again in %v, so it was not kept", took)
	}
}

// TestProbeGuestBoots runs the probe's own guest under TCG: a probe guest that cannot boot would
// call every KVM broken.
func TestProbeGuestBoots(t *testing.T) {
	qemu := labtest.Program(t, lab.DefaultQEMU)
	kernel := labtest.Kernel(t)
	initrd := filepath.Join(t.TempDir(), "initramfs")
	image, err := lab.ProbeInitramfs()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(initrd, image, 0o600); err != nil {
		t.Fatal(err)
	}
	took, err := lab.BootProbeGuest(context.Background(), time.Minute, child.Options{
		Name: "probe guest", Path: qemu, Args: []string{"-accel", "tcg", "-M", "q35", "-m", "128",
			"-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio", "-kernel", kernel.Path,
			"-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("probe guest up under TCG in %v", took.Round(10*time.Millisecond))
}

func TestProbeNamesEveryPartAndItsCost(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("PATH", empty)
	prober := lab.Prober{Cache: lab.Cache{Dir: t.TempDir()}, QEMU: filepath.Join(empty, "qemu"),
		KVMDevice: filepath.Join(empty, "kvm")}
	found := prober.Probe(context.Background())
	var parts []string
	for _, one := range found {
		parts = append(parts, one.Part)
		if !one.OK && (one.Cost == "" || one.Detail == "") {
			t.Errorf("%s is missing without detail or cost: %+v", one.Part, one)
		}
		if one.OK && one.Cost != "" {
			t.Errorf("%s works and still costs %q", one.Part, one.Cost)
		}
	}
	want := "qemu kvm kernel swtpm libvirt namespaces nftables go"
	if got := strings.Join(parts, " "); got != want {
		t.Errorf("parts are %s, want %s", got, want)
	}
	if found[0].OK || found[1].OK || found[2].OK {
		t.Errorf("qemu, kvm and kernel are found where there are none: %+v", found[:3])
	}
}

// TestProbeSeesAnInstalledPart installs a part after a probe that did not find it.
func TestProbeSeesAnInstalledPart(t *testing.T) {
	prober := lab.Prober{Cache: lab.Cache{Dir: t.TempDir()}, KVMDevice: "/nonexistent"}
	prober.QEMU = filepath.Join(t.TempDir(), "qemu")
	if found := prober.Probe(context.Background()); found[0].OK {
		t.Fatalf("found a QEMU that is not there: %+v", found[0])
	}
	if err := os.WriteFile(prober.QEMU, []byte("#!/bin/sh\necho QEMU 9.8.7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if found := prober.Probe(context.Background()); !found[0].OK || found[0].Version != "9.8.7" {
		t.Errorf("does not see the QEMU that was installed: %+v", found[0])
	}
}
