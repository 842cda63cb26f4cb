package netpart

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// Network is a machine of a part: it embeds Machine.
type Network interface {
	// Load adopts what an earlier process configured in this boot of the kernel.
	Load() error
	// Close ends the machine. What is configured in the kernel stays, for the next process.
	Close()
	// Op, Changed and Follow are those of Machine.
	Op(ctx context.Context, what string, f func() error) *agent.Fault
	Changed(f func() error)
	Follow(ctx context.Context)
}

// Plan is how a part lives, with a machine M and a picture P.
type Plan[M Network, P any] struct {
	// Open opens the network; show takes pictures, in order, and does not block.
	Open func(show func(*P)) (M, error)
	// Put makes the tables be a picture; on the device's loop.
	Put func(*P)
	// Complete completes the tables, behind the first picture; on the device's loop.
	Complete func()
	// OnError takes what keeps the network from being opened; it may be nil.
	OnError func(error)
}

// Part is a part over the network of a kernel. One life of it goes on at a time.
type Part[M Network, P any] struct {
	mu   sync.Mutex
	life *Life[M, P]
}

// Life is a part from one Wire to the next.
type Life[M Network, P any] struct {
	plan  Plan[M, P]
	m     M
	pt    *host.Part
	ready chan struct{} // closed when the machine is there, or has failed
	err   error
	stop  context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	newest *P
}

// Begin starts a life of the part, on a goroutine. The one before is over.
func (p *Part[M, P]) Begin(pt *host.Part, plan Plan[M, P]) *Life[M, P] {
	b := &Life[M, P]{plan: plan, pt: pt, ready: make(chan struct{}), ended: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	p.mu.Lock()
	p.life = b
	p.mu.Unlock()
	go b.run(ctx)
	return b
}

// Close ends the life that goes on, if any.
func (p *Part[M, P]) Close() {
	p.mu.Lock()
	b := p.life
	p.life = nil
	p.mu.Unlock()
	if b != nil {
		b.stop()
		<-b.ended
	}
}

// Serve has an op carried out on another goroutine: f says what it is, for errors, and does it, as
// Machine.Op does. What is seen after it is published before its outcome.
func Serve[M Network, P, Req, Res any](b *Life[M, P], o agent.Op[Req, Res],
	f func(M, *Req) (what string, do func() error),
) {
	ServeWith(b, o, func(*Req) struct{} { return struct{}{} },
		func(m M, q *Req, _ struct{}) (string, func() error) { return f(m, q) })
}

// ServeWith is Serve for an op about which the device's loop knows something: ask tells it there,
// and f gets it.
func ServeWith[M Network, P, Req, Res, X any](b *Life[M, P], o agent.Op[Req, Res],
	ask func(*Req) X, f func(M, *Req, X) (what string, do func() error),
) {
	serve(b, o, b.publish, ask, func(ctx context.Context, m M, q *Req, x X) (none Res,
		_ *agent.Fault,
	) {
		what, do := f(m, q, x)
		return none, m.Op(ctx, what, do)
	})
}

// Query has f answer an op on another goroutine.
func Query[M Network, P, Req, Res any](b *Life[M, P], o agent.Op[Req, Res],
	f func(M, context.Context) (Res, *agent.Fault),
) {
	Answer(b, o, func(m M, ctx context.Context, _ *Req) (Res, *agent.Fault) { return f(m, ctx) })
}

// Answer is Query for an op whose request says something.
func Answer[M Network, P, Req, Res any](b *Life[M, P], o agent.Op[Req, Res],
	f func(M, context.Context, *Req) (Res, *agent.Fault),
) {
	serve(b, o, func() {}, func(*Req) struct{} { return struct{}{} },
		func(ctx context.Context, m M, q *Req, _ struct{}) (Res, *agent.Fault) { return f(m, ctx, q) })
}

// serve has f carry an op out when the machine is there; ask comes first and before comes before
// the outcome, both on the device's loop.
func serve[M Network, P, Req, Res, X any](b *Life[M, P], o agent.Op[Req, Res], before func(),
	ask func(*Req) X, f func(context.Context, M, *Req, X) (Res, *agent.Fault),
) {
	host.Serve(b.pt, o, func(c host.Run[Req, Res]) {
		q := *c.Req()
		x := ask(&q)
		c.Go(func(ctx context.Context) (Res, *agent.Fault) {
			if err := b.await(ctx); err != nil {
				var none Res
				return none, Fault(err)
			}
			return f(ctx, b.m, &q, x)
		}, func(res Res, f *agent.Fault) {
			before()
			c.Finish(res, f)
		})
	})
}

// await waits until the machine is there.
func (b *Life[M, P]) await(ctx context.Context) error {
	select {
	case <-b.ready:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run opens the machine and follows what happens to it, until ctx ends.
func (b *Life[M, P]) run(ctx context.Context) {
	defer close(b.ended)
	b.m, b.err = b.plan.Open(b.see)
	if b.err == nil {
		defer b.m.Close()
		b.m.Changed(b.m.Load)
	} else if b.plan.OnError != nil {
		b.plan.OnError(b.err)
	}
	close(b.ready)
	if b.err != nil {
		return
	}
	b.pt.Post(b.plan.Complete)
	b.m.Follow(ctx)
}

// see takes a picture to publish.
func (b *Life[M, P]) see(x *P) {
	b.mu.Lock()
	b.newest = x
	b.mu.Unlock()
	b.pt.Post(b.publish)
}

// publish puts the newest picture; on the device's loop, in a step of the part.
func (b *Life[M, P]) publish() {
	b.mu.Lock()
	x := b.newest
	b.newest = nil
	b.mu.Unlock()
	if x != nil {
		b.plan.Put(x)
	}
}

// Put makes a table be these rows, which are sorted by their keys.
func Put[V bus.Row](p *bus.Pub[V], rows []V) {
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
