package monitor_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/monitor"
	"github.com/evetwin/evetwin/core/device/operator"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// desk is a device with two ports under the controller's configuration, and its operator.
type desk struct {
	*rig.Rig
	t *testing.T
	n int
}

func newDesk(t *testing.T) *desk {
	d := &desk{Rig: rig.New(t, "monitor", monitor.New), t: t}
	d.boot()
	return d
}

func (d *desk) boot() {
	d.n = 0
	rig.Complete(d.Rig, operator.Requests)
	rig.Put(d.Rig, network.DPCL, network.DevicePortConfigList{CurrentIndex: 1,
		PortConfigList: []network.DevicePortConfig{config("zedagent", "broken"),
			config("bootstrap", "eth0", "eth1")}})
	rig.Put(d.Rig, network.DNS, network.DeviceNetworkStatus{DPCKey: "bootstrap", CurrentIndex: 1})
	d.Step()
}

func config(key string, ports ...string) network.DevicePortConfig {
	c := network.DevicePortConfig{Version: 1, DPCKey: key, State: network.DPCSuccess,
		TestResults: network.TestResults{LastSucceeded: time.Unix(5, 0)}}
	for i, p := range ports {
		c.Ports = append(c.Ports, network.NetworkPortConfig{IfName: p, Phylabel: p,
			Logicallabel: "port of " + p, IsMgmt: true, IsL3Port: true, Cost: uint8(i), MTU: 1500,
			ConfigSource: network.OriginController,
			TestResults:  network.TestResults{LastSucceeded: time.Unix(5, 0)},
			DhcpConfig:   network.DhcpConfig{Dhcp: network.DhcpClient, Type: network.NetworkV4}})
	}
	return c
}

// asks has the operator ask for something and returns the ID.
func (d *desk) asks(q operator.RequestSeen) string {
	d.n++
	q.ID = "0000000" + string(rune('0'+d.n))
	rig.Put(d.Rig, operator.Requests, q)
	d.Step()
	return q.ID
}

// sets has the operator configure an interface and returns the answer.
func (d *desk) sets(i operator.Interface) operator.AnswerReq {
	d.t.Helper()
	return d.answered(d.asks(operator.RequestSeen{Kind: operator.SetInterface, Interface: &i}))
}

// answered plays the part, which takes the answer.
func (d *desk) answered(id string) operator.AnswerReq {
	d.t.Helper()
	for _, c := range rig.Calls(d.Rig, operator.Answer) {
		if c.Key == id {
			rig.Delete(d.Rig, operator.Requests, id)
			rig.Done(d.Rig, operator.Answer, id, operator.None{})
			d.Step()
			return c.Req
		}
	}
	d.t.Fatalf("request %s has no answer:\n%s", id, d.Dump())
	panic("unreachable")
}

func (d *desk) manual() *network.DevicePortConfig {
	return rig.Get(d.Rig, network.ManualDPC, "manual")
}

func static() operator.Interface {
	return operator.Interface{Name: "eth1", Mode: "static", Address: "192.0.2.10",
		Subnet: "192.0.2.0/24", Gateway: "192.0.2.1", DNSServers: []string{"192.0.2.53", "2001:db8::53"},
		NTP: []string{"pool.ntp.org"}, Domain: "example.com",
		Proxy: operator.Proxy{Mode: "manual", Exceptions: []string{"a.example", "b.example"},
			Servers: []operator.ProxyServer{{Scheme: "http", Host: "proxy", Port: 8080}}}}
}

func TestChangesOnePortOfTheConfigurationInUse(t *testing.T) {
	d := newDesk(t)
	if !rig.IsComplete(d.Rig, network.ManualDPC) || d.manual() != nil {
		t.Fatal("the table of what was configured by hand is not complete and empty")
	}
	if a := d.sets(static()); !a.OK {
		t.Fatalf("refused: %+v", a)
	}
	got := d.manual()
	want := network.DevicePortConfig{Version: 1, DPCKey: "manual", TimePriority: d.Wall()}
	for _, p := range config("", "eth0", "eth1").Ports {
		p.TestResults, p.ConfigSource = network.TestResults{}, network.OriginTUI
		want.Ports = append(want.Ports, p)
	}
	want.Ports[1].DhcpConfig = network.DhcpConfig{Dhcp: network.DhcpStatic, Type: network.NetworkV4,
		AddrSubnet: "192.0.2.10/24", Gateway: netip.MustParseAddr("192.0.2.1"),
		DomainName: "example.com", NTPServers: []string{"pool.ntp.org"},
		DNSServers: []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}}
	want.Ports[1].ProxyConfig = network.ProxyConfig{Exceptions: "a.example,b.example",
		Proxies: []network.ProxyEntry{{Type: network.ProxyHTTP, Server: "proxy", Port: 8080}}}
	if !network.ManualDPC.Equal(got, &want) {
		t.Fatalf("configured by hand:\n%+v\nwant\n%+v", got, want)
	}
	// The next change builds on it, although nim has not taken it in, and is newer although the clock
	// stands.
	if a := d.sets(operator.Interface{Name: "port of eth0", Mode: "static",
		Address: "198.51.100.7/25"}); !a.OK {
		t.Fatalf("refused: %+v", a)
	}
	next := d.manual()
	if next.Ports[0].AddrSubnet != "198.51.100.7/25" || next.Ports[1].AddrSubnet != "192.0.2.10/24" ||
		!next.TimePriority.After(got.TimePriority) ||
		next.Ports[0].Gateway != netip.IPv4Unspecified() {
		t.Errorf("after the second change: %+v", next)
	}
	// Proxies go only when that is asked for.
	d.sets(operator.Interface{Name: "eth1", Mode: "dhcp"})
	if p := d.manual().Ports[1]; p.Dhcp != network.DhcpClient || p.AddrSubnet != "" ||
		len(p.Proxies) != 1 {
		t.Errorf("back to DHCP: %+v", p)
	}
	d.sets(operator.Interface{Name: "eth1", Mode: "dhcp", Proxy: operator.Proxy{Mode: "none"}})
	if p := d.manual().Ports[1]; len(p.Proxies) != 0 || p.Exceptions != "" {
		t.Errorf("without proxies: %+v", p)
	}
}

func TestDEV45_ManualSurvivesRebootAndIsReverted(t *testing.T) {
	d := newDesk(t)
	d.sets(static())
	before := *d.manual()
	d.Reboot()
	d.boot()
	if got := d.manual(); got == nil || !network.ManualDPC.Equal(got, &before) ||
		!rig.IsComplete(d.Rig, network.ManualDPC) {
		t.Fatalf("after the reboot: %+v", got)
	}
	for range 2 { // the second time there is nothing to revert, which is as well
		if a := d.answered(d.asks(operator.RequestSeen{Kind: operator.Revert})); !a.OK {
			t.Errorf("refused: %+v", a)
		}
		if d.manual() != nil {
			t.Error("it is still configured by hand")
		}
	}
	d.Reboot()
	d.boot()
	if d.manual() != nil {
		t.Error("what was reverted is back after a reboot")
	}
}

type iface = operator.Interface

func TestWrongFieldsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(i *iface)
		fields []string
	}{
		"no such port":    {func(i *iface) { i.Name = "eth9" }, []string{"iface"}},
		"no name":         {func(i *iface) { i.Name = "" }, []string{"iface"}},
		"mode":            {func(i *iface) { i.Mode = "auto" }, []string{"ip.mode"}},
		"no address":      {func(i *iface) { i.Address = "192.0.2" }, []string{"ip.ip"}},
		"outside":         {func(i *iface) { i.Address = "192.0.3.1" }, []string{"ip.ip"}},
		"the net itself":  {func(i *iface) { i.Address = "192.0.2.0" }, []string{"ip.ip"}},
		"everybody's":     {func(i *iface) { i.Address = "192.0.2.255" }, []string{"ip.ip"}},
		"subnet":          {func(i *iface) { i.Subnet = "24" }, []string{"ip.subnet"}},
		"mask with holes": {func(i *iface) { i.Subnet = "255.0.255.0" }, []string{"ip.subnet"}},
		"empty mask":      {func(i *iface) { i.Subnet = "0.0.0.0" }, []string{"ip.subnet"}},
		"far gateway":     {func(i *iface) { i.Gateway = "10.0.0.1" }, []string{"ip.gateway"}},
		"own gateway":     {func(i *iface) { i.Gateway = i.Address }, []string{"ip.gateway"}},
		"two": {func(i *iface) { i.DNSServers[1], i.NTP[0] = "dns", "a b" },
			[]string{"ip.dnsServers", "ntp"}},
		"domain":     {func(i *iface) { i.Domain = "a/b" }, []string{"domain"}},
		"pac":        {func(i *iface) { i.Proxy.Mode = "pac" }, []string{"proxy.mode"}},
		"no proxy":   {func(i *iface) { i.Proxy.Servers = nil }, []string{"proxy.servers"}},
		"proxy port": {func(i *iface) { i.Proxy.Servers[0].Port = 0 }, []string{"proxy.servers"}},
		"DHCP with address": {func(i *iface) { i.Mode = "dhcp" },
			[]string{"ip.mode"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			i := static()
			c.change(&i)
			a := d.sets(i)
			var got []string
			for _, f := range a.Fields {
				got = append(got, f.Field)
				if f.Text == "" || !strings.Contains(a.Text, f.Text) {
					t.Errorf("the answer %q does not say %+v", a.Text, f)
				}
			}
			slices.Sort(got)
			if a.OK || !slices.Equal(got, c.fields) || d.manual() != nil {
				t.Errorf("answer %+v, want a refusal for %v", a, c.fields)
			}
			st := rig.Get(d.Rig, node.OperatorRequests, "00000001")
			if st == nil || st.State != node.RequestRefused || st.Reason != a.Text ||
				len(st.Fields) != len(c.fields) {
				t.Errorf("status %+v", st)
			}
		})
	}
}

func TestMasksAndFamilies(t *testing.T) {
	for _, c := range []struct {
		address, subnet, want string
		is                    network.NetworkType
	}{
		{"10.1.2.3", "255.255.240.0", "10.1.2.3/20", network.NetworkV4},
		{"10.1.2.3/31", "", "10.1.2.3/31", network.NetworkV4},
		{"10.1.2.3", "10.1.0.0/16", "10.1.2.3/16", network.NetworkV4},
		{"2001:db8::5/64", "", "2001:db8::5/64", network.NetworkV6},
	} {
		d := newDesk(t)
		if a := d.sets(operator.Interface{Name: "eth0", Mode: "static", Address: c.address,
			Subnet: c.subnet}); !a.OK {
			t.Errorf("%+v: %+v", c, a)
			continue
		}
		if p := d.manual().Ports[0]; p.AddrSubnet != c.want || p.Type != c.is {
			t.Errorf("%+v became %s of type %d", c, p.AddrSubnet, p.Type)
		}
	}
}

func TestDEV46_ServerIsSetUntilOnboarded(t *testing.T) {
	d := newDesk(t)
	set := func(server string) string {
		return d.asks(operator.RequestSeen{Kind: operator.SetServer, Server: server})
	}
	id := set("new.example:8443")
	calls := rig.Calls(d.Rig, store.SetServer)
	st := rig.Get(d.Rig, node.OperatorRequests, id)
	if len(calls) != 1 || calls[0].Req.Server != "new.example:8443" ||
		len(rig.Calls(d.Rig, operator.Answer)) != 0 || st == nil || st.State != node.RequestRunning {
		t.Fatalf("calls %+v, status %+v", calls, st)
	}
	rig.Done(d.Rig, store.SetServer, id, store.None{})
	d.Step()
	if a := d.answered(id); !a.OK {
		t.Errorf("refused: %+v", a)
	}
	id = set("full.example")
	rig.Fail(d.Rig, store.SetServer, id, agent.Fault{Code: store.FaultNoSpace, Text: "no room"})
	d.Step()
	if a := d.answered(id); a.OK || a.Text != "no room" {
		t.Errorf("what was not written was answered %+v", a)
	}
	if a := d.answered(set("http://new.example")); a.OK || len(a.Fields) != 1 {
		t.Errorf("a URL was answered %+v", a)
	}
	rig.Put(d.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: "some"})
	d.Step()
	id = set("late.example")
	if a := d.answered(id); a.OK || !strings.Contains(a.Text, "onboarded") ||
		len(rig.Calls(d.Rig, store.SetServer)) != 0 {
		t.Errorf("an onboarded device answered %+v", a)
	}
}

// A request is carried out once, whenever monitor dies, and is answered.
func TestCrashRepeatsTheAnswerAlone(t *testing.T) {
	d := newDesk(t)
	id := d.asks(operator.RequestSeen{Kind: operator.SetInterface,
		Interface: &operator.Interface{Name: "eth0", Mode: "dhcp"}})
	rev := rig.Rev(d.Rig, network.ManualDPC, "manual")
	d.Crash()
	d.Step()
	if a := d.answered(id); !a.OK || rig.Rev(d.Rig, network.ManualDPC, "manual") != rev {
		t.Errorf("after a crash it was carried out again, and answered %+v", a)
	}
	id = d.asks(operator.RequestSeen{Kind: operator.SetServer, Server: "new.example"})
	d.Crash()
	d.Step()
	for _, c := range rig.Calls(d.Rig, store.SetServer) {
		rig.Done(d.Rig, store.SetServer, c.Key, store.None{})
	}
	d.Step()
	for _, c := range rig.Calls(d.Rig, store.SetServer) { // the one before the crash fenced it
		rig.Done(d.Rig, store.SetServer, c.Key, store.None{})
	}
	d.Step()
	if a := d.answered(id); !a.OK {
		t.Errorf("a server that was being set was answered %+v", a)
	}
}

func TestAnswerThatIsNotTakenIsRepeated(t *testing.T) {
	d := newDesk(t)
	id := d.asks(operator.RequestSeen{Kind: "Dance"})
	rig.Fail(d.Rig, operator.Answer, id, agent.Fault{Code: "lost"})
	d.Step()
	if n := len(rig.Calls(d.Rig, operator.Answer)); n != 0 {
		t.Fatalf("%d answers at once", n)
	}
	d.Advance(11 * time.Second)
	if a := d.answered(id); a.OK || !strings.Contains(a.Text, "Dance") {
		t.Errorf("what cannot be done was answered %+v", a)
	}
	d.Advance(time.Hour)
	if n := len(rig.Calls(d.Rig, operator.Answer)); n != 0 {
		t.Errorf("%d answers to a request that is gone", n)
	}
}

func TestNothingToChangeYet(t *testing.T) {
	r := rig.New(t, "monitor", monitor.New)
	d := &desk{Rig: r, t: t}
	rig.Complete(r, operator.Requests)
	if a := d.sets(static()); a.OK || !strings.Contains(a.Text, "no port configuration") {
		t.Errorf("answered %+v", a)
	}
}

func TestOldRequestsAreForgotten(t *testing.T) {
	d := newDesk(t)
	for n := range 40 {
		id := "000001" + string(rune('0'+n/10)) + string(rune('0'+n%10))
		rig.Put(d.Rig, operator.Requests, operator.RequestSeen{ID: id, Kind: operator.Revert})
		d.Step()
		d.answered(id)
	}
	all := rig.Rows(d.Rig, node.OperatorRequests)
	if len(all) != 16 || all[15].ID != "00000139" {
		t.Errorf("%d stay, the last is %s", len(all), all[len(all)-1].ID)
	}
}
