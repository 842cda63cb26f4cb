package hyper

import (
	"context"
	"io"
	"net"
	"sync"

	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// Options of New.
type Options struct {
	// Under is what runs guests.
	Under Under
	// Dir is where all lies that a reboot is to forget, for one of the two alone; its path is short.
	Dir string
	// Space is the network namespace, by its name, that guests' interfaces are in; empty: ours.
	Space string
	// Cache keeps what libvirt found out about the emulators of the machine.
	Cache string
	// Type is domxml.QEMU or domxml.KVM, Why says why, for people.
	Type, Why string
	// Boot makes what a guest boots from, for its nth start, counted from 1.
	Boot func(ctx context.Context, s *device.Spec, n int) (guest.Parts, error)
	// Console takes a guest's console, by application, from its first byte; nil: nobody listens.
	Console func(app string) io.Writer
	// MemoryMB is what guests may have together; 0 means all of the machine.
	MemoryMB uint64
	// Root is the folder that the device takes for "/", below which volumes lie; empty means "/".
	Root string
	// Sys is where sysfs is mounted; empty means /sys.
	Sys string
	// OnError is told of what goes wrong beside the ops; may be nil.
	OnError func(error)
}

// Hyper is the part.
type Hyper struct {
	o Options

	mu   sync.Mutex
	boot *boot // the last; nil before
}

// New makes the part. Nothing runs before Wire.
func New(o Options) *Hyper {
	if o.Sys == "" {
		o.Sys = "/sys"
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Hyper{o: o}
}

// boot is the part in one boot of the device, or of its agents.
type boot struct {
	o    Options
	pt   *host.Part
	ctx  context.Context
	stop context.CancelFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
	engine engine        // nil while there is none
	change chan struct{} // closed when engine is another one
	turn   chan struct{} // holds one while something is changed

	consoles map[string]net.Conn // belongs to whose turn it is

	// The rest belongs to the device's loop.
	domains  *bus.Pub[device.DomainSeen]
	machine  *bus.Pub[device.HostSeen]
	adapters *bus.Pub[device.AdapterSeen]
	host     device.HostSeen
	guests   map[string]*domain
	ids      int
}

// domain is a domain that is seen.
type domain struct {
	row   device.DomainSeen
	boots int
	gone  chan struct{} // of a guest that is alive: closed when it is not
	// starting says that a guest that is alive does not execute: its start did not come to its end.
	starting bool
	spent    meter
}

// Wire serves the ops of the part and has it look for domains.
func (h *Hyper) Wire(k *host.Kernel) {
	pt := k.Part("hyper")
	b := &boot{o: h.o, pt: pt, change: make(chan struct{}), turn: make(chan struct{}, 1),
		consoles: map[string]net.Conn{}, guests: map[string]*domain{},
		domains: bus.Publish(pt, device.Domains), machine: bus.Publish(pt, device.Host),
		adapters: bus.Publish(pt, device.Adapters)}
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.host = b.readHost()
	b.machine.Put(b.host)
	b.machine.Complete()
	b.lookAdapters()
	b.adapters.Complete()
	host.Serve(pt, device.Create, b.create)
	host.Serve(pt, device.Start, b.start)
	host.Serve(pt, device.Stop, b.halt)
	host.Serve(pt, device.Delete, b.remove)
	host.Serve(pt, device.Bind, b.bind)
	host.Serve(pt, device.Usages, b.usage)
	h.mu.Lock()
	before := h.boot
	h.boot = b
	h.mu.Unlock()
	b.begin(func() {
		if before != nil {
			before.close()
		}
		b.keep()
	})
}

// Close ends what the part does, and the daemon if there is one, and waits for both. Guests run on;
// the next Wire, of this process or another one, finds them.
func (h *Hyper) Close() {
	h.mu.Lock()
	b := h.boot
	h.mu.Unlock()
	if b != nil {
		b.close()
	}
}

func (b *boot) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	b.work.Wait()
}

// begin runs f on another goroutine, which close waits for, and reports whether it does.
func (b *boot) begin(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.work.Go(f)
	return true
}

// post runs f on the loop, in the order of the calls, while this boot lasts.
func (b *boot) post(f func()) {
	b.pt.Post(func() {
		if b.ctx.Err() == nil {
			f()
		}
	})
}
