// Package looptest gives tests a disk of their own: an ext4 file system in an image file, on a loop
// device, that can be full and whose power can be cut. It needs root.
package looptest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
)

// Options of a disk.
type Options struct {
	// MiB is the size of the disk; 0 means 64.
	MiB int
	// Inodes is how many files there can be; 0 means enough.
	Inodes int
	// Plain leaves out the feature that folders can be encrypted.
	Plain bool
	// Quotas has the file system limit what projects take; see Quotas.
	Quotas bool
}

// Disk is a file system on a loop device. It goes with its test, and with its process whatever ends
// that: it is mounted nowhere but in a descriptor, and its loop device ends with it.
type Disk struct {
	// Dir leads to the file system, for this process and its children.
	Dir string

	image string
	mnt   int // descriptor; it keeps its number
	flags []string
}

// New makes a disk.
func New(t testing.TB, o Options) *Disk {
	t.Helper()
	d, err := create(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Quotas says why this machine has no disk with quotas; nil if it has.
func Quotas(t testing.TB) error {
	t.Helper()
	_, err := create(t, Options{MiB: 16, Quotas: true})
	return err
}

// create is New; an error is that of mounting.
func create(t testing.TB, o Options) (*Disk, error) {
	t.Helper()
	mkfs := labtest.Program(t, "mke2fs")
	if os.Getuid() != 0 {
		labtest.Missing(t, "a disk of one's own needs root")
	}
	d := &Disk{image: filepath.Join(t.TempDir(), "disk.img"), mnt: -1}
	if o.MiB == 0 {
		o.MiB = 64
	}
	extended, features := "nodiscard", ""
	if o.Quotas {
		extended += ",quotatype=prjquota"
		features = ",quota,project"
		d.flags = []string{"prjquota"}
	}
	args := []string{"-q", "-F", "-t", "ext4", "-b", "1024", "-m", "0", "-E", extended}
	if o.Inodes > 0 {
		args = append(args, "-N", strconv.Itoa(o.Inodes))
	}
	if !o.Plain {
		args = append(args, "-O", "encrypt"+features)
	}
	args = append(args, d.image, strconv.Itoa(o.MiB)+"M")
	if out, err := exec.CommandContext(t.Context(), mkfs, args...).CombinedOutput(); err != nil {
		t.Fatalf("make a file system: %v: %s", err, out)
	}
	if err := d.mount(); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := unix.Close(d.mnt); err != nil {
			t.Error(err)
		}
	})
	return d, nil
}

// mount attaches the image to a loop device, which goes when it is unmounted, and mounts it.
func (d *Disk) mount() error {
	image, err := os.OpenFile(d.image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = image.Close() }()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("find a loop device: %w", err)
	}
	defer func() { _ = control.Close() }()
	for range 20 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return fmt.Errorf("find a loop device: %w", err)
		}
		err = d.attach(fmt.Sprintf("/dev/loop%d", n), image)
		if !errors.Is(err, unix.EBUSY) { // somebody else has taken it meanwhile
			return err
		}
	}
	return fmt.Errorf("find a loop device: %w", unix.EBUSY)
}

// attach mounts the image by a loop device.
func (d *Disk) attach(path string, image *os.File) error {
	loop, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = loop.Close() }()
	config := unix.LoopConfig{Fd: uint32(image.Fd())}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if err := unix.IoctlLoopConfigure(int(loop.Fd()), &config); err != nil {
		return fmt.Errorf("attach %s: %w", path, err)
	}
	mnt, err := open(path, d.flags)
	if err != nil {
		return fmt.Errorf("mount %s: %w", path, err)
	}
	if d.mnt < 0 {
		d.mnt, d.Dir = mnt, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), mnt)
		return nil
	}
	return errors.Join(unix.Dup3(mnt, d.mnt, unix.O_CLOEXEC), unix.Close(mnt))
}

// open mounts a device and returns the descriptor of the mount.
func open(device string, flags []string) (int, error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer func() { _ = unix.Close(fs) }()
	err = unix.FsconfigSetString(fs, "source", device)
	if err == nil {
		// Long between commits: what is not synced does not get to the disk by itself.
		err = unix.FsconfigSetString(fs, "commit", "600")
	}
	for _, flag := range flags {
		if err == nil {
			err = unix.FsconfigSetFlag(fs, flag)
		}
	}
	if err == nil {
		err = unix.FsconfigCreate(fs)
	}
	if err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOATIME)
}

// shutdown is EXT4_IOC_SHUTDOWN, and noFlush that the journal is not written out.
const (
	shutdown = 0x8004587d
	noFlush  = 2
)

// Stop takes the power from the disk: nothing gets to it any more, whatever was written and not
// synced.
func (d *Disk) Stop() error {
	f, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	how := uint32(noFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how)))
	if errno != 0 {
		return errors.Join(fmt.Errorf("stop %s: %w", d.Dir, errno), f.Close())
	}
	return f.Close()
}

// Start gives a disk that was stopped its power back; nobody may have a file of it open.
func (d *Disk) Start() error {
	nothing, err := unix.Open("/dev/null", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	// The old mount ends here, before the next begins.
	err = errors.Join(unix.Dup3(nothing, d.mnt, unix.O_CLOEXEC), unix.Close(nothing))
	if err != nil {
		return fmt.Errorf("end the old mount: %w", err)
	}
	return d.mount()
}

// Sync makes all durable that was written.
func (d *Disk) Sync() error {
	f, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}

// Free is how many bytes can still be written.
func (d *Disk) Free() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.Dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// Fill takes up space until so many bytes are free, in a file of that path; a negative number gives
// all of it back.
func (d *Disk) Fill(path string, free int64) error {
	if err := os.RemoveAll(path); err != nil || free < 0 {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var size int64
	for {
		if err := d.Sync(); err != nil { // what was deleted is free only then
			return errors.Join(err, f.Close())
		}
		now, err := d.Free()
		if err != nil || now <= free {
			return errors.Join(err, f.Close())
		}
		// Extents take blocks of their own.
		more := max((now-free)&^1023-(now-free)/256&^1023, 1024)
		if err := unix.Fallocate(int(f.Fd()), 0, size, more); err != nil {
			return errors.Join(fmt.Errorf("fill %s: %w", d.Dir, err), f.Close())
		}
		size += more
	}
}
