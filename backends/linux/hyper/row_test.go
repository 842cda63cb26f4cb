package hyper

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	device "github.com/evetwin/evetwin/core/device/hyper"
)

func TestRowOfNote(t *testing.T) {
	began := time.Unix(1_700_000_000, 0).UTC()
	for _, c := range []struct {
		name string
		note note
		is   condition
		want device.State
		self bool
	}{
		{"never started", note{}, offUnknown, device.Defined, false},
		{"never started, and the start went wrong", note{}, offCrashed, device.Defined, false},
		{"runs", note{BootedAt: began}, executing, device.Running, false},
		{"asked", note{BootedAt: began, Asked: true}, executing, device.Halting, false},
		{"suspended", note{BootedAt: began}, paused, device.Paused, false},
		{"goes by itself", note{BootedAt: began}, goingDown, device.Running, false},
		{"goes as asked", note{BootedAt: began, Asked: true}, goingDown, device.Halting, false},
		{"went by itself", note{BootedAt: began}, offShutdown, device.Halted, true},
		{"went as asked", note{BootedAt: began, Asked: true}, offShutdown, device.Halted, false},
		{"turned off", note{BootedAt: began}, offKilled, device.Halted, false},
		{"crashed", note{BootedAt: began}, offCrashed, device.Broken, false},
		{"crashed as it was asked", note{BootedAt: began, Asked: true}, offCrashed, device.Broken, false},
		{"ended while nobody looked", note{BootedAt: began}, offUnknown, device.Broken, false},
	} {
		n := c.note
		if !c.is.alive() && !n.BootedAt.IsZero() {
			n.End = n.ended(c.is)
		}
		text, err := n.text()
		if err != nil {
			t.Fatal(err)
		}
		back, err := readNote(text)
		if err != nil {
			t.Fatal(err)
		}
		got := back.row(c.is)
		if got.State != c.want || got.Guest != c.self || !got.BootedAt.Equal(c.note.BootedAt) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if off := c.want == device.Halted || c.want == device.Broken; off != (got.Reason != "") {
			t.Errorf("%s: reason %q", c.name, got.Reason)
		}
	}
	if n, err := readNote([]byte("{")); n != nil && err == nil {
		t.Errorf("half a note is %+v", n)
	}
}

func TestAssigned(t *testing.T) {
	sys := t.TempDir()
	dir := filepath.Join(sys, "bus/usb/devices/1-2")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"busnum": "1\n", "devnum": "9\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := &boot{o: Options{Type: domxml.QEMU, Sys: sys}}
	n := &note{Spec: device.Spec{Name: "a", MemoryKiB: 64 << 10, Adapters: []device.Assigned{
		{Phylabel: "eth1", PciLong: "0000:01:00.0"}, {Phylabel: "USB1", UsbAddr: "1:2"},
		{Phylabel: "COM1", Serial: "/dev/ttyS1"}}}}
	got, err := b.describe(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := qemu.Spec{PCI: []string{"0000:01:00.0"}, Ports: []string{"/dev/ttyS1"},
		USB: []qemu.USBDevice{{Bus: 1, Device: 9}}}
	passed := qemu.Spec{PCI: got.Spec.PCI, Ports: got.Spec.Ports, USB: got.Spec.USB}
	if diff := cmp.Diff(want, passed); diff != "" {
		t.Errorf("what is passed through (-want +got):\n%s", diff)
	}
	n.Spec.Adapters = []device.Assigned{{Phylabel: "USB2", UsbAddr: "1:3"}}
	_, err = b.describe(n, nil)
	if f := fault(err); f == nil || f.Code != device.FaultMissing || !f.Retry {
		t.Errorf("a device that is not plugged in: %+v", f)
	}
}
