// Package parttest runs the machine of a part over a network in a test, with nothing of the host
// around it.
package parttest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netpart"
)

// Patience is how long a test waits for what has to come.
const Patience = 20 * time.Second

// Process is what a process does with a machine; it can end and start anew.
type Process[M netpart.Network, P any] struct {
	// M is the machine of the process that runs.
	M M

	t    testing.TB
	open func(show func(*P)) (M, error)
	stop func()

	mu     sync.Mutex
	newest *P
	looks  int
	moved  chan struct{} // closed and made anew with each picture
}

// New prepares a process that opens its machine with open; it ends with t.
func New[M netpart.Network, P any](t testing.TB, open func(show func(*P)) (M, error),
) *Process[M, P] {
	p := &Process[M, P]{t: t, open: open, stop: func() {}, moved: make(chan struct{})}
	t.Cleanup(p.Stop)
	return p
}

// Start is a process that starts.
func (p *Process[M, P]) Start() {
	p.t.Helper()
	m, err := p.open(p.see)
	if err != nil {
		p.t.Fatal(err)
	}
	p.M = m
	m.Changed(m.Load)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Follow(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		m.Close()
	})
}

// Stop is a process that ends; one that ended is left alone.
func (p *Process[M, P]) Stop() { p.stop() }

// Restart is a process that ends, and another one that starts.
func (p *Process[M, P]) Restart() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

func (p *Process[M, P]) see(x *P) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest = x
	p.looks++
	close(p.moved)
	p.moved = make(chan struct{})
}

// Looks is how many pictures there were.
func (p *Process[M, P]) Looks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.looks
}

// Until waits for a picture in which something holds.
func (p *Process[M, P]) Until(what string, holds func(*P) bool) {
	p.t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	for {
		p.mu.Lock()
		x, moved := p.newest, p.moved
		p.mu.Unlock()
		if x != nil && holds(x) {
			return
		}
		select {
		case <-moved:
		case <-limit.C:
			p.t.Fatalf("%s did not come within %v; seen: %+v", what, Patience, x)
		}
	}
}
