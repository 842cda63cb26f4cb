package bridge

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// State is a folder that lives as long as the kernel's configuration does, on a tmpfs: specs,
	// leases, and what the dnsmasq of each bridge is told. It must be given.
	State string
	// Dnsmasq is the program; empty: "dnsmasq".
	Dnsmasq string
	// OnError takes what goes wrong beside the ops, from any goroutine. Nil: nobody wants to know.
	OnError func(error)

	// after is for tests: see kernel.
	after func(what string) error
}

// Bridge is the part over the network of a kernel.
type Bridge struct {
	o Options

	mu   sync.Mutex
	boot *boot
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Bridge { return &Bridge{o: o} }

// boot is the part from one Wire to the next.
type boot struct {
	m     *machine
	w     *watcher
	pt    *host.Part
	items *bus.Pub[device.ItemSeen]
	vifs  *bus.Pub[device.VifSeen]
	ready chan struct{} // closed when the machine is there, or has failed
	err   error
	stop  context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	newest *picture
}

// Wire publishes what there is and serves the ops of the part. What an earlier process of this boot
// of the kernel configured is adopted.
func (n *Bridge) Wire(k *host.Kernel) {
	n.Close()
	pt := k.Part("bridge")
	b := &boot{pt: pt, items: bus.Publish(pt, device.Items), vifs: bus.Publish(pt, device.Vifs),
		ready: make(chan struct{}), ended: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	n.mu.Lock()
	n.boot = b
	n.mu.Unlock()
	go b.run(ctx, n.o)
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
func (b *boot) run(ctx context.Context, o Options) {
	defer close(b.ended)
	b.m, b.w, b.err = open(o, b.see)
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
		b.items.Complete()
		b.vifs.Complete()
	})
	b.m.follow(ctx, b.w)
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
	put(b.items, x.items)
	put(b.vifs, x.vifs)
}

// put makes a table be these rows, which are sorted by their keys.
func put[V bus.Row](p *bus.Pub[V], rows []V) {
	p.Keep(func(key string) bool {
		_, ok := slices.BinarySearchFunc(rows, key, func(r V, key string) int {
			return strings.Compare(r.Key(), key)
		})
		return ok
	})
	for _, r := range rows {
		p.Put(r)
	}
}

// Close ends the watch and each dnsmasq. What is configured in the kernel stays, for the next
// process.
func (n *Bridge) Close() {
	n.mu.Lock()
	b := n.boot
	n.boot = nil
	n.mu.Unlock()
	if b != nil {
		b.stop()
		<-b.ended
	}
}
