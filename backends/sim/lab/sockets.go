package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// socketPathMax is the longest path we give a unix socket. Linux takes 107 bytes; the rest is
// room for programs that append to a name.
const socketPathMax = 100

// socketNameMax is the longest name within a socket folder: a UUID and an ending.
const socketNameMax = 48

// socketDirPrefix starts the name of every socket folder.
const socketDirPrefix = "evetwin-"

// ownerFile is locked by the process a socket folder belongs to, for as long as it lives.
const ownerFile = "owner"

// SocketDir is a folder for the unix sockets of one run, short enough for their paths.
type SocketDir struct {
	// Path is the folder.
	Path string

	owner *os.File
}

// NewSocketDir makes a folder for sockets in $XDG_RUNTIME_DIR or the folder of temporary files,
// the first that is short enough. It first removes folders whose owner was killed before it
// could clean up.
func NewSocketDir() (*SocketDir, error) { return NewRoomySocketDir(socketNameMax) }

// NewRoomySocketDir is NewSocketDir for names, with the folders they lie in, of up to so many
// bytes.
func NewRoomySocketDir(name int) (*SocketDir, error) {
	var tried []error
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if base == "" {
			continue
		}
		room := socketPathMax - len(base) - len(socketDirPrefix) - name - 12
		if room < 0 {
			tried = append(tried, fmt.Errorf("%s is too long for sockets", base))
			continue
		}
		sweepSocketDirs(base)
		dir, err := newSocketDir(base)
		if err == nil {
			return dir, nil
		}
		tried = append(tried, err)
	}
	return nil, fmt.Errorf("make a folder for sockets: %w", errors.Join(tried...))
}

func newSocketDir(base string) (*SocketDir, error) {
	path, err := os.MkdirTemp(base, socketDirPrefix)
	if err != nil {
		return nil, err
	}
	owner, err := os.OpenFile(filepath.Join(path, ownerFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(owner.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		_ = os.RemoveAll(path)
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &SocketDir{Path: path, owner: owner}, nil
}

// Close removes the folder with all that is in it.
func (d *SocketDir) Close() error {
	err := os.RemoveAll(d.Path)
	return errors.Join(err, d.owner.Close())
}

// sweepSocketDirs removes the folders below base whose owner is gone. Folders of other users
// cannot be opened for locking and stay.
func sweepSocketDirs(base string) {
	found, _ := filepath.Glob(filepath.Join(base, socketDirPrefix+"*"))
	for _, dir := range found {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		lock := filepath.Join(dir, ownerFile)
		owner, err := os.OpenFile(lock, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil || !strings.HasPrefix(filepath.Base(dir), socketDirPrefix) {
			continue
		}
		if unix.Flock(int(owner.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = owner.Close()
	}
}
