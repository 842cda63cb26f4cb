package world

import (
	"net/netip"
	"time"
)

// Probe is how a probe went.
type Probe struct {
	Err     *Error
	Latency time.Duration
}

// Dial opens a TCP connection and closes it.
func (w *World) Dial(now time.Time, f From, dst netip.AddrPort) Probe {
	x := exchange{walk: walk{w: w, now: now, flow: "dial/" + dst.String()}, from: &f,
		limit: dialPatience, early: dialPatience}
	var err *Error
	if e := w.transparent(&f, dst.Addr(), dst.Port()); e != nil {
		s, p, bad := w.reach(&f, e.half(dst.Addr().Is6()).IP, tcp, dst.Port())
		x.p = p
		if bad != nil {
			err = x.fail(bad, s.trip, x.limit)
		} else if !x.trip(s.trip, x.limit) {
			err = &Error{Timeout, "dial", dst.String(), "packets are lost"}
		}
	} else {
		_, _, err = x.connect(dst.Addr(), dst.Port(), dst.Addr().String())
	}
	return Probe{err, x.t}
}

// pingPatience is how long a client waits for an echo.
const pingPatience = time.Second

// Ping sends one ICMP echo. It is not repeated if it gets lost.
func (w *World) Ping(now time.Time, f From, dst netip.Addr) Probe {
	k := walk{w: w, now: now, flow: "ping/" + dst.String()}
	s, p, err := w.reach(&f, dst, icmp, 0)
	k.p = p
	if err == nil && !w.alive(s) {
		err = &Error{Timeout, "ping", dst.String(), "nobody answers"}
	}
	if err != nil {
		return Probe{k.fail(err, s.trip, pingPatience), k.t}
	}
	if !k.trip(s.trip, pingPatience) {
		return Probe{&Error{Timeout, "ping", dst.String(), "the packet is lost"}, k.t}
	}
	return Probe{nil, k.t}
}

// alive tells whether the host at a spot answers an echo.
func (w *World) alive(s spot) bool {
	switch s.place {
	case atRouter:
		return true
	case atEndpoint:
		return w.sleeping[w.ends[s.i].Label] != Silent
	case atControl:
		return w.sleeping[ControllerLabel] != Silent
	case atOutside:
		return isResolver(s.addr) || w.originAt(s.addr, s.addr.String()) != nil
	}
	return false
}

// Time asks an NTP server for the time. NTP servers are the endpoints of that kind and all
// addresses of the outside: a model announces public ones by address.
func (w *World) Time(now time.Time, f From, server netip.Addr) Probe {
	k := walk{w: w, now: now, flow: "ntp/" + server.String()}
	s, p, err := w.reach(&f, server, udp, 123)
	k.p = p
	if err == nil {
		err = w.clockAt(s)
	}
	if err != nil {
		return Probe{k.fail(err, s.trip, dnsPatience), k.t}
	}
	if !k.trip(s.trip, dnsPatience) {
		return Probe{&Error{Timeout, "ntp", server.String(), "packets are lost"}, k.t}
	}
	return Probe{nil, k.t}
}

func (w *World) clockAt(s spot) *Error {
	switch {
	case s.place == atOutside:
		return nil
	case s.place == atEndpoint && w.sleeping[w.ends[s.i].Label] == Silent:
		return &Error{Timeout, "ntp", s.addr.String(), w.ends[s.i].Label + " is silent"}
	case s.place == atEndpoint && w.ends[s.i].kind == kindNTP &&
		w.sleeping[w.ends[s.i].Label] == Up:
		return nil
	}
	return &Error{Refused, "ntp", s.addr.String(), "no NTP server"}
}
