package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MaxConfig bounds what lies in /config, in bytes.
const MaxConfig = 64 << 20

// CopyConfig puts a copy of the device's inputs, as they lie on their partition, into memory: a
// file system of its own at a path, which is read-only when it is full. So nothing that happens to
// the running device can change them, and the partition need not stay mounted. Only folders and
// files are copied. The caller unmounts it, if anybody ever does.
func CopyConfig(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("copy the configuration: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	size := fmt.Sprintf("size=%d,mode=0755", MaxConfig)
	if err := unix.Mount("tmpfs", to, "tmpfs", flags, size); err != nil {
		return fmt.Errorf("copy the configuration: mount %s: %w", to, err)
	}
	err := copyTree(from, to)
	if err == nil {
		err = unix.Mount("", to, "", flags|unix.MS_REMOUNT|unix.MS_RDONLY, size)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("copy the configuration from %s: %w", from, err),
			unix.Unmount(to, unix.MNT_DETACH))
	}
	return nil
}

// copyTree copies folders and files.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch at := filepath.Join(to, rel); {
		case e.IsDir():
			err = os.MkdirAll(at, 0o755)
		case e.Type().IsRegular():
			err = copySmall(path, at)
		}
		return err
	})
}

// copySmall copies a file with its mode.
func copySmall(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	i, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, i.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
