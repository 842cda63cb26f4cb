package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Prefix is how the names of unfinished files and folders begin.
const Prefix = ".new-"

// Step is a step on the way of a file to the disk.
type Step string

// The steps, in their order. Remove stands for the removal of a file, which a SyncDir follows.
const (
	Open    Step = "open"
	Write   Step = "write"
	Sync    Step = "sync"
	Rename  Step = "rename"
	Remove  Step = "remove"
	SyncDir Step = "sync dir"
)

// ErrPowerCut is what Before returns when the power is gone: nothing is tidied up.
var ErrPowerCut = errors.New("the power was cut")

// Disk carries the steps out. Its zero value is ready for use.
type Disk struct {
	// Before is asked before each step; an error keeps the step from being done and ends the whole.
	// Nil: nobody asks.
	Before func(step Step, path string) error
	// Writing is shared by those who write to the same folders: it is held for reading while Write
	// is at work, and for writing by Sweep. Nil: nobody else writes there.
	Writing *sync.RWMutex
}

// Do carries out a step that f does, if Before has nothing against it.
func (d Disk) Do(s Step, path string, f func() error) error {
	if d.Before != nil {
		if err := d.Before(s, path); err != nil {
			return &fs.PathError{Op: string(s), Path: path, Err: err}
		}
	}
	return f()
}

// Write replaces the content of a file, or makes it; its folder must be there.
func (d Disk) Write(path string, data []byte, mode fs.FileMode) error {
	if d.Writing != nil {
		d.Writing.RLock()
		defer d.Writing.RUnlock()
	}
	temp, err := d.Stage(path, data, mode)
	if err != nil {
		return err
	}
	return d.Commit(temp, path)
}

// Stage writes content to a temporary file beside a path, durably, for Commit.
func (d Disk) Stage(path string, data []byte, mode fs.FileMode) (temp string, err error) {
	var f *os.File
	err = d.Do(Open, path, func() error {
		f, err = os.CreateTemp(filepath.Dir(path), Prefix+"*")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	err = d.Do(Write, f.Name(), func() error {
		_, err := f.Write(data)
		return errors.Join(err, f.Chmod(mode))
	})
	if err == nil {
		err = d.Do(Sync, f.Name(), f.Sync)
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		d.Discard(f.Name(), err)
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return f.Name(), nil
}

// Commit gives a staged file or folder its name, durably. What had the name before is gone. If it
// fails the staged one is gone, and the name has what it had, or the new content that may not
// outlive a power cut.
func (d Disk) Commit(temp, path string) error {
	err := d.Do(Rename, path, func() error { return os.Rename(temp, path) })
	if err != nil {
		d.Discard(temp, err)
		return fmt.Errorf("write %s: %w", path, err)
	}
	return d.SyncDir(filepath.Dir(path))
}

// Discard removes what was staged, after an error that is no power cut.
func (d Disk) Discard(temp string, after error) {
	if !errors.Is(after, ErrPowerCut) {
		_ = os.RemoveAll(temp) // if need be the next boot does
	}
}

// Remove removes files of one folder, durably. One that is not there is no error.
func (d Disk) Remove(paths ...string) error {
	gone := false
	for _, path := range paths {
		err := d.Do(Remove, path, func() error { return os.Remove(path) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		gone = gone || err == nil
	}
	if !gone {
		return nil
	}
	return d.SyncDir(filepath.Dir(paths[0]))
}

// SyncDir makes the names in a folder durable.
func (d Disk) SyncDir(path string) error {
	return d.Do(SyncDir, path, func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// Sweep removes from a folder what was staged and never got its name. Files that others write
// there meanwhile are not touched, if they share Writing.
func (d Disk) Sweep(dir string) error {
	if d.Writing != nil {
		d.Writing.Lock()
		defer d.Writing.Unlock()
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), Prefix) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("sweep %s: %w", dir, err)
			}
		}
	}
	return nil
}
