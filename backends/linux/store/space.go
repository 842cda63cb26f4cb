package store

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/store"
)

// What of /persist is the system's: at least so large a part, or so many bytes.
const (
	systemPart  = 5 // a fifth
	systemBytes = 2 << 30
)

// lookAtSpace is the space of /persist. Reserved is what is taken by anything but applications, or
// the part that is the system's if that is more, and the logs'; it is told in whole MiB, so that
// not every write changes it.
func (x *session) lookAtSpace() (device.SpaceSeen, error) {
	var s unix.Statfs_t
	dir := x.host(persistDir)
	if err := unix.Statfs(dir, &s); err != nil {
		return device.SpaceSeen{}, fmt.Errorf("look at the space of %s: %w", dir, err)
	}
	total := int64(s.Blocks) * s.Bsize
	system := total - int64(s.Bfree)*s.Bsize
	for _, dir := range []string{clearDir, vaultDir} {
		system -= used(x.host(dir))
	}
	reserved := max(system, min(total/systemPart, systemBytes)) + x.o.LogQuota
	const unit = 1 << 20
	reserved = min((reserved+unit-1)/unit*unit, total)
	return device.SpaceSeen{Total: total, Reserved: reserved}, nil
}

// used is how many bytes on the disk a file has, or all that is below a folder. What cannot be
// looked at has none.
func used(path string) (n int64) {
	type file struct{ dev, ino uint64 }
	links := map[file]bool{}
	_ = filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		var s unix.Stat_t
		if err != nil || unix.Lstat(path, &s) != nil {
			return nil
		}
		if f := (file{s.Dev, s.Ino}); s.Nlink > 1 && s.Mode&unix.S_IFMT != unix.S_IFDIR {
			if links[f] {
				return nil
			}
			links[f] = true
		}
		n += s.Blocks * 512
		return nil
	})
	return n
}

// room reports an error if fewer bytes are free than are needed, so that nothing is begun that
// cannot be finished.
func (x *session) room(need int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(x.host(persistDir), &s); err != nil {
		return err
	}
	if int64(s.Bavail)*s.Bsize < need {
		return unix.ENOSPC
	}
	return nil
}
