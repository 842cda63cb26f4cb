package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/core/logspool"
)

// folder is the files on the disk. It belongs to one goroutine.
type folder struct {
	dir  string
	open map[string]*os.File // those that take lines
	made func() error        // tells that the folder was made anew
}

var _ logspool.Disk = (*folder)(nil)

// List are the files; the folder is made if it is not there.
func (d *folder) List() (out []logspool.Found, err error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	all, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, fmt.Errorf("look for logs: %w", err)
	}
	for _, e := range all {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			out = append(out, logspool.Found{Name: e.Name(), Size: info.Size()})
		}
	}
	return out, nil
}

// make makes the folder, and has it watched.
func (d *folder) make() error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of logs: %w", err)
	}
	return d.made()
}

// file is one to write to.
func (d *folder) file(name string, fresh bool) (*os.File, error) {
	if f := d.open[name]; f != nil {
		return f, nil
	}
	flags := os.O_WRONLY | os.O_APPEND
	if fresh {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	path := filepath.Join(d.dir, name)
	f, err := os.OpenFile(path, flags, 0o600)
	if fresh && errors.Is(err, fs.ErrNotExist) {
		if err = d.make(); err == nil {
			f, err = os.OpenFile(path, flags, 0o600)
		}
	}
	if err == nil {
		d.open[name] = f
	}
	return f, err
}

// Append adds to a file. What was written in part is taken back.
func (d *folder) Append(name string, size int64, data []byte) (int64, error) {
	f, err := d.file(name, size == 0)
	if errors.Is(err, fs.ErrNotExist) && size > 0 {
		return 0, logspool.ErrGone
	}
	if err != nil {
		return size, fmt.Errorf("write a log: %w", err)
	}
	var at unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &at); err != nil || at.Nlink == 0 {
		return 0, errors.Join(logspool.ErrGone, d.close(name))
	}
	n, err := f.Write(data)
	if err == nil {
		return at.Size + int64(n), nil
	}
	err = fmt.Errorf("write a log: %w", err)
	if n > 0 {
		err = errors.Join(err, f.Truncate(at.Size))
	}
	if size == 0 { // a file without lines is of no use
		err = errors.Join(err, d.close(name), os.Remove(filepath.Join(d.dir, name)))
	}
	return size, err
}

// Mend cuts off what stands behind the last end of a line.
func (d *folder) Mend(name string) (int64, error) {
	path := filepath.Join(d.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("mend a log: %w", err)
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole == len(text) {
		return int64(whole), nil
	}
	if err := os.Truncate(path, int64(whole)); err != nil {
		return int64(len(text)), fmt.Errorf("mend a log: %w", err)
	}
	return int64(whole), nil
}

// Sync makes a file durable.
func (d *folder) Sync(name string) error {
	f := d.open[name]
	if f == nil {
		return nil
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return fmt.Errorf("sync a log: %w", err)
	}
	return nil
}

// Done syncs and closes a file.
func (d *folder) Done(name string) error { return errors.Join(d.Sync(name), d.close(name)) }

func (d *folder) close(name string) error {
	f := d.open[name]
	if f == nil {
		return nil
	}
	delete(d.open, name)
	return f.Close()
}

// Remove removes a file, and counts the lines behind its first.
func (d *folder) Remove(name string) (lines int64, err error) {
	path := filepath.Join(d.dir, name)
	err = d.close(name)
	if f, bad := os.Open(path); bad == nil {
		lines = max(count(f)-1, 0)
		err = errors.Join(err, f.Close())
	}
	if bad := os.Remove(path); bad != nil && !errors.Is(bad, fs.ErrNotExist) {
		return 0, errors.Join(err, fmt.Errorf("remove a log: %w", bad))
	}
	return lines, err
}

// count counts ends of lines.
func count(r io.Reader) (n int64) {
	b := make([]byte, 64<<10)
	for {
		got, err := r.Read(b)
		n += int64(bytes.Count(b[:got], []byte("\n")))
		if err != nil {
			return n
		}
	}
}

// shut ends the work with all files.
func (d *folder) shut() (err error) {
	for name := range d.open { //order: each is its own file
		err = errors.Join(err, d.Done(name))
	}
	return err
}
