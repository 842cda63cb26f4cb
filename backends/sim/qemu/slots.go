package qemu

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Slots bound how many guests boot at the same time. A booting guest under TCG needs a core of
// its own: with more guests than cores, each takes twice as long and none is up sooner.
type Slots struct {
	free chan struct{}
}

// NewSlots returns n slots; n below 1 means one per core.
func NewSlots(n int) *Slots {
	if n < 1 {
		n = runtime.NumCPU()
	}
	return &Slots{free: make(chan struct{}, n)}
}

// take waits for a slot and returns how to give it back, which may be done more than once. Nil
// slots are always free.
func (s *Slots) take(ctx context.Context) (func(), error) {
	if s == nil {
		return func() {}, nil
	}
	select {
	case s.free <- struct{}{}:
		return sync.OnceFunc(func() { <-s.free }), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a core to boot on: %w", ctx.Err())
	}
}
