package conform_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/partition/gpt"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	linuxboot "github.com/evetwin/evetwin/backends/linux/boot"
	"github.com/evetwin/evetwin/backends/linux/boot/bootdisk"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/sim/boot"
	"github.com/evetwin/evetwin/backends/sim/disk"
	device "github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/host"
)

// alone is a machine that is not asked for anything.
type alone struct{ host.Machine }

// modelBoot is the simulated part boot.
type modelBoot struct{ *boot.Boot }

// Wire wires the part, and its neighbours.
func (b modelBoot) Wire(k *host.Kernel) { b.Boot.Wire(k, alone{}) }

func TestModelBootConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.Boot(t, model, func(*testing.T) conform.BootSetup {
		d := disk.New(1<<30, 1<<20)
		return conform.BootSetup{Version: d.Boot.Partitions[0].Version,
			Setup: conform.Setup{Cut: cutter(d), Part: modelBoot{&boot.Boot{Disk: d, RTC: true}}},
			Shelve: func(label, state string) {
				for i := range d.Boot.Partitions {
					if p := &d.Boot.Partitions[i]; p.Label == label {
						p.State = state
					}
				}
			},
			Spoil: func() {}, Tear: func(int) {}, Bite: func() { d.Boot.Watchdog = true }}
	})
}

// loopDisk is a disk with EVE's partitions on a loop device.
type loopDisk struct {
	path string
	loop *os.File
}

// newLoopDisk makes the disk; the loop device goes when it is closed, whatever ends the test.
func newLoopDisk(t *testing.T) *loopDisk {
	t.Helper()
	image, err := os.Create(filepath.Join(t.TempDir(), "disk.img"))
	if err == nil {
		err = image.Truncate(bootdisk.Bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = image.Close() }()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = control.Close() }()
	d := &loopDisk{}
	for range 20 { // somebody else may take one meanwhile
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			t.Fatal(err)
		}
		d.path = fmt.Sprintf("/dev/loop%d", n)
		if d.loop, err = os.OpenFile(d.path, os.O_RDWR, 0); err != nil {
			t.Fatal(err)
		}
		config := unix.LoopConfig{Fd: uint32(image.Fd())}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		err = unix.IoctlLoopConfigure(int(d.loop.Fd()), &config)
		if err == nil {
			break
		}
		if err := errors.Join(d.loop.Close(), err); !errors.Is(err, unix.EBUSY) {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := d.loop.Close(); err != nil {
			t.Error(err)
		}
	})
	d.write(t, bootdisk.Table())
	return d
}

func (d *loopDisk) write(t *testing.T, table *gpt.Table) {
	t.Helper()
	if err := bootdisk.Write(d.path, table); err != nil {
		t.Fatal(err)
	}
}

// shelve gives a partition another state.
func (d *loopDisk) shelve(t *testing.T, label, state string) {
	t.Helper()
	disk, err := file.OpenFromPathWithExclusive(d.path, true, false)
	if err != nil {
		t.Fatal(err)
	}
	table, err := gpt.Read(disk, 512, 512)
	if err := errors.Join(err, disk.Close()); err != nil {
		t.Fatal(err)
	}
	for _, p := range table.Partitions {
		if p.Name == label {
			p.Attributes = uint64(device.Attributes(state)) << 48
		}
	}
	d.write(t, table)
}

// spoil overwrites the first copy of the table.
func (d *loopDisk) spoil(t *testing.T) {
	t.Helper()
	noise := make([]byte, 512)
	for i := range noise {
		noise[i] = 0xa5
	}
	if _, err := d.loop.WriteAt(noise, 512); err != nil {
		t.Error(err)
	}
	if _, err := d.loop.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
}

// bootRig is a part boot on disks of its own.
type bootRig struct {
	t       *testing.T
	disk    *loopDisk
	persist *looptest.Disk
	status  string
	current string
	cycles  uint64
	bitten  bool
	left    atomic.Int64 // writes to the table that get to the disk
}

// version is that of the image on a partition.
func (r *bootRig) version(label string) string {
	if label == device.ImgA {
		return "evetwin-1"
	}
	return ""
}

// load is what the firmware does.
func (r *bootRig) load() {
	r.t.Helper()
	label, err := linuxboot.Load(r.disk.path)
	flags := "0x0\n"
	if r.bitten {
		flags = "0x20\n"
	}
	err = errors.Join(err, os.WriteFile(r.status, []byte(flags), 0o600))
	if err != nil || label == "" {
		r.t.Errorf("boot from %q: %v", label, err)
	}
	r.current, r.bitten = label, false
	r.cycles++
	r.left.Store(1 << 30)
}

func TestLinuxBootConforms(t *testing.T) {
	conform.Boot(t, realPart("linux"), func(t *testing.T) conform.BootSetup {
		r := &bootRig{t: t, disk: newLoopDisk(t), persist: looptest.New(t, looptest.Options{MiB: 16}),
			status: filepath.Join(t.TempDir(), "bootstatus")}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		must(os.MkdirAll(filepath.Join(r.persist.Dir, "persist/status"), 0o755))
		must(r.persist.Sync())
		r.load()
		dog := filepath.Join(t.TempDir(), "watchdog")
		must(os.WriteFile(dog, nil, 0o600))
		part := linuxboot.New(linuxboot.Options{Disk: r.disk.path, Root: r.persist.Dir,
			Current: func() (string, error) { return r.current, nil }, Version: r.version,
			PowerCycles: func() (uint64, bool) { return r.cycles, true },
			Watchdog:    dog, Status: r.status, OnError: must,
			Before: func(int64) error {
				if r.left.Add(-1) < 0 {
					return durable.ErrPowerCut
				}
				return nil
			}})
		t.Cleanup(part.Halt)
		cut := func() {
			must(r.persist.Stop())
			part.Halt()
			must(r.persist.Start())
			r.load()
		}
		return conform.BootSetup{Version: r.version(device.ImgA),
			Setup: conform.Setup{Part: part, Cut: cut},
			Shelve: func(label, state string) {
				r.disk.shelve(t, label, state)
			},
			Spoil: func() { r.disk.spoil(t) }, Bite: func() { r.bitten = true },
			Tear: func(steps int) { r.left.Store(int64(steps)) }}
	})
}
