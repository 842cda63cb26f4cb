package bridge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// machine is the network of applications of a namespace as this part keeps it, for one boot.
type machine struct {
	o    Options
	k    kernel
	boot string // the kernel's name of its boot
	// show takes what was seen, in order; it must not block.
	show func(*picture)

	mu    sync.Mutex
	specs map[string]device.Spec
	// shown are the items of the last picture; lost those of them that somebody took away since,
	// until they are set again.
	shown, lost map[string]bool
	// attached has the index of the link that was attached for a VIF.
	attached map[string]int
	services map[string]*service // by bridge
	learned  map[string]map[string]time.Time
	trees    map[string]bool   // bridges that run the spanning tree protocol
	inet     map[string]int    // rules of the translation, by chain
	sizes    map[string][2]int // rules of the chains from and to VIFs, as far as known
	indices  map[string]int    // of links, by name
	next     time.Time         // when an address of a guest ends next
	ports    string            // addresses of ports that the translation was made for
	passed   map[string]device.Counter
	last     map[string]device.Counter
	wake     *time.Timer // for what is known of a guest until then
	closed   bool
	work     sync.WaitGroup
	poke     func() // has somebody look, soon
}

// open opens the network of a namespace.
func open(o Options, show func(*picture)) (*machine, *watcher, error) {
	if o.State == "" {
		return nil, nil, errors.New("start the part bridge: no folder for its state")
	}
	if err := os.MkdirAll(o.State, 0o755); err != nil {
		return nil, nil, fmt.Errorf("start the part bridge: %w", err)
	}
	id, err := bootID()
	if err != nil {
		return nil, nil, err
	}
	h, err := netspace.Handle(o.Space)
	if err != nil {
		return nil, nil, err
	}
	m := &machine{o: o, k: kernel{space: o.Space, h: h, after: o.after}, boot: id, show: show,
		specs: map[string]device.Spec{}, shown: map[string]bool{}, lost: map[string]bool{},
		attached: map[string]int{}, services: map[string]*service{},
		learned: map[string]map[string]time.Time{}, passed: map[string]device.Counter{},
		last: map[string]device.Counter{}, trees: map[string]bool{}, sizes: map[string][2]int{}}
	w, err := watch(o.Space, m.learn)
	if err != nil {
		h.Close()
		return nil, nil, fmt.Errorf("start the part bridge: %w", err)
	}
	m.poke = w.ring
	return m, w, nil
}

// follow looks whenever something has changed, until ctx ends.
func (m *machine) follow(ctx context.Context, w *watcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.rung:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		m.changed(func() error { return nil })
	}
}

// spec is an item's spec; nil without it.
func (m *machine) spec(item string) *device.Spec {
	if s, ok := m.specs[item]; ok {
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

// changed is change for what happens by itself, which can only wait for the next event if it fails.
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

// close ends each dnsmasq. All that is configured in the kernel stays.
func (m *machine) close() {
	m.mu.Lock()
	m.closed = true
	if m.wake != nil {
		m.wake.Stop()
	}
	for _, s := range m.services {
		if err := s.stop(); err != nil {
			m.report(err)
		}
	}
	m.mu.Unlock()
	m.work.Wait()
	m.k.h.Close()
}
