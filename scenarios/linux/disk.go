package linux

import (
	"errors"
	"fmt"
	"os"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/evetwin/evetwin/core/device/boot"
)

// partitions are EVE's, in order.
var partitions = [...]string{"EFI System", boot.ImgA, boot.ImgB, "CONFIG", "P3"}

// Sizes of the disk in sectors. Its partitions are empty: the device runs what this machine runs.
const (
	sector      = 512
	diskSectors = 16 << 11
	partSectors = 1 << 11
)

// makeDisk makes an image of a disk with EVE's partitions, of which the first system is active.
func makeDisk(path string) (err error) {
	image, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(image.Truncate(diskSectors*sector), image.Close())
	}
	if err != nil {
		return fmt.Errorf("make the disk: %w", err)
	}
	t := &gpt.Table{LogicalSectorSize: sector, PhysicalSectorSize: sector, ProtectiveMBR: true}
	for i, label := range partitions {
		start := uint64((i + 1) * partSectors)
		p := &gpt.Partition{Index: i + 1, Start: start, End: start + partSectors - 1, Name: label,
			Type: gpt.LinuxFilesystem}
		if label == boot.ImgA {
			p.Attributes = uint64(boot.Attributes(boot.Active)) << 48
		}
		t.Partitions = append(t.Partitions, p)
	}
	disk, err := file.OpenFromPathWithExclusive(path, false, false)
	if err != nil {
		return fmt.Errorf("make the disk: %w", err)
	}
	to, err := disk.Writable()
	if err == nil {
		err = t.Write(to, diskSectors*sector)
	}
	if err := errors.Join(err, disk.Close()); err != nil {
		return fmt.Errorf("make the disk: %w", err)
	}
	return nil
}
