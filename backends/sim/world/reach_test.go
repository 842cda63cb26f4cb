package world

import (
	"net/netip"
	"testing"
	"time"
)

func TestRouterLimits(t *testing.T) {
	w := build(t, "uplinks")
	for _, c := range []struct {
		what, port, src, dst string
		code                 Code
	}{
		{"own router", "eth0", "172.20.0.10", "172.20.0.1", ""},
		{"endpoint", "eth0", "172.20.0.10", "10.9.1.53", ""},
		{"endpoint that is not listed", "eth0", "172.20.0.10", "10.9.7.123", Unreachable},
		{"empty place beside an endpoint", "eth0", "172.20.0.10", "10.9.1.54", Unreachable},
		{"outside", "eth0", "172.20.0.10", "8.8.8.8", ""},
		{"controller", "eth0", "172.20.0.10", "192.0.2.7", ""},
		{"controller without outside", "eth1", "172.20.1.10", "192.0.2.7", Unreachable},
		{"outside without outside", "eth1", "172.20.1.10", "8.8.8.8", Unreachable},
		{"router of a listed network", "eth1", "172.20.1.10", "172.20.2.1", ""},
		{"host of a listed network", "eth1", "172.20.1.10", "172.20.2.50", Timeout},
		{"router of another network", "eth1", "172.20.1.10", "172.20.0.1", Unreachable},
		{"no limits", "eth3", "172.20.3.10", "172.20.0.1", ""},
		{"nobody on the link", "eth0", "172.20.0.10", "172.20.0.50", Unreachable},
		{"wrong source", "eth0", "172.20.1.10", "8.8.8.8", Timeout},
		{"wrong source on the link", "eth0", "172.20.1.10", "172.20.0.1", ""},
		{"IPv6 where there is none", "eth0", "fd00::1", "2001:db8::7", Timeout},
		{"other IP version", "eth0", "172.20.0.10", "2001:db8::7", NoRoute},
		{"server on the switch", "eth1", "172.20.1.10", "172.20.1.200", ""},
		{"server on another switch", "eth0", "172.20.0.10", "172.20.1.200", Unreachable},
		{"firewall rejects ICMP", "eth0", "172.20.0.10", "10.9.9.9", Refused},
		{"firewall drops ICMP", "eth0", "172.20.0.10", "10.9.2.80", Timeout},
		{"firewall spares others", "eth3", "172.20.3.10", "10.9.2.80", ""},
	} {
		wantCode(t, c.what, w.Ping(noon(), from(c.port, c.src), addr(c.dst)).Err, c.code)
	}
}

func TestFirewallIsTold(t *testing.T) {
	w := build(t, "uplinks")
	f := from("eth0", "172.20.0.10")
	dial := func(s string) Probe { return w.Dial(noon(), f, netip.MustParseAddrPort(s)) }
	allowed, rejected, dropped := dial("10.9.2.80:80"), dial("10.9.2.80:443"), dial("10.9.2.80:22")
	wantCode(t, "allowed", allowed.Err, "")
	wantCode(t, "rejected", rejected.Err, Refused)
	wantCode(t, "dropped", dropped.Err, Timeout)
	if rejected.Latency > 10*time.Millisecond || dropped.Latency != dialPatience {
		t.Errorf("rejected after %v, dropped after %v", rejected.Latency, dropped.Latency)
	}
	closed := w.Dial(noon(), from("eth3", "172.20.3.10"), netip.MustParseAddrPort("10.9.2.80:22"))
	wantCode(t, "closed port", closed.Err, Refused)
}

func TestGatewayMustBeTheRouter(t *testing.T) {
	w := build(t, "single")
	f := from("eth0", "172.20.0.10")
	for gw, code := range map[string]Code{"172.20.0.1": "", "172.20.0.2": Timeout} {
		f.Gateway = addr(gw)
		wantCode(t, "via "+gw, w.Ping(noon(), f, addr("8.8.8.8")).Err, code)
		wantCode(t, "on the link", w.Ping(noon(), f, addr("172.20.0.1")).Err, "")
	}
}

func TestSourceBehindTheDevice(t *testing.T) {
	w := build(t, "static")
	wantCode(t, "routed", w.Ping(noon(), from("eth0", "10.50.0.7"), addr("8.8.8.8")).Err, "")
	wantCode(t, "not routed", w.Ping(noon(), from("eth0", "10.51.0.7"), addr("8.8.8.8")).Err, Timeout)
}

func TestHostSpeaksOneIPVersion(t *testing.T) {
	m := Default(1)
	m.Host = &Host{IPs: []netip.Addr{addr("192.0.2.7"), addr("2001:db8::7")}}
	w := New(m, Options{})
	if as := w.ControllerAddrs(); len(as) != 1 || !as[0].Is4() {
		t.Errorf("an ipv4-only host has %v", as)
	}
	m.Host.NetworkType = "ipv6-only"
	w = New(m, Options{})
	wantCode(t, "IPv4 outside", w.Ping(noon(), from("eveport0", "10.80.0.10"), addr("8.8.8.8")).Err,
		Unreachable)
	m.Host.NetworkType = "dual-stack"
	if as := New(m, Options{}).ControllerAddrs(); len(as) != 2 || !as[0].Is4() {
		t.Errorf("a dual-stack host has %v", as)
	}
}

func TestServersThatAreNotWell(t *testing.T) {
	w := build(t, "single")
	f := from("eth0", "172.20.0.10")
	web := netip.MustParseAddrPort("10.9.2.80:80")
	if w.SetServer("nobody", Silent) || w.SetOutside("nowhere", false) || w.SetDHCP("x", true) {
		t.Error("a label that is not there was accepted")
	}
	for s, code := range map[State]Code{Refusing: Refused, Silent: Timeout, Up: ""} {
		w.SetServer("web", s)
		wantCode(t, "web", w.Dial(noon(), f, web).Err, code)
		w.SetServer(ControllerLabel, s)
		at := netip.AddrPortFrom(w.ControllerAddrs()[0], 443)
		wantCode(t, "controller", w.Dial(noon(), f, at).Err, code)
		w.SetServer("web", Up)
		w.SetServer(ControllerLabel, Up)
	}
	w.SetOutside("net0", false)
	wantCode(t, "outside cut", w.Ping(noon(), f, addr("8.8.8.8")).Err, Unreachable)
	w.SetOutside("net0", true)
	wantCode(t, "outside healed", w.Ping(noon(), f, addr("8.8.8.8")).Err, "")
}

func TestTimeServers(t *testing.T) {
	w := build(t, "uplinks")
	for _, c := range []struct {
		what, port, src, dst string
		code                 Code
	}{
		{"private", "eth2", "172.20.2.10", "10.9.7.123", ""},
		{"public", "eth0", "172.20.0.10", "132.163.96.2", ""},
		{"public, not reached", "eth2", "172.20.2.10", "132.163.96.2", Unreachable},
		{"no NTP server", "eth2", "172.20.2.10", "10.9.1.53", Refused},
	} {
		wantCode(t, c.what, w.Time(noon(), from(c.port, c.src), addr(c.dst)).Err, c.code)
	}
	w.SetServer("ntp", Silent)
	wantCode(t, "silent", w.Time(noon(), from("eth2", "172.20.2.10"), addr("10.9.7.123")).Err,
		Timeout)
}

func TestInbound(t *testing.T) {
	w := build(t, "uplinks")
	dst := netip.MustParseAddrPort
	for _, c := range []struct {
		what, client, dst, proto, port string
		code                           Code
	}{
		{"listed client", "laptop", "172.20.0.10:2223", "tcp", "eth0", ""},
		{"client without way back", "stranger", "172.20.0.10:2223", "tcp", "", Timeout},
		{"outside", OutsideLabel, "172.20.0.10:2223", "tcp", "eth0", ""},
		{"outside, not reached", OutsideLabel, "172.20.1.10:2223", "tcp", "", Timeout},
		{"on the switch", "beside", "172.20.1.10:80", "tcp", "eth1", ""},
		{"on the switch, other subnet", "beside", "172.20.0.10:80", "tcp", "", NoRoute},
		{"unknown client", "nobody", "172.20.0.10:80", "tcp", "", NoRoute},
		{"no network", "laptop", "10.77.0.1:80", "tcp", "", Unreachable},
		{"two cables, not announced", "laptop", "172.20.3.10:80", "tcp", "", Unreachable},
	} {
		a, err := w.FromOutside(noon(), c.client, dst(c.dst), c.proto)
		wantCode(t, c.what, err, c.code)
		if err == nil && a.Port != c.port {
			t.Errorf("%s: arrives at %s", c.what, a.Port)
		}
	}
	at := Attach{Port: "eth3"}
	w.Announce(at, addr("172.20.3.10"))
	if a, err := w.FromOutside(noon(), "laptop", dst("172.20.3.10:80"), "tcp"); err != nil ||
		a.Port != "eth3" || a.Src != addr("10.9.9.9") {
		t.Errorf("announced: %+v %v", a, err)
	}
	w.Withdraw(Attach{Port: "eth4"}, addr("172.20.3.10"))
	w.Cut("eth3")
	_, err := w.FromOutside(noon(), "laptop", dst("172.20.3.10:80"), "tcp")
	wantCode(t, "cut", err, Unreachable)
	s := build(t, "static")
	s.Announce(Attach{Port: "eth0"}, addr("172.20.0.10"))
	a, err := s.FromOutside(noon(), OutsideLabel, dst("10.50.0.3:80"), "tcp")
	wantCode(t, "behind the device", err, "")
	if a.Port != "eth0" {
		t.Errorf("behind the device: %+v", a)
	}
}
