package diag_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/diag"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// port is a management port; without an address it has nothing.
func port(label, addr string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{IfName: label, Logicallabel: label, IsMgmt: true, IsL3Port: true,
		Dhcp: network.DhcpClient, Up: true, MacAddr: "02:00:00:00:00:01"}
	if addr != "" {
		prefix := netip.MustParsePrefix(addr)
		p.AddrInfoList = []netip.Prefix{prefix}
		p.DefaultRouters = []netip.Addr{prefix.Masked().Addr().Next()}
		p.DNSServers, p.DomainName = p.DefaultRouters, "plant.example"
	}
	return p
}

// bench is a device with one configuration in a state.
func bench(t *testing.T, state network.DPCState, ports ...network.NetworkPortStatus) *rig.Rig {
	r := rig.New(t, "diag", diag.New)
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 3, Sha256: "x"})
	rig.Complete(r, store.Files)
	rig.Put(r, node.LedShown, node.LedStatus{BlinkCounter: node.LedConnecting})
	put(r, state, ports...)
	r.Step()
	rig.Done(r, store.Read, store.FileKey("/config/server"),
		store.ReadRes{Data: []byte("hub.example\n")})
	r.Step()
	return r
}

func put(r *rig.Rig, state network.DPCState, ports ...network.NetworkPortStatus) {
	d := network.DevicePortConfig{DPCKey: "zedagent", State: state,
		TimePriority: time.Unix(1e9, 0).UTC()}
	if state == network.DPCFailWithIPAndDNS {
		d.LastFailed, d.LastError = r.Wall(), "eth0: no answer in time"
	}
	rig.Put(r, network.DPCL, network.DevicePortConfigList{
		PortConfigList: []network.DevicePortConfig{d}})
	rig.Put(r, network.DNS, network.DeviceNetworkStatus{DPCKey: "zedagent", State: state,
		Ports: ports})
	r.Step()
}

// text is the report as it would be printed.
func text(r *rig.Rig) string {
	var b strings.Builder
	for _, s := range rig.Rows(r, node.Diag) {
		b.WriteString("== " + s.Name + " " + s.Level.String() + "\n")
		for _, l := range s.Lines {
			b.WriteString(l.Level.String() + ": " + l.Text + "\n")
		}
	}
	return b.String()
}

func holds(t *testing.T, r *rig.Rig, lines ...string) {
	t.Helper()
	got := text(r)
	for _, l := range lines {
		if !strings.Contains(got, l+"\n") {
			t.Errorf("no line %q in\n%s", l, got)
		}
	}
}

func TestReportOfAHealthyDevice(t *testing.T) {
	proxied := port("eth1", "10.0.1.5/24")
	proxied.Proxies = []network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "proxy", Port: 3128}}
	proxied.Exceptions = ".local"
	r := bench(t, network.DPCSuccess, port("eth0", "10.0.0.5/24"), proxied)
	rig.Put(r, node.LedShown, node.LedStatus{BlinkCounter: node.LedOnboarded})
	rig.Put(r, node.Onboarding, node.OnboardingStatus{DeviceUUID: "u-u-i-d"})
	rig.Put(r, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent",
		ConfigGetStatus: node.ConfigGetSuccess, ConfigVersion: "a.7"})
	r.Step()
	want := `== 1-summary INFO
PASS: connected to the controller and onboarded (4 blinks)
INFO: controller hub.example
PASS: onboarded as u-u-i-d
== 2-configurations PASS
PASS: [0] zedagent of 2001-09-09 01:46:40, in use: DPC_SUCCESS
== 3-port-eth0 INFO
INFO: interface eth0, for management, cost 0, MAC 02:00:00:00:00:01
PASS: addresses 10.0.0.5/24 (DHCP)
PASS: DNS servers 10.0.0.1, domain plant.example
INFO: routers 10.0.0.1, NTP servers none
== 3-port-eth1 INFO
INFO: interface eth1, for management, cost 0, MAC 02:00:00:00:00:01
PASS: addresses 10.0.1.5/24 (DHCP)
PASS: DNS servers 10.0.1.1, domain plant.example
INFO: routers 10.0.1.1, NTP servers none
INFO: HTTPS proxy proxy port 3128
INFO: no proxy for .local
== 4-controller PASS
PASS: the controller answers
PASS: the configuration is up to date (a.7)
`
	if got := text(r); got != want {
		t.Errorf("report:\n%s\nwant:\n%s", got, want)
	}
	if n := len(rig.Calls(r, web.Send)); n != 0 {
		t.Errorf("%d probes while the controller answers", n)
	}
}

func TestPortsAreProbedWhileTheControllerIsOutOfReach(t *testing.T) {
	good, bad := port("eth0", "10.0.0.5/24"), port("eth1", "10.0.1.5/24")
	r := bench(t, network.DPCFailWithIPAndDNS, good, bad, port("eth2", ""))
	calls := rig.Calls(r, web.Send)
	if len(calls) != 4 || calls[0].Key != "http:eth0" ||
		calls[0].Req.URL != "http://www.google.com/" || calls[3].Req.Via.IfName != "eth1" {
		t.Fatalf("probes: %+v", calls)
	}
	for _, c := range calls {
		if c.Req.Via.IfName == "eth0" {
			rig.Done(r, web.Send, c.Key, web.SendRes{Code: 404})
		} else {
			rig.Fail(r, web.Send, c.Key, agent.Fault{Code: web.FaultTimeout, Text: "no answer in time"})
		}
	}
	r.Step()
	holds(t, r, "ERROR: the controller cannot be reached: eth0: no answer in time",
		"PASS: port eth0 gets an answer from https://www.google.com/ (404): the network works, "+
			"the controller is the problem",
		"ERROR: port eth1 gets no answer from http://www.google.com/: no answer in time",
		"ERROR: no usable address (DHCP)", "ERROR: no DNS server")
	// The states between two failures do not end the outage, an answer does.
	put(r, network.DPCIPDNSWait, good, bad)
	put(r, network.DPCFailWithIPAndDNS, good, bad)
	if n := len(rig.Calls(r, web.Send)); n != 0 {
		t.Errorf("%d probes again at once", n)
	}
	put(r, network.DPCSuccess, good, bad)
	if got := text(r); strings.Contains(got, "google") {
		t.Errorf("probes are still shown:\n%s", got)
	}
}

func TestProbesAreRepeatedFiveTimes(t *testing.T) {
	r := bench(t, network.DPCFailWithIPAndDNS, port("eth0", "10.0.0.5/24"))
	var rounds []time.Duration
	for range 120 {
		calls := rig.Calls(r, web.Send)
		if len(calls) > 0 {
			rounds = append(rounds, r.Now())
		}
		for _, c := range calls {
			rig.Fail(r, web.Send, c.Key, agent.Fault{Code: web.FaultTimeout, Text: "silence"})
		}
		r.Advance(time.Minute)
	}
	want := []time.Duration{0, 1, 3, 7, 15, 31}
	if len(rounds) != len(want) {
		t.Fatalf("rounds at %v", rounds)
	}
	for i := range want {
		if rounds[i] != want[i]*time.Minute {
			t.Errorf("round %d at %v, want %v", i, rounds[i], want[i]*time.Minute)
		}
	}
}

func TestReportNamesWhatIsWrong(t *testing.T) {
	broken := port("eth0", "10.0.0.5/24")
	broken.InvalidConfig = true
	broken.Error = "port eth0: bonds are not supported"
	dark := port("eth1", "")
	dark.Up = false
	r := bench(t, network.DPCRemoteWait, broken, dark)
	rig.Put(r, network.PortConfigFiles, func() network.PortConfigFile {
		f := network.PortConfigFile{Path: "/config/DevicePortConfig/override.json"}
		f.Error = f.Path + ": Ports[0].Cost: is not a number from 0 to 255: 300"
		return f
	}())
	rig.Put(r, node.Client, node.ClientStatus{Step: "register"})
	rig.Delete(r, store.Files, store.FileKey("/config/server"))
	r.Step()
	holds(t, r, "ERROR: port eth0: bonds are not supported",
		"WARNING: no carrier: is the cable plugged in?",
		"ERROR: /config/DevicePortConfig/override.json: Ports[0].Cost: is not a number from 0 to "+
			"255: 300",
		"WARNING: not onboarded: register",
		"ERROR: there is no controller: /config/server is missing, empty or cannot be read",
		"WARNING: the network works, the controller does not: ")
	put(r, network.DPCRemoteWait, dark, dark)
	holds(t, r, "== 3-port-eth1 ERROR", "== 3-port-eth1' ERROR")
	rig.Put(r, network.DNS, network.DeviceNetworkStatus{DPCKey: "zedagent"})
	r.Step()
	if strings.Contains(text(r), "3-port") {
		t.Errorf("a port that is gone is still shown:\n%s", text(r))
	}
}
