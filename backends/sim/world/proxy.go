package world

import (
	"net/http"
	"net/netip"
	"net/url"
)

// maxLeafs limits how many certificates a proxy keeps. They follow from its authority and the
// name, so forgetting them changes nothing.
const maxLeafs = 256

// proxy is a proxy of either kind.
type proxy struct {
	label       string
	fqdn        string
	rules       map[string]string // host -> action
	other       string            // action of the default rule
	ca          *Authority        // nil: it cannot open TLS
	users       map[string]string
	http, https ProxyPort // of an explicit proxy
	leafs       map[string][][]byte
}

func newProxy(label string, p *Proxying) *proxy {
	x := &proxy{label: label, rules: map[string]string{}, leafs: map[string][][]byte{}}
	if p.CACertPEM != "" {
		if a, err := ParseAuthority(p.CACertPEM, p.CAKeyPEM); err == nil { // Check saw to it
			x.ca = a
		}
	}
	for _, r := range p.Rules {
		if r.ReqHost == "" {
			x.other = r.Action
		} else {
			x.rules[canonical(r.ReqHost)] = r.Action
		}
	}
	return x
}

func explicit(s *ExplicitProxy) *proxy {
	p := newProxy(s.Label, &s.Proxying)
	p.fqdn, p.http, p.https = s.FQDN, s.HTTPProxy, s.HTTPSProxy
	if len(s.Users) > 0 {
		p.users = map[string]string{}
	}
	for _, u := range s.Users {
		p.users[u.Username] = u.Password
	}
	return p
}

// action is what the proxy does with requests for a host: forward, reject or mitm.
func (p *proxy) action(host string) string {
	a, ok := p.rules[host]
	if !ok {
		a = p.other
	}
	if a == "" {
		return "forward"
	}
	return a
}

// admits checks user and password.
func (p *proxy) admits(u *url.Userinfo) bool {
	if p.users == nil {
		return true
	}
	pass, given := u.Password()
	want, known := p.users[u.Username()]
	return given && known && pass == want
}

// shown is TLS that ends in the proxy, with a certificate of its authority for the name.
func (p *proxy) shown(name string) *TLSState {
	chain, ok := p.leafs[name]
	if !ok && p.ca != nil {
		// An authority that cannot sign shows an empty chain, which no client accepts.
		chain, _ = p.ca.Issue(name)
		if len(p.leafs) == maxLeafs {
			clear(p.leafs)
		}
		p.leafs[name] = chain
	}
	return &TLSState{Chain: chain, By: p.label, Owner: p.label, Name: name}
}

// explicit goes through the proxy that the device was told of.
func (x *exchange) explicit() *Error {
	u := x.req.Proxy
	host := canonical(u.Hostname())
	port, ok := portOf(u)
	if !ok {
		return &Error{NoRoute, "proxy", u.Redacted(), "not an http or https URL"}
	}
	dst, err := x.address(host)
	if err != nil {
		return err
	}
	srv, s, err := x.connect(dst, port, host)
	if err != nil {
		return err
	}
	if u.Scheme == "https" {
		if !x.trip(s.trip, x.limit) {
			return &Error{Timeout, "tls", host, "packets are lost"}
		}
		if srv.tls && srv.end == nil {
			x.res.ProxyTLS = srv.origin.tls(host)
		} else if srv.tls {
			x.res.ProxyTLS = srv.end.proxy.shown(host)
		}
	}
	if (u.Scheme == "https") != srv.tls {
		return &Error{TLS, "proxy", to(dst, port), "one side expects TLS, the other does not"}
	}
	if srv.end == nil {
		return x.refuse(s, ProxyRefused, http.StatusBadRequest, "that is no proxy")
	}
	p := srv.end.proxy
	x.res.Via = p.label
	user := x.req.ProxyUser
	if user == nil {
		user = u.User
	}
	if !p.admits(user) {
		return x.refuse(s, ProxyAuth, http.StatusProxyAuthRequired, "proxy "+p.label)
	}
	tunnels := p.https.Port == port // it carries TLS, and nothing else
	if tunnels && !x.https {
		return x.refuse(s, ProxyRefused, http.StatusForbidden, "port "+u.Port()+" is for https")
	}
	if x.https && !tunnels && p.action(x.host) == "mitm" {
		return &Error{TLS, "proxy", x.host, "port " + u.Port() + " opens no TLS"}
	}
	return x.proxied(s, srv.end, true)
}

// refuse takes an answer of the proxy itself.
func (x *exchange) refuse(s spot, code Code, status int, why string) *Error {
	if err := x.finish(s, &Response{Status: status}); err != nil {
		return err
	}
	return &Error{code, "proxy", x.host, why}
}

// transparent is the proxy that stands in the way of a connection; nil if there is none.
func (w *World) transparent(f *From, dst netip.Addr, port uint16) *endpoint {
	if port != 80 && port != 443 && port != w.ControllerPort() {
		return nil
	}
	p, err := w.attached(f.Attach)
	if err != nil {
		return nil
	}
	i := w.segment(p, f.VLAN)
	if i < 0 || w.nets[i].proxy < 0 {
		return nil
	}
	n := &w.nets[i]
	if e := &w.ends[n.proxy]; e.half(dst.Is6()) != nil {
		if h := n.half[version(dst)]; h != nil && !h.Subnet.Contains(dst) && dst != n.local {
			return e
		}
	}
	return nil
}

// intercepted goes to a transparent proxy that answers in place of dst.
func (x *exchange) intercepted(e *endpoint, dst netip.Addr) *Error {
	at := e.half(dst.Is6()).IP
	s, p, err := x.w.reach(x.from, at, tcp, x.port)
	x.p = p
	if err == nil {
		switch x.w.sleeping[e.Label] {
		case Refusing:
			err = &Error{Refused, "dial", e.Label, "the transparent proxy is down"}
		case Silent:
			err = &Error{Timeout, "dial", e.Label, "the transparent proxy is silent"}
		}
	}
	if err != nil {
		return x.fail(err, s.trip, x.early)
	}
	x.res.Server, x.res.Via = dst, e.Label
	if !x.trip(s.trip, x.early) {
		return &Error{Timeout, "dial", to(dst, x.port), "packets are lost"}
	}
	if x.https != (x.port != 80) {
		return &Error{TLS, "proxy", x.host, "proxy " + e.Label + " expects TLS on 443 only"}
	}
	return x.proxied(s, e, false)
}

// proxied lets a proxy that was reached at s serve the request.
func (x *exchange) proxied(s spot, e *endpoint, explicit bool) *Error {
	act := e.proxy.action(x.host)
	why := "proxy " + e.Label + " rejects the host"
	if act == "reject" && !x.https {
		return x.refuse(s, ProxyRefused, http.StatusForbidden, why)
	}
	if x.https && explicit && !x.trip(s.trip, x.limit) { // CONNECT
		return &Error{Timeout, "proxy", x.host, "packets are lost"}
	}
	if act == "reject" {
		return &Error{ProxyRefused, "proxy", x.host, why}
	}
	if x.https && !x.trip(s.trip, x.limit) { // TLS
		return &Error{Timeout, "tls", x.host, "packets are lost"}
	}
	resp, took, shown, bad := x.w.fetch(x.now, e, x.req)
	if x.https && act == "mitm" {
		x.res.TLS = e.proxy.shown(x.host)
	} else {
		x.res.TLS = shown
	}
	if x.t += took; x.t >= x.limit {
		x.t = x.limit
		return &Error{Timeout, "proxy", x.host, "proxy " + e.Label + " gets no response in time"}
	}
	if bad != nil && bad.Code == TLS && act == "forward" {
		return bad
	}
	if bad != nil {
		return x.refuse(s, ProxyGateway, http.StatusBadGateway, e.Label+": "+bad.Error())
	}
	return x.finish(s, resp)
}
