// Package bootdisk makes disks with EVE's partitions, for labs and tests: a table as an installer
// of the device leaves it, and nothing in the partitions.
package bootdisk

import (
	"errors"
	"fmt"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/partition/gpt"

	device "github.com/evetwin/evetwin/core/device/boot"
)

// Bytes is the size of the disk.
const Bytes = 16 << 20

// Sizes in bytes and sectors. The first partition begins behind room for the table.
const (
	sector      = 512
	partSectors = 1 << 11
)

// Table is EVE's partitions, of which the first system is active.
func Table() *gpt.Table {
	t := &gpt.Table{LogicalSectorSize: sector, PhysicalSectorSize: sector, ProtectiveMBR: true}
	for i, label := range []string{"EFI System", device.ImgA, device.ImgB, "CONFIG", "P3"} {
		start := uint64((i + 1) * partSectors)
		p := &gpt.Partition{Index: i + 1, Start: start, End: start + partSectors - 1, Name: label,
			Type: gpt.LinuxFilesystem}
		if label == device.ImgA {
			p.Attributes = uint64(device.Attributes(device.Active)) << 48
		}
		t.Partitions = append(t.Partitions, p)
	}
	return t
}

// Write writes a table to a disk of Bytes, a device or an image.
func Write(path string, t *gpt.Table) error {
	disk, err := file.OpenFromPathWithExclusive(path, false, false)
	if err != nil {
		return fmt.Errorf("write the partitions of %s: %w", path, err)
	}
	to, err := disk.Writable()
	if err == nil {
		err = t.Write(to, Bytes)
	}
	if err := errors.Join(err, disk.Close()); err != nil {
		return fmt.Errorf("write the partitions of %s: %w", path, err)
	}
	return nil
}
