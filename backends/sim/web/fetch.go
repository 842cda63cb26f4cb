package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host"
)

type fetchRun = host.Run[device.FetchReq, device.FetchRes]

// DigestHeader is how a model server states the hash that a body is served under where its bytes
// have another (data.Pretended) or stay unmade.
const DigestHeader = "X-Evetwin-Pretended"

// fetch downloads into a partial, from where it stands.
func (w *Web) fetch(c fetchRun) {
	q := c.Req()
	from, ok := w.From(q.Via.IfName, q.Via.Source)
	if !ok {
		fail(c, exchange.NoAddress(&q.Via))
		return
	}
	r, f := w.request(&q.Via, http.MethodGet, q.URL, q.Header, &q.Login, nil)
	if f == nil && !partial.Names(q.Target) {
		f = exchange.NoTarget(q)
	}
	if f != nil {
		fail(c, f)
		return
	}
	p := w.Disk.Partials[q.Target]
	if p == nil {
		p = &disk.Partial{}
		w.Disk.Partials[q.Target] = p
	}
	if p.Done {
		c.Done(device.FetchRes{Size: p.Size})
		return
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if p.Size > 0 && p.Tag != "" {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(p.Size, 10)+"-")
		r.Header.Set("If-Range", p.Tag)
	} else {
		p.Reset()
	}
	r.Timeout = 24 * time.Hour
	if w.Real != nil {
		if t, ok := w.Real(r.HostName()); ok {
			w.fetchReal(c, t, from, r, p)
			return
		}
	}
	res := w.follow(c, from, &r)
	w.arrive(c, from, r, p, &res)
}

// follow asks until the answer is no redirection; r becomes the last request.
func (w *Web) follow(c fetchRun, from world.From, r **world.Request) world.Result {
	var before time.Duration
	for hop := 0; ; hop++ {
		res := w.World.Do(w.Clock(), from, *r)
		next := elsewhere(*r, res.Response)
		q := c.Req()
		if hop < maxHops && next != nil && w.judge(q.URL, q.TLS, &q.Via, *r, &res) == nil {
			*r = next
			before += res.Latency
			continue
		}
		res.Latency += before
		res.First += before
		return res
	}
}

// maxHops is how often a download is followed elsewhere.
const maxHops = 9

// elsewhere is the request that a redirection leads to, nil if it is none. Credentials are for the
// host that they were given for.
func elsewhere(r *world.Request, x *world.Response) *world.Request {
	if x == nil || x.Status/100 != 3 || x.Header.Get("Location") == "" {
		return nil
	}
	u, err := r.URL.Parse(x.Header.Get("Location"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	next := *r
	next.URL = u
	if u.Host != r.URL.Host {
		next.Header = without(r.Header, "Authorization")
	}
	return &next
}

// lose ends a download that does not go on; one of which nothing came is none.
func (w *Web) lose(c fetchRun, p *disk.Partial, f *agent.Fault) {
	if t := c.Req().Target; p.Size == 0 && !p.Done && w.Disk.Partials[t] == p {
		delete(w.Disk.Partials, t)
		w.Show(t)
	}
	fail(c, f)
}

// arrive takes in the answer of the model, at the speed it came with.
func (w *Web) arrive(c fetchRun, from world.From, r *world.Request, p *disk.Partial,
	res *world.Result,
) {
	q := c.Req()
	fault := w.judge(q.URL, q.TLS, &q.Via, r, res)
	x := res.Response
	if first := min(res.First, res.Latency); q.Stalled > 0 && first > q.Stalled {
		c.After(q.Stalled, func() { w.lose(c, p, exchange.Stalled(q)) })
		return
	}
	if fault != nil && (x == nil || res.Received == 0) {
		c.After(res.Latency, func() { w.lose(c, p, fault) })
		return
	}
	if x.Status == http.StatusRequestedRangeNotSatisfiable && p.Size > 0 {
		c.After(res.Latency, func() { w.beyond(c, p, x) })
		return
	}
	if x.Status != http.StatusOK && x.Status != http.StatusPartialContent {
		c.After(res.Latency, func() { w.lose(c, p, exchange.Status(q, x.Status)) })
		return
	}
	body := int64(len(x.Body))
	if x.Size > body {
		body = x.Size
	}
	came := body
	if fault != nil {
		came = res.Received
	}
	start := int64(0)
	if x.Status == http.StatusPartialContent {
		start = p.Size
	}
	whole := start + body
	if q.MaxSize > 0 && whole > q.MaxSize {
		w.lose(c, p, exchange.TooLarge(q))
		return
	}
	c.After(res.First, func() {
		if start == 0 {
			p.Reset()
		}
		p.Whole, p.Tag, p.Modelled = whole, exchange.Tag(x.Header), true
		p.Digest = strings.TrimPrefix(x.Header.Get(DigestHeader), "sha256:")
		w.pieces(c, p, x, arrival{from, came, res.Latency - res.First, fault})
	})
}

// beyond judges an answer that nothing is behind what is here: all had come before the power was
// lost, or what is here is longer than the file and goes.
func (w *Web) beyond(c fetchRun, p *disk.Partial, x *world.Response) {
	if x.Header.Get("Content-Range") == "bytes */"+strconv.FormatInt(p.Size, 10) {
		p.Whole, p.Durable, p.Done = p.Size, p.Size, true
		w.Show(c.Req().Target)
		c.Done(device.FetchRes{Size: p.Size})
		return
	}
	p.Reset()
	w.lose(c, p, exchange.Status(c.Req(), x.Status))
}

// arrival is how a body comes in.
type arrival struct {
	from  world.From
	bytes int64
	took  time.Duration
	fault *agent.Fault // what ends it; nil: it comes whole
}

// flows reports whether bytes still find their way to a download: its cable is in, and its
// interface has the address.
func (w *Web) flows(c fetchRun, from world.From) bool {
	via := &c.Req().Via
	_, ok := w.From(via.IfName, via.Source)
	return ok && w.World.Carrier(from.Port)
}

// pieces lets the bytes come, in pieces of a second at most.
func (w *Web) pieces(c fetchRun, p *disk.Partial, x *world.Response, a arrival) {
	came, took, fault := a.bytes, a.took, a.fault
	n := int64(took/time.Second) + 1
	each := (came + n - 1) / n
	var at int64
	var idle time.Duration
	var next func()
	next = func() {
		if limit := c.Req().Stalled; !w.flows(c, a.from) {
			if idle += time.Second; limit > 0 && idle > limit {
				w.lose(c, p, exchange.Stalled(c.Req()))
				return
			}
			c.After(time.Second, next)
			return
		}
		idle = 0
		size := min(each, came-at)
		full := size > w.Disk.Free()
		if full {
			size = w.Disk.Free()
		}
		var data []byte
		if at+size <= int64(len(x.Body)) {
			data = x.Body[at : at+size]
		}
		p.Durable = p.Size // what came before has been synced by now
		p.Append(data, size)
		at += size
		if full {
			if p.Size > 0 {
				w.Show(c.Req().Target)
			}
			w.lose(c, p, exchange.NoSpace(c.Req()))
			return
		}
		if at < came {
			w.Show(c.Req().Target)
			c.After(took/time.Duration(n), next)
			return
		}
		if fault != nil {
			w.Show(c.Req().Target)
			w.lose(c, p, fault)
			return
		}
		c.After(time.Millisecond, func() {
			p.Durable, p.Done = p.Size, true
			w.Show(c.Req().Target)
			c.Done(device.FetchRes{Size: p.Size, ContentType: x.Header.Get("Content-Type")})
		})
	}
	c.After(took/time.Duration(n), next)
}

// fetchReal asks the model for the way and has a real server send the bytes.
func (w *Web) fetchReal(c fetchRun, t Transport, from world.From, r *world.Request,
	p *disk.Partial,
) {
	q := c.Req()
	probe := &world.Request{Method: "HEAD", URL: r.URL, Proxy: r.Proxy, Resolver: r.Resolver}
	res := w.World.Do(w.Clock(), from, probe)
	fault := w.judge(q.URL, q.TLS, &q.Via, r, &res)
	c.After(res.Latency, func() {
		if fault != nil {
			fail(c, fault)
			return
		}
		if answered(r, &res) {
			fail(c, exchange.Status(q, res.Response.Status))
			return
		}
		roots := append(w.Roots(q.TLS), q.Via.RootPEM...)
		at, mark, pt := p.Size, p.Tag, w.pt
		var buf []byte
		var last time.Time
		begin := at
		real := *q
		real.URL = r.URL.String()
		real.Header = exchange.Headers(without(r.Header, "Range", "If-Range")) // of its own offset
		c.Go(func(ctx context.Context) (device.FetchRes, *agent.Fault) {
			got, f := t.Fetch(ctx, &real, roots, at, mark, func(off int64, data []byte) {
				if off == 0 && begin != 0 {
					buf, begin = nil, 0
				}
				buf = append(buf, data...)
				if time.Since(last) < 200*time.Millisecond {
					return
				}
				last = time.Now()
				have := begin + int64(len(buf))
				pt.Post(func() { w.progress(q.Target, have) })
			})
			mark = got.Tag
			return device.FetchRes{Size: got.Size, ContentType: got.Type}, f
		}, func(res device.FetchRes, f *agent.Fault) {
			if begin == 0 {
				p.Reset()
			}
			p.Append(buf, int64(len(buf)))
			p.Tag, p.Durable = mark, p.Size
			if f == nil {
				p.Whole, p.Done = p.Size, true
			}
			w.Show(q.Target)
			c.Finish(res, f)
		})
	})
}

// progress shows how much of a real download has come.
func (w *Web) progress(target string, have int64) {
	if p := w.Disk.Partials[target]; p != nil && !p.Done {
		w.partials.Put(device.PartialSeen{Target: target, Have: have, Size: max(p.Whole, have)})
	}
}

// without is a copy of headers less some.
func without(h http.Header, names ...string) http.Header {
	h = h.Clone()
	for _, n := range names {
		h.Del(n)
	}
	return h
}
