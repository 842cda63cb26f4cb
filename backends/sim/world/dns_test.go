package world

import (
	"net/netip"
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	f4, dns := from("eth0", "172.20.0.10"), "10.9.1.53"
	for _, c := range []struct {
		what, model, server, name string
		q                         Want
		want                      string
		code                      Code
	}{
		{"adam-ip", "single", dns, "mydomain.adam", A, "203.0.113.10", ""},
		{"adam-ip, IPv6", "single", dns, "mydomain.adam", AAAA, "2001:db8:ada::10", ""},
		{"host section", "transparent", dns, "mydomain.adam", A, "192.0.2.7", ""},
		{"endpoint-fqdn", "single", dns, "web.lab", A, "10.9.2.80", ""},
		{"case and final dot", "single", dns, "WEB.Lab.", A, "10.9.2.80", ""},
		{"no address of the version", "single", dns, "web.lab", AAAA, "", ""},
		{"upstream, public name", "single", dns, "zedcloud.example", A, "203.0.113.10", ""},
		{"upstream, unknown", "single", dns, "no.such.name", A, "", DNSNotFound},
		{"public", "single", "8.8.8.8", "zedcloud.example", A, "203.0.113.10", ""},
		{"public does not know private", "single", "8.8.8.8", "web.lab", A, "", DNSNotFound},
		{"nobody there", "single", "198.51.100.1", "web.lab", A, "", DNSTimeout},
		{"not reached", "single", "10.9.9.53", "web.lab", A, "", Unreachable},
		{"no DNS server", "single", "10.9.2.80", "web.lab", A, "", DNSRefused},
		{"the router", "single", "172.20.0.1", "web.lab", A, "", DNSRefused},
		{"dropped by the firewall", "uplinks", "8.8.8.8", "docker.io", A, "", DNSTimeout},
		{"spared by the firewall", "uplinks", "1.1.1.1", "mydomain.adam", A, "", DNSNotFound},
	} {
		a := build(t, c.model).Resolve(noon(), f4, addr(c.server), c.name, c.q)
		wantCode(t, c.what, a.Err, c.code)
		if got := first(a.Addrs); got != c.want {
			t.Errorf("%s: %v, want %q", c.what, a.Addrs, c.want)
		}
		if a.Err != nil && a.Err.Code == DNSTimeout && a.Latency != 2*dnsPatience {
			t.Errorf("%s: gave up after %v", c.what, a.Latency)
		}
	}
}

func first(as []netip.Addr) string {
	if len(as) == 0 {
		return ""
	}
	return as[0].String()
}

func TestResolveEndpointReferences(t *testing.T) {
	w := build(t, "ipv6")
	f := from("eth0", "fd00:20::10")
	a := w.Resolve(noon(), f, addr("fd00:9:1::53"), "mydomain.adam", AAAA)
	if a.Err != nil || len(a.Addrs) != 1 || a.Addrs[0] != addr("2001:db8:ada::10") {
		t.Errorf("adam-ipv6: %+v", a)
	}
	a = w.Resolve(noon(), f, addr("fd00:9:1::53"), "docker.io", AAAA)
	if a.Err != nil || len(a.Addrs) != 1 {
		t.Errorf("upstream over IPv6: %+v", a)
	}
	if b := w.Resolve(noon(), f, addr("fd00:9:1::53"), "docker.io", AAAA); first(b.Addrs) !=
		first(a.Addrs) {
		t.Error("an address of the outside changes")
	}
}

func TestLookupGoesOnToTheNextServer(t *testing.T) {
	w := build(t, "single")
	f := from("eth0", "172.20.0.10")
	dead, good := addr("198.51.100.1"), addr("10.9.1.53")
	a := w.Lookup(noon(), f, []netip.Addr{dead, good}, "web.lab", A)
	if a.Err != nil || a.Server != good || a.Latency < dnsPatience {
		t.Errorf("behind a dead server: %+v", a)
	}
	a = w.Lookup(noon(), f, []netip.Addr{addr("8.8.8.8"), good}, "web.lab", A)
	wantCode(t, "NXDOMAIN is final", a.Err, DNSNotFound)
	wantCode(t, "no server", w.Lookup(noon(), f, nil, "web.lab", A).Err, NoDNS)
	a = w.Lookup(noon(), f, []netip.Addr{dead}, "web.lab", A)
	wantCode(t, "only dead servers", a.Err, DNSTimeout)
	if a.Latency != 2*dnsPatience {
		t.Errorf("gave up after %v", a.Latency)
	}
}

func TestUpstreamServers(t *testing.T) {
	w := build(t, "uplinks")
	dns, f := addr("10.9.1.53"), from("eth0", "172.20.0.10")
	ask := func() Answer { return w.Resolve(noon(), f, dns, "docker.io", A) }
	if a := ask(); a.Err != nil {
		t.Fatal(a.Err) // 1.1.1.1 answers, 8.8.8.8 is behind the firewall
	}
	w.m.Firewall.Rules = append(w.m.Firewall.Rules, Rule{
		Src: netip.MustParsePrefix("10.9.1.0/24"), Protocol: "udp", Action: "drop"})
	wantCode(t, "both upstreams dropped", ask().Err, DNSTimeout)
	w.SetServer("dns", Refusing)
	wantCode(t, "refusing", ask().Err, DNSRefused)
	w.SetServer("dns", Silent)
	a := ask()
	wantCode(t, "silent", a.Err, DNSTimeout)
	if a.Latency != 2*dnsPatience {
		t.Errorf("gave up after %v", a.Latency)
	}
	p := build(t, "proxy").tableAnswerOf("proxy-dns", "docker.io")
	wantCode(t, "no upstream", p, DNSRefused)
}

// tableAnswerOf is the error of a question to a DNS server of the model.
func (w *World) tableAnswerOf(label, name string) *Error {
	_, _, err := w.tableAnswer(w.end(label), name, 0)
	return err
}

func TestKnownOutside(t *testing.T) {
	for name, want := range map[string]bool{
		"index.docker.io": true, "docker.io": true, "2.Pool.ntp.org.": true, "google.com": true,
		"notgoogle.com": false, "my-server.sdn": false, "": false,
	} {
		if KnownOutside(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestOutsideByName(t *testing.T) {
	asked := map[string]int{}
	shop := &Origin{Label: "shop", Addrs: []netip.Addr{addr("198.51.100.7")}}
	w := New(load(t, "single"), Options{Outside: func(h string) *Origin {
		asked[h]++
		if h == "shop.test" || h == "198.51.100.7" {
			return shop
		}
		return nil
	}})
	f := from("eth0", "172.20.0.10")
	a := w.Resolve(noon(), f, addr("8.8.8.8"), "shop.test", A)
	if a.Err != nil || first(a.Addrs) != "198.51.100.7" {
		t.Errorf("%+v", a)
	}
	wantCode(t, "ping by address", w.Ping(noon(), f, addr("198.51.100.7")).Err, "")
	p := w.Ping(noon(), f, addr("198.51.100.8"))
	wantCode(t, "nobody there", p.Err, Timeout)
	if p.Latency != time.Second {
		t.Errorf("gave up after %v", p.Latency)
	}
	a = w.Resolve(noon(), f, addr("8.8.8.8"), "quay.io", A)
	wantCode(t, "a derived address", w.Ping(noon(), f, a.Addrs[0]).Err, "")
}
