package conform

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/eveapi"
)

// WebHost is a server behind the ports, for every backend to build: HTTP on port 80, and TLS on
// port 443.
type WebHost struct {
	Name  string
	Addrs []string
	Cert  tls.Certificate
}

// WebSite is what the servers behind the ports have in common. Its methods may be called from any
// goroutine.
type WebSite struct {
	// Public signs for the Internet, Controller for the controller, Proxy for proxies.
	Public, Controller, Proxy *WebAuthority
	Hosts                     []WebHost

	config []byte
	mu     sync.Mutex
	asked  []string
	etag   string
	data   []byte
}

// WebAsk is a request as it comes to a server.
type WebAsk struct {
	Method, Path string
	Header       http.Header
	Body         []byte
	// Remote is the address it comes from.
	Remote string
}

// WebAnswer is how a server answers.
type WebAnswer struct {
	Status int
	Header http.Header
	Body   []byte
	// File says that the body is a file: Range and If-Range hold, under ETag, which may be empty.
	File bool
	ETag string
	// Chunked has the server not say how long the body is.
	Chunked bool
	// Think is how long the server takes.
	Think time.Duration
	// Pace is how many bytes a second the server gives at most; 0: no limit. Models give what the
	// cable takes.
	Pace int
	// Drop ends the connection when Sent bytes of the body have gone out.
	Drop bool
	Sent int
}

// Where the servers are. WebName is the good one.
const (
	WebName     = "good.example"
	webAddr     = "10.97.20.80"
	webAddrSix  = "fd00:97:20::80"
	webFileSize = 3 << 20
)

// NewWebSite makes the servers' contents and certificates.
func NewWebSite(t *testing.T) *WebSite {
	t.Helper()
	s := &WebSite{Public: newWebAuthority(t, "public"), Proxy: newWebAuthority(t, "proxies"),
		Controller: newWebAuthority(t, "controller")}
	now := time.Now()
	valid := now.AddDate(0, 0, -1)
	stranger := newWebAuthority(t, "stranger")
	host := func(n int, name string, c tls.Certificate, more ...string) {
		s.Hosts = append(s.Hosts, WebHost{name, append([]string{fmt.Sprintf("10.97.20.%d", n)},
			more...), c})
	}
	host(80, WebName, s.Public.Issue(t, valid, WebName, webAddr), webAddrSix)
	host(81, "expired.example", s.Public.Issue(t, now.AddDate(0, -2, 0), "expired.example"))
	host(82, "early.example", s.Public.Issue(t, now.AddDate(0, 0, 2), "early.example"))
	host(83, "wrong.example", s.Public.Issue(t, valid, "other.example"))
	host(84, "unknown.example", stranger.Issue(t, valid, "unknown.example"))
	host(85, "controller.example", s.Controller.Issue(t, valid, "controller.example"))
	host(86, "banned.example", s.Public.Issue(t, valid, "banned.example"))
	payload, err := eveapi.Marshal(&config.ConfigResponse{Config: &config.EdgeDevConfig{
		Datastores: []*config.DatastoreConfig{{Id: "11111111-0000-4000-8000-000000000001",
			ApiKey: "alice", Password: "sesame", Fqdn: "http://alice:sesame@login.example:3128"}}}})
	if err != nil {
		t.Fatal(err)
	}
	s.config = eveapi.Seal(payload, [64]byte{1}, make([]byte, 32), nil)
	s.Publish(`"one"`, 1)
	return s
}

// Publish has the site serve another file under /file/, with an ETag or none.
func (s *WebSite) Publish(etag string, seed byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.etag, s.data = etag, webFile(seed)
}

// webFile is the content of a file.
func webFile(seed byte) []byte {
	data := make([]byte, webFileSize)
	for i := range data {
		data[i] = seed + byte(i) + byte(i>>8)*3 + byte(i>>16)*7
	}
	return data
}

// take returns what was asked for since the last time, as "GET /path range".
func (s *WebSite) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.asked
	s.asked = nil
	return out
}

// Answer is how a server of the site answers.
func (s *WebSite) Answer(q WebAsk) WebAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimSpace(q.Method+" "+q.Path+" "+q.Header.Get("Range")))
	text := func(status int, body string) WebAnswer {
		return WebAnswer{Status: status, Body: []byte(body),
			Header: http.Header{"Content-Type": {"text/plain"}}}
	}
	dir, name, _ := strings.Cut(strings.TrimPrefix(q.Path, "/"), "/")
	a := text(http.StatusOK, "hello, world\n")
	switch dir {
	case "hello", "":
	case "echo":
		a = text(http.StatusOK, fmt.Sprintf("%s %s %q %q %s", q.Method, q.Path, q.Body,
			q.Header.Get("Authorization"), strings.Join(q.Header["X-Conform"], ",")))
		a.Header.Set("X-Remote", q.Remote)
	case "slow":
		a.Think = 400 * time.Millisecond
	case "hang":
		a.Think = time.Minute
	case "reset":
		a.Drop = true
	case "short":
		a.Body, a.Drop, a.Sent = bytes.Repeat([]byte("x"), 1000), true, 300
	case "large":
		a.Body = bytes.Repeat([]byte("x"), 1<<20)
	case "chunked":
		a.Body, a.Chunked = bytes.Repeat([]byte("abc"), 50_000), true
	case "moved":
		a = text(http.StatusFound, "")
		a.Header.Set("Location", "/"+name)
	case "none":
		a = WebAnswer{Status: http.StatusNoContent}
	case "teapot":
		a = text(http.StatusTeapot, "short and stout")
	case "config":
		a.Body = slices.Clone(s.config)
		a.Header.Set("Set-Cookie", "a=b")
	case "token":
		a.Body = []byte(`{"token":"t0ken"}`)
	case "file", "broken", "paced", "silent":
		a = s.file(dir, q)
	default:
		a = text(http.StatusNotFound, "")
	}
	return a
}

// file serves the file: "broken" ends the connection after a third unless it goes on from there,
// "paced" takes two seconds, "silent" says nothing for a minute.
func (s *WebSite) file(how string, q WebAsk) WebAnswer {
	a := WebAnswer{Status: http.StatusOK, Body: s.data, File: true, ETag: s.etag,
		Header: http.Header{"Content-Type": {"application/x-conform"}}}
	switch how {
	case "broken":
		a.Drop, a.Sent = q.Header.Get("Range") == "", webFileSize/3
	case "paced":
		a.Pace = webFileSize / 2
	case "silent":
		a.Think = time.Minute
	}
	return a
}
