package world

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// step is one thing that happens in a world; the same step in the same world has one outcome.
type step struct {
	kind, port, host string
	n                int
	wait             time.Duration
}

func drawSteps(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			kind: rapid.SampledFrom([]string{"dhcp", "get", "ping", "dns", "ra", "cut", "plug",
				"loss", "in"}).Draw(t, "kind"),
			port: fmt.Sprintf("eth%d", rapid.IntRange(0, 3).Draw(t, "port")),
			host: rapid.SampledFrom([]string{"mydomain.adam", "web.lab", "quay.io", "no.name"}).
				Draw(t, "host"),
			n:    rapid.IntRange(0, 40).Draw(t, "n"),
			wait: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait")),
		}
	}), 1, 40).Draw(t, "steps")
}

// play runs steps and writes down all that comes of them.
func play(t testing.TB, w *World, steps []step) string {
	var b strings.Builder
	now := noon()
	for _, s := range steps {
		now = now.Add(s.wait)
		b.WriteString(playOne(t, w, now, s) + "\n")
	}
	return b.String()
}

func playOne(t testing.TB, w *World, now time.Time, s step) string {
	f := From{Attach: attach(s.port, s.n), Src: addr("172.20." + s.port[3:] + ".10")}
	switch s.kind {
	case "dhcp":
		l := w.DHCP4(now, f.Attach, DHCPAsk{})
		return fmt.Sprint(l.Offer, l.Err, l.Latency)
	case "get":
		r := w.Do(now, f, get(t, "http://"+s.host+"/hello", dnsAddr))
		return fmt.Sprint(r.Response, r.Err, r.Latency, r.First, r.Rate, r.Received, r.Server)
	case "ping":
		p := w.Ping(now, f, addr("8.8.8.8"))
		return fmt.Sprint(p.Err, p.Latency)
	case "dns":
		a := w.Resolve(now, f, addr(dnsAddr), s.host, A)
		return fmt.Sprint(a.Addrs, a.Err, a.Latency)
	case "ra":
		a := w.RA(now, f.Attach)
		return fmt.Sprint(a.Advert, a.Err, a.Latency)
	case "cut":
		w.Cut(s.port)
	case "plug":
		w.Plug(s.port)
	case "loss":
		w.SetLoss(s.port, uint8(s.n))
	case "in":
		a, err := w.FromOutside(now, "laptop", netip.AddrPortFrom(f.Src, 80), tcp)
		return fmt.Sprint(a, err)
	}
	return s.kind
}

func TestSameInputsSameOutputs(t *testing.T) {
	m := load(t, "uplinks")
	o := Options{Controller: adam(t)}
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		a, b := play(t, New(m, o), steps), play(t, New(m, o), steps)
		if a != b {
			rt.Fatalf("first\n%s\nsecond\n%s", a, b)
		}
	})
}

// TestNewcomerMovesNobodysLuck lets a second client use the same bad cable: what the first one
// meets stays as it was.
func TestNewcomerMovesNobodysLuck(t *testing.T) {
	run := func(newcomer bool) string {
		w := build(t, "slow")
		var b strings.Builder
		for i := range 50 {
			now := noon().Add(time.Duration(i) * time.Minute)
			if newcomer {
				w.DHCP4(now, attach("eth0", 9), DHCPAsk{})
				w.Ping(now, from("eth0", "172.20.0.11"), addr("10.9.2.80"))
			}
			r := w.Do(now, from("eth0", "172.20.0.10"), get(t, "http://web.lab/hello", dnsAddr))
			l := w.DHCP4(now, attach("eth0", 1), DHCPAsk{})
			fmt.Fprintln(&b, r.Err, r.Latency, l.Offer, l.Latency)
		}
		return b.String()
	}
	alone, both := run(false), run(true)
	if alone != both {
		t.Errorf("alone\n%s\nwith a newcomer\n%s", alone, both)
	}
	if strings.Count(alone, "timeout") == 50 || !strings.Contains(alone, "<nil>") {
		t.Errorf("nothing to compare:\n%s", alone)
	}
}

func TestAuthorityIsDerived(t *testing.T) {
	mk := func() (*Authority, string) {
		a, err := DeriveAuthority("ca", noon(), noon().AddDate(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		k, err := a.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		return a, a.CertPEM() + k
	}
	a, s := mk()
	if _, again := mk(); again != s {
		t.Error("the same name, another authority")
	}
	key, _ := a.KeyPEM()
	b, err := ParseAuthority(a.CertPEM(), key)
	if err != nil {
		t.Fatal(err)
	}
	c1, err1 := a.Issue("a.test", "10.0.0.1")
	c2, err2 := b.Issue("a.test", "10.0.0.1")
	if err1 != nil || err2 != nil || string(c1[0]) != string(c2[0]) {
		t.Errorf("two leafs for one name: %v %v", err1, err2)
	}
	for _, name := range []string{"a.test", "10.0.0.1"} {
		verify(t, &TLSState{Chain: c1}, a.CertPEM(), name)
	}
	if _, err := a.Issue(); err == nil {
		t.Error("a certificate for nobody")
	}
}

func BenchmarkPoll(b *testing.B) {
	w := build(b, "single")
	f := from("eth0", "172.20.0.10")
	r := get(b, "https://mydomain.adam/api/v2/edgedevice/id/x/config", dnsAddr)
	resp := &Response{Status: 304}
	w.control.origin.Serve = func(time.Time, *Request) *Response { return resp }
	b.ReportAllocs()
	now := noon()
	for b.Loop() {
		now = now.Add(time.Minute)
		if res := w.Do(now, f, r); res.Err != nil {
			b.Fatal(res.Err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	m, o := Default(2), Options{Controller: adam(b)}
	b.ReportAllocs()
	for b.Loop() {
		New(m, o)
	}
}
