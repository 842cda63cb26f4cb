package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	device "github.com/evetwin/evetwin/core/device/store"
)

// sum is a hash as rows have it.
func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// show looks at small files and publishes what is there. The caller holds mu.
func (x *session) show(paths ...string) {
	type seen struct {
		row device.FileSeen
		ok  bool
	}
	rows := make([]seen, len(paths))
	for i, path := range paths {
		row, ok := x.lookAtFile(path)
		rows[i] = seen{row, ok}
	}
	x.post(func() {
		for i, r := range rows {
			if r.ok {
				x.files.Put(r.row)
			} else {
				x.files.Delete(device.FileKey(paths[i]))
			}
		}
	})
}

// lookAtFile is what is seen of a small file; false if there is none.
func (x *session) lookAtFile(path string) (device.FileSeen, bool) {
	f, err := os.OpenFile(x.host(path), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return device.FileSeen{}, false
	}
	defer func() { _ = f.Close() }()
	if i, err := f.Stat(); err != nil || !i.Mode().IsRegular() {
		return device.FileSeen{}, false
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		x.complain(err)
		return device.FileSeen{}, false
	}
	return device.FileSeen{Path: path, Size: n, Sha256: hex.EncodeToString(h.Sum(nil))}, true
}

// lookAtFiles is what is seen of all small files below a folder, whose folders are watched from now
// on. A folder that is not there has none.
func (x *session) lookAtFiles(dir string) (rows []device.FileSeen, err error) {
	err = filepath.WalkDir(x.host(dir), func(host string, e fs.DirEntry, err error) error {
		path := x.device(host)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // perhaps since a moment
		case err != nil:
			return err
		case e.IsDir() && device.Copies(path):
			return fs.SkipDir
		case e.IsDir():
			x.complain(x.watch.Add(host)) // what is there can be seen without
		case path == dir:
			return unix.ENOTDIR
		case !strings.HasPrefix(e.Name(), durable.Prefix):
			if row, ok := x.lookAtFile(path); ok {
				rows = append(rows, row)
			}
		}
		return nil
	})
	return rows, err
}

// showBlob looks at a blob and publishes what is there. The caller holds mu.
func (x *session) showBlob(sha string) {
	row, ok := x.lookAtBlob(sha)
	x.post(func() {
		if ok {
			x.blobs.Put(row)
		} else {
			x.blobs.Delete(sha)
		}
	})
}

// lookAtBlob is what is seen of a blob. That it has its hash was found when it got its name.
func (x *session) lookAtBlob(sha string) (device.BlobSeen, bool) {
	i, err := os.Lstat(x.blobPath(sha))
	if err != nil || !i.Mode().IsRegular() || !device.IsSha256(sha) {
		return device.BlobSeen{}, false
	}
	return device.BlobSeen{Sha256: sha, Size: i.Size()}, true
}

// lookAtBlobs is what is seen of all blobs; none while the vault is locked. The caller holds mu.
func (x *session) lookAtBlobs() (rows []device.BlobSeen, err error) {
	if !x.open {
		return nil, nil
	}
	list, err := os.ReadDir(x.host(blobsDir))
	for _, e := range list {
		if row, ok := x.lookAtBlob(e.Name()); ok {
			rows = append(rows, row)
		}
	}
	return rows, err
}

// showVolume looks at a volume and publishes what is there, if it can. The caller holds mu.
func (x *session) showVolume(key string) {
	row, ok, err := x.lookAtVolume(key)
	if err != nil {
		x.complain(describe("look at volume", key, err))
		return
	}
	x.post(func() {
		if ok {
			x.volumes.Put(row)
		} else {
			x.volumes.Delete(key)
		}
	})
}
