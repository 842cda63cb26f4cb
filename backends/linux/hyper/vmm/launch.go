package vmm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/evetwin/evetwin/backends/sim/qemu"
)

// socketLimit is how long the path of a socket may be.
const socketLimit = 107

// Launch starts QEMU with the guest paused before its first instruction. A guest that does not
// start stays off.
func (g *Guests) Launch(name string) error {
	rec, r, err := g.look(name)
	if err == nil && r != nil {
		return nil
	}
	if err == nil {
		err = g.launch(name, rec.Spec)
	}
	if err != nil {
		return fmt.Errorf("start guest %s: %w", name, err)
	}
	return nil
}

func (g *Guests) launch(name string, s qemu.Spec) error {
	log, err := os.Create(g.path(name, logSuffix))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p, err := g.process(name, s, log)
	if err != nil {
		return err
	}
	r := g.newRun(name, p)
	if err = r.connect(g.ctx); err == nil && g.follow(r) {
		return nil
	}
	if err == nil {
		err = g.ctx.Err()
	}
	err = errors.Join(err, p.end())
	r.release()
	if words := lastWords(g.path(name, logSuffix)); words != "" {
		err = fmt.Errorf("%s: %w", words, err)
	}
	return errors.Join(err, g.failed(name))
}

// failed writes down that a process that was to be a guest is not there.
func (g *Guests) failed(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x := g.guests[name]; x != nil && x.rec.Process != nil {
		return g.over(name, x)
	}
	return nil
}

// process starts the process of a guest. It is written down before it can become QEMU.
func (g *Guests) process(name string, s qemu.Spec, log *os.File) (*process, error) {
	ours := []string{g.path(name, monitorSuffix), g.path(name, shellSuffix)}
	s.Monitors, s.RunAtOnce = nil, false
	var files []*os.File
	defer func() {
		for _, f := range files { // ours would hide QEMU's end from who connects
			_ = f.Close()
		}
	}()
	listens := func(path string) (qemu.Socket, error) {
		f, err := listen(path)
		if err == nil {
			files = append(files, f)
		}
		return qemu.Socket{File: f, Listen: true}, err
	}
	var err error
	if s.Console.Path != "" {
		if s.Console, err = listens(s.Console.Path); err != nil {
			return nil, err
		}
	}
	for _, path := range ours {
		m, err := listens(path)
		if err != nil {
			return nil, err
		}
		s.Monitors = append(s.Monitors, m)
	}
	c, err := s.Command()
	if err != nil {
		return nil, err
	}
	w, err := spawn(g.o.Space, g.program, c, log)
	if err != nil {
		return nil, err
	}
	p, err := hold(w.id)
	if err == nil && p == nil {
		err = errors.New("its process has ended")
	}
	if err == nil {
		err = g.began(name, w.id)
	}
	if err == nil {
		err = w.release()
	}
	if err != nil {
		w.cancel()
		if p != nil {
			err = errors.Join(err, p.end())
			p.release()
		}
		return nil, errors.Join(err, g.failed(name))
	}
	return p, nil
}

// began writes down the process of a run.
func (g *Guests) began(name string, id identity) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	x := g.guests[name]
	if x == nil {
		return ErrGone
	}
	x.rec.Process, x.rec.End = &id, Off
	return g.save(name, &x.rec)
}

// listen makes a socket that only we may connect to, for QEMU to inherit.
func listen(path string) (*os.File, error) {
	if len(path) > socketLimit {
		return nil, fmt.Errorf("socket %s: its path is longer than %d bytes", path, socketLimit)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // that of the run before
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // the file is a descriptor of its own
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, err
	}
	return l.File()
}

// lastWords is the end of a log, as one line.
func lastWords(path string) string {
	const most = 1 << 10
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	text = bytes.TrimSpace(text[max(0, len(text)-most):])
	return string(bytes.ReplaceAll(text, []byte("\n"), []byte("; ")))
}
