// Package outward carries exchanges of the simulated part web out with real servers, so that a
// device in a network of models talks to a controller that listens on this machine.
package outward

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evetwin/evetwin/backends/exchange"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/web"
)

// HTTP carries exchanges out with servers on this machine: a host of the simulated network is
// dialled at the address where its real server listens.
type HTTP struct {
	// Dial maps the host of a request, or its "host:port", to the real address; an absent one is
	// refused.
	Dial map[string]string
	// Plain are host:ports whose real server speaks HTTP without TLS although the URL says https.
	Plain map[string]bool
}

// client makes a client that trusts the given roots and nothing else.
func (h *HTTP) client(roots []string, dial time.Duration) *http.Client {
	pool := x509.NewCertPool()
	for _, r := range roots {
		pool.AppendCertsFromPEM([]byte(r))
	}
	d := net.Dialer{Timeout: dial}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to, ok := h.Dial[addr]
			if name, _, err := net.SplitHostPort(addr); !ok && err == nil {
				to, ok = h.Dial[name]
			}
			if !ok {
				return nil, fmt.Errorf("dial %s: %w", addr, syscall.ECONNREFUSED)
			}
			return d.DialContext(ctx, network, to)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h *HTTP) request(ctx context.Context, method, raw string, body []byte, head []device.Header,
) (*http.Request, error) {
	if u, err := url.Parse(raw); err == nil && h.Plain[hostPort(u)] {
		u.Host = hostPort(u)
		u.Scheme = "http"
		raw = u.String()
	}
	r, err := http.NewRequestWithContext(ctx, method, raw, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	for _, x := range head {
		r.Header.Add(x.Name, x.Value)
	}
	return r, nil
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

// Do sends a request.
func (h *HTTP) Do(ctx context.Context, q *device.SendReq, roots []string,
) (device.SendRes, *agent.Fault) {
	began := time.Now()
	limit := q.Timeout
	if limit == 0 {
		limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := q.Dial
	if dial == 0 {
		dial = 10 * time.Second
	}
	r, err := h.request(ctx, q.Method, q.URL, q.Body, q.Header)
	if err != nil {
		return device.SendRes{}, &agent.Fault{Code: device.FaultRefusedURL, Text: err.Error()}
	}
	c := h.client(roots, dial)
	x, err := c.Do(r)
	if err != nil {
		return device.SendRes{}, netFault(err)
	}
	defer x.Body.Close()
	most := q.MaxBody
	if most == 0 {
		most = 16 << 20
	}
	body, err := io.ReadAll(io.LimitReader(x.Body, most+1))
	if err != nil {
		return device.SendRes{}, netFault(err)
	}
	if int64(len(body)) > most {
		return device.SendRes{}, &agent.Fault{Code: device.FaultTooLarge,
			Text: q.URL + " answers with more than allowed"}
	}
	return device.SendRes{Code: x.StatusCode, Header: exchange.Headers(x.Header), Body: body,
		WithTLS: x.TLS != nil || strings.HasPrefix(q.URL, "https:"), Took: time.Since(began)}, nil
}

// Fetch gets a body from an offset on.
func (h *HTTP) Fetch(ctx context.Context, q *device.FetchReq, roots []string, from int64,
	tag string, take func(at int64, data []byte),
) (web.Fetched, *agent.Fault) {
	var got web.Fetched
	r, err := h.request(ctx, http.MethodGet, q.URL, nil, q.Header)
	if err != nil {
		return got, &agent.Fault{Code: device.FaultRefusedURL, Text: err.Error()}
	}
	if from > 0 {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
		r.Header.Set("If-Range", tag)
	}
	x, err := h.client(roots, 10*time.Second).Do(r)
	if err != nil {
		return got, netFault(err)
	}
	defer x.Body.Close()
	if x.StatusCode == http.StatusRequestedRangeNotSatisfiable && from > 0 {
		if x.Header.Get("Content-Range") == "bytes */"+strconv.FormatInt(from, 10) {
			return web.Fetched{Size: from, Tag: tag}, nil // all of it had come before
		}
		return h.Fetch(ctx, q, roots, 0, "", take)
	}
	if x.StatusCode != http.StatusOK && x.StatusCode != http.StatusPartialContent {
		return got, &agent.Fault{Code: device.FaultStatus, Retry: true,
			Text: fmt.Sprintf("%s answers %s", q.URL, x.Status)}
	}
	at := from
	if x.StatusCode == http.StatusOK {
		at = 0
	}
	got.Type, got.Tag = x.Header.Get("Content-Type"), x.Header.Get("ETag")
	if got.Tag == "" {
		got.Tag = x.Header.Get("Last-Modified")
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := x.Body.Read(buf)
		if n > 0 {
			if q.MaxSize > 0 && at+int64(n) > q.MaxSize {
				return got, &agent.Fault{Code: device.FaultTooLarge, Text: q.URL + " is larger than allowed"}
			}
			take(at, buf[:n])
			at += int64(n)
		}
		if errors.Is(err, io.EOF) {
			got.Size = at
			return got, nil
		}
		if err != nil {
			return got, netFault(err)
		}
	}
}

// netFault is an error of the network as a fault of the part.
func netFault(err error) *agent.Fault {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var timeout net.Error
	code := device.FaultReset
	switch {
	case errors.As(err, &unknown):
		code = device.FaultCertUnknown
	case errors.As(err, &invalid), errors.As(err, &host):
		code = device.FaultCertInvalid
	case errors.Is(err, syscall.ECONNREFUSED):
		code = device.FaultConnRefused
	case errors.As(err, &timeout) && timeout.Timeout():
		code = device.FaultTimeout
	}
	return &agent.Fault{Code: code, Text: err.Error(), Retry: true}
}

var _ web.Transport = (*HTTP)(nil)
