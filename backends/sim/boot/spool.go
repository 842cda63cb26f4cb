package boot

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/log"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/logspool"
)

// Spool is the part log over files in memory, which outlive a boot. Its methods are for the
// device's loop. A device whose lines nobody gives it has no row.
type Spool struct {
	// Limits of the files; zero: those of a large disk.
	Limits logspool.Limits
	// Every is how long lines come together before they are written; 0 means 800 ms.
	Every time.Duration
	// Late is how far the clock is ahead of that of the boot.
	Late time.Duration
	// Full says that the disk takes no more.
	Full bool

	part  *host.Part
	pub   *bus.Pub[log.SpoolSeen]
	queue logspool.Queue
	files logs
	spool *logspool.Spool
	msg   uint64
}

// Wire begins anew with the files that are there; lines that were not written yet are lost.
func (s *Spool) Wire(k *host.Kernel) {
	s.part = k.Part("log")
	s.pub = bus.Publish(s.part, log.Spool)
	s.queue.Take()
	limits := s.Limits
	if limits == (logspool.Limits{}) {
		limits = logspool.LimitsFor(1 << 40)
	}
	s.files.full = &s.Full
	s.spool, _ = logspool.New(logspool.Options{Limits: limits, Disk: &s.files,
		Head: func(stream string) []byte {
			if stream == logspool.Device {
				return logspool.Bundle{}.Bytes()
			}
			return logspool.AppHead(stream)
		}})
	s.tell()
	s.pub.Complete()
}

// Line takes a line of an agent or of the host.
func (s *Spool) Line(from string, l agent.Line) { s.add(logspool.Device, from, l) }

// Console takes what a guest says, by application.
func (s *Spool) Console(app string) io.Writer {
	return &logspool.Splitter{Line: func(text string) {
		s.add(app, "guest", agent.Line{Level: agent.Info, Text: text})
	}}
}

// Files are the files by their names.
func (s *Spool) Files() map[string]string {
	out := map[string]string{}
	for _, f := range s.files.list {
		out[f.name] = string(f.data)
	}
	return out
}

// Lose removes a file, as somebody else would.
func (s *Spool) Lose(name string) {
	s.files.drop(name)
	s.spool.Gone(name)
	s.soon()
}

// Place adds to a file, or makes it, as a write does that ended half way.
func (s *Spool) Place(name, text string) {
	f := s.files.find(name)
	if f == nil {
		f = &logFile{name: name}
		s.files.list = append(s.files.list, f)
	}
	f.data = append(f.data, text...)
}

func (s *Spool) now() time.Time { return s.part.Wall().Add(s.Late) }

func (s *Spool) add(stream, from string, l agent.Line) {
	e := logspool.NewEntry(from, s.now(), l)
	s.msg++
	e.MsgID = s.msg
	if first, _ := s.queue.Add(logspool.Line{Stream: stream, Text: e.Bytes()}); first {
		s.soon()
	}
}

// soon writes what waits after a while.
func (s *Spool) soon() {
	every := s.Every
	if every == 0 {
		every = 800 * time.Millisecond
	}
	s.part.After(every, s.write)
}

// Flush writes what waits now.
func (s *Spool) Flush() { s.part.Do(s.write) }

// write writes what waits.
func (s *Spool) write() {
	lines, dropped := s.queue.Take()
	s.spool.Drop(dropped)
	if len(lines) > 0 {
		_ = s.spool.Write(s.now(), lines) // what was not taken is counted
	}
	s.tell()
}

// tell puts the row.
func (s *Spool) tell() {
	if row, ok := s.spool.Seen(); ok {
		s.pub.Put(row)
	} else {
		s.pub.Delete(row.Key())
	}
}

// logFile is a file.
type logFile struct {
	name string
	data []byte
}

// logs are the files.
type logs struct {
	list []*logFile
	full *bool
}

func (d *logs) find(name string) *logFile {
	for _, f := range d.list {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (d *logs) drop(name string) {
	d.list = slices.DeleteFunc(d.list, func(f *logFile) bool { return f.name == name })
}

// errFull is what a full disk says.
var errFull = errors.New("no space left on the disk")

// List are the files.
func (d *logs) List() (out []logspool.Found, err error) {
	for _, f := range d.list {
		out = append(out, logspool.Found{Name: f.name, Size: int64(len(f.data))})
	}
	return out, nil
}

// Append adds to a file.
func (d *logs) Append(name string, size int64, data []byte) (int64, error) {
	f := d.find(name)
	switch {
	case *d.full:
		return size, errFull
	case f == nil && size > 0:
		return 0, logspool.ErrGone
	case f == nil:
		f = &logFile{name: name}
		d.list = append(d.list, f)
	}
	f.data = append(f.data, data...)
	return int64(len(f.data)), nil
}

// Mend cuts a half line off.
func (d *logs) Mend(name string) (int64, error) {
	f := d.find(name)
	f.data = f.data[:bytes.LastIndexByte(f.data, '\n')+1]
	return int64(len(f.data)), nil
}

// Sync does nothing: what is written is durable.
func (d *logs) Sync(string) error { return nil }

// Done does nothing.
func (d *logs) Done(string) error { return nil }

// Remove removes a file.
func (d *logs) Remove(name string) (lines int64, err error) {
	if f := d.find(name); f != nil {
		lines = int64(max(bytes.Count(f.data, []byte("\n"))-1, 0))
	}
	d.drop(name)
	return lines, nil
}

var _ logspool.Disk = (*logs)(nil)
