package zedbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Beat is how often a loop says that it turns, as EVE's agents do; Silence is how long it may say
// nothing.
const (
	Beat    = 25 * time.Second
	Silence = 300 * time.Second
)

// pipeVariable names the descriptor over which a process tells its supervisor how it is.
const pipeVariable = "ZEDBOX_PULSE_FD"

// What a process tells.
const (
	wordReady = 'r'
	wordAlive = 'a'
)

// Pulse tells the supervisor, if there is one, and the file system that processes live.
type Pulse struct {
	root  Root
	pipe  *os.File
	names []string
	stop  chan struct{}
	done  sync.WaitGroup

	mu   sync.Mutex
	post func(func()) // of the loop that is to turn
}

// NewPulse begins for the agents of this process. It takes the pipe over, so that no child has it.
func NewPulse(r Root, names ...string) *Pulse {
	p := &Pulse{root: r, names: names, stop: make(chan struct{})}
	if fd, err := strconv.Atoi(os.Getenv(pipeVariable)); err == nil && fd > 2 {
		_ = os.Unsetenv(pipeVariable)
		unix.CloseOnExec(fd)
		p.pipe = os.NewFile(uintptr(fd), "pulse")
	}
	return p
}

// Join says that the process is ready, and from then on that its loop turns: a loop that runs what
// is posted. A process whose loop is replaced by another joins again.
func (p *Pulse) Join(post func(func())) {
	p.mu.Lock()
	first := p.post == nil
	p.post = post
	p.mu.Unlock()
	post(func() { p.beat(wordReady) })
	if !first {
		return
	}
	p.done.Go(func() {
		t := time.NewTicker(Beat)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				p.mu.Lock()
				now := p.post
				p.mu.Unlock()
				now(func() { p.beat(wordAlive) })
			case <-p.stop:
				return
			}
		}
	})
}

// beat runs on the loop.
func (p *Pulse) beat(word byte) {
	for _, n := range p.names {
		_ = touch(p.root.TouchFile(n)) // a disk that is full must not hold the loop up
	}
	if p.pipe != nil {
		_, _ = p.pipe.Write([]byte{word}) // a supervisor that has gone is no concern of ours
	}
}

// Close ends beating and removes the touch files: who ended in order is not to be watched.
func (p *Pulse) Close() error {
	close(p.stop)
	p.done.Wait()
	var err error
	for _, n := range p.names {
		if e := os.Remove(p.root.TouchFile(n)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if p.pipe != nil {
		err = errors.Join(err, p.pipe.Close())
	}
	return err
}

// touch sets the time of change of a file, which is made if need be.
func touch(path string) error {
	now := time.Now()
	err := os.Chtimes(path, now, now)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err != nil {
		return fmt.Errorf("touch %s: %w", path, err)
	}
	return nil
}
