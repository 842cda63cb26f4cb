package conform_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/linux/netlab"
)

// webProxy is a proxy for HTTP and, by CONNECT, for anything else.
type webProxy struct {
	t     *testing.T
	space *netlab.Space
	src   string
	hosts []conform.WebHost
	// login is "user:password", empty if none is asked for; banned is a host it does not serve.
	login, banned string

	mu   sync.Mutex
	over bool
	open []net.Conn
	all  sync.WaitGroup
}

// dial opens a connection to a host of the site, in the proxy's place.
func (p *webProxy) dial(addr string) (c net.Conn, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(p.hosts, func(h conform.WebHost) bool { return h.Name == host })
	if i < 0 {
		return nil, fmt.Errorf("find %s: there is no such name", host)
	}
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: net.TCPAddrFromAddrPort(
		netip.AddrPortFrom(netip.MustParseAddr(p.src), 0))}
	p.space.Do(func() { c, err = d.Dial("tcp", net.JoinHostPort(p.hosts[i].Addrs[0], port)) })
	return c, err
}

// ServeHTTP serves a request.
func (p *webProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.login))
	switch host := r.URL.Hostname(); {
	case p.login != "" && r.Header.Get("Proxy-Authorization") != want:
		w.Header().Set("Proxy-Authenticate", `Basic realm="conform"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
	case p.banned != "" && host == p.banned:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	default:
		p.forward(w, r)
	}
}

// forward passes a request in the clear on.
func (p *webProxy) forward(w http.ResponseWriter, r *http.Request) {
	addr := r.URL.Host
	if r.URL.Port() == "" {
		addr += ":80"
	}
	c, err := p.dial(addr)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.Header.Del("Proxy-Authorization")
	res, err := tr.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	for name, vs := range res.Header {
		w.Header()[name] = vs
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

// tunnel connects the client with a server.
func (p *webProxy) tunnel(w http.ResponseWriter, r *http.Request) {
	far, err := p.dial(r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	if !p.adopt(near, far) {
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.all.Go(func() {
		_, _ = io.Copy(far, buf)
		_ = far.Close()
	})
	p.all.Go(func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
	})
}

// adopt keeps the ends of a tunnel; false if the proxy has ended.
func (p *webProxy) adopt(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, ends...)
	if p.over {
		for _, c := range ends {
			_ = c.Close()
		}
	}
	return !p.over
}

// end closes all tunnels.
func (p *webProxy) end() {
	p.mu.Lock()
	p.over = true
	for _, c := range p.open {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			p.t.Error(err)
		}
	}
	p.mu.Unlock()
	p.all.Wait()
}
