package conform

import (
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
)

func (x *webBench) otherPort(t *testing.T) {
	q := get("http://good.example/echo")
	q.Via.IfName, q.Via.Source = "eth1", netip.MustParseAddr(webSource1)
	if res := x.answers(t, q, 200); res.Get("X-Remote") != webSource1 {
		t.Errorf("%+v", res)
	}
	if res := x.answers(t, get("http://good.example/echo"), 200); res.Get("X-Remote") !=
		webSource {
		t.Errorf("%+v", res)
	}
}

func (x *webBench) overSix(t *testing.T) {
	q := get("http://good.example/echo")
	q.Via.Source, q.Via.DNS = netip.MustParseAddr(webSourceSix), addrs(webDNSSix)
	if res := x.answers(t, q, 200); res.Get("X-Remote") != webSourceSix {
		t.Errorf("%+v", res)
	}
	q.URL = "http://" + webAddr + "/hello"
	x.refuses(t, q, web.FaultUnreachable, time.Second)
	q.URL = "http://[" + webAddrSix + "]/hello"
	x.says(t, q, webHello)
}

func (x *webBench) noAddress(t *testing.T) {
	q := get("http://good.example/hello")
	for _, via := range []web.Via{{IfName: "eth0", Source: netip.MustParseAddr("10.97.0.51")},
		{IfName: "eth1", Source: netip.MustParseAddr(webSource)}, {IfName: "eth0"},
		{IfName: "eth9", Source: netip.MustParseAddr(webSource)}} {
		q.Via = via
		x.refuses(t, q, web.FaultNoAddress, time.Second)
	}
}

func (x *webBench) noURL(t *testing.T) {
	for _, u := range []string{"", "good.example", "http://", "ftp://good.example/a", "http://a b/"} {
		x.send.refuses(t, get(u), web.FaultRefusedURL, false)
	}
}

func (x *webBench) nothingListens(t *testing.T) {
	x.refuses(t, get("http://good.example:81/hello"), web.FaultConnRefused, time.Second)
}

func (x *webBench) noWay(t *testing.T) {
	x.refuses(t, get("http://hidden.example/"), web.FaultUnreachable, 2*time.Second)
}

func (x *webBench) noAnswer(t *testing.T) {
	q := get("http://dropped.example/")
	q.Dial = 500 * time.Millisecond
	x.refuses(t, q, web.FaultTimeout, 2*time.Second)
}

func (x *webBench) cablePulled(t *testing.T) {
	x.outside(t, func() { x.Cable("eth0", false) })
	x.refuses(t, get("http://good.example/hello"), web.FaultUnreachable, time.Second)
	x.outside(t, func() { x.Cable("eth0", true) })
	x.says(t, get("http://good.example/hello"), webHello)
}

// asking is a request with other DNS servers.
func asking(url string, servers ...string) web.SendReq {
	q := get(url)
	q.Via.DNS, q.Dial = addrs(servers...), time.Second
	return q
}

func (x *webBench) noName(t *testing.T) {
	x.refuses(t, get("http://missing.example/"), web.FaultNotFound, time.Second)
}

func (x *webBench) noVersion(t *testing.T) {
	q := asking("http://wrong.example/", webDNSSix)
	q.Via.Source = netip.MustParseAddr(webSourceSix)
	x.refuses(t, q, web.FaultNotFound, time.Second)
}

func (x *webBench) noServer(t *testing.T) {
	x.refuses(t, asking("http://good.example/"), web.FaultNoDNS, time.Second)
}

func (x *webBench) silentServer(t *testing.T) {
	x.refuses(t, asking("http://good.example/", webSilent), web.FaultNoDNS, 2*time.Second)
}

func (x *webBench) lameServer(t *testing.T) {
	x.refuses(t, asking("http://good.example/", webLame, webDeaf), web.FaultNoDNS, time.Second)
}

func (x *webBench) secondServer(t *testing.T) {
	x.says(t, asking("http://good.example/hello", webDeaf, webLame, webDNS), webHello)
	// A server that says that there is no such name is believed.
	x.refuses(t, asking("http://missing.example/", webDeaf, webDNS, webSilent), web.FaultNotFound,
		time.Second)
}

func (x *webBench) byAddress(t *testing.T) {
	x.says(t, asking("http://"+webAddr+"/hello"), webHello)
	x.says(t, asking("https://"+webAddr+"/hello"), webHello)
}

// trusting is a request over TLS with a policy.
func trusting(host, policy string, roots ...string) web.SendReq {
	q := get("https://" + host + "/hello")
	q.TLS, q.Via.RootPEM = policy, roots
	return q
}

func (x *webBench) publicRoot(t *testing.T) {
	for range 2 { // the second resumes the session
		if res := x.says(t, trusting(WebName, web.TLSWeb), webHello); !res.WithTLS {
			t.Errorf("%+v", res)
		}
	}
}

func (x *webBench) controllerRoot(t *testing.T) {
	const host = "controller.example"
	x.says(t, trusting(host, web.TLSController), webHello)
	x.says(t, trusting(WebName, web.TLSController), webHello)
	// Who trusts less resumes no session of who trusts more.
	x.refuses(t, trusting(host, web.TLSWeb), web.FaultCertUnknown, time.Second)
}

func (x *webBench) moreRoots(t *testing.T) {
	const host = "controller.example"
	x.says(t, trusting(host, web.TLSWeb, x.Site.Controller.CertPEM), webHello)
	x.refuses(t, trusting(host, web.TLSWeb), web.FaultCertUnknown, time.Second)
}

func (x *webBench) unknownRoot(t *testing.T) {
	x.refuses(t, trusting("unknown.example", web.TLSWeb), web.FaultCertUnknown, time.Second)
	x.refuses(t, trusting("unknown.example", web.TLSController), web.FaultCertUnknown, time.Second)
}

func (x *webBench) invalidCert(t *testing.T) {
	for _, host := range []string{"expired.example", "early.example", "wrong.example"} {
		x.refuses(t, trusting(host, web.TLSWeb), web.FaultCertInvalid, time.Second)
	}
}

func (x *webBench) noTLS(t *testing.T) {
	x.refuses(t, get("https://good.example:80/hello"), web.FaultReset, time.Second)
	x.answers(t, get("http://good.example:443/hello"), 400)
}

// through is a request through a proxy.
func through(url, proxy string, roots ...string) web.SendReq {
	q := get(url)
	q.Via.Proxy, q.Via.RootPEM = proxy, roots
	return q
}

const (
	webProxy    = "http://proxy.example:3128"
	webProxyTLS = "https://tlsproxy.example:3129"
)

func (x *webBench) proxied(t *testing.T) {
	res := x.answers(t, through("http://good.example/echo", webProxy), 200)
	if res.Get("X-Remote") != webDeaf { // where the proxy is
		t.Errorf("it comes from %s", res.Get("X-Remote"))
	}
	x.answers(t, through("http://good.example/teapot", webProxy), 418)
}

func (x *webBench) tunnelled(t *testing.T) {
	if res := x.says(t, through("https://good.example/hello", webProxy), webHello); !res.WithTLS {
		t.Errorf("%+v", res)
	}
	x.refuses(t, through("https://unknown.example/hello", webProxy), web.FaultCertUnknown, time.Second)
	x.refuses(t, through("https://expired.example/hello", webProxy), web.FaultCertInvalid, time.Second)
}

func (x *webBench) proxyTLS(t *testing.T) {
	const target = "https://good.example/hello"
	x.refuses(t, through(target, webProxyTLS), web.FaultCertUnknown, time.Second)
	x.says(t, through(target, webProxyTLS, x.Site.Proxy.CertPEM), webHello)
}

func (x *webBench) proxyLogin(t *testing.T) {
	for _, target := range []string{"http://good.example/hello", "https://good.example/hello"} {
		x.refuses(t, through(target, "http://login.example:3128"), web.FaultProxy, time.Second)
		x.refuses(t, through(target, "http://alice:wrong@login.example:3128"), web.FaultProxy,
			time.Second)
		x.says(t, through(target, "http://alice:sesame@login.example:3128"), webHello)
	}
}

func (x *webBench) proxyForbids(t *testing.T) {
	x.refuses(t, through("https://banned.example/hello", webProxy), web.FaultProxy, time.Second)
	x.refuses(t, through("https://missing.example/hello", webProxy), web.FaultProxy, time.Second)
	// In the clear nobody can tell who answers.
	x.answers(t, through("http://banned.example/hello", webProxy), 403)
	x.answers(t, through("http://missing.example/hello", webProxy), 502)
}

func (x *webBench) noProxy(t *testing.T) {
	const target = "http://good.example/hello"
	x.refuses(t, through(target, "http://proxy.example:3127"), web.FaultConnRefused, time.Second)
	x.refuses(t, through(target, "http://missing.example:3128"), web.FaultNotFound, time.Second)
	x.refuses(t, through(target, "nonsense"), web.FaultProxy, time.Second)
	x.refuses(t, through(target, "https://proxy.example:3128"), web.FaultReset, time.Second)
}

// referencesOf reads what stands in place of secrets in an answer with a configuration.
func referencesOf(t *testing.T, body []byte) webRefs {
	t.Helper()
	e, fault := eveapi.ParseEnvelope(body)
	if fault != nil {
		t.Fatal(fault)
	}
	c, _, err := eveapi.ParseConfigResponse(e.Payload)
	if err != nil || len(c.GetDatastores()) != 1 {
		t.Fatal(c, err)
	}
	d := c.GetDatastores()[0]
	return webRefs{user: d.ApiKey, password: d.Password, proxy: d.Fqdn}
}
