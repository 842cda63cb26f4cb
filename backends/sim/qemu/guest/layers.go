package guest

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Names by which a layer deletes what layers below it hold.
const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
)

// xattrPrefix is how tar headers name extended attributes.
const xattrPrefix = "SCHILY.xattr."

// Add merges a layer, a tar archive as it is or packed with gzip or zstd, on top of those added
// before.
func (t *Tree) Add(layer io.Reader) error {
	t.layers++
	plain, err := unpack(layer)
	if err != nil {
		return fmt.Errorf("layer %d: %w", t.layers, err)
	}
	defer func() { _ = plain.Close() }()
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("layer %d: %w", t.layers, err)
		}
		if err := t.add(header, archive); err != nil {
			return fmt.Errorf("layer %d: %q: %w", t.layers, header.Name, err)
		}
	}
}

// unpack looks at the first bytes of a layer and undoes its compression.
func unpack(layer io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(layer, 64<<10)
	magic, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		decoder, err := zstd.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	default:
		return io.NopCloser(buffered), nil
	}
}

// add takes in one entry.
func (t *Tree) add(header *tar.Header, content io.Reader) error {
	if t.entries++; t.entries > maxEntries {
		return fmt.Errorf("%w: more than %d entries", errTooLarge, maxEntries)
	}
	parts := clean(header.Name)
	if len(parts) == 0 {
		if header.Typeflag == tar.TypeDir {
			t.root.describe(header, t.layers)
		}
		return nil
	}
	parent, err := t.dir(parts[:len(parts)-1])
	if err != nil {
		return err
	}
	name := parts[len(parts)-1]
	if name == opaqueName {
		t.prune(parent)
		return nil
	}
	if hidden, ok := strings.CutPrefix(name, whiteoutPrefix); ok {
		if child := parent.children[hidden]; child != nil {
			t.prune(child)
			if !t.ofThisLayer(child) {
				delete(parent.children, hidden)
			}
		}
		return nil
	}
	return t.put(parent, name, header, content)
}

// prune removes from a folder all that lower layers have put there.
func (t *Tree) prune(dir *node) {
	maps.DeleteFunc(dir.children, func(_ string, child *node) bool {
		t.prune(child)
		return !t.ofThisLayer(child)
	})
}

// ofThisLayer says whether a node, or something below it, came with the layer being added:
// whiteouts speak about the layers below only, in whatever order a layer lists its entries.
func (t *Tree) ofThisLayer(n *node) bool {
	if n.layer == t.layers {
		return true
	}
	for _, child := range n.children {
		if t.ofThisLayer(child) {
			return true
		}
	}
	return false
}

func (t *Tree) put(parent *node, name string, header *tar.Header, content io.Reader) error {
	old := parent.children[name]
	switch header.Typeflag {
	case tar.TypeDir:
		if old == nil || old.kind != tar.TypeDir {
			old = newDir()
		}
		old.describe(header, t.layers)
		parent.children[name] = old
		return nil
	case tar.TypeLink:
		target := t.find(clean(header.Linkname))
		if target == nil || target.kind == tar.TypeDir {
			return fmt.Errorf("hard link to %q, which is not there", header.Linkname)
		}
		parent.children[name] = target
		return nil
	case tar.TypeReg, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		made := &node{kind: header.Typeflag, target: header.Linkname,
			major: header.Devmajor, minor: header.Devminor}
		made.describe(header, t.layers)
		if header.Typeflag == tar.TypeReg {
			if err := t.keep(made, header.Size, content); err != nil {
				return err
			}
		}
		parent.children[name] = made
		return nil
	default:
		return fmt.Errorf("unknown type %q of entry", header.Typeflag)
	}
}

// keep copies a file's content to the spool.
func (t *Tree) keep(made *node, size int64, content io.Reader) error {
	if size < 0 || t.spooled+size > maxRootBytes {
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, int64(maxRootBytes))
	}
	made.offset, made.size = t.spooled, size
	n, err := io.Copy(io.NewOffsetWriter(t.spool, t.spooled), content)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	t.spooled += size
	return err
}

// describe takes a header's attributes over.
func (n *node) describe(header *tar.Header, layer int) {
	n.mode = header.Mode & 0o7777
	n.uid, n.gid = header.Uid, header.Gid
	n.mtime = max(0, header.ModTime.Unix())
	n.layer = layer
	n.xattrs = nil
	for key, value := range header.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok {
			if n.xattrs == nil {
				n.xattrs = map[string]string{}
			}
			n.xattrs[name] = value
		}
	}
}
