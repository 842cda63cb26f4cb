package live

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/core/host"
)

// journal keeps the persistent rows of a device: one file, a record per turn, written in groups and
// durable before anybody is told. A torn record at the end is cut off when the file is read. The
// file is written anew with what is in force at every opening, and when it has grown.
type journal struct {
	path string
	file *os.File
	// append and sync are what reaches the disk, retry when a disk without room is asked again.
	append func(*os.File, []byte) (int, error)
	sync   func(*os.File) error
	// replace writes a whole file anew, atomically.
	replace func(path string, b []byte) error
	retry   func() <-chan time.Time
	size    int64 // of the file
	base    int64 // of the file when it was last written anew
	lost    int64 // bytes that were cut off when it was opened

	mu      sync.Mutex
	kept    map[string]host.Stored
	n       uint64 // boots
	queue   []writing
	failure error
	held    bool          // a group waits for room
	full    chan struct{} // closed while held
	over    bool          // nothing is taken any more

	bell   chan struct{}
	quit   chan struct{} // closed when it is to write what it has, and no more
	done   chan struct{} // closed when it writes no more
	broke  chan struct{} // closed when the disk has failed
	broken func(error)   // told when the disk has failed
	space  func(error)   // told why there is no room, and nil when there is again
	spare  []writing
	buf    []byte
}

// writing is a record on its way to the disk, or the count of boots where rec is nil.
type writing struct {
	rec  *host.Record
	boot uint64
	then func()
}

func (w *writing) entry() *entry {
	if w.rec == nil {
		return &entry{Boot: w.boot}
	}
	return &entry{Agent: w.rec.Agent, Turn: w.rec.Turn, Rows: w.rec.Rows}
}

// openJournal reads the journal of a directory; "" keeps it in memory. It takes records once serve
// runs.
func openJournal(dir string, broken func(error)) (*journal, error) {
	j := &journal{kept: map[string]host.Stored{}, bell: make(chan struct{}, 1),
		replace: func(path string, b []byte) error { return renameio.WriteFile(path, b, 0o600) },
		append:  (*os.File).Write, sync: datasync, space: func(error) {},
		retry: func() <-chan time.Time { return time.After(roomEvery) }, full: make(chan struct{}),
		quit: make(chan struct{}), done: make(chan struct{}), broke: make(chan struct{}), broken: broken}
	if dir != "" {
		j.path = filepath.Join(dir, "journal")
		if err := j.open(dir); err != nil {
			return nil, fmt.Errorf("open journal %s: %w", j.path, err)
		}
	}
	return j, nil
}

func (j *journal) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	whole, err := readEntries(b, j.apply)
	if err != nil {
		return err
	}
	j.lost = int64(len(b) - whole)
	if err := j.rewrite(); !isFull(err) {
		return err
	}
	// Without room for a new file the old one goes on, less its torn end.
	if err := os.Truncate(j.path, int64(whole)); err != nil {
		return err
	}
	j.size, j.base = int64(whole), int64(whole)
	return j.goOn()
}

func (j *journal) apply(e *entry) {
	j.n = max(j.n, e.Boot)
	for _, s := range e.Rows {
		if id := s.Topic + "\x00" + s.Key; s.Val == nil {
			delete(j.kept, id)
		} else {
			j.kept[id] = s
		}
	}
}

// rows are the durable rows, in a fixed order.
func (j *journal) rows() []host.Stored {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.SortedFunc(maps.Values(j.kept), func(a, b host.Stored) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Key, b.Key))
	})
}

// boot counts a boot, durably and behind all that was written before, and returns the count. A disk
// without room does not keep a device from its boot: the count becomes durable before anything else
// of this boot does.
func (j *journal) boot() (uint64, error) {
	done := make(chan struct{})
	j.mu.Lock()
	j.n++
	n := j.n
	j.mu.Unlock()
	j.add(writing{boot: n, then: func() { close(done) }})
	select {
	case <-done:
		return n, nil
	case <-j.fullNow():
		return n, nil
	case <-j.broke:
		return 0, fmt.Errorf("count boots: %w", j.fault())
	}
}

// write stores a record and calls then, perhaps on another goroutine, when it is durable. If the
// disk fails, or the journal is closed, then is never called: what is not durable must not show.
// Any goroutine may call it, at any time.
func (j *journal) write(r *host.Record, then func()) { j.add(writing{rec: r, then: then}) }

func (j *journal) add(w writing) {
	j.mu.Lock()
	if j.over {
		j.mu.Unlock()
		return
	}
	if j.path == "" {
		j.apply(w.entry())
		j.mu.Unlock()
		w.then()
		return
	}
	j.queue = append(j.queue, w)
	j.mu.Unlock()
	select {
	case j.bell <- struct{}{}:
	default:
	}
}

// close ends serve when all is written that was given before. What others give behind it is not
// taken.
func (j *journal) close() {
	j.mu.Lock()
	j.over = true
	j.mu.Unlock()
	close(j.quit)
	<-j.done
}

// start has a goroutine write what is queued; a journal in memory needs none.
func (j *journal) start() {
	if j.path == "" {
		close(j.done)
		return
	}
	go j.serve()
}

// serve writes what is queued, in groups, until close.
func (j *journal) serve() {
	defer close(j.done)
	for open := true; open; {
		select {
		case <-j.bell:
		case <-j.quit:
			open = false
		case <-j.again():
		}
		j.flush()
	}
	j.shut()
}

// shut closes the file of a journal that is not served.
func (j *journal) shut() {
	if j.file != nil {
		j.file.Close()
	}
}

// flush makes durable what is queued, as one group, and tells those who wait.
func (j *journal) flush() {
	j.mu.Lock()
	list := j.queue
	if j.failure != nil || len(list) == 0 {
		j.queue = list[:0]
		j.mu.Unlock()
		return
	}
	j.queue, j.spare = j.spare[:0], nil // two queues take turns, never one in the other's memory
	j.mu.Unlock()
	if err := j.store(list); isFull(err) {
		j.hold(list, err)
		return
	} else if err != nil {
		j.fail(err)
		return
	}
	j.release()
	j.mu.Lock()
	for i := range list {
		j.apply(list[i].entry())
	}
	j.mu.Unlock()
	for i := range list {
		list[i].then()
	}
	clear(list)
	j.spare = list
	if j.size > compactSize && j.size > compactTimes*j.base {
		if err := j.rewrite(); isFull(err) {
			j.base = j.size // the old file is whole, and goes on for as long again
		} else if err != nil {
			j.fail(err)
		}
	}
}

// store appends a group to the file.
func (j *journal) store(list []writing) error {
	if j.file == nil {
		return nil
	}
	j.buf = j.buf[:0]
	for i := range list {
		j.buf = frame(j.buf, list[i].entry())
	}
	return j.put(j.buf)
}

// fail ends all writing: what the disk holds behind the last good group is not known any more.
func (j *journal) fail(err error) {
	err = fmt.Errorf("write journal %s: %w", j.path, err)
	j.mu.Lock()
	j.failure = err
	j.mu.Unlock()
	close(j.broke)
	j.broken(err)
}

func (j *journal) fault() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failure
}
