package nic

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netspace"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// Ports are interfaces that count as physical beside those that hang on a bus: in a lab, cables
	// between namespaces.
	Ports []string
	// State is a folder that lives as long as the kernel's configuration does, on a tmpfs. What an
	// earlier process configured is adopted from there; empty: nothing is.
	State string
	// ResolvConf is the file of the name service, "/etc/resolv.conf"; empty: none is written.
	ResolvConf string
	// OnError takes what goes wrong beside the ops, from any goroutine: a client that cannot open
	// its socket. Nil: nobody wants to know.
	OnError func(error)

	// after and decline are for tests: see kernel and declineWait.
	after   func(what string) error
	decline time.Duration
}

func (o *Options) declineWait() time.Duration {
	if o.decline > 0 {
		return o.decline
	}
	return declineWait
}

// Nic is the part over the network of a kernel.
type Nic struct {
	o Options

	mu   sync.Mutex
	boot *boot
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Nic { return &Nic{o: o} }

// boot is the part from one Wire to the next.
type boot struct {
	m     *machine
	w     *watcher
	pt    *host.Part
	links *bus.Pub[device.LinkSeen]
	addrs *bus.Pub[device.AddrSeen]
	items *bus.Pub[device.ItemSeen]
	ready chan struct{} // closed when the machine is there, or has failed
	err   error
	stop  context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	newest *picture
}

// Wire publishes what there is and serves the ops of the part. What an earlier process of this boot
// of the kernel configured is adopted.
func (n *Nic) Wire(k *host.Kernel) {
	n.Close()
	pt := k.Part("nic")
	b := &boot{pt: pt, links: bus.Publish(pt, device.Links), addrs: bus.Publish(pt, device.Addrs),
		items: bus.Publish(pt, device.Items), ready: make(chan struct{}), ended: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	n.mu.Lock()
	n.boot = b
	n.mu.Unlock()
	start, now := time.Now(), pt.Now()
	since := func(t time.Time) time.Duration { return now + t.Sub(start) }
	go b.run(ctx, n.o, since)
	serve(b, device.Set, func(ctx context.Context, q *device.SetReq) *agent.Fault {
		return b.m.op(ctx, "set "+q.Item, func() error { return b.m.set(q.Item, q.Spec) })
	})
	serve(b, device.Clear, func(ctx context.Context, q *device.ClearReq) *agent.Fault {
		return b.m.op(ctx, "clear "+q.Item, func() error { return b.m.clear(q.Item) })
	})
	host.Serve(pt, device.Counters, func(c host.Run[device.CountersReq, device.CountersRes]) {
		c.Go(func(ctx context.Context) (device.CountersRes, *agent.Fault) {
			if f := b.await(ctx); f != nil {
				return device.CountersRes{}, f
			}
			return b.m.counters(ctx)
		}, c.Finish)
	})
}

// serve has f carry an op out on another goroutine; what is seen after it is published before its
// outcome.
func serve[Req any](b *boot, o agent.Op[Req, device.None],
	f func(context.Context, *Req) *agent.Fault,
) {
	host.Serve(b.pt, o, func(c host.Run[Req, device.None]) {
		q := *c.Req()
		c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
			if f := b.await(ctx); f != nil {
				return device.None{}, f
			}
			return device.None{}, f(ctx, &q)
		}, func(res device.None, f *agent.Fault) {
			b.publish()
			c.Finish(res, f)
		})
	})
}

// await waits until the machine is there.
func (b *boot) await(ctx context.Context) *agent.Fault {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return fault(ctx.Err())
	}
	if b.err != nil {
		return fault(b.err)
	}
	return nil
}

// run opens the machine and follows what happens to it, until ctx ends.
func (b *boot) run(ctx context.Context, o Options, since func(time.Time) time.Duration) {
	defer close(b.ended)
	b.m, b.w, b.err = open(o, since, b.see)
	if b.err == nil {
		defer b.w.close()
		defer b.m.close()
		b.m.changed(b.m.load)
	} else if o.OnError != nil {
		o.OnError(b.err)
	}
	close(b.ready)
	if b.err != nil {
		return
	}
	b.pt.Post(func() {
		b.links.Complete()
		b.addrs.Complete()
		b.items.Complete()
	})
	b.m.follow(ctx, b.w)
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

// open opens the network of a namespace.
func open(o Options, since func(time.Time) time.Duration, show func(*picture),
) (*machine, *watcher, error) {
	id, err := bootID()
	if err != nil {
		return nil, nil, err
	}
	if o.State != "" {
		if err := os.MkdirAll(o.State, 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the folder of what is configured: %w", err)
		}
	}
	h, err := netspace.Handle(o.Space)
	if err != nil {
		return nil, nil, err
	}
	w, err := watch(o.Space, o.ResolvConf)
	if err != nil {
		h.Close()
		return nil, nil, fmt.Errorf("start the part nic: %w", err)
	}
	return &machine{o: o, k: kernel{space: o.Space, h: h, after: o.after}, boot: id, since: since,
		show: show, specs: map[string]device.Spec{}, ports: map[string]*port{},
		passed: map[string]device.Counter{}, last: map[string]device.Counter{}}, w, nil
}

// see takes a picture to publish.
func (b *boot) see(x *picture) {
	b.mu.Lock()
	b.newest = x
	b.mu.Unlock()
	b.pt.Post(b.publish)
}

// publish puts the newest picture; on the device's loop, in a step of the part.
func (b *boot) publish() {
	b.mu.Lock()
	x := b.newest
	b.newest = nil
	b.mu.Unlock()
	if x == nil {
		return
	}
	put(b.links, x.links)
	put(b.addrs, x.addrs)
	put(b.items, x.items)
}

// put makes a table be these rows.
func put[V bus.Row](p *bus.Pub[V], rows []V) {
	p.Keep(func(key string) bool {
		return slices.ContainsFunc(rows, func(r V) bool { return r.Key() == key })
	})
	for _, r := range rows {
		p.Put(r)
	}
}

// Close ends the clients and the watch. What is configured stays, for the next process.
func (n *Nic) Close() {
	n.mu.Lock()
	b := n.boot
	n.boot = nil
	n.mu.Unlock()
	if b != nil {
		b.stop()
		<-b.ended
	}
}
