package guest

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/u-root/u-root/pkg/cpio"
)

// walk visits every name below the root in order, folders before what is in them.
func (t *Tree) walk(visit func(name string, n *node) error) error {
	var into func(dir string, n *node) error
	into = func(dir string, n *node) error {
		for _, name := range n.sorted() {
			child, full := n.children[name], path.Join(dir, name)
			if err := visit(full, child); err != nil {
				return err
			}
			if child.kind == tar.TypeDir {
				if err := into(full, child); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return into("", t.root)
}

// number gives every node an inode and counts its names. It returns the number of inodes.
func (t *Tree) number() int {
	next := 0
	// The visits of a walk that only counts cannot fail.
	_ = t.walk(func(_ string, n *node) error { n.inode, n.names = 0, 0; return nil })
	_ = t.walk(func(_ string, n *node) error {
		if n.inode == 0 {
			next++
			n.inode = next
		}
		n.names++
		return nil
	})
	return next
}

// WriteCPIO writes the tree below a folder of an initramfs, without the trailer. It needs the
// folder's parents to be there. Extended attributes are lost: the format has none.
func (t *Tree) WriteCPIO(w cpio.RecordWriter, below string) error {
	t.number()
	root := cpio.Directory(below, uint64(t.root.mode))
	root.UID, root.GID = uint64(t.root.uid), uint64(t.root.gid)
	if err := w.WriteRecord(root); err != nil {
		return err
	}
	written := map[int]bool{}
	return t.walk(func(name string, n *node) error {
		record := cpio.Record{Info: cpio.Info{
			Ino: uint64(n.inode), NLink: uint64(n.names), Mode: modeOf(n),
			UID: uint64(n.uid), GID: uint64(n.gid), MTime: uint64(n.mtime),
			Rmajor: uint64(n.major), Rminor: uint64(n.minor), Name: path.Join(below, name),
			// A major number of its own keeps these inodes apart from other archives' in the
			// same initramfs.
			Major: 1,
		}}
		switch {
		case n.kind == tar.TypeSymlink:
			link := cpio.Symlink("", n.target)
			record.ReaderAt, record.FileSize = link.ReaderAt, link.FileSize
		case n.kind == tar.TypeReg && !written[n.inode]:
			written[n.inode] = true // further names of it carry no content
			record.ReaderAt = io.NewSectionReader(t.spool, n.offset, n.size)
			record.FileSize = uint64(n.size)
		}
		if err := w.WriteRecord(record); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return nil
	})
}

// modeOf returns a node's mode with its type, as stat(2) has it.
func modeOf(n *node) uint64 {
	kinds := map[byte]uint64{
		tar.TypeReg: cpio.S_IFREG, tar.TypeDir: cpio.S_IFDIR, tar.TypeSymlink: cpio.S_IFLNK,
		tar.TypeChar: cpio.S_IFCHR, tar.TypeBlock: cpio.S_IFBLK, tar.TypeFifo: cpio.S_IFIFO,
	}
	return kinds[n.kind] | uint64(n.mode)
}

// WriteTar writes the tree as one archive.
func (t *Tree) WriteTar(w io.Writer) error {
	t.number()
	archive := tar.NewWriter(w)
	first := map[int]string{}
	err := t.walk(func(name string, n *node) error {
		header := &tar.Header{
			Typeflag: n.kind, Name: name, Linkname: n.target, Mode: n.mode, Uid: n.uid,
			Gid: n.gid, ModTime: time.Unix(n.mtime, 0), Devmajor: n.major, Devminor: n.minor,
			Size: n.size, Format: tar.FormatPAX, PAXRecords: map[string]string{},
		}
		for key, value := range n.xattrs {
			header.PAXRecords[xattrPrefix+key] = value
		}
		if n.kind == tar.TypeDir {
			header.Name += "/"
		}
		if earlier, ok := first[n.inode]; ok && n.kind != tar.TypeDir {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, earlier, 0
		}
		first[n.inode] = name
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if header.Typeflag != tar.TypeReg {
			return nil
		}
		_, err := io.Copy(archive, io.NewSectionReader(t.spool, n.offset, n.size))
		return err
	})
	if err != nil {
		return err
	}
	return archive.Close()
}
