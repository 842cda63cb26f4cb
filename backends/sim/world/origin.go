package world

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Origin is an HTTP server that the model does not describe: the controller, a registry, a
// data store. The world reads its fields at each request; they may be changed between calls.
type Origin struct {
	Label string       // for messages
	Names []string     // DNS names that public resolvers know; lower case
	Addrs []netip.Addr // none: the world derives one of each IP version from the name
	Ports []ListenPort // none: 80 without and 443 with TLS
	Chain [][]byte     // certificates in DER, leaf first; none: it speaks no TLS
	Owner string       // who holds the key of the leaf; passed on in TLSState
	// Serve answers a request. It must not keep or change r. Nil answers 404 to everything.
	Serve func(now time.Time, r *Request) *Response
}

// ListenPort is a port that an origin listens on.
type ListenPort struct {
	Number uint16
	TLS    bool
}

// listens tells whether a port is open and speaks TLS.
func (o *Origin) listens(port uint16) (open, tls bool) {
	if len(o.Ports) == 0 {
		return port == 80 || port == 443, port == 443
	}
	for _, p := range o.Ports {
		if p.Number == port {
			return true, p.TLS
		}
	}
	return false, false
}

// Request is an HTTP request.
type Request struct {
	Method string // empty: GET
	URL    *url.URL
	Host   string // overrides that of the URL
	Header http.Header
	Body   []byte

	Proxy     *url.URL      // explicit proxy; nil: none. Scheme https: TLS to the proxy
	ProxyUser *url.Userinfo // nil: that of Proxy
	Resolver  []netip.Addr  // DNS servers in order
	Dial      time.Duration // limit for name and connection; 0: 10 s
	Timeout   time.Duration // limit for everything; 0: 120 s

	// Remote is the address that the server sees; the world sets it for Origin.Serve.
	Remote netip.Addr
}

// HostName is the host that the request is for, without its port.
func (r *Request) HostName() string {
	if r.Host != "" {
		return (&url.URL{Host: r.Host}).Hostname()
	}
	return r.URL.Hostname()
}

// Response is an HTTP response.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Size is the number of bytes that the transfer takes, where Body is shorter: a large
	// body may stay unmade. 0: len(Body).
	Size  int64
	Think time.Duration // until the server has its answer
	// Drop says that the server ends the connection when Sent bytes of the body have gone out.
	Drop bool
	Sent int64
}

func (r *Response) size() int64 { return max(r.Size, int64(len(r.Body))) }

// Result is how a request went.
type Result struct {
	Response *Response // also set beside ProxyAuth, ProxyRefused and ProxyGateway, if one came
	Err      *Error
	Latency  time.Duration // until the end, or until the client gave up
	First    time.Duration // until the first byte of the response's body
	Rate     int64         // bytes per second of the body; (Latency-First)*Rate is its size
	Received int64         // bytes of the body that came, also if the rest did not
	Server   netip.Addr    // address that the connection went to: server or explicit proxy
	TLS      *TLSState     // of the connection with the origin; nil without TLS
	ProxyTLS *TLSState     // of the connection with a proxy that listens on https
	Via      string        // label of the proxy that the request went through
}

// TLSState is what a TLS client is shown. The world verifies nothing: that is the client's job.
type TLSState struct {
	Chain [][]byte // DER, leaf first
	By    string   // "origin", or the label of the proxy that opened the connection
	Owner string   // holder of the leaf's key: Origin.Owner, or the label of server or proxy
	Name  string   // that the client asked for (SNI), or the address
}

// ByOrigin is TLSState.By where nobody stands between.
const ByOrigin = "origin"

func (o *Origin) tls(name string) *TLSState {
	return &TLSState{Chain: o.Chain, By: ByOrigin, Owner: o.Owner, Name: name}
}

// answersFor tells whether the origin may be found at an address under a name.
func (o *Origin) answersFor(host string, a netip.Addr) bool {
	return slices.Contains(originAddrs(o, host), a)
}

func notFound() *Response { return &Response{Status: http.StatusNotFound} }

// serve asks the origin; nothing is ever nil.
func (o *Origin) serve(now time.Time, r *Request, remote netip.Addr) *Response {
	if o.Serve == nil {
		return notFound()
	}
	q := *r
	q.Remote = remote
	if resp := o.Serve(now, &q); resp != nil {
		return resp
	}
	return notFound()
}
