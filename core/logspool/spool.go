package logspool

import (
	"cmp"
	"errors"
	"slices"
	"time"

	device "github.com/evetwin/evetwin/core/device/log"
)

// Disk is the folder with the files.
type Disk interface {
	// List are the files that are there; others than the spool's may be among them.
	List() ([]Found, error)
	// Append adds to the end of a file, all or nothing, and returns its size. A file of size 0 is
	// made. ErrGone says that somebody removed it.
	Append(name string, size int64, data []byte) (int64, error)
	// Mend cuts a last line that has no end off and returns the size.
	Mend(name string) (int64, error)
	// Sync makes a file durable.
	Sync(name string) error
	// Done says that a file takes no more lines.
	Done(name string) error
	// Remove removes a file, and tells how many lines went with it. One that is not there is no error.
	Remove(name string) (lines int64, err error)
}

// Found is a file on the disk.
type Found struct {
	Name string
	Size int64
}

// ErrGone says that a file is not there any more.
var ErrGone = errors.New("the file is gone")

// Options of a spool.
type Options struct {
	Limits Limits
	Disk   Disk
	// Head is the first line of a stream's files.
	Head func(stream string) []byte
}

// file is one of the spool's.
type file struct {
	name, stream string
	ms           int64     // of its name
	began        time.Time // when it began to take lines
	size         int64
	unsynced     int
	done         bool
}

// Spool is the files of a device.
type Spool struct {
	o       Options
	files   []*file // oldest first
	dropped int64
}

// New adopts what is on the disk: the newest file of each stream goes on, and has no half line.
func New(o Options) (*Spool, error) {
	s := &Spool{o: o}
	found, err := o.Disk.List()
	if err != nil {
		return s, err
	}
	s.take(found)
	var errs []error
	seen := map[string]bool{}
	for _, f := range slices.Backward(slices.Clone(s.files)) {
		f.done = seen[f.stream]
		if f.done {
			continue
		}
		seen[f.stream] = true
		if f.size, err = o.Disk.Mend(f.name); err == nil && f.size == 0 {
			_, err = o.Disk.Remove(f.name)
			s.forget(f.name)
		}
		errs = append(errs, err)
	}
	return s, errors.Join(append(errs, s.evict())...)
}

// take makes files of what was found.
func (s *Spool) take(found []Found) {
	for _, x := range found {
		if stream, ms, ok := Parse(x.Name); ok {
			s.files = append(s.files, &file{name: x.Name, stream: stream, ms: ms,
				began: time.UnixMilli(ms), size: x.Size})
		}
	}
	slices.SortFunc(s.files, func(a, b *file) int {
		return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.name, b.name))
	})
}

// Look looks at the disk again: files that are gone are forgotten.
func (s *Spool) Look() error {
	found, err := s.o.Disk.List()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, x := range found {
		there[x.Name] = true
	}
	for _, f := range slices.Clone(s.files) {
		if !there[f.name] {
			s.Gone(f.name)
		}
	}
	return nil
}

// Gone says that somebody removed a file; it reports whether that is news.
func (s *Spool) Gone(name string) bool {
	before := len(s.files)
	s.forget(name)
	if len(s.files) == before {
		return false
	}
	_ = s.o.Disk.Done(name) // nothing of it is left that could go wrong
	return true
}

func (s *Spool) forget(name string) {
	s.files = slices.DeleteFunc(s.files, func(f *file) bool { return f.name == name })
}

// Drop counts lines that were lost before they came here.
func (s *Spool) Drop(lines int64) { s.dropped += lines }

// Write writes lines, and has the oldest files go for them. What the disk does not take is dropped
// and counted; the error says why.
func (s *Spool) Write(now time.Time, lines []Line) error {
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(a.Stream, b.Stream) })
	var errs []error
	for len(lines) > 0 {
		n := slices.IndexFunc(lines, func(l Line) bool { return l.Stream != lines[0].Stream })
		if n < 0 {
			n = len(lines)
		}
		errs = append(errs, s.stream(now, lines[:n]))
		lines = lines[n:]
	}
	return errors.Join(append(errs, s.evict())...)
}

// stream writes lines of one stream.
func (s *Spool) stream(now time.Time, lines []Line) (err error) {
	for len(lines) > 0 {
		f := s.current(now, lines[0])
		chunk, n := s.chunk(f, lines)
		size, bad := s.o.Disk.Append(f.name, f.size, chunk)
		switch {
		case errors.Is(bad, ErrGone) && f.size > 0:
			s.forget(f.name)
			continue // into another one
		case bad != nil:
			err = bad
			s.dropped += int64(n)
			if f.size == 0 {
				s.forget(f.name)
			}
		default:
			f.size = size
			if f.unsynced += n; f.unsynced >= s.o.Limits.Sync {
				f.unsynced = 0
				err = errors.Join(err, s.o.Disk.Sync(f.name))
			}
		}
		lines = lines[n:]
	}
	return err
}

// current is the file that takes a line.
func (s *Spool) current(now time.Time, l Line) *file {
	for _, f := range slices.Backward(s.files) {
		if f.stream != l.Stream || f.done {
			continue
		}
		age := now.Sub(f.began)
		if f.size+int64(len(l.Text)) <= s.o.Limits.Roll && age >= 0 && age < s.o.Limits.Age {
			return f
		}
		f.done = true
		_ = s.o.Disk.Done(f.name) // its lines are written, durable or not
	}
	f := &file{stream: l.Stream, ms: max(now.UnixMilli(), 0), began: now}
	if n := len(s.files); n > 0 { // also after a clock that was set back the last is the youngest
		f.ms = max(f.ms, s.files[n-1].ms+1)
	}
	f.name = Name(f.stream, f.ms)
	s.files = append(s.files, f)
	return f
}

// chunk is as many lines as a file takes, one at least, behind its first line if it is new.
func (s *Spool) chunk(f *file, lines []Line) (out []byte, n int) {
	if f.size == 0 {
		out = append(out, s.o.Head(f.stream)...)
	}
	for ; n < len(lines); n++ {
		text := lines[n].Text
		if n > 0 && f.size+int64(len(out)+len(text)) > s.o.Limits.Roll {
			break
		}
		out = append(out, text...)
	}
	return out, n
}

// evict has the oldest files go until the limits are kept. The last file stays.
func (s *Spool) evict() error {
	for len(s.files) > 1 && (s.bytes() > s.o.Limits.Quota || len(s.files) > s.o.Limits.Count) {
		lines, err := s.o.Disk.Remove(s.files[0].name)
		if err != nil {
			return err
		}
		s.dropped += lines
		s.files = s.files[1:]
	}
	return nil
}

func (s *Spool) bytes() (sum int64) {
	for _, f := range s.files {
		sum += f.size
	}
	return sum
}

// Seen is the row; ok is false as long as there is nothing to tell.
func (s *Spool) Seen() (row device.SpoolSeen, ok bool) {
	row = device.SpoolSeen{Files: len(s.files), Bytes: device.Coarse(s.bytes()), Dropped: s.dropped}
	return row, row != device.SpoolSeen{}
}
