// Package zfs makes and removes block devices of a pool of ZFS, zvols, by the program zfs.
//
// What the program does is atomic and durable when it has ended: a dataset is there with its name,
// or is not. Whether there is ZFS below a folder is found out by asking.
package zfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/child"
	"github.com/evetwin/evetwin/backends/sim/lab"
)

// magic is how statfs names ZFS.
const magic = 0x2fc12fc1

// Pool is the filesystem of ZFS that a folder lies in, and all that is below it.
type Pool struct {
	// Root is its name, "persist".
	Root string

	program string
}

// Volume is a zvol.
type Volume struct {
	Name string // with all that it is below, "persist/clear/volumes/a.0"
	Size int64  // bytes
	// Used is what is written to it, as it is on the disk; Taken is that and what is kept free for it.
	Used, Taken int64
	Encrypted   bool
}

// Find finds the pool of a folder by a program, which is "zfs". It is nil if there is none.
func Find(ctx context.Context, program, dir string) (*Pool, error) {
	p := &Pool{program: program}
	text, err := p.run(ctx, "list", "-H", "-o", "name", "-t", "filesystem", dir)
	if p.Root = strings.TrimSpace(text); err == nil && p.Root != "" {
		return p, nil
	}
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) == nil && s.Type == magic {
		return nil, fmt.Errorf("find the pool of %s: %w", dir, err)
	}
	return nil, nil
}

// Folder makes the filesystem of a name, and those above it, unless they are there. They hold zvols
// only: nothing is mounted over folders of their names.
func (p *Pool) Folder(ctx context.Context, name string) error {
	at := p.Root
	for part := range strings.SplitSeq(strings.TrimPrefix(name, p.Root+"/"), "/") {
		at += "/" + part
		_, err := p.run(ctx, "list", "-H", "-o", "name", at)
		if errors.Is(err, fs.ErrNotExist) {
			_, err = p.run(ctx, "create", "-o", "canmount=off", at)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Create makes a zvol, for which its whole size is kept free. Its device may come a little later.
func (p *Pool) Create(ctx context.Context, name string, size, block int64) error {
	_, err := p.run(ctx, "create", "-V", strconv.FormatInt(size, 10), "-o", "volmode=dev", "-o",
		"compression=zstd", "-b", strconv.FormatInt(block, 10), name)
	return err
}

// Rename gives a zvol another name, which nothing has: fs.ErrExist.
func (p *Pool) Rename(ctx context.Context, from, to string) error {
	_, err := p.run(ctx, "rename", from, to)
	return err
}

// Destroy removes a zvol and its snapshots. One that is not there is gone.
func (p *Pool) Destroy(ctx context.Context, name string) error {
	_, err := p.run(ctx, "destroy", "-r", name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Volumes lists the zvol of a name, or those below it. One that is not there is fs.ErrNotExist.
func (p *Pool) Volumes(ctx context.Context, name string) ([]Volume, error) {
	text, err := p.run(ctx, "list", "-H", "-p", "-r", "-t", "volume", "-o",
		"name,volsize,referenced,used,encryption", name)
	if err != nil {
		return nil, err
	}
	var out []Volume
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("list volumes of %s: %q is none", name, line)
		}
		n, err := numbers(f[1:4])
		if err != nil {
			return nil, fmt.Errorf("list volumes of %s: %w", name, err)
		}
		out = append(out, Volume{Name: f[0], Size: n[0], Used: n[1], Taken: n[2],
			Encrypted: f[4] != "off" && f[4] != "-"})
	}
	return out, nil
}

// Space is how many bytes are taken by the pool's filesystem and all below it, and how many more
// it could take.
func (p *Pool) Space(ctx context.Context) (taken, free int64, err error) {
	text, err := p.run(ctx, "list", "-H", "-p", "-o", "used,available", p.Root)
	if err != nil {
		return 0, 0, err
	}
	n, err := numbers(strings.Fields(text))
	if err != nil || len(n) != 2 {
		return 0, 0, fmt.Errorf("look at the space of %s: %q: %w", p.Root, text, err)
	}
	return n[0], n[1], nil
}

// numbers reads numbers.
func numbers(texts []string) (out []int64, err error) {
	for _, text := range texts {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// words are what the program says, and the errors these stand for.
var words = map[string]error{"dataset does not exist": fs.ErrNotExist,
	"dataset already exists": fs.ErrExist, "out of space": unix.ENOSPC}

// run runs the program and returns what it says.
func (p *Pool) run(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	path, err := lab.Find(p.program)
	if err != nil {
		return "", err
	}
	c, err := child.Start(child.Options{Name: "zfs " + args[0], Path: path, Args: args,
		Env: append(os.Environ(), "LC_ALL=C"), Stdout: &out})
	if err != nil {
		return "", err
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), c.Kill())
	}
	err = c.Err()
	for text, is := range words { //order: one of them at most is said
		if err != nil && strings.Contains(c.LastWords(), text) {
			return "", fmt.Errorf("%w: %w", is, err)
		}
	}
	return out.String(), err
}
