package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest/boot"
)

// initramfsMax is the largest root that travels in the initramfs. Both are in the guest's memory
// while it boots, and reading them takes time; above this a disk is better.
const initramfsMax = 64 << 20

// Files of a prepared root.
const (
	rootFile  = "root.json"
	cpioFile  = "root.cpio"
	diskFile  = "root.squashfs"
	upperFile = "upper.ext4"
)

// RootOptions say how to prepare a root.
type RootOptions struct {
	// Dir takes the root's files. It is made if need be; a root that is in it is replaced.
	Dir string
	// InitramfsMax is the largest root, in bytes, that travels in the initramfs; 0 means 64 MiB,
	// negative means that every root becomes a disk. A guest needs three times its root's size
	// in memory to boot it that way.
	InitramfsMax int64
	// WritableMiB is the size of the disk that keeps what the payload writes to its root, from
	// boot to boot; 0 means that it is lost when the guest ends.
	WritableMiB int
}

// Root is a container image prepared to be a guest's root: a container volume.
type Root struct {
	// Dir holds its files.
	Dir string `json:"-"`
	// Config is the image's configuration.
	Config v1.Config `json:"config"`
	// SizeBytes is the size of all files in the root.
	SizeBytes int64 `json:"size"`
	// Disk says that the root is a squashfs disk and not part of the initramfs.
	Disk bool `json:"disk"`
	// Writable says that it has a disk for what the payload writes.
	Writable bool `json:"writable"`
	// UID, GID and Groups are who the image says its payload runs as, and Home their home.
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups"`
	Home   string   `json:"home"`
}

// Prepare merges an image's layers and makes a root of them. It appears whole or not at all:
// Open finds only what was finished.
func Prepare(ctx context.Context, image Image, opts RootOptions) (Root, error) {
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return Root{}, fmt.Errorf("prepare root: %w", err)
	}
	// What an earlier attempt left behind goes; the description first, so that there is no root
	// until it is written again.
	for _, name := range []string{rootFile, cpioFile, diskFile, upperFile} {
		err := os.Remove(filepath.Join(opts.Dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return Root{}, fmt.Errorf("prepare root: %w", err)
		}
	}
	tree, err := image.Tree(opts.Dir)
	if err != nil {
		return Root{}, fmt.Errorf("prepare root: %w", err)
	}
	root, err := prepare(ctx, image, tree, opts)
	if err := errors.Join(err, tree.Close()); err != nil {
		return Root{}, fmt.Errorf("prepare root: %w", err)
	}
	return root, nil
}

func prepare(ctx context.Context, image Image, tree *Tree, opts RootOptions) (Root, error) {
	who, err := tree.resolve(image.Config.User)
	if err != nil {
		return Root{}, err
	}
	root := Root{
		Dir: opts.Dir, Config: image.Config, SizeBytes: tree.Size(),
		UID: who.uid, GID: who.gid, Groups: who.groups, Home: who.home,
		Writable: opts.WritableMiB > 0,
	}
	limit := opts.InitramfsMax
	if limit == 0 {
		limit = initramfsMax
	}
	root.Disk = root.SizeBytes > limit
	if root.Disk {
		err = writeSquashfs(ctx, tree, filepath.Join(opts.Dir, diskFile))
	} else {
		err = writeRootCPIO(tree, filepath.Join(opts.Dir, cpioFile))
	}
	if err != nil {
		return Root{}, err
	}
	if root.Writable {
		upper := filepath.Join(opts.Dir, upperFile)
		if err := makeExt4(ctx, upper, int64(opts.WritableMiB)<<20); err != nil {
			return Root{}, err
		}
	}
	text, err := json.MarshalIndent(root, "", "\t")
	if err != nil {
		return Root{}, err
	}
	return root, os.WriteFile(filepath.Join(opts.Dir, rootFile), append(text, '\n'), 0o644)
}

// Open returns a root that was prepared in dir.
func Open(dir string) (Root, error) {
	text, err := os.ReadFile(filepath.Join(dir, rootFile))
	if err != nil {
		return Root{}, fmt.Errorf("open root: %w", err)
	}
	root := Root{Dir: dir}
	if err := json.Unmarshal(text, &root); err != nil {
		return Root{}, fmt.Errorf("open root %s: %w", dir, err)
	}
	return root, nil
}

// writeRootCPIO writes the part of the initramfs that holds the root, without a trailer's padding
// to anything but four bytes, so that it can be followed by another archive.
func writeRootCPIO(tree *Tree, path string) error {
	return writeArchive(path, func(w cpio.RecordWriter) error {
		return tree.WriteCPIO(w, boot.RootDir)
	})
}

// writeArchive writes a newc archive to a file.
func writeArchive(path string, fill func(cpio.RecordWriter) error) error {
	format, err := cpio.Format("newc")
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	buffered := newFileBuffer(file)
	writer := format.Writer(buffered)
	err = fill(writer)
	if err == nil {
		err = cpio.WriteTrailer(writer)
	}
	return errors.Join(err, buffered.Flush(), file.Close())
}

// writeSquashfs pipes the tree into mksquashfs: ownership and devices need no root that way.
func writeSquashfs(ctx context.Context, tree *Tree, path string) error {
	program, err := lab.Find("mksquashfs")
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	cmd := exec.CommandContext(ctx, program, "-", path, "-tar", "-quiet", "-no-progress",
		"-noappend", "-comp", "lz4", "-mkfs-time", "0",
		"-root-mode", strconv.FormatInt(tree.root.mode, 8),
		"-root-uid", strconv.Itoa(tree.root.uid), "-root-gid", strconv.Itoa(tree.root.gid))
	cmd.Stdin = reader
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	written := make(chan error, 1)
	go func() {
		err := tree.WriteTar(writer)
		_ = writer.CloseWithError(err)
		written <- err
	}()
	err = cmd.Run()
	_ = reader.Close()
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	if err != nil {
		// Its first line says what is wrong, the rest is its manual.
		line, _, _ := bytes.Cut(bytes.TrimSpace(said.Bytes()), []byte("\n"))
		return fmt.Errorf("make root disk: %w: %s", err, line)
	}
	return nil
}
