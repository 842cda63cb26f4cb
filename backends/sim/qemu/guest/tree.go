package guest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// Limits on what an image may unpack to: a small archive can describe a very large tree.
const (
	maxEntries   = 1 << 20
	maxRootBytes = 16 << 30
	maxLinks     = 64
)

// errTooLarge says that an image unpacks to more than we take.
var errTooLarge = errors.New("image unpacks to too much")

// node is a file, folder, link or device. Hard links are several names of one node.
type node struct {
	kind     byte // a tar type: TypeReg, TypeDir, TypeSymlink, TypeChar, TypeBlock, TypeFifo
	mode     int64
	uid, gid int
	mtime    int64
	target   string // of a symbolic link
	major    int64
	minor    int64
	offset   int64 // of a file's content in the spool
	size     int64
	xattrs   map[string]string
	children map[string]*node // of a folder
	layer    int              // that has put it here
	inode    int              // set when the tree is written
	names    int              // set when the tree is written
}

// Tree is the merged root of an image. File contents lie in a spool file, so that a tree is small
// in memory whatever it holds.
type Tree struct {
	root    *node
	spool   *os.File
	spooled int64
	entries int
	layers  int
}

// NewTree returns an empty root whose file contents go to an unnamed file in dir.
func NewTree(dir string) (*Tree, error) {
	spool, err := os.CreateTemp(dir, "spool-")
	if err != nil {
		return nil, fmt.Errorf("make a place for layers: %w", err)
	}
	// Without a name it cannot be left behind.
	if err := os.Remove(spool.Name()); err != nil {
		_ = spool.Close()
		return nil, fmt.Errorf("make a place for layers: %w", err)
	}
	return &Tree{root: newDir(), spool: spool}, nil
}

func newDir() *node {
	return &node{kind: tar.TypeDir, mode: 0o755, children: map[string]*node{}}
}

// Size returns the bytes of all files of the root, each hard-linked file once.
func (t *Tree) Size() int64 {
	var total int64
	counted := map[*node]bool{}
	// The visits of a walk that only counts cannot fail.
	_ = t.walk(func(_ string, n *node) error {
		if !counted[n] {
			counted[n] = true
			total += n.size
		}
		return nil
	})
	return total
}

// Close frees the contents.
func (t *Tree) Close() error { return t.spool.Close() }

// clean turns any name into the parts of a path below the root. "../../etc" is "etc".
func clean(name string) []string {
	name = strings.Trim(path.Clean("/"+name), "/")
	if name == "" {
		return nil
	}
	return strings.Split(name, "/")
}

// dir returns the folder at parts, following symbolic links as the system in the guest would and
// making what is missing. What is in the way and no folder is replaced.
func (t *Tree) dir(parts []string) (*node, error) {
	at, links := []*node{t.root}, 0
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		here := at[len(at)-1]
		switch part {
		case ".", "":
			continue
		case "..":
			at = at[:max(1, len(at)-1)]
			continue
		}
		child := here.children[part]
		if child != nil && child.kind == tar.TypeSymlink {
			if links++; links > maxLinks {
				return nil, fmt.Errorf("too many symbolic links at %s", part)
			}
			if strings.HasPrefix(child.target, "/") {
				at = at[:1]
			}
			parts = append(strings.Split(child.target, "/"), parts...)
			continue
		}
		if child == nil || child.kind != tar.TypeDir {
			child = newDir()
			child.layer = t.layers
			here.children[part] = child
		}
		at = append(at, child)
	}
	return at[len(at)-1], nil
}

// find returns the node at parts, following links in all but the last, or nil.
func (t *Tree) find(parts []string) *node {
	at, links := []*node{t.root}, 0
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		switch part {
		case ".", "":
			continue
		case "..":
			at = at[:max(1, len(at)-1)]
			continue
		}
		child := at[len(at)-1].children[part]
		if child == nil {
			return nil
		}
		if child.kind == tar.TypeSymlink && len(parts) > 0 {
			if links++; links > maxLinks {
				return nil
			}
			if strings.HasPrefix(child.target, "/") {
				at = at[:1]
			}
			parts = append(strings.Split(child.target, "/"), parts...)
			continue
		}
		at = append(at, child)
	}
	return at[len(at)-1]
}

// read returns the content of a small file in the tree, following a last link too; nil if there
// is no such file.
func (t *Tree) read(name string, limit int64) []byte {
	found := t.find(clean(name))
	for range maxLinks {
		if found == nil || found.kind != tar.TypeSymlink {
			break
		}
		target := found.target
		if !strings.HasPrefix(target, "/") {
			target = path.Join(path.Dir(name), target)
		}
		found = t.find(clean(target))
	}
	if found == nil || found.kind != tar.TypeReg || found.size > limit {
		return nil
	}
	text := make([]byte, found.size)
	if _, err := t.spool.ReadAt(text, found.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return text
}

// sorted returns the names in a folder, in order.
func (n *node) sorted() []string {
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
