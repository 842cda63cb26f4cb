package led

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/led"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Dir has the lights; empty: /sys/class/leds.
	Dir string
	// Name is the light's folder in Dir; empty: the first one by name, or the console if there is
	// none.
	Name string
	// Console is told of patterns where there is no light; nil: nobody is.
	Console io.Writer
}

// Led is the part over a light of the kernel.
type Led struct {
	o Options

	mu   sync.Mutex
	boot *boot
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Led {
	if o.Dir == "" {
		o.Dir = "/sys/class/leds"
	}
	if o.Console == nil {
		o.Console = io.Discard
	}
	return &Led{o: o}
}

// order asks for a pattern; done takes what came of it.
type order struct {
	blinks int
	done   chan error
}

// boot is the part from one Wire to the next.
type boot struct {
	orders chan order
	stop   context.CancelFunc
	ended  chan struct{}
}

// Wire turns the light off and serves the op of the part. The light of an earlier boot is given
// back first.
func (l *Led) Wire(k *host.Kernel) {
	l.Close()
	pt := k.Part("led")
	pub := bus.Publish(pt, device.Light)
	ctx, stop := context.WithCancel(context.Background())
	b := &boot{orders: make(chan order), stop: stop, ended: make(chan struct{})}
	l.mu.Lock()
	l.boot = b
	l.mu.Unlock()
	go b.run(ctx, l.o, func() {
		pt.Post(func() {
			pub.Put(device.LedSeen{})
			pub.Complete()
		})
	})
	host.Serve(pt, device.Blink, func(c host.Run[device.BlinkReq, device.None]) {
		blinks := c.Req().Blinks
		c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
			return device.None{}, fault(b.ask(ctx, blinks))
		}, func(res device.None, f *agent.Fault) {
			if f == nil {
				pub.Put(device.LedSeen{Blinks: blinks})
			}
			c.Finish(res, f)
		})
	})
}

// fault is the outcome that an error stands for.
func fault(err error) *agent.Fault {
	if err == nil {
		return nil
	}
	return &agent.Fault{Code: device.FaultFailed, Text: err.Error(), Retry: true}
}

// ask has the light do a pattern.
func (b *boot) ask(ctx context.Context, blinks int) error {
	o := order{blinks, make(chan error, 1)}
	select {
	case b.orders <- o:
		return <-o.done
	case <-b.ended:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run turns the light off, says that it is ready, makes the pattern until ctx ends, and gives the
// light back.
func (b *boot) run(ctx context.Context, o Options, ready func()) {
	defer close(b.ended)
	x, bad := open(o)
	if bad == nil {
		bad = x.turn(false)
		defer func() { _ = x.leave() }()
	}
	ready()
	var blinks, n int
	next := time.NewTimer(time.Hour)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-b.orders:
			err := bad
			if err == nil && q.blinks != blinks {
				if err = start(x, q.blinks); err == nil {
					blinks, n = q.blinks, 0
					_, length := piece(blinks, 0)
					schedule(next, length)
				}
			}
			q.done <- err
		case <-next.C:
			n++
			on, length := piece(blinks, n)
			_ = x.turn(on) // a light that fails once may go on with the next piece
			schedule(next, length)
		}
	}
}

// schedule sets the timer; 0 stops it.
func schedule(t *time.Timer, d time.Duration) {
	t.Stop()
	if d > 0 {
		t.Reset(d)
	}
}

// start begins a pattern.
func start(x light, blinks int) error {
	if err := x.begin(blinks); err != nil {
		return err
	}
	on, _ := piece(blinks, 0)
	return x.turn(on)
}

// open finds the light and makes it ours.
func open(o Options) (light, error) {
	l, err := find(o.Dir, o.Name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return console{o.Console}, nil
	}
	return l, l.take()
}

// Close turns the light off and gives it back; Wire begins anew.
func (l *Led) Close() {
	l.mu.Lock()
	b := l.boot
	l.boot = nil
	l.mu.Unlock()
	if b != nil {
		b.stop()
		<-b.ended
	}
}
