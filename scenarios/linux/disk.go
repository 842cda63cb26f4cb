package linux

import (
	"errors"
	"fmt"
	"os"

	"github.com/evetwin/evetwin/backends/linux/boot/bootdisk"
)

// makeDisk makes an image of a disk with EVE's partitions, of which the first system is active.
// They are empty: the device runs what this machine runs.
func makeDisk(path string) error {
	image, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(image.Truncate(bootdisk.Bytes), image.Close())
	}
	if err == nil {
		err = bootdisk.Write(path, bootdisk.Table())
	}
	if err != nil {
		return fmt.Errorf("make the disk: %w", err)
	}
	return nil
}
