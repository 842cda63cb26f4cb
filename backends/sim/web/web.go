// Package web is the simulated part web: HTTP through the ports of a simulated network, and the
// downloads on a simulated disk. In real time the exchange itself may be real: the network model
// then says whether and how fast it gets through, and a Transport carries it out.
package web

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Transport carries out a real exchange; roots are the PEM roots to trust.
type Transport interface {
	// Do sends a request and returns the answer, or a fault with a code of the part.
	Do(ctx context.Context, r *device.SendReq, roots []string) (device.SendRes, *agent.Fault)
	// Fetch gets a body from an offset on; take is called with each piece, in order. It returns the
	// size of the whole, its type and tag, and whether the server went on from the offset.
	Fetch(ctx context.Context, r *device.FetchReq, roots []string, from int64, tag string,
		take func(at int64, data []byte)) (Fetched, *agent.Fault)
}

// Fetched is how a real download ended.
type Fetched struct {
	Size int64
	Type string
	Tag  string
}

// Web is the part over a network and a disk.
type Web struct {
	World *world.World
	Disk  *disk.Disk
	// From is where a packet starts that leaves an interface from a source address.
	From func(ifname string, src netip.Addr) (world.From, bool)
	// Clock is the time of the world.
	Clock func() time.Time
	// Roots is the content of /config/root-certificate.pem and of the system's roots.
	Roots func(policy string) []string
	// Real carries exchanges with the given host out for real; nil, or false, stays in the model.
	Real func(host string) (Transport, bool)
	// Keeper has the device's secrets; nil makes one of its own.
	Keeper *secret.Keeper

	pt       *host.Part
	partials *bus.Pub[device.PartialSeen]
	sessions sessions
}

// Wire serves the ops of the part and publishes the downloads on the disk.
func (w *Web) Wire(k *host.Kernel) {
	pt := k.Part("web")
	w.pt = pt
	w.sessions = sessions{}
	if w.Keeper == nil {
		w.Keeper = secret.New(nil)
	}
	w.partials = bus.Publish(pt, device.Partials)
	for _, t := range disk.Keys(w.Disk.Partials) {
		w.Show(t)
	}
	w.partials.Complete()
	host.Serve(pt, device.Send, w.send)
	host.Serve(pt, device.Fetch, w.fetch)
	host.Serve(pt, device.RemovePartial, func(c host.Run[device.TargetReq, device.None]) {
		c.After(c.Latency(time.Millisecond, 10*time.Millisecond), func() {
			delete(w.Disk.Partials, c.Req().Target)
			w.Show(c.Req().Target)
			c.Done(device.None{})
		})
	})
}

// Taken publishes that a download has become a blob.
func (w *Web) Taken(target string) { w.pt.Do(func() { w.Show(target) }) }

// Show publishes a download.
func (w *Web) Show(target string) {
	p := w.Disk.Partials[target]
	if p == nil {
		w.partials.Delete(target)
		return
	}
	w.partials.Put(device.PartialSeen{Target: target, Have: p.Size, Size: p.Whole, Whole: p.Done})
}

// request makes the world's request of the part's. What references stand for is in it.
func (w *Web) request(via *device.Via, method, rawURL string, h []device.Header, l *device.Login,
	body []byte,
) (*world.Request, *agent.Fault) {
	r, fault := exchange.New(w.Keeper, via, method, rawURL, h, l)
	if fault != nil {
		return nil, fault
	}
	return &world.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: body,
		Resolver: via.DNS, Proxy: r.Proxy}, nil
}

func (w *Web) send(c host.Run[device.SendReq, device.SendRes]) {
	q := c.Req()
	from, ok := w.From(q.Via.IfName, q.Via.Source)
	if !ok {
		fail(c, exchange.NoAddress(&q.Via))
		return
	}
	r, f := w.request(&q.Via, q.Method, q.URL, q.Header, &q.Login, q.Body)
	if f != nil {
		fail(c, f)
		return
	}
	r.Dial, r.Timeout = q.Dial, q.Timeout
	if w.Real != nil {
		if t, ok := w.Real(r.HostName()); ok {
			w.sendReal(c, t, from, r)
			return
		}
	}
	// The request leaves when the call starts; what came of it shows when the answer is here.
	res := w.World.Do(w.Clock(), from, r)
	fault := w.judge(q.URL, q.TLS, &q.Via, r, &res)
	c.After(res.Latency, func() {
		if fault != nil {
			fail(c, fault)
			return
		}
		w.hand(c, r, &res)
	})
}

// hand gives the answer of the model to the caller.
func (w *Web) hand(c host.Run[device.SendReq, device.SendRes], r *world.Request,
	res *world.Result,
) {
	q, x := c.Req(), res.Response
	limit := cmp.Or(q.MaxBody, exchange.MaxBody)
	if int64(len(x.Body)) > limit || x.Size > limit {
		fail(c, exchange.TooLong(q))
		return
	}
	out := device.SendRes{Code: x.Status, Header: exchange.Headers(x.Header), Body: x.Body,
		WithTLS: r.URL.Scheme == "https", Took: res.Latency}
	exchange.Keep(w.Keeper, q, &out)
	c.Done(out)
}

// sendReal asks the model whether a connection gets through and how long that takes, then sends.
func (w *Web) sendReal(c host.Run[device.SendReq, device.SendRes], t Transport, from world.From,
	r *world.Request,
) {
	q := c.Req()
	probe := &world.Request{Method: "HEAD", URL: r.URL, Proxy: r.Proxy, Resolver: r.Resolver,
		Dial: r.Dial, Timeout: r.Timeout}
	res := w.World.Do(w.Clock(), from, probe)
	fault := w.judge(q.URL, q.TLS, &q.Via, r, &res)
	c.After(res.Latency, func() {
		if fault != nil {
			fail(c, fault)
			return
		}
		if answered(r, &res) {
			w.hand(c, r, &res)
			return
		}
		roots := append(w.Roots(q.TLS), q.Via.RootPEM...)
		real := *q
		real.URL, real.Header = r.URL.String(), exchange.Headers(r.Header)
		c.Go(func(ctx context.Context) (device.SendRes, *agent.Fault) {
			return t.Do(ctx, &real, roots)
		}, func(out device.SendRes, f *agent.Fault) {
			if f == nil {
				exchange.Keep(w.Keeper, q, &out)
			}
			c.Finish(out, f)
		})
	})
}

// fail ends a call with a fault.
func fail[Req, Res any](c host.Run[Req, Res], f *agent.Fault) { c.Fail(f.Code, f.Text, f.Retry) }
