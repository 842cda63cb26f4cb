package live

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"github.com/google/renameio/v2"

	"github.com/evetwin/evetwin/core/host"
)

// journal keeps the persistent rows of a device: one file, a record per turn, written in groups and
// durable before anybody is told. A torn record at the end is cut off when the file is read; at
// every opening the file is written anew with what is in force.
type journal struct {
	path string
	file *os.File
	kept map[string]host.Stored
	n    uint64 // boots

	mu      sync.Mutex
	queue   []writing
	bell    chan struct{}
	done    chan struct{}
	failure error
	broken  func(error) // told once, when the disk fails
}

type writing struct {
	rec  *host.Record
	then func()
}

// entry is a record in the file: rows of a turn, or the count of boots.
type entry struct {
	Boot  uint64        `json:"boot,omitempty"`
	Agent string        `json:"agent,omitempty"`
	Turn  uint64        `json:"turn,omitempty"`
	Rows  []host.Stored `json:"rows,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openJournal reads the journal of a directory and begins to take records.
func openJournal(dir string, broken func(error)) (*journal, error) {
	j := &journal{kept: map[string]host.Stored{}, bell: make(chan struct{}, 1),
		done: make(chan struct{}), broken: broken}
	if dir != "" {
		j.path = filepath.Join(dir, "journal")
		if err := j.open(dir); err != nil {
			return nil, fmt.Errorf("open journal %s: %w", j.path, err)
		}
	}
	go j.serve()
	return j, nil
}

func (j *journal) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := j.read(); err != nil {
		return err
	}
	if err := j.rewrite(); err != nil {
		return err
	}
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	j.file = f
	return err
}

// read takes in all whole records.
func (j *journal) read() error {
	f, err := os.Open(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var head [8]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil // the end, or a torn head
		}
		n := binary.LittleEndian.Uint32(head[:4])
		if n > 64<<20 {
			return nil
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil
		}
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
			return nil
		}
		var e entry
		if err := json.Unmarshal(body, &e); err != nil {
			return fmt.Errorf("a record with a good checksum does not parse: %w", err)
		}
		j.apply(&e)
	}
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

// rewrite replaces the file by one with what is in force, atomically.
func (j *journal) rewrite() error {
	b := frame(nil, &entry{Boot: j.n, Rows: j.rows()})
	return renameio.WriteFile(j.path, b, 0o600)
}

func frame(out []byte, e *entry) []byte {
	body, err := json.Marshal(e)
	if err != nil {
		panic("live: encode a journal record: " + err.Error())
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(body, castagnoli))
	return append(out, body...)
}

// rows are the rows in force, in a fixed order. Only between boots.
func (j *journal) rows() []host.Stored {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]host.Stored, 0, len(j.kept))
	for _, s := range j.kept {
		out = append(out, s)
	}
	sort.Slice(out, func(a, b int) bool {
		if out[a].Topic != out[b].Topic {
			return out[a].Topic < out[b].Topic
		}
		return out[a].Key < out[b].Key
	})
	return out
}

// boot counts a boot, durably, and returns the count.
func (j *journal) boot() uint64 {
	done := make(chan struct{})
	j.mu.Lock()
	j.n++
	n := j.n
	j.mu.Unlock()
	j.write(nil, func() { close(done) })
	<-done
	return n
}

// write stores a record (nil: the count of boots) and calls then, on another goroutine, when it is
// durable. If the disk fails, then is never called: what is not durable must not show.
func (j *journal) write(r *host.Record, then func()) {
	j.mu.Lock()
	j.queue = append(j.queue, writing{r, then})
	j.mu.Unlock()
	select {
	case j.bell <- struct{}{}:
	default:
	}
}

func (j *journal) close() {
	close(j.bell)
	<-j.done
}

// serve writes what is queued, in groups.
func (j *journal) serve() {
	defer close(j.done)
	for range j.bell {
		j.flush()
	}
	j.flush()
	if j.file != nil {
		j.file.Close()
	}
}

func (j *journal) flush() {
	j.mu.Lock()
	list := j.queue
	j.queue = nil
	var b []byte
	for _, w := range list {
		e := entry{Boot: j.n}
		if w.rec != nil {
			e = entry{Agent: w.rec.Agent, Turn: w.rec.Turn, Rows: w.rec.Rows}
		}
		j.apply(&e)
		if j.file != nil {
			b = frame(b, &e)
		}
	}
	j.mu.Unlock()
	if len(b) > 0 && j.failure == nil {
		if _, err := j.file.Write(b); err != nil {
			j.failure = err
		} else if err := datasync(j.file); err != nil {
			j.failure = err
		}
	}
	if j.failure != nil {
		if j.broken != nil {
			j.broken(fmt.Errorf("write journal %s: %w", j.path, j.failure))
			j.broken = nil
		}
		return
	}
	for _, w := range list {
		w.then()
	}
}
