package guest

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// FromFolder returns an image whose one layer is a folder as it is, with owners, devices and
// extended attributes, and whose configuration is a file in OCI's format. Neither may change while
// the image is in use.
func FromFolder(root, config string) (Image, error) {
	text, err := os.ReadFile(config)
	var c v1.ConfigFile
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return Image{}, fmt.Errorf("read image config %s: %w", config, err)
	}
	layer := func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { _ = w.CloseWithError(pack(root, w)) }() // the reader is told
		return r, nil
	}
	return Image{Config: c.Config, Layers: []func() (io.ReadCloser, error){layer}}, nil
}

// inode names a file that may have several names.
type inode struct{ dev, ino uint64 }

// packer writes a folder as an archive.
type packer struct {
	root  string
	w     *tar.Writer
	names map[inode]string // of files with several: the first one
}

// pack writes a folder as an archive.
func pack(root string, to io.Writer) error {
	p := &packer{root: root, w: tar.NewWriter(to), names: map[inode]string{}}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		return p.add(path)
	})
	return errors.Join(err, p.w.Close())
}

func (p *packer) add(path string) error {
	f, err := os.Lstat(path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(p.root, path)
	if err != nil {
		return err
	}
	var target string
	switch {
	case f.Mode()&os.ModeSocket != 0:
		return nil // nobody listens there
	case f.Mode()&os.ModeSymlink != 0:
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(f, target)
	if err != nil {
		return err
	}
	h.Name, h.Format = name, tar.FormatPAX
	if f.IsDir() {
		h.Name += "/"
	}
	if p.again(path, name, h) {
		return p.w.WriteHeader(h)
	}
	if err := attributes(path, h); err != nil {
		return err
	}
	if err := p.w.WriteHeader(h); err != nil || !f.Mode().IsRegular() {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(p.w, in)
	return errors.Join(err, in.Close())
}

// again makes the header that of a further name if the file has been written under another one.
func (p *packer) again(path, name string, h *tar.Header) bool {
	var st unix.Stat_t
	if h.Typeflag != tar.TypeReg || unix.Lstat(path, &st) != nil || st.Nlink < 2 {
		return false
	}
	id := inode{st.Dev, st.Ino}
	first, ok := p.names[id]
	if !ok {
		p.names[id] = name
		return false
	}
	h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
	return true
}

// attributes puts the extended attributes of a file into its header.
func attributes(path string, h *tar.Header) error {
	n, err := unix.Llistxattr(path, nil)
	if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
		return nil
	}
	list := make([]byte, max(n, 0))
	if err == nil {
		n, err = unix.Llistxattr(path, list)
	}
	if err != nil {
		return fmt.Errorf("list attributes of %s: %w", path, err)
	}
	for name := range strings.SplitSeq(strings.Trim(string(list[:n]), "\x00"), "\x00") {
		size, err := unix.Lgetxattr(path, name, nil)
		value := make([]byte, max(size, 0))
		if err == nil {
			size, err = unix.Lgetxattr(path, name, value)
		}
		if err != nil {
			return fmt.Errorf("read attribute %s of %s: %w", name, path, err)
		}
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[xattrPrefix+name] = string(value[:size])
	}
	return nil
}
