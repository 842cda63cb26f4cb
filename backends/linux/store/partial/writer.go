package partial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/store/durable"
)

// syncEvery is how many bytes come between two syncs, at most: what a power cut can cost.
const syncEvery = 8 << 20

// Writer appends to a download. State may be called from any goroutine, the rest from one.
type Writer struct {
	d    *Dir
	file *os.File

	mu    sync.Mutex
	state State
}

// Resume opens a download for writing where it stands; one that is not there is made, empty. One
// that is Done wants nothing but Close. It is ErrBusy while another Writer has it,
// and ErrShut before Recover.
func (d *Dir) Resume(target string) (*Writer, error) {
	if !Names(target) {
		return nil, fmt.Errorf("resume download %q: %w", target, ErrName)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.open {
		return nil, fmt.Errorf("resume download %s: %w", target, ErrShut)
	}
	if d.busy[target] != nil {
		return nil, fmt.Errorf("resume download %s: %w", target, ErrBusy)
	}
	s, ok := d.load(target)
	if !ok {
		s = State{Target: target}
	}
	w := &Writer{d: d, state: s}
	err := d.disk.Do(durable.Open, d.Locate(target), func() (err error) {
		w.file, err = os.OpenFile(d.Locate(target), os.O_RDWR|os.O_CREATE, 0o600)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("resume download %s: %w", target, err)
	}
	if !ok {
		err = w.Begin("", 0)
	} else {
		_, err = w.file.Seek(s.Have, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	d.busy[target] = w
	return w, nil
}

// State is how far the download is.
func (w *Writer) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// set changes the state.
func (w *Writer) set(f func(s *State)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.state)
}

// Begin empties the download: content with this tag and size follows. Size 0 is unknown.
func (w *Writer) Begin(tag string, size int64) error {
	w.set(func(s *State) { *s = State{Target: s.Target, Tag: tag, Size: size} })
	err := w.record() // first: what was durable is not any more
	if err == nil {
		err = w.file.Truncate(0)
	}
	if err == nil {
		_, err = w.file.Seek(0, io.SeekStart)
	}
	return w.failed("begin", err)
}

// Sized notes the size of the whole, which the server has told meanwhile.
func (w *Writer) Sized(size int64) { w.set(func(s *State) { s.Size = size }) }

// Write appends bytes.
func (w *Writer) Write(data []byte) (int, error) {
	var n int
	err := w.d.disk.Do(durable.Write, w.file.Name(), func() (err error) {
		n, err = w.file.Write(data)
		return err
	})
	w.set(func(s *State) { s.Have += int64(n) })
	if s := w.State(); err == nil && s.Have-s.Durable >= syncEvery {
		err = w.Sync()
	}
	return n, w.failed("write", err)
}

// Sync makes what came durable.
func (w *Writer) Sync() error {
	err := w.d.disk.Do(durable.Sync, w.file.Name(), w.file.Sync)
	if err == nil {
		w.set(func(s *State) { s.Durable = s.Have })
		err = w.record()
	}
	return w.failed("sync", err)
}

// Finish says that all has come, and makes it durable; Close follows.
func (w *Writer) Finish() error {
	err := w.d.disk.Do(durable.Sync, w.file.Name(), w.file.Sync)
	if err == nil {
		w.set(func(s *State) { s.Durable, s.Size, s.Done = s.Have, s.Have, true })
		if err = w.record(); err != nil {
			w.set(func(s *State) { s.Done = false })
		}
	}
	return w.failed("finish", err)
}

// Close ends the writing. What came is kept, to go on there.
func (w *Writer) Close() error {
	var err error
	if s := w.State(); s.Have != s.Durable && w.mine() {
		err = w.Sync()
	}
	err = errors.Join(err, w.file.Close())
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.d.busy[w.state.Target] == w {
		delete(w.d.busy, w.state.Target)
	}
	return err
}

// mine reports whether the download was not removed under the writer.
func (w *Writer) mine() bool {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	return w.d.busy[w.state.Target] == w
}

// record writes the state down beside the bytes.
func (w *Writer) record() error {
	s := w.State()
	text, err := json.Marshal(record{Durable: s.Durable, Size: s.Size, Tag: s.Tag, Done: s.Done})
	if err != nil {
		return err
	}
	return w.d.disk.Write(w.d.Locate(s.Target)+suffix, text, 0o600)
}

func (w *Writer) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s download %s: %w", what, w.state.Target, err)
}

var _ io.WriteCloser = (*Writer)(nil)
