package httpd

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evetwin/evetwin/controllersim/store"
)

// errStopped is what a change gets that comes after the controller stopped saving.
var errStopped = errors.New("controller is stopping")

// saver writes the fleet to a store. Changes that come together are saved together: each waits
// for a save that shows it.
type saver struct {
	store store.Store
	state func() (store.State, uint64)
	wake  chan struct{}
	dirty atomic.Bool // something changed that nobody waits for

	mu         sync.Mutex
	ended      sync.Cond
	saved      uint64 // the newest revision that is saved
	begun, did uint64 // the numbers of the last save that began, and of the last that ended
	stopped    bool
	err        error // of the last save that ended
}

func newSaver(st store.Store, state func() (store.State, uint64)) *saver {
	s := &saver{store: st, state: state, wake: make(chan struct{}, 1)}
	s.ended.L = &s.mu
	return s
}

// run saves when asked, and every while what nobody asked for, until ctx ends. The last save is
// then up to the caller.
func (s *saver) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.mu.Lock()
			s.stopped = true
			s.ended.Broadcast()
			s.mu.Unlock()
			return
		case <-s.wake:
			_ = s.save() // those who wait for it get the error
		case <-tick.C:
			if s.dirty.Swap(false) && s.save() != nil {
				s.dirty.Store(true)
			}
		}
	}
}

func (s *saver) save() error {
	s.mu.Lock()
	s.begun++
	number := s.begun
	s.mu.Unlock()
	state, revision := s.state()
	err := s.store.Save(state)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did, s.err = number, err
	if err == nil {
		s.saved = max(s.saved, revision)
	}
	s.ended.Broadcast()
	return err
}

// flush returns once the revision is saved, or could not be.
func (s *saver) flush(revision uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.await(func() bool { return s.saved >= revision })
}

// now returns once a save that began after the call has ended.
func (s *saver) now() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.await(func() bool { return false })
}

// await asks for a save unless done already, and waits until done, or until a save ended that began
// after the call. It needs s.mu.
func (s *saver) await(done func() bool) error {
	if done() {
		return nil
	}
	before := s.begun
	select {
	case s.wake <- struct{}{}:
	default: // somebody asked, and that save has not begun
	}
	for !done() {
		switch {
		case s.did > before:
			return s.err
		case s.stopped:
			return errStopped
		}
		s.ended.Wait()
	}
	return nil
}
