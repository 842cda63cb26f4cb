package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/vault"
	"github.com/evetwin/evetwin/backends/linux/store/watch"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/store"
)

// usageEvery is how often the use of space is looked at: nobody tells of it.
const usageEvery = 5 * time.Minute

// retryEvery is how often a disk that fails is looked at.
const retryEvery = time.Minute

// boot looks at the disk for the first time: at small files, whereupon calls may begin, and then at
// the rest, which may be much.
func (x *session) boot() {
	if x.bootFiles() {
		x.lookAgain()
	}
}

// bootFiles is the first part of a boot; without it nothing is complete, and no call begins.
func (x *session) bootFiles() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	w, err := watch.New(x)
	if err != nil {
		x.complain(err)
		return false
	}
	x.watch = w
	x.complain(x.opened())
	r := x.remember()
	x.post(func() { x.learn(r) })
	x.lookAtAllFiles()
	x.post(func() {
		x.ready = true
		for _, f := range x.waiting {
			f()
		}
		x.waiting = nil
	})
	return true
}

// opened makes the folders, opens the vault, and removes what is unfinished. An error does not keep
// the rest from being done.
func (x *session) opened() error {
	var errs []error
	for _, dir := range append(device.Directories(), clearDir) {
		if dir != device.ConfigDir {
			errs = append(errs, x.makeDir(x.host(dir)))
		}
	}
	for _, dir := range append(device.Directories(), clearDir, filepath.Dir(secretsFile)) {
		if dir != device.ConfigDir {
			errs = append(errs, x.sweep(x.host(dir)))
		}
	}
	errs = append(errs, x.findPool(), x.openPool(clearDir))
	return errors.Join(append(errs, x.openedVault())...)
}

// openedVault opens the vault and what is in it. The caller holds mu.
func (x *session) openedVault() error {
	state, err := x.openVault()
	if err != nil || state == vault.Locked {
		return err
	}
	errs := []error{x.makeDir(x.host(blobsDir)), x.makeDir(x.host(lockerDir)),
		x.sweep(x.host(lockerDir)), x.openPool(lockerDir), x.o.Downloads.Recover()}
	x.open = true
	return errors.Join(errs...)
}

// sweep removes what is unfinished in a folder, and in those below it.
func (x *session) sweep(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		_, _, volume := parseVolume(filepath.Base(path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case volume && e.IsDir():
			return fs.SkipDir // what is in a container is its own
		case e.IsDir():
			return x.o.Disk.Sweep(path)
		}
		return nil
	})
}

// unlock opens the vault and looks at it.
func (x *session) unlock() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.watch == nil || x.ctx.Err() != nil {
		return errors.New("unlock the vault: the part is not up")
	}
	if err := x.openedVault(); err != nil {
		return err
	}
	if !x.open {
		_, err := x.Vault()
		return err
	}
	x.look()
	return nil
}

// look looks at everything and publishes what is there, and nothing else. The caller holds mu.
func (x *session) look() {
	x.lookAtAllFiles()
	x.lookAtRest()
}

// lookAtAllFiles looks at small files. If it cannot, nothing is said to be absent.
func (x *session) lookAtAllFiles() {
	var files []device.FileSeen
	for _, dir := range device.Directories() {
		more, err := x.lookAtFiles(dir)
		if err != nil {
			x.complain(describe("look at", dir, err))
			return
		}
		files = append(files, more...)
	}
	x.known = true
	x.post(func() {
		replace(x.files, files)
		x.files.Complete()
	})
}

// lookAtRest looks at blobs, volumes and space, and reports whether it could.
func (x *session) lookAtRest() bool {
	open := x.open
	blobs, err := x.lookAtBlobs()
	volumes, err2 := x.lookAtVolumes()
	space, err3 := x.lookAtSpace(volumes)
	if err := errors.Join(err, err2, err3); err != nil {
		x.complain(err)
		return false
	}
	x.post(func() {
		replace(x.blobs, blobs)
		replace(x.volumes, volumes)
		x.space.Put(space)
		x.space.Complete()
		if open {
			x.blobs.Complete()
			x.volumes.Complete()
		}
	})
	return true
}

// replace makes a table one of these rows.
func replace[V bus.Row](p *bus.Pub[V], rows []V) {
	slices.SortFunc(rows, func(a, b V) int { return strings.Compare(a.Key(), b.Key()) })
	keys := make([]string, 0, len(rows))
	for _, row := range rows {
		p.Put(row)
		keys = append(keys, row.Key())
	}
	p.Keep(func(key string) bool {
		_, found := slices.BinarySearch(keys, key)
		return found
	})
}

// lookAgain looks at the use of space, and at what could not be looked at so far, and comes back.
func (x *session) lookAgain() {
	x.measure()
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.known {
		x.lookAtAllFiles()
	}
	next := usageEvery
	if !x.lookAtRest() || !x.known {
		next = retryEvery
	}
	x.post(func() { x.pt.After(next, func() { x.begin(x.lookAgain) }) })
}

// describe is an error about a folder as complaints have it.
func describe(what, dir string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, dir, err)
}
