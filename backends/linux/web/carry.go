package web

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/evetwin/evetwin/backends/exchange"
	device "github.com/evetwin/evetwin/core/device/web"
)

// carrier carries one exchange out, over connections of its own.
type carrier struct {
	port *port
	via  *device.Via
	dial time.Duration // limit for name and connection
	http *http.Client
}

// carrier makes one. What it opens is closed when ctx ends, which has to happen.
func (b *boot) carrier(ctx context.Context, j *job) (*carrier, error) {
	p, err := openPort(b.o.Space, j.via)
	if err != nil {
		return nil, err
	}
	conf, err := b.trust.config(j.policy, j.via.RootPEM, j.now)
	if err != nil {
		return nil, err
	}
	x := &carrier{port: p, via: j.via, dial: j.dial}
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: conf,
		// The context that the transport gives is not that of the exchange.
		DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			return x.connect(ctx, addr)
		},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request,
			r *http.Response,
		) error {
			if r.StatusCode/100 != 2 {
				return proxyRefuses(r)
			}
			return nil
		}}
	if j.req.Proxy != nil {
		t.Proxy = http.ProxyURL(j.req.Proxy)
	}
	x.http = &http.Client{Transport: t}
	return x, nil
}

func proxyRefuses(r *http.Response) error {
	return fail(device.FaultProxy, "the proxy answers %d %s", r.StatusCode,
		http.StatusText(r.StatusCode))
}

// connect opens a connection that ends with the exchange.
func (x *carrier) connect(ctx context.Context, addr string) (net.Conn, error) {
	early, cancel := context.WithTimeout(ctx, x.dial)
	defer cancel()
	c, err := x.port.connect(early, x.via.DNS, addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, nil
}

// job is what an op asks for, as far as sending and fetching have it in common.
type job struct {
	via    *device.Via
	policy string
	dial   time.Duration
	req    *exchange.Request
	body   []byte
	now    func() time.Time
}

// do sends the request of a job and returns the head of the answer; the caller closes the body.
func (x *carrier) do(ctx context.Context, j *job) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, j.req.Method, j.req.URL.String(),
		bytes.NewReader(j.body))
	if err != nil {
		return nil, fail(device.FaultRefusedURL, "%v", err)
	}
	for name, vs := range j.req.Header { //order: of headers with different names does not matter
		r.Header[name] = vs
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := x.http.Do(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusProxyAuthRequired && j.req.Proxy != nil {
		_ = res.Body.Close()
		return nil, proxyRefuses(res)
	}
	return res, nil
}

// about names an exchange in messages, without what references stand for.
func about(rawURL string, via *device.Via) string {
	return fmt.Sprintf("%s over %s", rawURL, via.IfName)
}
