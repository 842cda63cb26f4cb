package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse says that another process uses a folder.
var ErrInUse = errors.New("another process uses it")

// newRunDir starts the name of a run's folder before it is locked.
const newRunDir = ".new-"

// RunDir is the folder of one run, locked for as long as its process lives.
type RunDir struct {
	// Path is the folder.
	Path string

	owner *os.File
	keep  bool
}

// NewRunDir makes a folder for this process below base, named after kind and the process. It first
// removes those of the same kind whose owner was killed before it could clean up.
func NewRunDir(base, kind string) (*RunDir, error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	sweepRunDirs(base, kind)
	// The folder gets its name when it is locked, so that nobody sweeps it before.
	path, err := os.MkdirTemp(base, newRunDir+kind+"-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	owner, err := lockOwner(path)
	named := filepath.Join(base, kind+"-"+strconv.Itoa(os.Getpid())+"-"+
		path[len(path)-min(4, len(path)):])
	if err == nil {
		err = os.Rename(path, named)
	}
	if err != nil {
		_ = os.RemoveAll(path)
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	return &RunDir{Path: named, owner: owner}, nil
}

// KeptDir locks a folder of the user's, which Close leaves as it is. It is made if need be.
func KeptDir(path string) (*RunDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the run: %w", err)
	}
	owner, err := lockOwner(path)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", path, err)
	}
	return &RunDir{Path: path, owner: owner, keep: true}, nil
}

func lockOwner(path string) (*os.File, error) {
	owner, err := os.OpenFile(filepath.Join(path, ownerFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(owner.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, owner.Close())
	}
	return owner, nil
}

// Close gives the folder up; one that NewRunDir made is removed with all that is in it.
func (d *RunDir) Close() error {
	var err error
	if !d.keep {
		err = os.RemoveAll(d.Path)
	}
	return errors.Join(err, d.owner.Close())
}

// unlockedAge is how long a folder without its name may wait for its lock.
const unlockedAge = time.Minute

// sweepRunDirs removes the folders of a kind whose owner is gone.
func sweepRunDirs(base, kind string) {
	found, _ := filepath.Glob(filepath.Join(base, kind+"-*"))
	for _, dir := range found {
		owner, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if unix.Flock(int(owner.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = owner.Close()
	}
	young, _ := filepath.Glob(filepath.Join(base, newRunDir+kind+"-*"))
	for _, dir := range young {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > unlockedAge {
			_ = os.RemoveAll(dir)
		}
	}
}
