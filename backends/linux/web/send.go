package web

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host"
)

// Limits of an exchange that states none.
const (
	dialLimit = 10 * time.Second
	sendLimit = 2 * time.Minute
)

// send makes one exchange. Secrets belong to the loop: they get in before it leaves and out after
// it has come.
func (b *boot) send(c host.Run[device.SendReq, device.SendRes]) {
	q := *c.Req()
	r, f := exchange.New(b.keeper, &q.Via, q.Method, q.URL, q.Header, &q.Login)
	if f != nil {
		c.Finish(device.SendRes{}, f)
		return
	}
	j := &job{via: &q.Via, policy: q.TLS, dial: cmp.Or(q.Dial, dialLimit), req: r, body: q.Body,
		now: b.clock()}
	c.Go(func(ctx context.Context) (device.SendRes, *agent.Fault) {
		ctx, done, f := b.work(ctx)
		if f != nil {
			return device.SendRes{}, f
		}
		defer done()
		limit := cmp.Or(q.Timeout, sendLimit)
		ctx, cancel := context.WithTimeoutCause(ctx, limit,
			fail(device.FaultTimeout, "%s: no answer within %v", about(q.URL, &q.Via), limit))
		defer cancel()
		res, err := b.exchange(ctx, &q, j)
		if err != nil {
			return device.SendRes{}, fault(ctx, about(q.URL, &q.Via), err)
		}
		return *res, nil
	}, func(res device.SendRes, f *agent.Fault) {
		if f == nil {
			exchange.Keep(b.keeper, &q, &res)
		}
		c.Finish(res, f)
	})
}

// exchange sends a request and takes all of the answer.
func (b *boot) exchange(ctx context.Context, q *device.SendReq, j *job) (*device.SendRes, error) {
	began := time.Now()
	x, err := b.carrier(ctx, j)
	if err != nil {
		return nil, err
	}
	// What a server sends elsewhere for is an answer like any other.
	x.http.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	a, err := x.do(ctx, j)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Body.Close() }()
	limit := cmp.Or(q.MaxBody, exchange.MaxBody)
	body, err := io.ReadAll(io.LimitReader(a.Body, limit+1))
	if int64(len(body)) > limit {
		return nil, &failure{exchange.TooLong(q)}
	}
	if err != nil {
		return nil, err
	}
	return &device.SendRes{Code: a.StatusCode, Header: exchange.Headers(a.Header), Body: body,
		WithTLS: j.req.URL.Scheme == "https", Took: time.Since(began)}, nil
}
