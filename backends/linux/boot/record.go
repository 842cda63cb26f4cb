package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	device "github.com/evetwin/evetwin/core/device/boot"
)

// Files of a record, as EVE has them. The reason makes it one: it is written last and taken first.
const (
	reasonFile  = "/persist/boot-reason"
	textFile    = "/persist/reboot-reason"
	stackFile   = "/persist/reboot-stack"
	imageFile   = "/persist/reboot-image"
	counterFile = "/persist/status/restartcounter"
	cyclesFile  = "/persist/status/powercycles"
)

// record is why the device was reset.
type record struct {
	device.ReasonReq
	image string
	at    time.Time // zero if there is none
}

// files are the files of records below a folder.
type files struct {
	root string
	disk durable.Disk
}

func (f files) path(name string) string { return filepath.Join(f.root, name) }

// read reads a file; one that is not there is empty.
func (f files) read(name string) (string, error) {
	b, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// write replaces a file, durably.
func (f files) write(name, text string) error {
	path := f.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return f.disk.Write(path, []byte(text), 0o644)
}

// keep writes a record, unless there is one.
func (f files) keep(q device.ReasonReq, image string) error {
	if was, err := f.read(reasonFile); err != nil || was != "" {
		return err
	}
	for _, x := range []struct{ name, text string }{
		{textFile, q.Text}, {stackFile, q.Stack}, {imageFile, image}, {reasonFile, q.Reason}} {
		if err := f.write(x.name, x.text); err != nil {
			return fmt.Errorf("record a reason: %w", err)
		}
	}
	return nil
}

// take reads the record and removes it. What is there without a reason was never one.
func (f files) take() (r record, err error) {
	at, err := os.Stat(f.path(reasonFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return r, fmt.Errorf("read the record: %w", err)
	default:
		r.at = at.ModTime()
		for _, x := range []struct {
			name string
			to   *string
		}{{reasonFile, &r.Reason}, {textFile, &r.Text}, {stackFile, &r.Stack}, {imageFile, &r.image}} {
			if *x.to, err = f.read(x.name); err != nil {
				return r, fmt.Errorf("read the record: %w", err)
			}
		}
		r.Reason = strings.TrimSpace(r.Reason)
		if trimmed, fault := r.Trim(); fault == nil {
			r.ReasonReq = trimmed
		} else {
			r = record{}
		}
	}
	err = f.disk.Remove(f.path(reasonFile))
	if err == nil {
		err = f.disk.Remove(f.path(textFile), f.path(stackFile), f.path(imageFile))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return r, fmt.Errorf("take the record: %w", err)
	}
	return r, nil
}

// count reads a number, and sets it to what next makes of it. A file that holds none counts as 0.
func (f files) count(name string, next func(was uint64) uint64,
) (was uint64, found bool, err error) {
	text, err := f.read(name)
	if err != nil {
		return 0, false, fmt.Errorf("count in %s: %w", name, err)
	}
	was, numberErr := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	if numberErr != nil {
		was = 0
	}
	if now := next(was); now != was || text == "" {
		if err := f.write(name, strconv.FormatUint(now, 10)+"\n"); err != nil {
			return was, text != "", fmt.Errorf("count in %s: %w", name, err)
		}
	}
	return was, text != "", nil
}
