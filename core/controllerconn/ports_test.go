package controllerconn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

func names(ports []network.NetworkPortStatus, order []int) string {
	var out []string
	for _, i := range order {
		out = append(out, ports[i].IfName)
	}
	return strings.Join(out, " ")
}

func TestAPI14_EqualCostRotation(t *testing.T) {
	broken := port("bad", 0)
	broken.LastError, broken.LastFailed = "no answer", time.Unix(5, 0)
	invalid := port("invalid", 0)
	invalid.InvalidConfig = true
	app, l2 := port("app", 0), port("l2", 0)
	app.IsMgmt, l2.IsL3Port = false, false
	ports := []network.NetworkPortStatus{broken, port("c1", 1), port("a", 0), invalid, port("b", 0),
		app, l2, port("c", 0)}
	for i, want := range []string{"a b c c1 bad", "b c a c1 bad", "c a b c1 bad", "a b c c1 bad"} {
		if got := names(ports, controllerconn.PortOrder(ports, i, false)); got != want {
			t.Errorf("iteration %d: %s, want %s", i, got, want)
		}
	}
	for i, want := range []string{"bad a b c c1", "a b c bad c1"} {
		if got := names(ports, controllerconn.PortOrder(ports, i, true)); got != want {
			t.Errorf("test %d: %s, want %s", i, got, want)
		}
	}
}

func TestAPI15_ProxyExceptions(t *testing.T) {
	for _, c := range []struct {
		exceptions, host string
		proxied          bool
	}{
		{"", "zed.example.com", true},
		{".example.com", "sub.example.com", false},
		{".example.com", "example.com", true},
		{"example.com", "example.com", false},
		{"example.com", "sub.example.com", false},
		{"example.com", "badexample.com", true},
		{"*", "zed.example.com", false},
		{"10.0.0.0/8,x.org", "10.1.2.3", false},
		{"10.0.0.0/8", "11.1.2.3", true},
		{"10.1.2.3:8443", "10.1.2.3:8443", false},
		{"10.1.2.3:8443", "10.1.2.3", true},
		{"", "localhost", false},
		{"", "127.0.0.1:8080", false},
	} {
		cfg := network.ProxyConfig{Exceptions: c.exceptions, Proxies: []network.ProxyEntry{
			{Type: network.ProxyHTTPS, Server: "proxy.corp", Port: 3128}}}
		got, err := controllerconn.ProxyFor(&cfg, "https://"+c.host+"/api")
		want := ""
		if c.proxied {
			want = "http://proxy.corp:3128"
		}
		if err != nil || got != want {
			t.Errorf("exceptions %q, host %s: %q, %v", c.exceptions, c.host, got, err)
		}
	}
}

func TestProxyEntries(t *testing.T) {
	for _, c := range []struct {
		entries []network.ProxyEntry
		want    string
	}{
		{[]network.ProxyEntry{{Type: network.ProxyHTTP, Server: "a", Port: 1}}, ""},
		{[]network.ProxyEntry{{Type: network.ProxySOCKS, Server: "a", Port: 1}}, ""},
		{[]network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "http://a/", Port: 1}}, "http://a:1"},
		{[]network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "https://a", Port: 1}}, "https://a:1"},
		{[]network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "a:9", Port: 1}}, "http://a:9"},
		{[]network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "fd00::1", Port: 1}},
			"http://[fd00::1]:1"},
	} {
		cfg := network.ProxyConfig{Proxies: c.entries}
		got, err := controllerconn.ProxyFor(&cfg, "https://zed.example/")
		if err != nil || got != c.want {
			t.Errorf("%+v: %q, %v", c.entries, got, err)
		}
	}
	_, err := controllerconn.ProxyFor(&network.ProxyConfig{Pacfile: "eA=="}, "https://zed.example/")
	if !errors.Is(err, controllerconn.ErrPAC) {
		t.Errorf("PAC: %v", err)
	}
	_, err = controllerconn.ProxyFor(&network.ProxyConfig{NetworkProxyEnable: true}, "https://z/")
	if !errors.Is(err, controllerconn.ErrWPAD) {
		t.Errorf("WPAD: %v", err)
	}
}

func TestPortWithPACIsThatPortsFailure(t *testing.T) {
	pac := port("eth0", 0, "10.0.0.5")
	pac.Pacfile = "eA=="
	r := newRig(t, pac, port("eth1", 1, "10.0.1.5"))
	ask(r, info)
	if v := sent(t, r).Via; v.IfName != "eth1" {
		t.Fatalf("via %+v", v)
	}
	if o := got(t, r, "x"); len(o.Tries) != 1 || !strings.Contains(o.Tries[0].Error, "PAC") {
		t.Fatalf("%+v", o)
	}
}

func TestProxyCAsOfAllPortsAreTrusted(t *testing.T) {
	a, b := port("eth0", 0, "10.0.0.5"), port("eth1", 1, "10.0.1.5")
	a.ProxyCertPEM, b.ProxyCertPEM = []string{"A"}, []string{"B"}
	r := newRig(t, a, b)
	ask(r, info)
	if v := sent(t, r).Via; !slices.Equal(v.RootPEM, []string{"A", "B"}) {
		t.Fatalf("roots %q", v.RootPEM)
	}
}

// test runs a connectivity test over ports; each exchange is ended by act.
func test(t *testing.T, ports []network.NetworkPortStatus, act ...func(r *rig.Rig)) outcome {
	t.Helper()
	r := rig.New(t, "zedagent-info", newCourier)
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 12, Sha256: "aa"})
	ask(r, order{Name: "x", Test: true, Ports: ports})
	for _, f := range act {
		if u := sent(t, r); u.URL != "https://zed.example/api/v2/edgedevice/ping" || u.Method != "GET" ||
			u.Timeout != 15*time.Second {
			t.Fatalf("%+v", u)
		}
		f(r)
	}
	return got(t, r, "x")
}

func TestConnectivityVerdicts(t *testing.T) {
	status := func(n int) func(*rig.Rig) { return func(r *rig.Rig) { code(r, "x", n) } }
	fault := func(f string) func(*rig.Rig) { return func(r *rig.Rig) { fail(r, "x", f) } }
	bare := port("eth0", 0)
	one := []network.NetworkPortStatus{port("eth0", 0, "10.0.0.5")}
	two := append(slices.Clone(one), port("eth1", 1, "10.0.1.5"))
	for _, c := range []struct {
		name  string
		ports []network.NetworkPortStatus
		act   []func(*rig.Rig)
		want  controllerconn.Verdict
	}{
		{"ok", one, []func(*rig.Rig){status(200)}, controllerconn.Works},
		{"second port", two, []func(*rig.Rig){fault(web.FaultTimeout), status(200)},
			controllerconn.Works},
		{"503", one, []func(*rig.Rig){status(503)}, controllerconn.RemoteTemporaryFailure},
		{"refused", one, []func(*rig.Rig){fault(web.FaultConnRefused)},
			controllerconn.RemoteTemporaryFailure},
		{"expired", one, []func(*rig.Rig){fault(web.FaultCertInvalid)},
			controllerconn.RemoteTemporaryFailure},
		{"no address", []network.NetworkPortStatus{bare}, nil, controllerconn.PortsNotReady},
		{"no DNS answer", one, []func(*rig.Rig){fault(web.FaultNoDNS)}, controllerconn.PortsNotReady},
		{"timeout", one, []func(*rig.Rig){fault(web.FaultTimeout)}, controllerconn.Fails},
		{"404", one, []func(*rig.Rig){status(404)}, controllerconn.Fails},
		{"403", two, []func(*rig.Rig){status(403), status(200)}, controllerconn.Works},
		{"nothing", nil, nil, controllerconn.Fails},
	} {
		o := test(t, c.ports, c.act...)
		if o.Verdict != c.want || (o.Phase == agent.Done) != (c.want == controllerconn.Works) {
			t.Errorf("%s: %v %v %q", c.name, o.Phase, o.Verdict, o.Text)
		}
	}
}

func TestNET12_DryRunForTheRest(t *testing.T) {
	noDNS, unplugged := port("eth2", 1, "10.0.2.5"), port("eth3", 1, "10.0.3.5")
	noDNS.DNSServers, unplugged.Up = nil, false
	app, l2, invalid := noDNS, port("eth5", 0), port("eth6", 0)
	app.IfName, app.IsMgmt, l2.IsL3Port, invalid.InvalidConfig = "eth4", false, false, true
	o := test(t, []network.NetworkPortStatus{port("eth0", 0, "10.0.0.5", "10.0.0.6"),
		port("eth1", 0, "10.0.1.5"), noDNS, unplugged, app, l2, invalid},
		func(r *rig.Rig) { fail(r, "x", web.FaultTimeout) },
		func(r *rig.Rig) { fail(r, "x", web.FaultTimeout) },
		func(r *rig.Rig) { code(r, "x", 200) })
	want := []controllerconn.PortResult{
		{IfName: "eth0", Logicallabel: "eth0", Tested: true,
			Error: "eth0 (10.0.0.5): it is timeout; eth0 (10.0.0.6): it is timeout"},
		{IfName: "eth1", Logicallabel: "eth1", Tested: true},
		{IfName: "eth2", Logicallabel: "eth2", Error: "port eth2 has no DNS server"},
		{IfName: "eth3", Logicallabel: "eth3", Error: "port eth3 has no carrier"},
		{IfName: "eth4", Logicallabel: "eth2", Warning: "port eth2 has no DNS server"},
		{IfName: "eth5", Logicallabel: "eth5"},
	}
	if o.Verdict != controllerconn.Works || !slices.Equal(o.Ports, want) {
		t.Fatalf("%v %+v", o.Verdict, o.Ports)
	}
}

func TestFileIsReadAgainAfterAFault(t *testing.T) {
	r := rig.New(t, "zedagent-info", newCourier)
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 12, Sha256: "aa"})
	setPorts(r, network.DPCSuccess, port("eth0", 0, "10.0.0.5"))
	o := info
	o.Req.Endpoint = "ping"
	rig.Put(r, orders, o)
	r.Step()
	rig.Fail(r, store.Read, "!config!server", agent.Fault{Code: store.FaultIO, Retry: true})
	r.Step()
	if n := len(rig.Calls(r, store.Read)); n != 0 {
		t.Fatalf("%d reads at once", n)
	}
	r.Advance(10 * time.Second)
	serve(r)
	sent(t, r)
}
