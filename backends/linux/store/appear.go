package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/watch"
)

// deviceWait is how long the device of a zvol may take to appear.
const deviceWait = 30 * time.Second

// appears waits until there is something at a path.
func appears(ctx context.Context, path string) error {
	limit, stop := context.WithTimeout(ctx, deviceWait)
	defer stop()
	r := ringer{make(chan struct{}, 1)}
	w, err := watch.New(r)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	for {
		dir := nearest(path)
		err := w.Add(dir)
		if _, missing := os.Stat(path); missing == nil {
			return nil
		}
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && nearest(path) != dir:
			continue // it came or went while we looked
		case err != nil:
			return err
		}
		select {
		case <-r.rung:
		case <-limit.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("wait for %s: %w", path, unix.ENXIO)
		}
	}
}

// nearest is the folder of a path, or the one above it that is there.
func nearest(path string) string {
	dir := filepath.Dir(path)
	for dir != filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// ringer rings when something changes.
type ringer struct{ rung chan struct{} }

// Changed rings.
func (r ringer) Changed(string, string) { r.Lost() }

// Lost rings.
func (r ringer) Lost() {
	select {
	case r.rung <- struct{}{}:
	default:
	}
}

var _ watch.Listener = ringer{}
