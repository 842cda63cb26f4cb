package world

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const dnsAddr = "10.9.1.53"

func TestControllerThroughTLS(t *testing.T) {
	w := build(t, "single")
	r := get(t, "https://mydomain.adam/api/v2/edgedevice/ping", dnsAddr)
	r.Body = []byte("hello")
	res := w.Do(noon(), from("eth0", "172.20.0.10"), r)
	if res.Err != nil || res.Response.Status != 200 || string(res.Response.Body) != "hello" {
		t.Fatalf("%+v", res)
	}
	h := res.Response.Header
	if h.Get("X-Path") != "/api/v2/edgedevice/ping" || h.Get("X-Remote") != "172.20.0.10" {
		t.Errorf("the controller saw %v", h)
	}
	if s := res.TLS; s == nil || s.By != ByOrigin || s.Owner != "adam" || len(s.Chain) != 2 {
		t.Errorf("TLS %+v", res.TLS)
	}
	// Four round trips: DNS, TCP, TLS, HTTP; three of them to the outside.
	if res.Latency < 30*time.Millisecond || res.Latency > 100*time.Millisecond ||
		res.First > res.Latency || res.Received != 5 || r.Remote.IsValid() {
		t.Errorf("%+v", res)
	}
}

// verify checks a chain as a client would.
func verify(t *testing.T, s *TLSState, root string, name string) {
	t.Helper()
	if s == nil || len(s.Chain) == 0 {
		t.Fatalf("no chain: %+v", s)
	}
	leaf, err := x509.ParseCertificate(s.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(root)) {
		t.Fatal("no root")
	}
	opts := x509.VerifyOptions{
		Roots: roots, DNSName: name, CurrentTime: leaf.NotBefore.AddDate(0, 1, 0),
	}
	if _, err := leaf.Verify(opts); err != nil {
		t.Errorf("certificate for %s: %v", name, err)
	}
}

func TestPagesOfTheModel(t *testing.T) {
	w := build(t, "single")
	f := from("eth0", "172.20.0.10")
	for _, c := range []struct {
		url    string
		status int
		body   string
		code   Code
	}{
		{"http://web.lab/hello", 200, "hello, world\n", ""},
		{"http://10.9.2.80/hello", 200, "hello, world\n", ""},
		{"https://web.lab/hello", 200, "hello, world\n", ""},
		{"http://web.lab/other", 404, "", ""},
		{"http://web.lab:443/hello", 400, "Client sent an HTTP request to an HTTPS server.\n", ""},
		{"https://web.lab:80/hello", 0, "", TLS},
		{"http://web.lab:81/hello", 0, "", Refused},
		{"http://no.such.name/", 0, "", DNSNotFound},
		{"http://quay.io/", 200, "quay.io\n", ""},
		{"ftp://web.lab/hello", 0, "", NoRoute},
		{"http:///hello", 0, "", NoRoute},
		{"http://web.lab:0/", 0, "", NoRoute},
	} {
		res := w.Do(noon(), f, get(t, c.url, dnsAddr))
		wantCode(t, c.url, res.Err, c.code)
		if res.Response == nil {
			res.Response = &Response{}
		}
		if res.Response.Status != c.status || string(res.Response.Body) != c.body {
			t.Errorf("%s: %d %q", c.url, res.Response.Status, res.Response.Body)
		}
	}
	res := w.Do(noon(), f, get(t, "https://web.lab/hello", dnsAddr))
	verify(t, res.TLS, w.m.Endpoints.HTTPServers[0].CertPEM, "web.lab")
	wantCode(t, "no DNS server", w.Do(noon(), f, get(t, "http://web.lab/")).Err, NoDNS)
	r := get(t, "https://[2001:db8:ada::10]/", dnsAddr)
	wantCode(t, "IPv6 from IPv4", w.Do(noon(), f, r).Err, NoRoute)
}

func TestControllerPortOfTheModel(t *testing.T) {
	w := build(t, "uplinks")
	f := from("eth0", "172.20.0.10")
	if w.ControllerPort() != 3333 {
		t.Errorf("port %d", w.ControllerPort())
	}
	for port, code := range map[string]Code{"3333": "", "443": "", "4444": Refused} {
		res := w.Do(noon(), f, get(t, "https://mydomain.adam:"+port+"/", dnsAddr))
		wantCode(t, port, res.Err, code)
	}
	res := w.Do(noon(), from("eth1", "172.20.1.10"), get(t, "https://mydomain.adam/", dnsAddr))
	wantCode(t, "no outside", res.Err, Unreachable)
	none := New(load(t, "uplinks"), Options{})
	wantCode(t, "no controller",
		none.Do(noon(), f, get(t, "https://mydomain.adam:3333/", dnsAddr)).Err, Refused)
}

func TestRange(t *testing.T) {
	w := build(t, "single")
	for _, c := range []struct {
		spec, method, cond string
		status             int
		body, length       string
	}{
		{"", "GET", "", 200, "hello, world\n", "13"},
		{"bytes=7-", "GET", "", 206, "world\n", "6"},
		{"bytes=0-4", "GET", "", 206, "hello", "5"},
		{"bytes=-6", "GET", "", 206, "world\n", "6"},
		{"bytes=7-99", "GET", "", 206, "world\n", "6"},
		{"bytes=13-", "GET", "", 416, "", ""},
		{"bytes=5-2", "GET", "", 200, "hello, world\n", "13"},
		{"bytes=0-1,3-4", "GET", "", 200, "hello, world\n", "13"},
		{"bytes=7-", "GET", `"old"`, 200, "hello, world\n", "13"},
		{"bytes=7-", "HEAD", "", 206, "", "6"},
		{"", "POST", "", 405, "", ""},
	} {
		r := get(t, "http://10.9.2.80/hello")
		r.Method = c.method
		r.Header = http.Header{"Range": {c.spec}, "If-Range": {c.cond}}
		res := w.Do(noon(), from("eth0", "172.20.0.10"), r)
		if res.Err != nil || res.Response.Status != c.status ||
			string(res.Response.Body) != c.body || res.Response.Header.Get("Content-Length") != c.length {
			t.Errorf("%s %s: %+v %v", c.method, c.spec, res.Response, res.Err)
		}
	}
}

func TestLargeBodiesTakeTheirTime(t *testing.T) {
	blob := Blob{Size: 100_000_000}
	files := &Origin{Label: "files", Serve: func(_ time.Time, r *Request) *Response {
		return Content(r, blob)
	}}
	w := New(load(t, "slow"), Options{Outside: func(h string) *Origin { return files }})
	f := from("eth1", "172.20.1.10") // 1000 kB/s, burst 100 kB
	r := get(t, "http://files.test/image", "8.8.8.8")
	r.Timeout = time.Hour
	res := w.Do(noon(), f, r)
	if took := res.Latency - res.First; res.Err != nil || took != 99900*time.Millisecond ||
		res.Received != blob.Size {
		t.Errorf("%v: %v", res.Err, took)
	}
	r.Timeout = 50 * time.Second
	res = w.Do(noon(), f, r)
	wantCode(t, "too long", res.Err, Timeout)
	if res.Latency != r.Timeout || res.Received < 45_000_000 || res.Received > 51_000_000 ||
		res.Response != nil {
		t.Errorf("%+v", res)
	}
	r.Header = http.Header{"Range": {"bytes=50000000-"}}
	r.Timeout = time.Hour
	if res = w.Do(noon(), f, r); res.Received != 50_000_000 || res.Response.Status != 206 {
		t.Errorf("resumed: %+v", res)
	}
	w.SetRate("eth1", 0)
	if res = w.Do(noon(), f, r); res.Latency-res.First != 400*time.Millisecond {
		t.Errorf("at full speed: %v", res.Latency-res.First)
	}
	w.SetLoss("eth1", 1)
	w.SetDelay("eth1", 50*time.Millisecond, 0)
	if res = w.Do(noon(), f, r); res.Latency-res.First < 100*time.Second {
		t.Errorf("1 %% loss at 120 ms: %v", res.Latency-res.First)
	}
}

func TestDelayJitterAndLoss(t *testing.T) {
	w := build(t, "slow")
	f := from("eth0", "172.20.0.10") // 500 ms, jitter 300 ms, 20 % loss
	lost, least, most := 0, time.Hour, time.Duration(0)
	for i := range 1000 {
		at := noon().Add(time.Duration(i) * time.Minute)
		p := w.Ping(at, f, addr("172.20.0.1"))
		if p.Err != nil {
			lost++
			continue
		}
		least, most = min(least, p.Latency), max(most, p.Latency)
	}
	// A ping waits a second, so about half of those that are not lost (64 %) come in time.
	if lost < 550 || lost > 750 || least < 400*time.Millisecond || least > 700*time.Millisecond {
		t.Errorf("%d lost, %v to %v", lost, least, most)
	}
	r := get(t, "http://10.9.2.80/hello")
	works := 0
	for i := range 100 {
		if w.Do(noon().Add(time.Duration(i)*time.Minute), f, r).Err == nil {
			works++
		}
	}
	if works < 95 {
		t.Errorf("%d of 100 requests work, TCP sends again", works)
	}
	w.SetTraffic("eth0", Traffic{})
	if p := w.Ping(noon(), f, addr("172.20.0.1")); p.Err != nil || p.Latency != cableTrip {
		t.Errorf("healed: %+v", p)
	}
	res := w.Do(noon(), from("eth2", "172.20.2.10"), r)
	wantCode(t, "everything is lost", res.Err, Timeout)
	if res.Latency != dialPatience {
		t.Errorf("gave up after %v", res.Latency)
	}
}

func TestNetbootServerFetches(t *testing.T) {
	script := []byte("#!ipxe\n")
	images := &Origin{Label: "images", Serve: func(_ time.Time, r *Request) *Response {
		if r.URL.Path != "/ipxe.cfg" || r.Remote != addr("10.9.8.69") {
			return nil
		}
		return &Response{Status: 200, Body: script}
	}}
	w := New(load(t, "uplinks"), Options{Outside: func(h string) *Origin {
		if h == "images.example.com" {
			return images
		}
		return nil
	}})
	f := from("eth3", "172.20.3.10")
	res := w.Do(noon(), f, get(t, "http://boot.lab/ipxe.cfg", dnsAddr))
	if res.Err != nil || !bytes.Equal(res.Response.Body, script) {
		t.Errorf("%+v", res)
	}
	res = w.Do(noon(), f, get(t, "http://boot.lab/none", dnsAddr))
	if res.Err != nil || res.Response.Status != 404 {
		t.Errorf("%+v", res)
	}
	rule := Rule{Src: netip.MustParsePrefix("10.9.8.0/24"), Action: "reject"}
	w.m.Firewall.Rules = []Rule{rule}
	res = w.Do(noon(), f, get(t, "http://boot.lab/kernel", dnsAddr))
	if res.Err != nil || res.Response.Status != 502 {
		t.Errorf("without the outside: %+v", res)
	}
}

func TestErrorsReadWell(t *testing.T) {
	w := build(t, "uplinks")
	res := w.Do(noon(), from("eth0", "172.20.0.10"), get(t, "https://10.9.2.80/"))
	want := "dial 10.9.2.80:443: refused (firewall.rules[1] rejects it)"
	if res.Err == nil || res.Err.Error() != want {
		t.Errorf("got %v, want %s", res.Err, want)
	}
	if s := (&Error{Code: NoDNS, Op: "dns"}).Error(); s != "dns: no-dns" {
		t.Error(s)
	}
	if strings.Contains(w.Do(noon(), From{}, get(t, "http://u:secret@x:0/")).Err.Error(), "secret") {
		t.Error("a password in an error")
	}
}

// scripted is chance that loses what the script says: per packet one letter, x for a lost one.
func scripted(script *string) func(string, uint64) uint64 {
	asked := 0
	return func(key string, _ uint64) uint64 {
		if strings.HasPrefix(key, "outside/") {
			return 0
		}
		if asked++; asked%2 == 0 { // the draw for a corrupt packet
			return 99
		}
		c := byte('.')
		if *script != "" {
			c, *script = (*script)[0], (*script)[1:]
		}
		if c == 'x' {
			asked = 0
			return 0
		}
		return 99
	}
}

func TestRetransmission(t *testing.T) {
	for script, want := range map[string]time.Duration{
		"":      cableTrip,
		"x":     cableTrip + time.Second,   // the packet
		".x":    cableTrip + time.Second,   // its answer
		"x.xx":  cableTrip + 7*time.Second, // 1 + 2 + 4
		"xxxxx": dialPatience,
	} {
		left := script
		w := New(Default(1), Options{Draw: scripted(&left)})
		w.SetLoss("eveport0", 50)
		p := w.Dial(noon(), from("eveport0", "10.80.0.10"), netip.MustParseAddrPort("10.81.0.53:53"))
		if want < dialPatience {
			want += innerTrip
		}
		if p.Latency != want || (p.Err == nil) != (want < dialPatience) {
			t.Errorf("%q: %v %v, want %v", script, p.Latency, p.Err, want)
		}
	}
}

// TestFlowsHaveTheirOwnLuck sends two packets at the same instants over the same bad cable.
func TestFlowsHaveTheirOwnLuck(t *testing.T) {
	w, same := build(t, "slow"), 0
	f := from("eth0", "172.20.0.10")
	for i := range 50 {
		at := noon().Add(time.Duration(i) * time.Minute)
		a, b := w.Ping(at, f, addr("10.9.1.53")), w.Ping(at, f, addr("10.9.2.80"))
		if a.Latency == b.Latency && (a.Err == nil) == (b.Err == nil) {
			same++
		}
	}
	if same > 40 {
		t.Errorf("%d of 50 pairs met the same", same)
	}
}
