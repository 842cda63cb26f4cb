package store

import (
	"context"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/store/quota"
	device "github.com/evetwin/evetwin/core/device/store"
)

// firstProject begins the numbers of the projects of containers: lower ones are others'.
const firstProject = 1 << 31

// project is a number that no container has: that of a volume's key, unless another one has it.
func (x *session) project(key string) uint32 {
	taken := map[uint32]bool{}
	for _, dir := range volumeDirs {
		found, _ := filepath.Glob(filepath.Join(x.host(dir.path), "*")) // unfinished ones, too
		for _, path := range found {
			id, _ := quota.Of(path)
			taken[id] = true
		}
	}
	id := firstProject | crc32.ChecksumIEEE([]byte(key))
	for taken[id] {
		id = firstProject | (id + 1)
	}
	return id
}

// confine makes the folder of a container, and has the file system count what is made in it. bound
// has that be at most so many bytes from then on, or what is there if that is more. Where the file
// system cannot do it, the folder is one like any other.
func (x *session) confine(key, dir string, size int64) (bound func(), err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if size == 0 {
		return func() {}, nil
	}
	x.projects.Lock()
	defer x.projects.Unlock()
	if quota.Begin(dir, x.project(key)) != nil {
		return func() {}, nil
	}
	_ = quota.Limit(dir, 0) // who had the number before may have left one
	return func() {
		_ = quota.Limit(dir, max(size, used(dir))) // whether there is one is looked at
	}, nil
}

// unpackConfined makes the folder of a container that takes no more than was asked for.
func (x *session) unpackConfined(ctx context.Context, q *device.CreateVolumeReq, to string) error {
	bound, err := x.confine(q.VolumeKey, to, q.Size)
	if err == nil {
		err = x.unpack(ctx, q.Blobs, to)
	}
	if err == nil {
		bound()
	}
	return err
}
