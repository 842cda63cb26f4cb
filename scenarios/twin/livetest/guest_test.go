package livetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// running boots a device and waits until its application answers.
func running(t *testing.T, change func(o *twin.LiveOptions)) (b *bench, bootID string) {
	t.Helper()
	b = newBench(t, change)
	if err := b.PublishDemo(t.Context(), "web", "1"); err != nil {
		t.Fatal(err)
	}
	b.config()
	b.Start()
	return b, b.answers()
}

// TestKilledGuestIsBrokenUntilItIsRestarted kills the QEMU of a container: as with EVE it is
// broken, and comes back when the user says so. Removed with its volume it leaves no files.
func TestKilledGuestIsBrokenUntilItIsRestarted(t *testing.T) {
	var dir string
	b, before := running(t, func(o *twin.LiveOptions) { dir = o.Dir })
	guests := children(t, "qemu-system")
	if len(guests) != 1 {
		t.Fatalf("%d QEMU processes for one guest", len(guests))
	}
	kill(t, guests[0])
	if trouble := b.is(entity.BROKEN); !strings.Contains(trouble, "restart") {
		t.Errorf("the error is %q", trouble)
	}
	if left := children(t, "qemu-system"); len(left) > 0 {
		t.Errorf("a broken guest has processes %v", left)
	}
	b.draft.RestartApp("web")
	b.config()
	if after := b.answers(); after == before {
		t.Error("the guest that was killed answers")
	}
	if len(ls(t, dir, "guests", "*")) == 0 {
		t.Error("a guest has no files")
	}
	b.draft.RemoveApp("web").RemoveVolume("web").RemoveImage("web")
	b.config()
	b.until("the volume is gone", func(*host.Kernel) bool { return len(b.Board.Disk.Volumes) == 0 })
	if left := ls(t, dir, "guests", "*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestPowerCutTakesTheGuests cuts the power while a guest comes up, and once it is up. The next
// boot has one guest again.
func TestPowerCutTakesTheGuests(t *testing.T) {
	b := newBench(t, nil)
	if err := b.PublishDemo(t.Context(), "web", "1"); err != nil {
		t.Fatal(err)
	}
	b.config()
	b.Start()
	cut := func() {
		t.Helper()
		var boot uint64
		b.until("the power goes", func(k *host.Kernel) bool {
			boot = k.BootCount()
			b.Device.Reboot(10 * time.Millisecond)
			return true
		})
		b.until("it boots again", func(k *host.Kernel) bool { return k.BootCount() > boot })
	}
	b.is(entity.BOOTING)
	cut()
	first := b.answers()
	cut()
	if second := b.answers(); first == second {
		t.Error("a guest has outlived the power")
	}
	if guests := children(t, "qemu-system"); len(guests) != 1 {
		t.Errorf("QEMU processes %v for one guest", guests)
	}
}

// TestKeptDeviceNeedsNoNetwork starts a device that has run before, with its cables pulled and
// nothing in the registry: it runs what it has.
func TestKeptDeviceNeedsNoNetwork(t *testing.T) {
	dir := t.TempDir()
	keep := func(o *twin.LiveOptions) { o.Dir, o.Keep = dir, true }
	first, before := running(t, keep)
	first.close()
	second := newBench(t, keep)
	cables := twin.Device{World: second.Board.World, Board: second.Board}
	for _, port := range []string{"eth0", "eth1"} {
		if err := cables.Cable(port, false); err != nil {
			t.Fatal(err)
		}
	}
	second.Start()
	if after := second.answers(); before == after {
		t.Error("a guest has outlived its device")
	}
}

// TestKeptDeviceNeedsItsTPM starts a kept device without the TPM that has its key.
func TestKeptDeviceNeedsItsTPM(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, func(o *twin.LiveOptions) { o.Dir, o.Keep, o.Hyper = dir, true, twin.Model })
	b.close()
	_, err := twin.NewLive(t.Context(), twin.LiveOptions{Dir: dir, Keep: true, Hyper: twin.Model,
		Tpm: twin.Model})
	if err == nil || !strings.Contains(err.Error(), "swtpm") {
		t.Errorf("a device without its key: %v", err)
	}
}
