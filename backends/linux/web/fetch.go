package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host"
)

// pieceSize is how many bytes are read at once; shown is how often progress is, at most.
const (
	pieceSize = 256 << 10
	shown     = time.Second
)

// fetch downloads into a partial.
func (b *boot) fetch(c host.Run[device.FetchReq, device.FetchRes]) {
	q := *c.Req()
	r, f := exchange.New(b.keeper, &q.Via, http.MethodGet, q.URL, q.Header, &q.Login)
	if f == nil && !partial.Names(q.Target) {
		f = exchange.NoTarget(&q)
	}
	if f != nil {
		c.Finish(device.FetchRes{}, f)
		return
	}
	j := &job{via: &q.Via, policy: q.TLS, dial: dialLimit, req: r, now: b.clock()}
	c.Go(func(ctx context.Context) (device.FetchRes, *agent.Fault) {
		ctx, done, f := b.work(ctx)
		if f != nil {
			return device.FetchRes{}, f
		}
		defer done()
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		d := &download{b: b, q: &q, j: j, alive: func() {}}
		if q.Stalled > 0 {
			stall := time.AfterFunc(q.Stalled, func() { stop(&failure{exchange.Stalled(&q)}) })
			defer stall.Stop()
			d.alive = func() { stall.Reset(q.Stalled) }
		}
		res, err := d.run(ctx)
		if err != nil {
			return device.FetchRes{}, fault(ctx, about(q.URL, &q.Via), err)
		}
		return res, nil
	}, func(res device.FetchRes, f *agent.Fault) {
		b.publish()
		c.Finish(res, f)
	})
}

// download is a Fetch under way.
type download struct {
	b     *boot
	q     *device.FetchReq
	j     *job
	w     *partial.Writer
	alive func() // a sign of life came
}

// run opens the partial, fills it and closes it; what it is then has been looked at.
func (d *download) run(ctx context.Context) (res device.FetchRes, err error) {
	ctx, release, err := d.b.claim(ctx, d.q.Target)
	if err != nil {
		return res, err
	}
	defer release()
	x, err := d.b.carrier(ctx, d.j)
	if err != nil {
		return res, err
	}
	if d.w, err = d.b.shelf.dir.Resume(d.q.Target); err != nil {
		return res, disk(d.q, err)
	}
	defer func() {
		if bad := d.w.Close(); err == nil && bad != nil {
			err = disk(d.q, bad)
		}
		if s := d.w.State(); s.Have == 0 && !s.Done { // nothing came: there is no partial
			err = errors.Join(err, d.b.shelf.dir.Remove(d.q.Target))
		}
		d.b.look(d.q.Target)
	}()
	if s := d.w.State(); s.Done {
		return device.FetchRes{Size: s.Size}, nil
	}
	return d.fill(ctx, x)
}

// disk is a failure of the disk.
func disk(q *device.FetchReq, err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return &failure{exchange.NoSpace(q)}
	}
	return fail(device.FaultDisk, "%v", err)
}

// fill asks for what is missing and takes it.
func (d *download) fill(ctx context.Context, x *carrier) (res device.FetchRes, err error) {
	s := d.w.State()
	h := d.j.req.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	switch {
	case s.Have > 0 && s.Tag != "":
		h.Set("Range", fmt.Sprintf("bytes=%d-", s.Have))
		h.Set("If-Range", s.Tag)
	case s.Have > 0: // nobody could say whether the rest belongs to it
		if err := d.w.Begin("", 0); err != nil {
			return res, disk(d.q, err)
		}
		s = d.w.State()
	}
	d.j.req.Header = h
	a, err := x.do(ctx, d.j)
	if err != nil {
		return res, err
	}
	defer func() { _ = a.Body.Close() }()
	d.alive()
	switch a.StatusCode {
	case http.StatusOK:
		err = d.begin(a)
	case http.StatusPartialContent:
		err = d.goOn(a, s.Have)
	case http.StatusRequestedRangeNotSatisfiable:
		return d.beyond(a, s.Have)
	default:
		return res, &failure{exchange.Status(d.q, a.StatusCode)}
	}
	if err == nil {
		err = d.take(ctx, a.Body)
	}
	if err == nil {
		err = d.whole()
	}
	return device.FetchRes{Size: d.w.State().Size, ContentType: a.Header.Get("Content-Type")}, err
}

// begin starts anew: the server gives all of it.
func (d *download) begin(a *http.Response) error {
	size := max(a.ContentLength, 0)
	if d.q.MaxSize > 0 && size > d.q.MaxSize {
		return &failure{exchange.TooLarge(d.q)}
	}
	if err := d.w.Begin(exchange.Tag(a.Header), size); err != nil {
		return disk(d.q, err)
	}
	return nil
}

// goOn checks that the server goes on from where the partial ends.
func (d *download) goOn(a *http.Response, have int64) error {
	from, size, ok := contentRange(a.Header.Get("Content-Range"))
	if !ok || from != have || have == 0 {
		if err := d.w.Begin("", 0); err != nil {
			return disk(d.q, err)
		}
		return fail(device.FaultStatus, "%s answers with another range than was asked for", d.q.URL)
	}
	if size == 0 && a.ContentLength >= 0 {
		size = have + a.ContentLength
	}
	if d.q.MaxSize > 0 && size > d.q.MaxSize {
		return &failure{exchange.TooLarge(d.q)}
	}
	d.w.Sized(size)
	return nil
}

// beyond judges an answer that nothing is behind what is here: all had come before the power was
// lost, or what is here is longer than the file and goes.
func (d *download) beyond(a *http.Response, have int64) (device.FetchRes, error) {
	if have > 0 && a.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", have) {
		return device.FetchRes{Size: have}, d.whole()
	}
	if err := d.w.Begin("", 0); err != nil {
		return device.FetchRes{}, disk(d.q, err)
	}
	return device.FetchRes{}, &failure{exchange.Status(d.q, a.StatusCode)}
}

// take writes what comes, to its end.
func (d *download) take(ctx context.Context, body io.Reader) error {
	buf := make([]byte, pieceSize)
	last := time.Now()
	for {
		n, err := body.Read(buf)
		if n > 0 {
			d.alive()
			if bad := d.write(buf[:n]); bad != nil {
				return bad
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if time.Since(last) >= shown {
			last = time.Now()
			d.b.look(d.q.Target)
		}
	}
}

// write appends a piece. What turns out to be too large is of no use to anybody.
func (d *download) write(data []byte) error {
	if limit := d.q.MaxSize; limit > 0 && d.w.State().Have+int64(len(data)) > limit {
		if err := d.w.Begin("", 0); err != nil {
			return disk(d.q, err)
		}
		return &failure{exchange.TooLarge(d.q)}
	}
	if _, err := d.w.Write(data); err != nil {
		return disk(d.q, err)
	}
	return nil
}

// whole ends a download of which all has come.
func (d *download) whole() error {
	if s := d.w.State(); s.Size > 0 && s.Have != s.Size {
		return fail(device.FaultReset, "%s: %d of %d bytes came", d.q.URL, s.Have, s.Size)
	}
	if err := d.w.Finish(); err != nil {
		return disk(d.q, err)
	}
	return nil
}

// contentRange reads "bytes 5-9/10"; size is 0 where it is "*".
func contentRange(text string) (from, size int64, ok bool) {
	span, total, ok1 := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	first, _, ok2 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if !ok1 || !ok2 || err != nil || from < 0 {
		return 0, 0, false
	}
	if total != "*" {
		if size, err = strconv.ParseInt(total, 10, 64); err != nil || size <= from {
			return 0, 0, false
		}
	}
	return from, size, true
}
