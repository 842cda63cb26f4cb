package child

import (
	"bytes"
	"sync"
)

// earBytes is how much an Ear keeps of what was said without what it listens for.
const earBytes = 1 << 16

// Ear is a writer, for Options, that tells when a child says something.
type Ear struct {
	mu   sync.Mutex
	said []byte
	want []byte
	met  chan struct{} // nil: it listens for nothing
}

// Expect returns a channel that is closed when the text is said next. What was expected before is
// not listened for any more.
func (e *Ear) Expect(text string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.want, e.met, e.said = []byte(text), make(chan struct{}), nil
	return e.met
}

// Write takes what a child says, in pieces of any size.
func (e *Ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.met == nil {
		return len(p), nil
	}
	e.said = append(e.said, p...)
	if bytes.Contains(e.said, e.want) {
		close(e.met)
		e.met, e.said = nil, nil
	} else if len(e.said) > earBytes {
		e.said = e.said[len(e.said)-len(e.want):]
	}
	return len(p), nil
}
