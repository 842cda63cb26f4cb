package store

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// What an image may unpack to at most: a small archive can describe a very large tree.
const (
	maxRoot    = 16 << 30 // bytes
	maxEntries = 1 << 20
)

// xattrPrefix is how headers name extended attributes.
const xattrPrefix = "SCHILY.xattr."

// tree is a root directory into which an archive is unpacked. Names are resolved by the kernel as
// if the tree were the root of the system, so that no name and no link leads out of it.
type tree struct {
	root  int // descriptor
	links []*tar.Header
}

// unpackTar unpacks an archive into an empty folder. What comes first stays: upper layers do.
func unpackTar(ctx context.Context, archive io.Reader, dir string) error {
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer func() { _ = unix.Close(root) }()
	t := &tree{root: root}
	r := tar.NewReader(patient{ctx, archive})
	for range maxEntries {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t.link()
		}
		if err == nil {
			err = t.add(h, r)
		}
		if err != nil {
			return describeEntry(h, err)
		}
	}
	return fmt.Errorf("%w: it has more than %d entries", errFormat, maxEntries)
}

func describeEntry(h *tar.Header, err error) error {
	if h == nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return fmt.Errorf("unpack %q: %w", h.Name, err)
}

// link makes the hard links, when all that they may lead to is there.
func (t *tree) link() error {
	for _, h := range t.links {
		err := t.in(h.Name, func(to int, name string) error {
			return t.in(h.Linkname, func(from int, old string) error {
				return unix.Linkat(from, old, to, name, 0)
			})
		})
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return describeEntry(h, err)
		}
	}
	return nil
}

// in calls f with the folder of a name, which is made if need be, and the last part of the name.
func (t *tree) in(name string, f func(dir int, base string) error) error {
	name = path.Clean("/" + name)
	if err := t.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	dir, err := t.resolve(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(dir) }()
	return f(dir, path.Base(name))
}

// resolve opens a folder of the tree.
func (t *tree) resolve(name string) (int, error) {
	return unix.Openat2(t.root, strings.TrimPrefix(name, "/")+"/.", &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
}

// mkdirs makes a folder and those above it.
func (t *tree) mkdirs(name string) error {
	if name == "/" {
		return nil
	}
	if dir, err := t.resolve(name); err == nil {
		return unix.Close(dir)
	}
	if err := t.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	up, err := t.resolve(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(up) }()
	if err := unix.Mkdirat(up, path.Base(name), 0o755); !errors.Is(err, unix.EEXIST) {
		return err
	}
	return fmt.Errorf("%w: %s is in the way", errFormat, name)
}

// add makes an entry.
func (t *tree) add(h *tar.Header, content io.Reader) error {
	if path.Clean("/"+h.Name) == "/" {
		return t.describe(t.root, ".", h)
	}
	if h.Typeflag == tar.TypeLink {
		t.links = append(t.links, h)
		return nil
	}
	return t.in(h.Name, func(dir int, name string) error {
		made, err := t.create(dir, name, h, content)
		if err != nil || !made {
			return err
		}
		return t.describe(dir, name, h)
	})
}

// create makes an entry in its folder; false if another is there, which stays.
func (t *tree) create(dir int, name string, h *tar.Header, content io.Reader) (bool, error) {
	var err error
	switch h.Typeflag {
	case tar.TypeDir:
		err = unix.Mkdirat(dir, name, 0o700)
		if errors.Is(err, unix.EEXIST) {
			var s unix.Stat_t
			err = unix.Fstatat(dir, name, &s, unix.AT_SYMLINK_NOFOLLOW)
			return s.Mode&unix.S_IFMT == unix.S_IFDIR, err
		}
	case tar.TypeSymlink:
		err = unix.Symlinkat(h.Linkname, dir, name)
	case tar.TypeReg:
		err = t.file(dir, name, h, content)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK,
			tar.TypeFifo: unix.S_IFIFO}[h.Typeflag]
		err = unix.Mknodat(dir, name, kind|0o600,
			int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))))
	default:
		return false, fmt.Errorf("%w: unknown type %q of entry", errFormat, h.Typeflag)
	}
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	return err == nil, err
}

// file writes a file.
func (t *tree) file(dir int, name string, h *tar.Header, content io.Reader) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|
		unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), h.Name)
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// describe gives an entry its owner, mode, attributes and date.
func (t *tree) describe(dir int, name string, h *tar.Header) error {
	const stay = unix.AT_SYMLINK_NOFOLLOW
	if err := unix.Fchownat(dir, name, h.Uid, h.Gid, stay); err != nil {
		return fmt.Errorf("give it an owner: %w", err)
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	if err := unix.Fchmodat(dir, name, uint32(h.Mode)&0o7777, 0); err != nil {
		return fmt.Errorf("give it a mode: %w", err)
	}
	if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeDir {
		if err := attributes(dir, name, h); err != nil {
			return err
		}
	}
	date := unix.NsecToTimespec(max(h.ModTime.UnixNano(), 0))
	return unix.UtimesNanoAt(dir, name, []unix.Timespec{date, date}, stay)
}

// attributes gives a file or folder its extended attributes: capabilities of programs are some.
func attributes(dir int, name string, h *tar.Header) error {
	var fd = -1
	for key, value := range h.PAXRecords {
		attr, ok := strings.CutPrefix(key, xattrPrefix)
		if !ok {
			continue
		}
		if fd < 0 {
			var err error
			fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(fd) }()
		}
		if err := unix.Fsetxattr(fd, attr, []byte(value), 0); err != nil &&
			!errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("set attribute %s: %w", attr, err)
		}
	}
	return nil
}

// syncAll makes all of a file system durable, with the tree in it.
func syncAll(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
