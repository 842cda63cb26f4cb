package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

// Serial numbers by which the guest finds its own disks.
const (
	rootSerial  = "evetwin-root"
	upperSerial = "evetwin-upper"
)

// kernelLine is the kernel's command line. A kernel that panics resets, which ends the guest.
const kernelLine = "console=ttyS0 quiet panic=-1"

// Start is what a guest is started with, beside its root.
type Start struct {
	// UUID is the application's identity.
	UUID string
	// Boot counts the application's boots, from 1.
	Boot int
	// Hostname is the guest's name; empty means the UUID.
	Hostname string
	// Env is the user's environment, K=V, which goes after the image's.
	Env []string
	// Disks are attached after the guest's own, each mounted if it has a place.
	Disks []DataDisk
	// StopSeconds is how long the payload may take to end after the power button; 0 means 10.
	StopSeconds int
	// TPM says that the guest gets a TPM.
	TPM bool
	// Modules are kernel modules for the payload, beside those of every guest.
	Modules []string
	// NoPowerButton leaves its driver out, for tests of guests that do not obey.
	NoPowerButton bool
}

// DataDisk is a volume of the application.
type DataDisk struct {
	// Disk is the image; its serial number must be set if Dir is.
	Disk qemu.Disk
	// Dir is where it is mounted in the guest; empty means that it is only attached.
	Dir string
	// FSType is its filesystem; empty means ext4.
	FSType string
}

// Parts are what a guest boots from.
type Parts struct {
	// Kernel and Append go to the Spec as they are.
	Kernel, Append string
	// Initrd is the initramfs, made for this one boot.
	Initrd string
	// Disks are all disks, in order.
	Disks []qemu.Disk
}

// Fill puts the parts into a Spec.
func (p Parts) Fill(spec *qemu.Spec) {
	spec.Kernel, spec.Initrd, spec.Append = p.Kernel, p.Initrd, p.Append
	spec.Disks = p.Disks
}

// Machine holds what all guests have in common.
type Machine struct {
	// Cache holds the guest programs.
	Cache lab.Cache
	// Kernel is the guest kernel.
	Kernel lab.Kernel
}

// Boot makes the parts for one boot of a root. The initramfs goes to the file named by initrd.
func (m Machine) Boot(ctx context.Context, root Root, start Start, initrd string) (Parts, error) {
	config, err := m.config(root, start)
	if err != nil {
		return Parts{}, fmt.Errorf("boot %s: %w", start.UUID, err)
	}
	program, err := buildProgram(ctx, m.Cache, initProgram)
	if err != nil {
		return Parts{}, fmt.Errorf("boot %s: %w", start.UUID, err)
	}
	modules, err := m.Kernel.Modules(m.modules(root, start)...)
	if err != nil {
		return Parts{}, fmt.Errorf("boot %s: %w", start.UUID, err)
	}
	for _, file := range modules {
		config.Modules = append(config.Modules, filepath.Base(file))
	}
	if err := writeInitramfs(initrd, root, config, program, modules); err != nil {
		return Parts{}, fmt.Errorf("write initramfs of %s: %w", start.UUID, err)
	}
	parts := Parts{Kernel: m.Kernel.Path, Append: kernelLine, Initrd: initrd}
	if start.TPM {
		parts.Kernel = m.Kernel.Image
	}
	if root.Disk {
		parts.Disks = append(parts.Disks, qemu.Disk{
			Path: filepath.Join(root.Dir, diskFile), ReadOnly: true, Serial: rootSerial})
	}
	if root.Writable {
		parts.Disks = append(parts.Disks, qemu.Disk{
			Path: filepath.Join(root.Dir, upperFile), Serial: upperSerial})
	}
	for _, data := range start.Disks {
		parts.Disks = append(parts.Disks, data.Disk)
	}
	return parts, nil
}

// modules returns the kernel modules a boot needs; each costs its time to insert.
func (m Machine) modules(root Root, start Start) []string {
	modules := append([]string{"virtio_pci", "virtio_net"}, start.Modules...)
	if !start.NoPowerButton {
		modules = append(modules, "button", "evdev")
	}
	if root.Disk || root.Writable || len(start.Disks) > 0 {
		modules = append(modules, "virtio_blk")
	}
	if root.Disk {
		modules = append(modules, "squashfs")
	}
	if root.Disk || root.Writable {
		modules = append(modules, "overlay")
	}
	if slices.ContainsFunc(start.Disks, func(d DataDisk) bool { return d.Disk.CDROM }) {
		modules = append(modules, "isofs")
	}
	return modules
}

// config tells the guest what to do.
func (m Machine) config(root Root, start Start) (boot.Config, error) {
	image := Image{Config: root.Config}
	env := image.environment(start.Env)
	args, err := image.command(env)
	if err != nil {
		return boot.Config{}, err
	}
	if _, ok := lookup(env, "HOME"); !ok {
		env = append(env, "HOME="+root.Home)
	}
	stayUp, _ := lookup(env, noPowerOff)
	config := boot.Config{
		UUID: start.UUID, Boot: start.Boot, Hostname: start.Hostname, Args: args, Env: env,
		Dir: root.Config.WorkingDir, UID: root.UID, GID: root.GID, Groups: root.Groups,
		StayUp: stayUp == "1", StopSeconds: start.StopSeconds,
	}
	if config.Hostname == "" {
		config.Hostname = start.UUID
	}
	if root.Disk {
		config.RootSerial = rootSerial
	}
	if root.Writable {
		config.UpperSerial = upperSerial
	}
	for _, data := range start.Disks {
		if data.Dir == "" {
			continue
		}
		if data.Disk.Serial == "" {
			return boot.Config{}, fmt.Errorf("disk for %s has no serial number", data.Dir)
		}
		kind := data.FSType
		if kind == "" {
			kind = "ext4"
		}
		config.Mounts = append(config.Mounts, boot.Mount{Serial: data.Disk.Serial,
			Dir: data.Dir, FSType: kind, ReadOnly: data.Disk.ReadOnly || data.Disk.CDROM})
	}
	return config, nil
}

// writeInitramfs writes the guest's first program, its modules and its configuration, and behind
// them the root, which is an archive of its own: the kernel takes several in a row.
func writeInitramfs(
	path string, root Root, config boot.Config, program string, modules []string,
) error {
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	err = writeArchive(path, func(w cpio.RecordWriter) error {
		for _, dir := range []string{"dev", filepath.Dir(boot.ConfigPath), boot.ModuleDir} {
			if err := w.WriteRecord(cpio.Directory(dir, 0o755)); err != nil {
				return err
			}
		}
		// Without this node the kernel gives its first program no console.
		console := cpio.CharDev("dev/console", 0o600, 5, 1)
		if err := w.WriteRecord(console); err != nil {
			return err
		}
		if err := addFile(w, boot.InitPath, program, 0o755); err != nil {
			return err
		}
		for _, module := range modules {
			name := filepath.Join(boot.ModuleDir, filepath.Base(module))
			if err := addFile(w, name, module, 0o644); err != nil {
				return err
			}
		}
		return w.WriteRecord(cpio.StaticFile(boot.ConfigPath, string(text), 0o600))
	})
	if err != nil || root.Disk {
		return err
	}
	return appendFile(path, filepath.Join(root.Dir, cpioFile))
}

func addFile(w cpio.RecordWriter, name, path string, mode uint64) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return w.WriteRecord(cpio.StaticFile(name, string(content), mode))
}

func appendFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, source)
	return errors.Join(err, file.Close())
}
