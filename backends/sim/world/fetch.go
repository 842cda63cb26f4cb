package world

import (
	"net/netip"
	"time"
)

// fetch is a request that an endpoint makes, with its own DNS servers and its own address.
func (w *World) fetch(now time.Time, e *endpoint, r *Request) (
	resp *Response, took time.Duration, shown *TLSState, bad *Error,
) {
	host := canonical(r.URL.Hostname())
	port, ok := portOf(r.URL)
	if !ok {
		return nil, 0, nil, &Error{NoRoute, "http", r.URL.Redacted(), "not a URL for HTTP"}
	}
	dst, took, bad := w.endAddress(e, host)
	if bad != nil {
		return nil, took, nil, bad
	}
	s, src, bad := w.reachFrom(e, dst, tcp, port)
	if took += s.trip; bad == nil {
		var srv server
		if srv, bad = w.server(s, port, host); bad == nil {
			return srv.answer(now, r, s, src, took, host)
		}
	}
	if bad.Code == Timeout {
		took += dialPatience
	}
	return nil, took, nil, bad
}

// answer is the half of fetch behind the connection.
func (s *server) answer(
	now time.Time, r *Request, at spot, src netip.Addr, took time.Duration, host string,
) (*Response, time.Duration, *TLSState, *Error) {
	took += at.trip
	if r.URL.Scheme != "https" {
		if s.tls {
			return mistaken(), took, nil, nil
		}
		return s.serve(now, r, src), took, nil, nil
	}
	if !s.tls || s.origin == nil {
		return nil, took, nil, &Error{TLS, "tls", host, "the server speaks no TLS there"}
	}
	return s.origin.serve(now, r, src), took + at.trip, s.origin.tls(host), nil
}

// endAddress resolves a name for an endpoint, IPv4 first.
func (w *World) endAddress(e *endpoint, host string) (netip.Addr, time.Duration, *Error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), 0, nil
	}
	var t time.Duration
	bad := &Error{NoDNS, "dns", host, "no DNS server"}
	for _, srv := range e.resolvers {
		if e.half(srv.Is6()) == nil {
			continue
		}
		s, _, err := w.reachFrom(e, srv, udp, 53)
		if err != nil {
			if bad = err; err.Code == Timeout {
				t += dnsPatience
			}
			continue
		}
		as, more, err := w.answer(s, host, 0)
		t += s.trip + more
		if err == nil {
			for _, a := range as {
				if e.half(a.Is6()) != nil {
					return a, t, nil
				}
			}
			err = &Error{DNSNotFound, "dns", host, "no address of its IP version"}
		}
		if bad = err; err.Code == DNSNotFound {
			break
		}
	}
	return netip.Addr{}, t, bad
}
