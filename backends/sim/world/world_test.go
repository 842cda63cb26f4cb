package world

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

// noon is when the tests happen.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// adam is a controller that answers with what it saw.
func adam(t testing.TB) *Origin {
	t.Helper()
	ca, err := DeriveAuthority("adam-ca", noon().AddDate(-1, 0, 0), noon().AddDate(9, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := ca.Issue("mydomain.adam")
	if err != nil {
		t.Fatal(err)
	}
	return &Origin{
		Label: "adam", Names: []string{"zedcloud.example"}, Chain: chain, Owner: "adam",
		Serve: func(_ time.Time, r *Request) *Response {
			return &Response{Status: http.StatusOK, Header: http.Header{
				"X-Path": {r.URL.Path}, "X-Remote": {r.Remote.String()},
			}, Body: r.Body}
		},
	}
}

// build makes the world of a model of testdata, with adam.
func build(t testing.TB, name string) *World {
	t.Helper()
	return New(load(t, name), Options{Controller: adam(t)})
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// from is a client on an untagged port.
func from(port, src string) From { return From{Attach: Attach{Port: port}, Src: addr(src)} }

// get is a GET with the given DNS servers.
func get(t testing.TB, u string, dns ...string) *Request {
	t.Helper()
	r := &Request{Method: "GET", URL: mustURL(t, u)}
	for _, d := range dns {
		r.Resolver = append(r.Resolver, addr(d))
	}
	return r
}

// wantCode checks the code of an error; empty: none.
func wantCode(t *testing.T, what string, err *Error, code Code) {
	t.Helper()
	switch {
	case err == nil && code != "":
		t.Errorf("%s: works, want %s", what, code)
	case err != nil && err.Code != code:
		t.Errorf("%s: %v, want code %q", what, err, code)
	}
}

func TestPortsInOrderOfTheModel(t *testing.T) {
	w := build(t, "uplinks")
	ps := w.Ports()
	if len(ps) != 6 {
		t.Fatalf("%d ports", len(ps))
	}
	seen := map[MAC]bool{}
	for i, p := range ps {
		if want := "eth" + string(rune('0'+i)); p.Label != want {
			t.Errorf("port %d is %s", i, p.Label)
		}
		if up := i != 5; p.Up != up || w.Carrier(p.Label) != up {
			t.Errorf("%s: carrier %v, want %v", p.Label, p.Up, up)
		}
		if p.MAC.multicast() || seen[p.MAC] || seen[p.Peer] {
			t.Errorf("%s: MACs %s and %s", p.Label, p.MAC, p.Peer)
		}
		seen[p.MAC], seen[p.Peer] = true, true
	}
	if ps[3].Bond != "bond0" || ps[3].Bridge != "br3" || ps[0].Bridge != "br0" {
		t.Errorf("%+v", ps)
	}
	if p, ok := build(t, "ipv6").Port("eth0"); !ok || p.MAC.String() != "02:00:00:00:00:10" {
		t.Errorf("the model's MAC is not used: %s", p.MAC)
	}
}

func TestCarrier(t *testing.T) {
	type event struct {
		port string
		up   bool
	}
	var events []event
	w := New(load(t, "uplinks"), Options{OnCarrier: func(p string, up bool) {
		events = append(events, event{p, up})
	}})
	v := w.Version()
	first, second := w.Cut("eth0"), w.Cut("eth0")
	if !first || !second || w.Carrier("eth0") || w.Version() != v+1 {
		t.Errorf("after two cuts: carrier %v, version %d -> %d", w.Carrier("eth0"), v, w.Version())
	}
	if !w.Plug("eth0") || !w.Plug("eth5") || w.Plug("eth6") || w.Cut("eth6") {
		t.Error("plug and cut do not tell ports from others")
	}
	if !w.Carrier("eth5") || w.Carrier("eth6") || w.Version() != v+3 {
		t.Errorf("version %d -> %d", v, w.Version())
	}
	want := []event{{"eth0", false}, {"eth0", true}, {"eth5", true}}
	if len(events) != len(want) {
		t.Fatalf("events %v", events)
	}
	for i := range want {
		if events[i] != want[i] {
			t.Errorf("event %d: %v, want %v", i, events[i], want[i])
		}
	}
	w.Cut("eth0")
	wantCode(t, "ping over a cut cable",
		w.Ping(noon(), from("eth0", "172.20.0.10"), addr("172.20.0.1")).Err, NoCarrier)
	wantCode(t, "ping from no port",
		w.Ping(noon(), from("eth9", "172.20.0.10"), addr("172.20.0.1")).Err, NoCarrier)
}

func TestInstancesShareAModel(t *testing.T) {
	m := Default(3)
	m.Ports[1].Connect.Instance = "other"
	w := New(m, Options{Instance: "mine"})
	ps := w.Ports()
	if len(ps) != 2 || ps[0].Label != "eveport0" || ps[1].Label != "eveport2" {
		t.Errorf("ports of mine: %+v", ps)
	}
	if w.Carrier("eveport1") || w.Cut("eveport1") {
		t.Error("the other device's port belongs to this one")
	}
	if o := New(m, Options{Instance: "other"}).Ports(); o[0].MAC == ps[0].MAC {
		t.Error("two devices have the same MAC")
	}
}

func TestSegments(t *testing.T) {
	w := build(t, "vlan")
	for vlan, want := range map[uint16]string{0: "net2", 10: "net0", 20: "net1", 30: ""} {
		n, ok := w.Segment("eth0", vlan)
		if ok != (want != "") || ok && n.Label != want {
			t.Errorf("VLAN %d: %v %v, want %q", vlan, n, ok, want)
		}
	}
	f := from("eth0", "172.20.0.10")
	f.VLAN = 10
	wantCode(t, "tagged", w.Ping(noon(), f, addr("172.20.0.1")).Err, "")
	f.VLAN = 0
	wantCode(t, "untagged", w.Ping(noon(), f, addr("172.20.0.1")).Err, Timeout)
	f.VLAN = 30
	wantCode(t, "no such VLAN", w.Ping(noon(), f, addr("172.20.0.1")).Err, Timeout)
	if _, ok := w.Segment("eth9", 0); ok {
		t.Error("a port that is not there has a segment")
	}
}

func TestBondPeer(t *testing.T) {
	w := build(t, "uplinks")
	peer, ok := w.Peer("eth4")
	if !ok || peer.Mode != "active-backup" || peer.Active != "eth3" || peer.LACP {
		t.Fatalf("%+v %v", peer, ok)
	}
	gw := addr("172.20.3.1")
	wantCode(t, "active", w.Ping(noon(), from("eth3", "172.20.3.10"), gw).Err, "")
	wantCode(t, "backup", w.Ping(noon(), from("eth4", "172.20.3.10"), gw).Err, Timeout)
	w.Cut("eth3")
	wantCode(t, "former backup", w.Ping(noon(), from("eth4", "172.20.3.10"), gw).Err, "")
	if _, ok := w.Peer("eth0"); ok {
		t.Error("a port without bond has a peer")
	}
	m := Default(2)
	m.Bonds = []Bond{{Label: "lag", Ports: []string{"eveport0", "eveport1"}, Mode: "802.3ad",
		LACPRate: "fast"}}
	m.Bridges[0].Ports, m.Bridges[1].Ports = nil, nil
	m.Bridges[0].Bonds = []string{"lag"}
	w = New(m, Options{})
	for _, p := range []string{"eveport0", "eveport1"} {
		wantCode(t, p, w.Ping(noon(), from(p, "10.80.0.10"), addr("10.80.0.1")).Err, "")
	}
	lag, _ := w.Peer("eveport1")
	if !lag.LACP || !lag.FastLACP || lag.Partner == (MAC{}) || lag.Active != "" {
		t.Errorf("%+v", lag)
	}
}
