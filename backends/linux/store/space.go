package store

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/store"
)

// What of /persist is the system's: at least so large a part, or so many bytes.
const (
	systemPart  = 5 // a fifth
	systemBytes = 2 << 30
)

// lookAtSpace is the space of /persist, on which there are these volumes. Reserved is what is taken
// by anything but applications, or the part that is the system's if that is more, and the logs'; it
// is told in whole MiB, so that not every write changes it. The caller holds mu.
func (x *session) lookAtSpace(volumes []device.VolumeSeen) (device.SpaceSeen, error) {
	var s unix.Statfs_t
	dir := x.host(persistDir)
	if err := unix.Statfs(dir, &s); err != nil {
		return device.SpaceSeen{}, fmt.Errorf("look at the space of %s: %w", dir, err)
	}
	total := int64(s.Blocks) * s.Bsize
	system := total - int64(s.Bfree)*s.Bsize
	if x.pool != nil {
		var err error
		if total, system, err = x.poolSpace(); err != nil {
			return device.SpaceSeen{}, err
		}
	}
	for _, v := range volumes {
		if !strings.HasPrefix(v.Path, "/dev/") {
			system -= v.Used
		}
	}
	if x.open {
		system -= used(x.host(blobsDir)) + used(x.host(downloadDir))
	}
	reserved := max(system, min(total/systemPart, systemBytes)) + x.o.LogQuota
	const unit = 1 << 20
	reserved = min((reserved+unit-1)/unit*unit, total)
	return device.SpaceSeen{Total: total, Reserved: reserved}, nil
}

// used is how many bytes on the disk a file has, or all that is below a folder and on its file
// system, as du -x counts them. What cannot be looked at has none.
func used(path string) (n int64) {
	type file struct{ dev, ino uint64 }
	links := map[file]bool{}
	var top unix.Stat_t
	if unix.Lstat(path, &top) != nil {
		return 0
	}
	_ = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		var s unix.Stat_t
		switch {
		case err != nil, unix.Lstat(path, &s) != nil:
			return nil
		case s.Dev != top.Dev && e.IsDir():
			return fs.SkipDir
		case s.Dev != top.Dev:
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

// measure looks at how much containers take, of which each may be a large tree. The caller does not
// hold mu: meanwhile all goes on.
func (x *session) measure() {
	var paths []string
	for _, dir := range volumeDirs {
		found, err := filepath.Glob(filepath.Join(x.host(dir.path), "*."+device.Container))
		x.complain(err)
		paths = append(paths, found...)
	}
	sizes := map[string]int64{}
	for _, path := range paths {
		if x.ctx.Err() == nil {
			sizes[path] = used(path)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sizes = sizes
}

// usedBy is how many bytes on the disk a volume has, or had when it was measured. The caller holds
// mu.
func (x *session) usedBy(path, format string) int64 {
	if format != device.Container {
		return used(path)
	}
	n, ok := x.sizes[path]
	if !ok {
		n = used(path)
		x.sizes[path] = n
	}
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
