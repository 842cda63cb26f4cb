package world

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"
)

func TestExplicitProxy(t *testing.T) {
	w := build(t, "proxy")
	f := from("eth0", "172.20.0.10")
	px := func(port string) *url.URL { return mustURL(t, "http://proxy.lab:"+port) }
	for _, c := range []struct {
		what, url, port string
		status          int
		by              string
		code            Code
	}{
		{"http", "http://web.lab/hello", "9090", 200, "", ""},
		{"https forwarded", "https://web.lab/hello", "9091", 200, ByOrigin, ""},
		{"https opened", "https://mydomain.adam/x", "9091", 200, "proxy", ""},
		{"http rejected", "http://bad.lab/hello", "9090", 403, "", ProxyRefused},
		{"https rejected", "https://bad.lab/hello", "9091", 0, "", ProxyRefused},
		{"http on the port for https", "http://web.lab/hello", "9091", 403, "", ProxyRefused},
		{"opened on the port for http", "https://mydomain.adam/", "9090", 0, "", TLS},
		{"forwarded on the port for http", "https://web.lab/hello", "9090", 200, ByOrigin, ""},
		{"name unknown to the proxy", "http://quay.io/", "9090", 502, "", ProxyGateway},
		{"closed port behind", "http://web.lab:81/", "9090", 502, "", ProxyGateway},
		{"no TLS behind", "https://web.lab:80/", "9091", 0, "", TLS},
		{"proxy's port closed", "http://web.lab/hello", "9092", 0, "", Refused},
	} {
		r := get(t, c.url, dnsAddr)
		r.Proxy = px(c.port)
		res := w.Do(noon(), f, r)
		wantCode(t, c.what, res.Err, c.code)
		if got := res.Response; (got == nil) != (c.status == 0) || got != nil && got.Status != c.status {
			t.Errorf("%s: response %+v", c.what, got)
		}
		if c.by != "" && (res.TLS == nil || res.TLS.By != c.by || res.Via != "proxy") {
			t.Errorf("%s: TLS %+v via %q", c.what, res.TLS, res.Via)
		}
	}
	wantCode(t, "around the proxy", w.Do(noon(), f, get(t, "https://203.0.113.10/")).Err, Unreachable)
	r := get(t, "http://web.lab/hello", dnsAddr)
	r.Proxy = mustURL(t, "http://nowhere.lab:1")
	wantCode(t, "unknown proxy", w.Do(noon(), f, r).Err, DNSNotFound)
	r.Proxy = mustURL(t, "http://10.9.1.53:53")
	wantCode(t, "no proxy", w.Do(noon(), f, r).Err, ProxyRefused)
}

func TestProxyShowsItsOwnCertificate(t *testing.T) {
	w := build(t, "proxy")
	f := from("eth0", "172.20.0.10")
	r := get(t, "https://mydomain.adam/x", dnsAddr)
	r.Proxy, r.Body = mustURL(t, "http://10.9.4.40:9091"), []byte("body")
	a := w.Do(noon(), f, r)
	if a.Err != nil || string(a.Response.Body) != "body" ||
		a.Response.Header.Get("X-Remote") != "10.9.4.40" {
		t.Fatalf("%+v", a)
	}
	verify(t, a.TLS, w.m.Endpoints.ExplicitProxies[0].CACertPEM, "mydomain.adam")
	b := build(t, "proxy").Do(noon(), f, r)
	if string(a.TLS.Chain[0]) != string(b.TLS.Chain[0]) {
		t.Error("two worlds, two certificates")
	}
}

func TestProxyUsersAndTLS(t *testing.T) {
	w := build(t, "proxy")
	f := from("eth0", "172.20.0.10")
	for _, c := range []struct {
		what, url, proxy string
		user             *url.Userinfo
		code             Code
	}{
		{"http, no user", "http://web.lab/hello", "http://tls-proxy.lab:8080", nil, ProxyAuth},
		{"https, no user", "https://web.lab/", "https://tls-proxy.lab:8443", nil, ProxyAuth},
		{"wrong password", "http://web.lab/hello", "http://tls-proxy.lab:8080",
			url.UserPassword("joe", "x"), ProxyAuth},
		{"no password", "http://web.lab/hello", "http://tls-proxy.lab:8080", url.User("joe"), ProxyAuth},
		{"right", "http://web.lab/hello", "http://tls-proxy.lab:8080",
			url.UserPassword("joe", "secret"), ""},
		{"right, in the URL", "http://web.lab/hello", "http://joe:secret@tls-proxy.lab:8080", nil, ""},
		{"right, TLS", "https://web.lab/hello", "https://joe:secret@tls-proxy.lab:8443", nil, ""},
		{"TLS not expected", "http://web.lab/hello", "https://joe:secret@tls-proxy.lab:8080", nil, TLS},
		{"TLS expected", "https://web.lab/hello", "http://joe:secret@tls-proxy.lab:8443", nil, TLS},
	} {
		r := get(t, c.url, dnsAddr)
		r.Proxy, r.ProxyUser = mustURL(t, c.proxy), c.user
		res := w.Do(noon(), f, r)
		wantCode(t, c.what, res.Err, c.code)
		if c.code == ProxyAuth && res.Response.Status != http.StatusProxyAuthRequired {
			t.Errorf("%s: %+v", c.what, res.Response)
		}
		if c.what == "right, TLS" {
			verify(t, res.ProxyTLS, w.m.Endpoints.ExplicitProxies[1].CACertPEM, "tls-proxy.lab")
			if res.TLS.By != ByOrigin {
				t.Errorf("TLS by %s", res.TLS.By)
			}
		}
	}
}

func TestTransparentProxy(t *testing.T) {
	w := build(t, "transparent")
	f := from("eth0", "172.20.0.10")
	for _, c := range []struct {
		url    string
		status int
		by     string
		code   Code
	}{
		{"http://web.lab/hello", 200, "", ""},
		{"https://web.lab/hello", 200, ByOrigin, ""},
		{"https://mydomain.adam:8443/", 200, "tproxy", ""},
		{"http://evil.lab/hello", 403, "", ProxyRefused},
		{"https://evil.lab/hello", 0, "", ProxyRefused},
		{"http://web.lab:8443/hello", 0, "", TLS},
		{"https://quay.io:5000/", 0, "", Unreachable}, // not a port that it catches
	} {
		res := w.Do(noon(), f, get(t, c.url, dnsAddr))
		wantCode(t, c.url, res.Err, c.code)
		if got := res.Response; (got == nil) != (c.status == 0) || got != nil && got.Status != c.status {
			t.Errorf("%s: response %+v", c.url, got)
		}
		if c.by != "" && (res.TLS == nil || res.TLS.By != c.by || res.Via != "tproxy") {
			t.Errorf("%s: TLS %+v via %q", c.url, res.TLS, res.Via)
		}
	}
	res := w.Do(noon(), f, get(t, "https://mydomain.adam:8443/", dnsAddr))
	verify(t, res.TLS, w.m.Endpoints.TransparentProxies[0].CACertPEM, "mydomain.adam")
	web := netip.MustParseAddrPort("10.9.2.80:80")
	wantCode(t, "dial is caught too", w.Dial(noon(), f, web).Err, "")
	w.SetServer("tproxy", Refusing)
	wantCode(t, "proxy down", w.Do(noon(), f, get(t, "http://web.lab/hello", dnsAddr)).Err, Refused)
	w.SetServer("tproxy", Silent)
	wantCode(t, "silent", w.Do(noon(), f, get(t, "http://web.lab/hello", dnsAddr)).Err, Timeout)
	w.SetServer("tproxy", Up)
	w.nets[0].ends[w.endIdx["tproxy"]] = false
	wantCode(t, "proxy not reached",
		w.Do(noon(), f, get(t, "http://web.lab/hello", dnsAddr)).Err, Unreachable)
}
