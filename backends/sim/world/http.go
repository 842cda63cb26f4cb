package world

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// Do carries out one HTTP request of the device on a connection of its own: name, connection,
// TLS, request, response. TLS is not verified here: Result.TLS shows what the client was shown.
func (w *World) Do(now time.Time, f From, r *Request) Result {
	if r.URL == nil {
		return Result{Err: &Error{NoRoute, "http", "", "no URL"}}
	}
	x := exchange{
		walk: walk{w: w, now: now, flow: "http/" + r.HostName()}, from: &f, req: r,
		limit: r.Timeout, host: canonical(r.URL.Hostname()), https: r.URL.Scheme == "https",
	}
	if x.limit <= 0 {
		x.limit = httpPatience
	}
	if x.early = r.Dial; x.early <= 0 {
		x.early = dialPatience
	}
	x.early = min(x.early, x.limit)
	var ok bool
	if x.port, ok = portOf(r.URL); !ok {
		x.res.Err = &Error{NoRoute, "http", r.URL.Redacted(), "not an http or https URL"}
		return x.res
	}
	if r.Proxy != nil {
		x.res.Err = x.explicit()
	} else {
		x.res.Err = x.direct()
	}
	x.res.Latency = x.t
	if x.res.First == 0 {
		x.res.First = x.t
	}
	return x.res
}

// exchange is a request under way.
type exchange struct {
	walk
	from  *From
	req   *Request
	limit time.Duration // for everything
	early time.Duration // for name and connection
	host  string
	port  uint16
	https bool
	res   Result
}

// portOf is the port that a URL means; false if it is no URL for HTTP.
func portOf(u *url.URL) (uint16, bool) {
	if u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return 0, false
	}
	if s := u.Port(); s != "" {
		p, err := strconv.ParseUint(s, 10, 16)
		return uint16(p), err == nil && p > 0
	}
	if u.Scheme == "https" {
		return 443, true
	}
	return 80, true
}

// direct goes to the origin, or into the arms of a transparent proxy.
func (x *exchange) direct() *Error {
	dst, err := x.address(x.host)
	if err != nil {
		return err
	}
	if e := x.w.transparent(x.from, dst, x.port); e != nil {
		return x.intercepted(e, dst)
	}
	srv, s, err := x.connect(dst, x.port, x.host)
	if err != nil {
		return err
	}
	if err := x.handshake(s, srv); err != nil {
		return err
	}
	if !x.https && srv.tls {
		return x.finish(s, mistaken())
	}
	return x.finish(s, srv.serve(x.now, x.req, x.from.Src))
}

// mistaken is how servers answer plain HTTP where they expect TLS.
func mistaken() *Response {
	return &Response{Status: http.StatusBadRequest,
		Body: []byte("Client sent an HTTP request to an HTTPS server.\n")}
}

// address finds the address of a host, of the IP version of the source.
func (x *exchange) address(host string) (netip.Addr, *Error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	as, _, err := x.lookup(x.from, x.req.Resolver, host, x.from.Src.Is6(), x.early)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(as) == 0 {
		return netip.Addr{}, &Error{DNSNotFound, "dns", host, "no address of the source's IP version"}
	}
	return as[0], nil
}

// connect opens a TCP connection of the device.
func (x *exchange) connect(dst netip.Addr, port uint16, host string) (server, spot, *Error) {
	x.res.Server = dst
	s, p, err := x.w.reach(x.from, dst, tcp, port)
	x.p = p
	if err == nil {
		var srv server
		if srv, err = x.w.server(s, port, host); err == nil {
			if x.trip(s.trip, x.early) {
				return srv, s, nil
			}
			return srv, s, &Error{Timeout, "dial", to(dst, port), "packets are lost"}
		}
	}
	err = x.fail(err, s.trip, x.early)
	return server{}, s, &Error{err.Code, "dial", to(dst, port), err.Why}
}

// handshake is TLS with the origin, if the request wants it.
func (x *exchange) handshake(s spot, srv server) *Error {
	if !x.https {
		return nil
	}
	if !x.trip(s.trip, x.limit) {
		return &Error{Timeout, "tls", x.host, "packets are lost"}
	}
	if !srv.tls {
		return &Error{TLS, "tls", x.host, "the server speaks no TLS there"}
	}
	x.res.TLS = srv.origin.tls(x.host)
	return nil
}

// finish sends the request and takes the response over the cable.
func (x *exchange) finish(s spot, resp *Response) *Error {
	rate := x.rate(s.trip)
	x.t += x.transfer(int64(len(x.req.Body)), rate)
	if x.t >= x.limit || !x.trip(s.trip, x.limit) || x.t+resp.Think >= x.limit {
		x.t = x.limit
		return &Error{Timeout, "http", x.host, "no response in time"}
	}
	x.t += resp.Think
	size := resp.size()
	if resp.Drop {
		size = min(size, resp.Sent)
	}
	x.res.First, x.res.Rate, x.res.Received = x.t, rate, size
	took := x.transfer(size, rate)
	if took > 0 {
		x.res.Rate = max(1, int64(float64(size)/took.Seconds()))
	}
	if left := x.limit - x.t; took > left {
		x.t = x.limit
		x.res.Received = int64(float64(size) * left.Seconds() / took.Seconds())
		return &Error{Timeout, "http", x.host, "the response is too long for the time"}
	}
	x.t += took
	x.res.Response = resp
	if resp.Drop {
		return &Error{Reset, "http", x.host, "the server ended the connection"}
	}
	return nil
}

func to(a netip.Addr, port uint16) string { return netip.AddrPortFrom(a, port).String() }

// server is what listens on a port.
type server struct {
	origin *Origin
	tls    bool
	end    *endpoint // of an explicit proxy
}

// serve asks the origin; a port without one, such as DNS over TCP, has nothing to say.
func (s *server) serve(now time.Time, r *Request, remote netip.Addr) *Response {
	if s.origin == nil {
		return &Response{Status: http.StatusBadRequest}
	}
	return s.origin.serve(now, r, remote)
}

// server finds who listens where a packet came to.
func (w *World) server(s spot, port uint16, host string) (server, *Error) {
	var srv server
	open := false
	switch s.place {
	case atEndpoint, atControl:
		label := ControllerLabel
		if s.place == atEndpoint {
			label = w.ends[s.i].Label
			srv, open = w.ends[s.i].server(port)
		} else {
			srv.origin = w.control.origin
			open, srv.tls = w.control.listens(port)
		}
		switch w.sleeping[label] {
		case Refusing:
			open = false
		case Silent:
			return server{}, &Error{Timeout, "dial", to(s.addr, port), label + " is silent"}
		}
	case atOutside:
		srv.origin = w.originAt(s.addr, host)
		if srv.origin == nil && !isResolver(s.addr) {
			return server{}, &Error{Timeout, "dial", to(s.addr, port), "nobody has the address"}
		}
		if open = port == 53; srv.origin != nil {
			open, srv.tls = srv.origin.listens(port)
			srv.tls = srv.tls && len(srv.origin.Chain) > 0
		}
		switch w.hostState(srv.origin) {
		case Refusing:
			open = false
		case Silent:
			return server{}, &Error{Timeout, "dial", to(s.addr, port), host + " is silent"}
		}
	}
	if !open {
		return server{}, &Error{Refused, "dial", to(s.addr, port), "nothing listens there"}
	}
	return srv, nil
}

// server finds who listens on a port of the endpoint; false: nobody.
func (e *endpoint) server(port uint16) (server, bool) {
	if e.origin != nil {
		if open, tls := e.origin.listens(port); open {
			return server{origin: e.origin, tls: tls}, true
		}
	}
	if e.proxy != nil && port != 0 {
		for _, l := range []ProxyPort{e.proxy.http, e.proxy.https} {
			if l.Port == port {
				return server{end: e, tls: l.ListenProto == "https"}, true
			}
		}
	}
	return server{}, e.dns != nil && port == 53
}
