package world

import (
	"net/netip"
	"testing"
	"time"
)

func TestDNSServersThatLie(t *testing.T) {
	w := New(Default(1), Options{})
	f := From{Attach: Attach{Port: "eveport0"}, Src: addr("10.80.0.10")}
	ask := func() Answer { return w.Resolve(noon(), f, addr("10.81.0.53"), DefaultController, A) }
	truth := ask()
	if truth.Err != nil || len(truth.Addrs) != 1 {
		t.Fatalf("%+v", truth)
	}
	for _, l := range []Lie{Nowhere, Elsewhere} {
		if !w.SetLie(DefaultDNS, l) {
			t.Fatal("no DNS server")
		}
		got := ask()
		if got.Err != nil || len(got.Addrs) == 0 || got.Addrs[0] == truth.Addrs[0] {
			t.Errorf("lie %d: %+v", l, got)
			continue
		}
		p := w.Dial(noon(), f, netip.AddrPortFrom(got.Addrs[0], 443))
		if nowhere := p.Err != nil && p.Err.Code == Unreachable; nowhere != (l == Nowhere) {
			t.Errorf("lie %d: connecting there gives %v", l, p.Err)
		}
	}
	w.SetLie(DefaultDNS, Elsewhere)
	strange := w.Do(noon(), f, get(t, "http://docker.io/", "10.81.0.53"))
	if strange.Err != nil || strange.Response.Status != 404 {
		t.Errorf("a server under a name that is not its own answers %+v", strange)
	}
	w.SetLie(DefaultDNS, NoNames)
	wantCode(t, "no names", ask().Err, DNSNotFound)
	w.SetLie(DefaultDNS, Truth)
	if got := ask(); got.Err != nil || got.Addrs[0] != truth.Addrs[0] {
		t.Errorf("healed: %+v", got)
	}
	if w.SetLie("network0", NoNames) {
		t.Error("a network lies")
	}
}

func TestHostsOfTheOutsideFail(t *testing.T) {
	w := New(Default(1), Options{})
	f := From{Attach: Attach{Port: "eveport0"}, Src: addr("10.80.0.10")}
	r := func() Result {
		return w.Do(noon(), f, get(t, "http://docker.io/", "10.81.0.53"))
	}
	for state, code := range map[State]Code{Silent: Timeout, Refusing: Refused, Up: ""} {
		w.SetHost("docker.io", state)
		wantCode(t, "docker.io", r().Err, code)
	}
}

func TestNetworksMoveAndReturn(t *testing.T) {
	w := New(Default(1), Options{})
	a := Attach{Port: "eveport0", MAC: mac(1)}
	home := w.DHCP4(noon(), a, DHCPAsk{}).Offer
	if !w.Renumber("network0", netip.MustParsePrefix("10.99.7.0/24")) {
		t.Fatal("no network0")
	}
	if l := w.DHCP4(noon(), a, DHCPAsk{Address: home.Addr.Addr(), Renew: true}); l.Err == nil ||
		l.Err.Code != NAK {
		t.Errorf("renewal of the old address: %+v", l)
	}
	away := w.DHCP4(noon(), a, DHCPAsk{}).Offer
	if away == nil || !netip.MustParsePrefix("10.99.7.0/24").Contains(away.Addr.Addr()) ||
		away.Routers[0] != addr("10.99.7.1") {
		t.Fatalf("%+v", away)
	}
	reach := func(o *Offer) *Error {
		return w.Ping(noon(), From{Attach: a, Src: o.Addr.Addr(), Gateway: o.Routers[0]},
			addr("8.8.8.8")).Err
	}
	wantCode(t, "from the new address", reach(away), "")
	wantCode(t, "from the old address", reach(home), Timeout)
	w.Renumber("network0", netip.Prefix{})
	back := w.DHCP4(noon().Add(time.Minute), a, DHCPAsk{Address: home.Addr.Addr(), Renew: true}).Offer
	if back == nil || back.Addr != home.Addr {
		t.Errorf("back home it has %+v", back)
	}
	wantCode(t, "at home", reach(home), "")
	wantCode(t, "at home from the other address", reach(away), Timeout)
	if w.Renumber("network9", netip.Prefix{}) || w.Renumber("network0",
		netip.MustParsePrefix("10.99.0.0/16")) {
		t.Error("moved what is not there, or to another size")
	}
}
