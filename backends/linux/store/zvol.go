package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/zfs"
	device "github.com/evetwin/evetwin/core/device/store"
)

// unfinished is how the names of datasets begin that are none of a volume yet.
const unfinished = "unfinished:"

// errDataset says that a volume cannot be one of ZFS.
var errDataset = errors.New("no dataset has the name of such a volume")

// findPool finds out whether /persist lies on ZFS. The caller holds mu.
func (x *session) findPool() (err error) {
	x.pool, err = zfs.Find(x.ctx, x.o.ZFS, x.host(persistDir))
	x.unsure = err != nil
	return err
}

// dataset is the dataset of the volumes in a folder.
func (x *session) dataset(dir string) string {
	return path.Join(x.pool.Root, strings.TrimPrefix(dir, persistDir))
}

// openPool makes the dataset of the volumes in a folder, and destroys what is unfinished there. The
// caller holds mu.
func (x *session) openPool(dir string) error {
	if x.pool == nil {
		return nil
	}
	at := x.dataset(dir)
	if err := x.pool.Folder(x.ctx, at); err != nil {
		return err
	}
	list, err := x.pool.Volumes(x.ctx, at)
	for _, v := range list {
		if strings.HasPrefix(path.Base(v.Name), unfinished) {
			err = errors.Join(err, x.pool.Destroy(x.ctx, v.Name))
		}
	}
	x.watchDevices(at)
	return err
}

// watchDevices has the folder of devices watched, once there is one.
func (x *session) watchDevices(dataset string) {
	err := x.watch.Add(x.host(device.ZvolPath(dataset)))
	if !errors.Is(err, fs.ErrNotExist) {
		x.complain(err)
	}
}

// zvols are the volumes of datasets: those below one of volumeDirs, or one of these. The caller
// holds mu.
func (x *session) zvols(dir string, vaulted bool, name string) (rows []device.VolumeSeen,
	err error,
) {
	if x.unsure {
		if err := x.findPool(); err != nil {
			return nil, err
		}
	}
	if x.pool == nil || vaulted && !x.open {
		return nil, nil
	}
	at := x.dataset(dir)
	x.watchDevices(at)
	list, err := x.pool.Volumes(x.ctx, path.Join(at, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, v := range list {
		key, ok := device.ZvolKey(path.Base(v.Name))
		row := device.VolumeSeen{VolumeKey: key, Path: device.ZvolPath(v.Name), Format: "raw",
			Size: v.Size, Used: v.Used, Encrypted: vaulted && v.Encrypted}
		if _, gone := os.Stat(x.host(row.Path)); ok && gone == nil && path.Dir(v.Name) == at {
			rows = append(rows, row)
		}
	}
	return rows, err
}

// makeZvol makes a volume of ZFS under a name that is not seen, and gives it its own when it is
// whole and durable.
func (x *session) makeZvol(ctx context.Context, q *device.CreateVolumeReq, dir string) error {
	name, ok := device.ZvolName(q.VolumeKey)
	if !ok {
		return errDataset
	}
	size := q.Size
	if len(q.Blobs) > 0 {
		about, err := x.inspect(ctx, x.blobPath(q.Blobs[0]), q.Format)
		if err != nil {
			return err
		}
		size = max(size, about.Size)
	}
	at := x.dataset(dir)
	temp := path.Join(at, unfinished+name)
	err := x.o.Disk.Do(durable.Open, temp, func() error {
		err := x.pool.Create(ctx, temp, device.ZvolSize(size), device.ZvolBlock)
		if errors.Is(err, fs.ErrExist) { // a call that was cancelled could not tidy up
			err = x.pool.Destroy(ctx, temp)
			if err == nil {
				err = x.pool.Create(ctx, temp, device.ZvolSize(size), device.ZvolBlock)
			}
		}
		return err
	})
	if err == nil {
		err = x.fillZvol(ctx, q, temp)
	}
	if err != nil {
		x.discard(temp, err)
		return err
	}
	to := path.Join(at, name)
	err = x.o.Disk.Do(durable.Rename, to, func() error { return x.pool.Rename(ctx, temp, to) })
	if err != nil {
		x.discard(temp, err)
		return err
	}
	err = appears(ctx, x.host(device.ZvolPath(to)))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.showVolume(q.VolumeKey)
	return err
}

// fillZvol writes what a zvol is made of to it, durably.
func (x *session) fillZvol(ctx context.Context, q *device.CreateVolumeReq, name string) error {
	to := x.host(device.ZvolPath(name))
	if err := appears(ctx, to); err != nil || len(q.Blobs) == 0 {
		return err
	}
	err := x.o.Disk.Do(durable.Write, to, func() error {
		_, err := x.qemuImg(ctx, nil, "convert", "-q", "--target-is-zero", "-t", "writeback", "-W", "-n",
			"-f", driver(q.Format), "-O", "raw", x.blobPath(q.Blobs[0]), to)
		return err
	})
	if err != nil {
		return err
	}
	return x.o.Disk.Do(durable.Sync, to, func() error {
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// discard removes an unfinished zvol after an error that is no power cut. If it cannot, the next
// boot does.
func (x *session) discard(name string, after error) {
	if !errors.Is(after, durable.ErrPowerCut) {
		ctx, stop := context.WithTimeout(context.Background(), deviceWait)
		defer stop()
		_ = x.pool.Destroy(ctx, name)
	}
}

// destroyZvols removes the zvols of a volume.
func (x *session) destroyZvols(ctx context.Context, key string) error {
	name, ok := device.ZvolName(key)
	if x.pool == nil || !ok {
		return nil
	}
	var errs []error
	for _, dir := range volumeDirs {
		at := path.Join(x.dataset(dir.path), name)
		errs = append(errs, x.o.Disk.Do(durable.Remove, at,
			func() error { return x.pool.Destroy(ctx, at) }))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.showVolume(key)
	return errors.Join(errs...)
}

// zvolOf is the key of the volume whose device has a path; false if it is none.
func (x *session) zvolOf(dir, name string) (key string, ok bool) {
	if x.pool == nil {
		return "", false
	}
	for _, d := range volumeDirs {
		if dir == device.ZvolPath(x.dataset(d.path)) {
			return device.ZvolKey(name)
		}
	}
	return "", false
}

// poolSpace is how many bytes ZFS has for /persist, and how many of them are taken by anything but
// zvols. The caller holds mu.
func (x *session) poolSpace() (total, taken int64, err error) {
	taken, free, err := x.pool.Space(x.ctx)
	if err != nil {
		return 0, 0, err
	}
	total = taken + free
	list, err := x.pool.Volumes(x.ctx, x.pool.Root)
	for _, v := range list {
		taken -= v.Taken
	}
	return total, taken, err
}
