package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/quota"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/store"
)

// volumeDirs are the folders of volumes, and whether they are in the vault.
var volumeDirs = [...]struct {
	path  string
	vault bool
}{{clearDir, false}, {lockerDir, true}}

// lookAtVolume is what is seen of a volume; an error says that it may be there, and cannot be seen.
// The caller holds mu.
func (x *session) lookAtVolume(key string) (none device.VolumeSeen, ok bool, err error) {
	if !device.IsVolumeKey(key) {
		return none, false, nil
	}
	for _, dir := range volumeDirs {
		if dir.vault && !x.open {
			continue
		}
		for _, format := range device.Formats() {
			path := filepath.Join(dir.path, volumeFile(key, format))
			i, err := os.Lstat(x.host(path))
			if err != nil || i.IsDir() != (format == device.Container) ||
				!i.IsDir() && !i.Mode().IsRegular() {
				continue
			}
			row := device.VolumeSeen{VolumeKey: key, Path: path, Format: format,
				Encrypted: dir.vault && x.vaultState() == vault.Encrypted, Used: x.usedBy(x.host(path), format)}
			if format == device.Container {
				_, row.Limit = quota.Of(x.host(path))
			} else {
				row.Size, err = x.virtual(x.host(path), format, i)
			}
			if _, gone := os.Lstat(x.host(path)); gone != nil {
				continue // it went while we looked
			}
			x.complain(describe("look at volume", path, err))
			return row, true, nil
		}
		if name, ok := device.ZvolName(key); ok {
			rows, err := x.zvols(dir.path, dir.vault, name)
			if err != nil {
				return none, false, err
			}
			if len(rows) > 0 {
				return rows[0], true, nil
			}
		}
	}
	return none, false, nil
}

// lookAtVolumes is what is seen of all volumes. The caller holds mu.
func (x *session) lookAtVolumes() (rows []device.VolumeSeen, err error) {
	seen := map[string]bool{}
	for _, dir := range volumeDirs {
		if dir.vault && !x.open {
			continue
		}
		list, err := os.ReadDir(x.host(dir.path))
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			key, _, ok := parseVolume(e.Name())
			if !ok || seen[key] {
				continue
			}
			row, ok, err := x.lookAtVolume(key)
			if err != nil {
				return nil, err
			}
			if ok {
				seen[key] = true
				rows = append(rows, row)
			}
		}
		more, err := x.zvols(dir.path, dir.vault, "")
		if err != nil {
			return nil, err
		}
		for _, row := range more {
			if !seen[row.VolumeKey] {
				seen[row.VolumeKey] = true
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

// createVolume makes a volume under a name that is not seen, and gives it its own when it is whole
// and durable.
func (x *session) createVolume(ctx context.Context, q *device.CreateVolumeReq) (none device.None,
	f *agent.Fault,
) {
	what := "create volume " + q.VolumeKey
	if x.vaultState() == vault.Locked {
		return none, fault(what, errLocked) // it may be in there; so may be what it is made of
	}
	x.mu.Lock()
	_, here, err := x.lookAtVolume(q.VolumeKey)
	x.mu.Unlock()
	if err != nil {
		return none, fault(what, err)
	}
	if here {
		return none, nil
	}
	if code, why := q.Refusal(); code != "" {
		return none, refusal(code, "%s: %s", what, why)
	}
	for _, sha := range q.Blobs {
		if _, ok := x.lookAtBlob(sha); !ok {
			return none, missing("%s: blob %s is not here", what, sha)
		}
	}
	dir := clearDir
	if q.Encrypted {
		dir = lockerDir
	}
	if x.pool != nil && device.Zvol(q.Format) {
		err = x.makeZvol(ctx, q, dir)
	} else {
		err = x.make(ctx, q, x.host(dir))
	}
	if err != nil {
		return none, fault(what, err)
	}
	return none, nil
}

// make makes a volume in a folder.
func (x *session) make(ctx context.Context, q *device.CreateVolumeReq, dir string) error {
	x.mu.Lock()
	err := x.makeDir(dir)
	x.mu.Unlock()
	if err != nil {
		return err
	}
	var temp string
	err = x.o.Disk.Do(durable.Open, dir, func() error {
		temp, err = free(dir)
		return err
	})
	if err != nil {
		return err
	}
	to := filepath.Join(dir, volumeFile(q.VolumeKey, q.Format))
	var size int64
	if q.Format == device.Container {
		err = x.unpackConfined(ctx, q, temp)
		size = used(temp)
	} else {
		err = x.makeDisk(ctx, q, temp)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		x.o.Disk.Discard(temp, err)
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sizes[to] = size
	err = x.o.Disk.Commit(temp, to)
	x.showVolume(q.VolumeKey)
	return err
}

// removeVolume takes the name of a volume away, durably, then what it held.
func (x *session) removeVolume(ctx context.Context, q *device.VolumeReq) (none device.None,
	f *agent.Fault,
) {
	what := "remove volume " + q.VolumeKey
	if x.vaultState() == vault.Locked {
		return none, fault(what, errLocked)
	}
	if !device.IsVolumeKey(q.VolumeKey) {
		return none, nil // there is none of that name
	}
	gone, err := x.unname(q.VolumeKey)
	for _, temp := range gone {
		_ = quota.Limit(temp, 0) // its number may be another's
		err = errors.Join(err, os.RemoveAll(temp))
	}
	err = errors.Join(err, x.destroyZvols(ctx, q.VolumeKey))
	if err != nil {
		return none, fault(what, err)
	}
	if x.o.Removed != nil {
		x.o.Removed(q.VolumeKey)
	}
	return none, nil
}

// unname gives what has the name of a volume names of unfinished things, and returns them.
func (x *session) unname(key string) (gone []string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.showVolume(key)
	for _, dir := range volumeDirs {
		for _, format := range device.Formats() {
			path := filepath.Join(x.host(dir.path), volumeFile(key, format))
			if _, err := os.Lstat(path); err != nil {
				continue
			}
			temp, err := free(x.host(dir.path))
			if err == nil {
				err = x.o.Disk.Do(durable.Remove, path, func() error { return os.Rename(path, temp) })
			}
			if err == nil {
				gone = append(gone, temp)
				err = x.o.Disk.SyncDir(x.host(dir.path))
			}
			if err != nil {
				return gone, err
			}
		}
	}
	return gone, nil
}
