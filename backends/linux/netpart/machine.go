package netpart

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// gather is how long after an event a look waits for those that come with it.
const gather = 2 * time.Millisecond

// Machine keeps the network of a namespace for one boot of a part: under its lock one change
// happens at a time, and each ends with a look.
type Machine struct {
	sync.Mutex
	// Look looks at the kernel, does what has only now become possible, and shows what is there;
	// under the lock.
	Look func() error
	// OnError takes what goes wrong beside the ops, from any goroutine; it may be nil.
	OnError func(error)
	// Fault is the outcome that stands for an error.
	Fault func(error) *agent.Fault
	// Watch rings when somebody has to look.
	Watch *Watcher
	// Work are goroutines of the machine, which end when it is closed.
	Work sync.WaitGroup
	// Closed is set when the machine ends; under the lock.
	Closed bool
}

// Change does something to the machine and shows what came of it, also of half of it.
func (m *Machine) Change(f func() error) error {
	m.Lock()
	defer m.Unlock()
	if m.Closed {
		return context.Canceled
	}
	err := f()
	if look := m.Look(); err == nil {
		err = look
	}
	return err
}

// Op is Change for an op.
func (m *Machine) Op(ctx context.Context, what string, f func() error) *agent.Fault {
	err := m.Change(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f()
	})
	if err != nil {
		return m.Fault(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

// Ask has an op read what it wants to know, under the lock.
func (m *Machine) Ask(ctx context.Context, f func() error) *agent.Fault {
	m.Lock()
	defer m.Unlock()
	err := context.Canceled
	if !m.Closed && ctx.Err() == nil {
		err = f()
	}
	if err != nil {
		return m.Fault(err)
	}
	return nil
}

// Changed is Change for what happens by itself, which can only wait for the next event if it fails.
func (m *Machine) Changed(f func() error) {
	if err := m.Change(f); err != nil && !errors.Is(err, context.Canceled) {
		m.Report(err)
	}
}

// Report tells of what went wrong beside the ops.
func (m *Machine) Report(err error) {
	if m.OnError != nil {
		m.OnError(err)
	}
}

// Follow looks whenever something has changed, until ctx ends.
func (m *Machine) Follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.Watch.rung:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		m.Changed(func() error { return nil })
	}
}

// End ends the machine: f under the lock, then all that still goes on, then the watch. What is
// configured stays.
func (m *Machine) End(f func()) {
	m.Lock()
	m.Closed = true
	f()
	m.Unlock()
	m.Work.Wait()
	m.Watch.Close()
}
