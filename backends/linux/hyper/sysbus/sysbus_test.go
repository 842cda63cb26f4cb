package sysbus_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/hyper/sysbus"
)

const at = "0000:01:00.0"

// tree is a sysfs of files with one adapter, which driver e1000 has, and one USB device.
func tree(t *testing.T) string {
	t.Helper()
	sys := t.TempDir()
	for name, text := range map[string]string{
		"bus/pci/devices/" + at + "/driver_override": "", "bus/pci/drivers/e1000/unbind": "",
		"bus/pci/drivers/pciback/new_slot": "", "bus/pci/drivers/pciback/unbind": "",
		"bus/pci/drivers/vfio-pci/unbind": "", "bus/pci/drivers_probe": "",
		"bus/usb/devices/1-2.4/busnum": "1\n", "bus/usb/devices/1-2.4/devnum": "17\n",
		"bus/usb/devices/1-3/busnum": "1\n", "bus/usb/devices/1-3/devnum": "?\n"} {
		path := filepath.Join(sys, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	drive(t, sys, "e1000")
	return sys
}

// drive is the kernel giving the adapter to a driver.
func drive(t *testing.T, sys, driver string) {
	t.Helper()
	link := filepath.Join(sys, "bus/pci/devices", at, "driver")
	if err := os.RemoveAll(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../../bus/pci/drivers/"+driver, link); err != nil {
		t.Fatal(err)
	}
}

// wrote wants files to have taken orders, and empties them.
func wrote(t *testing.T, sys string, want map[string]string) {
	t.Helper()
	for name, text := range want {
		path := filepath.Join(sys, "bus/pci", name)
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%s took %q (%v), want %q", name, got, err, text)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMoved(t *testing.T) {
	for _, driver := range []string{sysbus.VFIO, sysbus.Pciback} {
		t.Run(driver, func(t *testing.T) {
			sys := tree(t)
			b := sysbus.Bus{Sys: sys, Driver: driver}
			all, err := b.Adapters()
			if err != nil || !slices.Equal(all, []string{at}) || b.Bound(at) {
				t.Fatalf("adapters %v (%v), away from the host: %v", all, err, b.Bound(at))
			}
			if err := b.Bind(at); err != nil {
				t.Fatal(err)
			}
			slot := map[string]string{sysbus.VFIO: "", sysbus.Pciback: at}[driver]
			wrote(t, sys, map[string]string{"devices/" + at + "/driver_override": driver,
				"drivers/e1000/unbind": at, "drivers_probe": at, "drivers/pciback/new_slot": slot})
			drive(t, sys, driver)
			if !b.Bound(at) {
				t.Error("an adapter that the driver for guests has is with the host")
			}
			if err := b.Release(at); err != nil {
				t.Fatal(err)
			}
			wrote(t, sys, map[string]string{"devices/" + at + "/driver_override": "\n",
				"drivers/" + driver + "/unbind": at, "drivers_probe": at, "drivers/e1000/unbind": ""})
		})
	}
}

func TestUSB(t *testing.T) {
	b := sysbus.Bus{Sys: tree(t)}
	if bus, n, err := b.USB("1:2.4"); bus != 1 || n != 17 || err != nil {
		t.Errorf("what is at 1:2.4 is %d:%d, %v", bus, n, err)
	}
	if _, _, err := b.USB("1:9"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not plugged in: %v", err)
	}
	for _, bad := range []string{"1:3", "1-2.4", "../1:2", ""} {
		if _, _, err := b.USB(bad); err == nil || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q is taken: %v", bad, err)
		}
	}
}

func TestNoPCI(t *testing.T) {
	b := sysbus.Bus{Sys: t.TempDir(), Driver: sysbus.VFIO}
	if all, err := b.Adapters(); len(all) != 0 || err != nil {
		t.Errorf("a machine without PCI has %v, %v", all, err)
	}
	if err := b.Bind(at); err == nil {
		t.Error("an adapter that is not there is bound")
	}
}
