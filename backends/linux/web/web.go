package web

import (
	"context"
	"crypto/x509"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Options of the part.
type Options struct {
	// Space is the network namespace by its name under /run/netns; empty: that of the process.
	Space string
	// Downloads is the folder of downloads, which the part store shares and recovers at each boot.
	Downloads *partial.Dir
	// RootFile is the file with the controller's root, "/config/root-certificate.pem", read anew for
	// each exchange; one that is not there trusts nobody.
	RootFile string
	// OwnRootOnly has the controller trusted by RootFile and Via.RootPEM alone, as version 1 of the
	// device API wants it, and not by the roots of the system.
	OwnRootOnly bool
	// System are the roots of the system; nil: those of this machine.
	System *x509.CertPool
	// Keeper returns the keeper of the device's secrets; it is called at each boot, on the device's
	// loop. Nil makes one of its own.
	Keeper func() *secret.Keeper
	// OnError takes what goes wrong beside the ops, from any goroutine. Nil: nobody wants to know.
	OnError func(error)
}

// Web is the part over the network of a kernel.
type Web struct {
	o     Options
	trust trust

	mu   sync.Mutex
	boot *boot
}

// New makes the part; it touches nothing before it is wired.
func New(o Options) *Web {
	if o.Keeper == nil {
		o.Keeper = func() *secret.Keeper { return secret.New(nil) }
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	w := &Web{o: o}
	w.trust.o = &w.o
	return w
}

// boot is the part from one Wire to the next.
type boot struct {
	o        *Options
	trust    *trust
	pt       *host.Part
	keeper   *secret.Keeper
	partials *bus.Pub[device.PartialSeen]
	all      context.Context // ends with the boot
	stop     context.CancelFunc

	shelf shelf

	mu     sync.Mutex
	closed bool
	under  sync.WaitGroup // exchanges under way
}

// Wire serves the ops of the part on a boot. Work of an earlier boot is ended first.
func (w *Web) Wire(k *host.Kernel) {
	w.Close()
	pt := k.Part("web")
	b := &boot{o: &w.o, trust: &w.trust, pt: pt, keeper: w.o.Keeper(),
		partials: bus.Publish(pt, device.Partials)}
	b.all, b.stop = context.WithCancel(context.Background())
	w.mu.Lock()
	w.boot = b
	w.mu.Unlock()
	b.shelf.dir, b.shelf.busy = w.o.Downloads, map[string]*fetching{}
	host.Serve(pt, device.Send, b.send)
	host.Serve(pt, device.Fetch, b.fetch)
	host.Serve(pt, device.RemovePartial, b.remove)
	b.open()
}

// Close ends all work and waits for its end; Wire begins anew. What came of downloads stays.
func (w *Web) Close() {
	w.mu.Lock()
	b := w.boot
	w.boot = nil
	w.mu.Unlock()
	if b == nil {
		return
	}
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	b.under.Wait()
	b.shut()
}

// work makes the context of an exchange, which ends with the call, with the boot and with done.
func (b *boot) work(ctx context.Context) (context.Context, func(), *agent.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, nil, &agent.Fault{Code: agent.FaultCancelled, Text: "the part ends", Retry: true}
	}
	b.under.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	loose := context.AfterFunc(b.all, cancel)
	return ctx, func() { loose(); cancel(); b.under.Done() }, nil
}

// clock is the device's clock for other goroutines: this machine's, as wrong as the device's is.
func (b *boot) clock() func() time.Time {
	skew := time.Until(b.pt.Wall())
	return func() time.Time { return time.Now().Add(skew) }
}
