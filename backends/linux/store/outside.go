package store

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/watch"
	device "github.com/evetwin/evetwin/core/device/store"
)

// Changed looks at a name in which something happened, whoever did it.
func (x *session) Changed(host, name string) {
	if strings.HasPrefix(name, durable.Prefix) {
		return // unfinished, and ours
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx.Err() != nil {
		return
	}
	switch dir := x.device(host); {
	case dir == blobsDir && name != "":
		if device.IsSha256(name) {
			x.showBlob(name)
		}
	case (dir == clearDir || dir == lockerDir) && name != "":
		if key, _, ok := parseVolume(name); ok {
			x.showVolume(key)
		}
	case name == "":
		x.look() // a folder is gone; a new one of its name may be there
	case strings.HasPrefix(dir, "/dev/"):
		if key, ok := x.zvolOf(dir, name); ok {
			x.showVolume(key)
		}
	default:
		x.changed(filepath.Join(dir, name))
	}
}

// changed looks at a small file, or at a folder of them that came or went.
func (x *session) changed(path string) {
	if i, err := os.Lstat(x.host(path)); err == nil && i.IsDir() {
		rows, err := x.lookAtFiles(path)
		x.complain(describe("look at", path, err))
		x.post(func() {
			for _, row := range rows {
				x.files.Put(row)
			}
		})
		return
	}
	x.show(path)
	x.post(func() { // it may have been a folder, and moved away
		for key := range x.files.Prefixed(device.FileKey(path + "/")) {
			x.files.Delete(key)
		}
	})
}

// Lost looks at everything: more happened than was told.
func (x *session) Lost() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx.Err() == nil {
		x.look()
	}
}

var _ watch.Listener = (*session)(nil)
