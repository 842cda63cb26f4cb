package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// manifestFile lists the files of a cache entry with their checksums.
const manifestFile = "manifest.json"

// lockPoll is how often a process looks again at a cache entry that another process is making.
const lockPoll = 20 * time.Millisecond

// errStale is what a cache entry says that has no manifest or does not match it.
var errStale = errors.New("entry is not as its manifest says")

// Cache is a folder of things that take long to make and are the same for every run. Processes
// may share it: an entry is made once, appears whole or not at all, and never changes.
type Cache struct {
	// Dir is the folder. It is made when it is first needed.
	Dir string
}

// Entry returns the folder of the named entry. If it is not there, or its files are not those
// its manifest lists, Entry lets fill put files into an empty folder and keeps that. Only one
// process fills an entry at a time; others wait, until ctx ends.
func (c Cache) Entry(
	ctx context.Context, name string, fill func(ctx context.Context, dir string) error,
) (string, error) {
	final := filepath.Join(c.Dir, name)
	if err := checkManifest(final); err == nil {
		return final, nil
	}
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := checkManifest(final); err == nil {
		return final, nil // another process has made it
	}
	// Who was killed while it filled this entry has left this behind.
	left, _ := filepath.Glob(filepath.Join(c.Dir, ".new-"+name+"-*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
	dir, err := os.MkdirTemp(c.Dir, ".new-"+name+"-")
	if err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := fill(ctx, dir); err != nil {
		return "", fmt.Errorf("make cache entry %s: %w", name, err)
	}
	if err := writeManifest(dir); err != nil {
		return "", fmt.Errorf("seal cache entry %s: %w", name, err)
	}
	if err := os.RemoveAll(final); err != nil {
		return "", fmt.Errorf("replace cache entry %s: %w", name, err)
	}
	if err := os.Rename(dir, final); err != nil {
		return "", fmt.Errorf("keep cache entry %s: %w", name, err)
	}
	return final, nil
}

// lock makes the cache's folder and takes the lock of one entry.
func (c Cache) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cache %s: %w", c.Dir, err)
	}
	path := filepath.Join(c.Dir, "."+name+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock cache entry %s: %w", name, err)
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = file.Close()
			return nil, fmt.Errorf("lock cache entry %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for cache entry %s: %w", name, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// sealed is one file of a manifest.
type sealed struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// writeManifest lists all files below dir in its manifest and makes them durable, so that the
// rename that follows cannot overtake their content in a power cut.
func writeManifest(dir string) error {
	files := map[string]sealed{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		sum, size, err := sumFile(path, true)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files[name] = sealed{Size: size, SHA256: sum}
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(files, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestFile), append(text, '\n'), 0o644)
}

// checkManifest compares the files of an entry with its manifest.
func checkManifest(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return err
	}
	files := map[string]sealed{}
	if err := json.Unmarshal(text, &files); err != nil {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	if len(files) == 0 {
		return errStale
	}
	for name, want := range files {
		sum, size, err := sumFile(filepath.Join(dir, name), false)
		if err != nil || size != want.Size || sum != want.SHA256 {
			return fmt.Errorf("%w: %s", errStale, name)
		}
	}
	return nil
}

func sumFile(path string, flush bool) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	if err == nil && flush {
		err = file.Sync()
	}
	return hex.EncodeToString(hash.Sum(nil)), size, err
}
