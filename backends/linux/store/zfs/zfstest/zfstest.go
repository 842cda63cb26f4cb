// Package zfstest is a program zfs for tests on machines without ZFS: a test's own binary, which
// keeps zvols as files with holes and shows their devices as links to them. It knows the commands
// that package zfs gives, and says what zfs says. It does not compress, and keeps no snapshots.
//
//	func TestMain(m *testing.M) { zfstest.Main(); ... }
//	pool, err := zfstest.New(dir, root, "persist/vault")
//	store.Options{ZFS: pool.Program}
package zfstest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Pool is a pool with the name "persist", whose filesystem is the folder /persist of a device.
type Pool struct {
	// Program is the path of its program zfs.
	Program string

	dir, root, encrypted string
}

// variable has the fields of a Pool for its program.
const variable = "EVETWIN_FAKE_ZFS"

// root is the name of the pool.
const pool = "persist"

// New makes a pool in a folder, for a device with a root. What is below a dataset is said to be
// encrypted, if its name is not empty.
func New(dir, root, encrypted string) (*Pool, error) {
	p := &Pool{Program: filepath.Join(dir, "zfs"), dir: dir, root: root, encrypted: encrypted}
	self, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, pool), 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("make a pool: %w", err)
	}
	script := fmt.Sprintf("#!/bin/sh\n%s='%s' exec '%s' \"$@\"\n", variable,
		strings.Join([]string{dir, root, encrypted}, "\n"), self)
	if err := os.WriteFile(p.Program, []byte(script), 0o755); err != nil {
		return nil, fmt.Errorf("make a pool: %w", err)
	}
	return p, nil
}

// Main is the program, if the process was started as that; it returns if not.
func Main() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	f := strings.Split(text, "\n")
	p := &Pool{dir: f[0], root: f[1], encrypted: f[2]}
	if err := p.command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Import shows the devices of all zvols, as a boot does.
func (p *Pool) Import() error {
	if err := os.RemoveAll(filepath.Join(p.root, "/dev/zvol")); err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join(p.dir, pool), func(path string, e fs.DirEntry, err error,
	) error {
		if err != nil || e.IsDir() {
			return err
		}
		return p.show(strings.TrimPrefix(path, p.dir+"/"))
	})
}

// Destroy is somebody who removes a zvol by the program; false if there is none.
func (p *Pool) Destroy(name string) bool { return p.destroy(name) == nil }

// file is where a dataset lies: a folder, or a file if it is a zvol.
func (p *Pool) file(name string) string { return filepath.Join(p.dir, name) }

// device is where a zvol's device is.
func (p *Pool) device(name string) string { return filepath.Join(p.root, "/dev/zvol", name) }

// show makes the device of a zvol.
func (p *Pool) show(name string) error {
	link := p.device(name)
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	return os.Symlink(p.file(name), link)
}

// hide removes the device of a zvol, and its folder if it was the last.
func (p *Pool) hide(name string) error {
	err := os.Remove(p.device(name))
	for dir := filepath.Dir(name); err == nil && dir != "."; dir = filepath.Dir(dir) {
		if os.Remove(p.device(dir)) != nil {
			break
		}
	}
	return err
}

// durable makes durable what names a dataset.
func (p *Pool) durable(names ...string) error {
	for _, name := range names {
		f, err := os.Open(filepath.Dir(p.file(name)))
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// create makes a dataset, which is a zvol if it has a size.
func (p *Pool) create(name string, size int64) error {
	refuse := func(why string) error { return fmt.Errorf("cannot create '%s': %s", name, why) }
	if _, err := os.Lstat(p.file(name)); err == nil {
		return refuse("dataset already exists")
	}
	if _, err := os.Stat(filepath.Dir(p.file(name))); err != nil {
		return refuse("parent does not exist")
	}
	if size == 0 {
		return errors.Join(os.Mkdir(p.file(name), 0o700), p.durable(name))
	}
	free, err := p.free()
	if err != nil {
		return err
	}
	if size > free {
		return refuse("out of space")
	}
	f, err := os.OpenFile(p.file(name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close(), p.durable(name), p.show(name))
}

// free is what is free on the disk.
func (p *Pool) free() (int64, error) {
	var s unix.Statfs_t
	err := unix.Statfs(p.dir, &s)
	return int64(s.Bavail) * s.Bsize, err
}

func (p *Pool) rename(from, to string) error {
	if _, err := os.Lstat(p.file(from)); err != nil {
		return fmt.Errorf("cannot open '%s': dataset does not exist", from)
	}
	if _, err := os.Lstat(p.file(to)); err == nil {
		return fmt.Errorf("cannot rename '%s': dataset already exists", from)
	}
	if err := p.hide(from); err != nil {
		return err
	}
	if err := os.Rename(p.file(from), p.file(to)); err != nil {
		return err
	}
	return errors.Join(p.durable(from, to), p.show(to))
}

func (p *Pool) destroy(name string) error {
	if err := os.Remove(p.file(name)); err != nil {
		return fmt.Errorf("cannot open '%s': dataset does not exist", name)
	}
	return errors.Join(p.durable(name), p.hide(name))
}
