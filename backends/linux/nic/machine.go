package nic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/nic"
)

// machine is the network of a namespace as this part keeps it, for one boot.
type machine struct {
	o    Options
	k    kernel
	boot string // the kernel's name of its boot
	// since is a moment as time since boot.
	since func(time.Time) time.Duration
	// show takes what was seen, in order; it must not block.
	show func(*picture)

	mu     sync.Mutex
	specs  map[string]device.Spec
	ports  map[string]*port
	passed map[string]device.Counter // what counters of links that are gone had reached
	last   map[string]device.Counter
	closed bool
	work   sync.WaitGroup // clients
}

// port is an interface's entry.
func (m *machine) port(name string) *port {
	p := m.ports[name]
	if p == nil {
		p = &port{name: name}
		m.ports[name] = p
	}
	return p
}

// spec is an item's spec; nil without it.
func (m *machine) spec(what, name string) *device.Spec {
	if s, ok := m.specs[what+"/"+name]; ok {
		return &s
	}
	return nil
}

// change does something to the machine and shows what came of it, also of half of it.
func (m *machine) change(f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return context.Canceled
	}
	err := f()
	if look := m.look(); err == nil {
		err = look
	}
	return err
}

// op is change for an op.
func (m *machine) op(ctx context.Context, what string, f func() error) *agent.Fault {
	err := m.change(func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f()
	})
	if err != nil {
		return fault(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

// changed is change for clients, who can only wait for the next event if it fails.
func (m *machine) changed(f func() error) {
	if err := m.change(f); err != nil && !errors.Is(err, context.Canceled) {
		m.report(err)
	}
}

// report tells of what went wrong beside the ops.
func (m *machine) report(err error) {
	if m.o.OnError != nil {
		m.o.OnError(err)
	}
}

// close ends the clients. All that is configured stays.
func (m *machine) close() {
	m.mu.Lock()
	m.closed = true
	for _, p := range m.ports {
		p.halt()
	}
	m.mu.Unlock()
	m.work.Wait()
	m.k.h.Close()
}
