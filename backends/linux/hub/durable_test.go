package hub_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A durable turn is seen by nobody until the disk has it: while there is no room it is not there
// for one who subscribes anew, and when there is room again it comes.
func TestDurableBeforeVisible(t *testing.T) {
	dir := short(t)
	disk := filepath.Join(dir, "j")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("hub", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	h, a := start(t, dir, "hub"), start(t, dir, "a")
	a.tell("deed one 1")
	a.settle()
	fill(t, filepath.Join(disk, "filler"))
	a.tell("large one 2") // more than the last page of the journal has room for
	h.await("line host journal write journal")
	b := start(t, dir, "b")
	b.await("began () (one=1) false")
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	b.await("deed one 2")
	a.settle()
	b.kill()
	h.kill()
	a.kill()
	start(t, dir, "hub")
	start(t, dir, "b").await("began () (one=2) false")
}

// fill leaves a disk without room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); errors.Is(err, unix.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A reboot of the device ends the processes of the life before; those that come then find what was
// durable and nothing else.
func TestRebootIsANewLife(t *testing.T) {
	dir, _, a, b := device(t)
	a.tells("put one 1", "deed done 1")
	a.settle()
	a.tell("work last reboot")
	a.await("error the device has booted since")
	b.await("error the device has booted since")
	start(t, dir, "a").await("began () (done=1)")
	start(t, dir, "b").await("began () (done=1) false")
}
