package world

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Want is the type of a DNS question.
type Want uint8

// Questions.
const (
	A    Want = iota // IPv4 addresses
	AAAA             // IPv6 addresses
)

// Answer is what came of a DNS question. Without Err the name exists, maybe without addresses.
type Answer struct {
	Addrs   []netip.Addr // shared with the world: not to be changed
	Server  netip.Addr   // that answered
	Err     *Error       // DNSNotFound, DNSTimeout, DNSRefused, NoDNS, or why it is not reached
	Latency time.Duration
}

// maxUpstream limits how often a question is passed on.
const maxUpstream = 8

// dnsTable is a DNS server.
type dnsTable struct {
	names    map[string][]netip.Addr
	upstream []netip.Addr
	lie      Lie
}

func (w *World) newTable(s *DNSServer) *dnsTable {
	t := &dnsTable{names: map[string][]netip.Addr{}, upstream: s.Upstream}
	for _, e := range s.Static {
		name := e.FQDN
		if l, ok := strings.CutPrefix(name, refFQDN); ok {
			name = w.end(l).FQDN
		}
		name = canonical(name)
		if t.names[name] == nil {
			t.names[name] = []netip.Addr{} // the name exists, even without an address
		}
		for _, a := range w.staticAddrs(e.IP) {
			if !slices.Contains(t.names[name], a) {
				t.names[name] = append(t.names[name], a)
			}
		}
	}
	return t
}

// staticAddrs resolves the address of a static entry; a reference may give two or, for the
// controller without that IP version, none.
func (w *World) staticAddrs(s string) []netip.Addr {
	switch s {
	case refAdam:
		return w.control.addrs
	case refAdam4:
		return ofVersion(w.control.addrs, false)
	case refAdam6:
		return ofVersion(w.control.addrs, true)
	}
	if l, ok := strings.CutPrefix(s, refIP); ok {
		return w.end(l).addrs
	}
	if l, ok := strings.CutPrefix(s, refIPv4); ok {
		return ofVersion(w.end(l).addrs, false)
	}
	if l, ok := strings.CutPrefix(s, refIPv6); ok {
		return ofVersion(w.end(l).addrs, true)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return nil // Check refused the model
	}
	return []netip.Addr{a.Unmap()}
}

// Resolve asks one DNS server, a second time after five seconds. The name is taken as it is:
// search domains are the caller's.
func (w *World) Resolve(now time.Time, f From, server netip.Addr, name string, q Want) Answer {
	k := walk{w: w, now: now, flow: "dns/" + name}
	as, err := k.ask(&f, server, canonical(name), q == AAAA, 2*dnsPatience)
	return Answer{Addrs: as, Server: server, Err: err, Latency: k.t}
}

// Lookup asks DNS servers in order, twice around, until one answers. Only a server that is
// silent or refuses makes it turn to the next.
func (w *World) Lookup(now time.Time, f From, servers []netip.Addr, name string, q Want) Answer {
	k := walk{w: w, now: now, flow: "dns/" + name}
	ans := Answer{}
	ans.Addrs, ans.Server, ans.Err = k.lookup(&f, servers, canonical(name), q == AAAA,
		time.Duration(2*len(servers))*dnsPatience)
	ans.Latency = k.t
	return ans
}

func (k *walk) lookup(f *From, servers []netip.Addr, name string, six bool, limit time.Duration) (
	as []netip.Addr, server netip.Addr, err *Error,
) {
	if len(servers) == 0 {
		return nil, server, &Error{NoDNS, "dns", name, "no DNS server"}
	}
	for range 2 {
		for _, s := range servers {
			if k.t >= limit {
				return nil, s, err
			}
			as, err = k.ask(f, s, name, six, min(k.t+dnsPatience, limit))
			if err == nil || err.Code == DNSNotFound || err.Code == NoCarrier {
				return as, s, err
			}
			server = s
		}
	}
	return nil, server, err
}

// ask puts one question to one server; limit is where the walk gives up.
func (k *walk) ask(f *From, server netip.Addr, name string, six bool, limit time.Duration) (
	[]netip.Addr, *Error,
) {
	s, p, err := k.w.reach(f, server, udp, 53)
	k.p = p
	if err != nil {
		switch err = k.fail(err, s.trip, limit); err.Code {
		case Timeout:
			err = &Error{DNSTimeout, "dns", name, err.Why}
		case Refused:
			err = &Error{DNSRefused, "dns", name, err.Why}
		}
		return nil, err
	}
	if !k.trip(s.trip, limit) {
		return nil, &Error{DNSTimeout, "dns", name, "packets are lost"}
	}
	as, more, err := k.w.answer(s, name, 0)
	if k.t += more; err != nil && err.Code == DNSTimeout || k.t > limit {
		k.t = limit
	}
	if err != nil {
		return nil, err
	}
	return ofVersion(as, six), nil
}

// ofVersion are the addresses of one IP version; as itself where that is all of them.
func ofVersion(as []netip.Addr, six bool) []netip.Addr {
	other := func(a netip.Addr) bool { return a.Is6() != six }
	if !slices.ContainsFunc(as, other) {
		return as
	}
	return slices.DeleteFunc(slices.Clone(as), other)
}

// answer is what the DNS server at a spot says, and how long it asks around for it.
func (w *World) answer(s spot, name string, depth int) ([]netip.Addr, time.Duration, *Error) {
	switch s.place {
	case atEndpoint:
		e := &w.ends[s.i]
		st := w.sleeping[e.Label]
		if st == Silent {
			return nil, 0, &Error{DNSTimeout, "dns", name, e.Label + " is silent"}
		}
		if e.dns != nil && st == Up {
			if as, err, ok := w.lies(e, name); ok {
				return as, 0, err
			}
			return w.tableAnswer(e, name, depth)
		}
	case atOutside:
		if !isResolver(s.addr) {
			return nil, 0, &Error{DNSTimeout, "dns", name, "nobody at " + s.addr.String()}
		}
		if as := w.publicNames(name); as != nil {
			return as, 0, nil
		}
		return nil, 0, &Error{DNSNotFound, "dns", name, ""}
	}
	return nil, 0, &Error{DNSRefused, "dns", name, "no DNS server at " + s.addr.String()}
}

// tableAnswer is what a DNS server of the model says. One without upstream servers refuses
// what it does not know, as dnsmasq does.
func (w *World) tableAnswer(e *endpoint, name string, depth int) (
	[]netip.Addr, time.Duration, *Error,
) {
	if as, ok := e.dns.names[name]; ok {
		return as, 0, nil
	}
	if depth == maxUpstream {
		return nil, 0, &Error{DNSTimeout, "dns", name, "passed on too often"}
	}
	var t time.Duration
	err := &Error{DNSRefused, "dns", name, e.Label + " has no upstream server"}
	for _, up := range e.dns.upstream {
		s, _, bad := w.reachFrom(e, up, udp, 53)
		if bad != nil {
			err = &Error{DNSTimeout, "dns", name, e.Label + " does not reach " + up.String() +
				": " + bad.Why}
			continue
		}
		as, more, bad := w.answer(s, name, depth+1)
		t += s.trip + more
		if bad == nil || bad.Code == DNSNotFound {
			return as, t, bad
		}
		err = bad
	}
	return nil, t, err
}
