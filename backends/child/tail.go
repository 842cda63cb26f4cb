package child

import (
	"io"
	"strings"
	"sync"
)

// tailBytes is how much of a child's stderr is kept for its obituary.
const tailBytes = 2048

// tail is a writer that keeps the last bytes written to it and passes everything on.
type tail struct {
	mu   sync.Mutex
	last []byte
	also io.Writer
}

// Write keeps and passes on. It never fails: a reader of stderr that is gone must not stop the
// child.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	if t.also != nil {
		_, _ = t.also.Write(p)
	}
	return len(p), nil
}

// String returns the last lines as one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return oneLine(strings.TrimSpace(string(t.last)))
}
