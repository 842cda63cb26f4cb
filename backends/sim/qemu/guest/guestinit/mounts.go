package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

// mountKernelFiles mounts the kernel's own filesystems below root.
func mountKernelFiles(root string) error {
	for _, m := range []struct{ kind, dir, data string }{
		{"proc", "proc", ""},
		{"sysfs", "sys", ""},
		{"devtmpfs", "dev", "mode=0755"},
		{"devpts", "dev/pts", "mode=0620,ptmxmode=0666"},
		{"tmpfs", "dev/shm", "mode=1777"},
		{"tmpfs", "run", "mode=0755"},
	} {
		dir := filepath.Join(root, m.dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
		if err := syscall.Mount(m.kind, dir, m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	return nil
}

// insertModules inserts kernel modules in the order given. One that fails costs what it drives,
// not the boot.
func insertModules(names []string) {
	for _, name := range names {
		image, err := os.ReadFile(filepath.Join("/", boot.ModuleDir, name))
		if err != nil {
			say("module %s: %v", name, err)
			continue
		}
		none := []byte{0}
		_, _, errno := syscall.Syscall(syscall.SYS_INIT_MODULE,
			uintptr(unsafe.Pointer(&image[0])), uintptr(len(image)),
			uintptr(unsafe.Pointer(&none[0])))
		if errno != 0 && errno != syscall.EEXIST {
			say("module %s: %v", name, errno)
		}
	}
}

// enterRoot makes the payload's root our own. The root of the initramfs is used as it is, unless
// what is written to it is to be kept; a root on a disk gets a layer above it in any case.
func enterRoot(config boot.Config) error {
	root := filepath.Join("/", boot.RootDir)
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if config.RootSerial != "" || config.UpperSerial != "" {
		merged, err := mountOverlay(config, root)
		if err != nil {
			return err
		}
		root = merged
	}
	if err := mountKernelFiles(root); err != nil {
		return err
	}
	if err := syscall.Chroot(root); err != nil {
		return fmt.Errorf("enter %s: %w", root, err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := os.MkdirAll("/tmp", 0o1777); err != nil {
		return err
	}
	return os.Chmod("/tmp", os.ModeSticky|0o777)
}

// mountOverlay mounts a layer that can be written above the read-only root.
func mountOverlay(config boot.Config, lower string) (string, error) {
	const over, merged = "/over", "/merged"
	for _, dir := range []string{over, merged} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	if config.RootSerial != "" {
		disk, err := diskBySerial(config.RootSerial)
		if err != nil {
			return "", err
		}
		if err := syscall.Mount(disk, lower, "squashfs", syscall.MS_RDONLY, ""); err != nil {
			return "", fmt.Errorf("mount root disk %s: %w", disk, err)
		}
	}
	source, kind := "tmpfs", "tmpfs"
	if config.UpperSerial != "" {
		disk, err := diskBySerial(config.UpperSerial)
		if err != nil {
			return "", err
		}
		source, kind = disk, "ext4"
	}
	if err := syscall.Mount(source, over, kind, 0, ""); err != nil {
		return "", fmt.Errorf("mount the layer above the root: %w", err)
	}
	for _, dir := range []string{"/over/upper", "/over/work"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	layers := "lowerdir=" + lower + ",upperdir=/over/upper,workdir=/over/work"
	if err := syscall.Mount("overlay", merged, "overlay", 0, layers); err != nil {
		return "", fmt.Errorf("mount overlay: %w", err)
	}
	return merged, nil
}

// mountDisks mounts the data disks and returns how to unmount them. A disk that cannot be
// mounted is told on the console; its directory stays empty.
func mountDisks(mounts []boot.Mount) func() {
	var done []string
	for _, m := range mounts {
		if err := mountDisk(m); err != nil {
			say("mount %s: %v", m.Dir, err)
			continue
		}
		done = append(done, m.Dir)
	}
	return func() {
		for i := len(done) - 1; i >= 0; i-- {
			if err := syscall.Unmount(done[i], 0); err != nil {
				say("unmount %s: %v", done[i], err)
			}
		}
	}
}

func mountDisk(m boot.Mount) error {
	disk, err := diskBySerial(m.Serial)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return err
	}
	var flags uintptr
	if m.ReadOnly {
		flags = syscall.MS_RDONLY
	}
	return syscall.Mount(disk, m.Dir, m.FSType, flags, "")
}

// diskBySerial returns the device of the virtio disk with a serial number. Disks appear within
// milliseconds of their driver's insertion.
func diskBySerial(serial string) (string, error) {
	for range 500 {
		found, _ := filepath.Glob("/sys/block/vd*/serial")
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err == nil && strings.TrimSpace(string(text)) == serial {
				device := "/dev/" + filepath.Base(filepath.Dir(file))
				if _, err := os.Stat(device); err == nil {
					return device, nil
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", fmt.Errorf("no disk with serial number %s", serial)
}
