package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
)

// serveRead reads a small file and hands out of it what an agent may see.
func (x *session) serveRead(c host.Run[device.ReadReq, device.ReadRes]) {
	q := *c.Req()
	run(x, c, func(context.Context) (out device.ReadRes, f *agent.Fault) {
		what := "read " + q.Path
		switch {
		case device.Private(q.Path):
			return out, refusal(device.FaultRefused, "%s: it is a secret", what)
		case !device.Listed(q.Path):
			return out, missing("%s: no such file", what)
		}
		data, err := x.readFile(q.Path)
		if err != nil {
			return out, fault(what, err)
		}
		if q.Sha256 != "" && q.Sha256 != sum(data) {
			return out, &agent.Fault{Code: device.FaultChanged, Text: what + ": it has changed",
				Retry: true}
		}
		return device.ReadRes{Data: data}, nil
	}, func(out device.ReadRes, f *agent.Fault) {
		if f != nil {
			c.Finish(out, f)
			return
		}
		out = x.content(q.Path, out.Data)
		save := x.unsaved()
		if save == nil {
			c.Done(out)
			return
		}
		run(x, c, func(context.Context) (device.ReadRes, *agent.Fault) {
			if err := save(); err != nil {
				return device.ReadRes{}, fault("read "+q.Path, err)
			}
			return out, nil
		}, c.Finish)
	})
}

// serveWrite replaces a small file. What it is to hold is known on the loop, the secrets that go
// with it are durable before it is.
func (x *session) serveWrite(c host.Run[device.WriteReq, device.None]) {
	q := *c.Req()
	get, known := x.meant(&q)
	switch {
	case !known:
		c.Fail(device.FaultMissing, "write "+q.Path+": what is to be in it is not known any more", false)
		return
	case !device.Writable(q.Path):
		c.Fail(device.FaultRefused, "write "+q.Path+": outside its directories", false)
		return
	}
	save := x.unsaved()
	run(x, c, func(context.Context) (device.None, *agent.Fault) {
		data, err := get()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return device.None{}, refusal(device.FaultMissing,
				"write %s: what is to be in it is not there any more", q.Path)
		case err == nil && len(data) > device.MaxFile:
			err = errLarge
		case err == nil && save != nil:
			err = save()
		}
		if err == nil {
			err = x.write(q.Path, data, q.Backup)
		}
		if err != nil {
			return device.None{}, fault("write "+q.Path, err)
		}
		return device.None{}, nil
	}, c.Finish)
}

// write replaces a small file, and keeps what it had.
func (x *session) write(path string, data []byte, backup bool) error {
	to := x.host(path)
	if same, err := x.touch(to, data); same || err != nil {
		return err
	}
	if err := x.watched(filepath.Dir(to)); err != nil {
		return err
	}
	temp, err := x.o.Disk.Stage(to, data, 0o600)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.show(path+".bak", path)
	if backup {
		if err := x.keep(to, data); err != nil {
			x.o.Disk.Discard(temp, err)
			return err
		}
	}
	return x.o.Disk.Commit(temp, to)
}

// touch gives a file that has a content already a new date, and reports whether it has.
func (x *session) touch(to string, data []byte) (same bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, err := os.ReadFile(to)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !bytes.Equal(old, data) {
		return false, err
	}
	now := time.Now()
	return true, os.Chtimes(to, now, now)
}

// keep gives what a file holds, or is to hold if it is not there, the name of its backup.
func (x *session) keep(to string, data []byte) error {
	var temp string
	err := x.o.Disk.Do(durable.Open, to+".bak", func() (err error) {
		temp, err = free(filepath.Dir(to))
		if err == nil {
			err = os.Link(to, temp) // it takes no room
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		temp, err = x.o.Disk.Stage(to+".bak", data, 0o600)
	}
	if err == nil {
		err = x.o.Disk.Commit(temp, to+".bak")
	}
	return err
}

// free is a name in a folder that nothing has, for what is unfinished.
func free(dir string) (string, error) {
	f, err := os.CreateTemp(dir, durable.Prefix+"*")
	if err != nil {
		return "", err
	}
	return f.Name(), errors.Join(f.Close(), os.Remove(f.Name()))
}

// remove deletes a small file and its backup.
func (x *session) remove(_ context.Context, q *device.RemoveReq) (none device.None,
	f *agent.Fault,
) {
	if !device.Writable(q.Path) {
		return none, refusal(device.FaultRefused, "remove %s: outside its directories", q.Path)
	}
	to := x.host(q.Path)
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.show(q.Path, q.Path+".bak")
	if err := x.o.Disk.Remove(to, to+".bak"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return none, fault("remove "+q.Path, err)
	}
	return none, nil
}

// watched makes the folder of a small file, and has it and those above it watched.
func (x *session) watched(dir string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil {
			break
		}
		defer func() { x.complain(x.watch.Add(at)) }()
	}
	return x.makeDir(dir)
}
