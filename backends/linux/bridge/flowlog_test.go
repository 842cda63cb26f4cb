package bridge

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// logged is an interface with a flow log.
func logged(mac, ip string, rules []device.Rule, maps ...device.PortMap) device.Spec {
	s := vif(mac, ip, rules, maps...)
	s.Vif.FlowLog, s.Vif.Adapter, s.Vif.Network = true, "net0", "ni"
	return s
}

// rests has the kernel remember connections without ports' traffic for so short a time that each
// collection finds them at rest.
func (r *rig) rests() {
	for _, name := range []string{"udp_timeout", "udp_timeout_stream", "icmp_timeout",
		"tcp_timeout_time_wait", "tcp_timeout_close"} {
		r.dev.Sysctl("net/netfilter/nf_conntrack_"+name, "100")
	}
}

// collect returns the records of flows as text, and what it was.
func (r *rig) collect(after device.FlowMark) ([]string, device.FlowsRes) {
	r.t.Helper()
	res, f := r.M.flows(r.t.Context(), &device.FlowsReq{After: after})
	if f != nil {
		r.t.Fatalf("%+v", *f)
	}
	var out []string
	for _, x := range res.Flows {
		what := "accepted"
		if x.Dropped {
			what = "dropped"
		}
		dir := "out"
		if x.Inbound {
			dir = "in"
		}
		out = append(out, fmt.Sprintf("%s %s %d %s:%d %s:%d %s by %d tx %d rx %d", x.Vif, dir,
			x.Protocol, x.Local, x.LocalPort, x.Remote, x.RemotePort, what, x.RuleID, x.TxPkts,
			x.RxPkts))
		if x.App != "app" || x.Adapter != "net0" || x.Network != "ni" {
			r.t.Errorf("endpoint %+v", x.Endpoint)
		}
		if x.Began.IsZero() || time.Since(x.Began) > time.Minute || x.Ended.Before(x.Began) {
			r.t.Errorf("from %v to %v", x.Began, x.Ended)
		}
		if (x.TxPkts > 0) != (x.TxBytes > 0) || (x.RxPkts > 0) != (x.RxBytes > 0) {
			r.t.Errorf("bytes %d and %d", x.TxBytes, x.RxBytes)
		}
	}
	slices.Sort(out)
	return out, res
}

// says sends datagrams from a port and returns how many were answered.
func says(t *testing.T, s *netlab.Space, from, to string, n int, within time.Duration) (got int) {
	t.Helper()
	var c net.Conn
	var err error
	s.Do(func() {
		d := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from))}
		c, err = d.Dial("udp", to)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	x := &talk{c}
	for range n {
		if x.answered(within) {
			got++
		}
	}
	return got
}

func wantFlows(t *testing.T, got []string, want ...string) {
	t.Helper()
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("flows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNET36_LAB8_FlowsOfAGuest(t *testing.T) {
	r := newRig(t)
	r.local()
	rules := []device.Rule{{RuleID: 4, Protocol: "udp", FPort: 11, Drop: true},
		{RuleID: 3, Protocol: "udp", FPort: 9}, {RuleID: 5, Protocol: "udp", LPort: 7}}
	r.set("vif/"+vifA, logged(macA, "10.1.0.2", rules, mapOf("udp", 700, "10.1.0.2", 7)))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	r.rests()
	echo(t, a.Space, "10.1.0.2:7")
	echo(t, r.sdn, "10.99.0.1:9")
	if n := says(t, a.Space, "10.1.0.2:2000", "10.99.0.1:9", 2, 3*time.Second); n != 2 {
		t.Fatalf("%d answers", n)
	}
	says(t, a.Space, "10.1.0.2:2001", "10.99.0.1:10", 3, blink)
	says(t, a.Space, "10.1.0.2:2002", "10.99.0.1:11", 1, blink)
	if n := says(t, r.sdn, "10.99.0.1:3000", "10.99.0.7:700", 1, 3*time.Second); n != 1 {
		t.Fatal("the mapped port does not answer")
	}
	got, res := r.collect(device.FlowMark{})
	want := []string{
		"nbu1x1 out 17 10.1.0.2:2000 10.99.0.1:9 accepted by 3 tx 2 rx 2",
		"nbu1x1 out 17 10.1.0.2:2001 10.99.0.1:10 dropped by 0 tx 3 rx 0",
		"nbu1x1 out 17 10.1.0.2:2002 10.99.0.1:11 dropped by 4 tx 1 rx 0",
		"nbu1x1 in 17 10.1.0.2:7 10.99.0.1:3000 accepted by 5 tx 1 rx 1"}
	wantFlows(t, got, want...)
	if again, _ := r.collect(device.FlowMark{}); !slices.Equal(again, got) {
		t.Errorf("without a mark the same again: %v", again)
	}

	// What goes on after it was recorded is another record, of what is new.
	says(t, a.Space, "10.1.0.2:2000", "10.99.0.1:9", 1, 3*time.Second)
	says(t, a.Space, "10.1.0.2:2002", "10.99.0.1:11", 2, blink)
	got, res = r.collect(res.Upto)
	wantFlows(t, got, "nbu1x1 out 17 10.1.0.2:2000 10.99.0.1:9 accepted by 3 tx 1 rx 1",
		"nbu1x1 out 17 10.1.0.2:2002 10.99.0.1:11 dropped by 4 tx 2 rx 0")

	// Without a flow log nothing is recorded, and the interface is not touched.
	var err error
	index := r.dev.Find(vifA).Attrs().Index
	says(t, a.Space, "10.1.0.2:2003", "10.99.0.1:9", 1, 3*time.Second)
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", rules, mapOf("udp", 700, "10.1.0.2", 7)))
	says(t, a.Space, "10.1.0.2:2004", "10.99.0.1:9", 1, 3*time.Second)
	says(t, a.Space, "10.1.0.2:2004", "10.99.0.1:11", 1, blink)
	got, res = r.collect(res.Upto)
	wantFlows(t, got)
	if now := r.dev.Find(vifA).Attrs(); now.Index != index || now.MasterIndex == 0 {
		t.Error("the flow log touched the interface")
	}
	if d, err := r.M.dump(); err != nil || noting(d.counts, vifA) {
		t.Errorf("drops are noted without a flow log: %v %v", d.counts, err)
	}
	var acct []byte
	r.dev.Do(func() { acct, err = os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_acct") })
	if err != nil || string(acct) != "0\n" {
		t.Errorf("connections are counted without a flow log: %q %v", acct, err)
	}
}

// A guest's last flows are told after its end, and by a process that came later.
func TestFlowsOutliveTheGuestAndTheProcess(t *testing.T) {
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, logged(macA, "10.1.0.2", []device.Rule{{RuleID: 3, Protocol: "udp", FPort: 9}}))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	echo(t, r.sdn, "10.99.0.1:9")
	says(t, a.Space, "10.1.0.2:2000", "10.99.0.1:9", 1, 3*time.Second)
	says(t, a.Space, "10.1.0.2:2000", "10.99.0.1:10", 1, blink)
	r.Stop()
	r.Start()
	r.Until("vif/"+vifA, func(x *picture) bool { return x.attached(vifA) })
	got, res := r.collect(device.FlowMark{Life: 1, Number: 100})
	wantFlows(t, got, "nbu1x1 out 17 10.1.0.2:2000 10.99.0.1:10 dropped by 0 tx 1 rx 0")
	a.Unplug()
	r.clear("vif/" + vifA)
	got, _ = r.collect(res.Upto)
	wantFlows(t, got, "nbu1x1 out 17 10.1.0.2:2000 10.99.0.1:9 accepted by 3 tx 1 rx 1")
}

// resolver asks the dnsmasq of bn1 from a guest.
func resolver(s *netlab.Space) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (
		c net.Conn, err error,
	) {
		s.Do(func() { c, err = new(net.Dialer).DialContext(ctx, network, "10.1.0.1:53") })
		return c, err
	}}
}

func TestNET36_NamesThatAGuestAsksFor(t *testing.T) {
	r := newRig(t)
	r.local()
	at := netip.MustParseAddr
	r.set("service/bn1", device.Spec{Service: &device.ServiceSpec{FlowLog: true,
		Subnet: netip.MustParsePrefix("10.1.0.0/24"), Gateway: at("10.1.0.1"), Start: at("10.1.0.2"),
		End: at("10.1.0.100"), LeaseTime: time.Hour, Domain: "apps.example",
		Names: []device.Name{{Name: "web.apps.example", IPs: []netip.Addr{at("10.1.0.9"),
			at("10.1.0.8"), at("fd00::8")}}}}})
	r.set("vif/"+vifA, logged(macA, "10.1.0.2", free()))
	r.set("vif/"+vifB, vif(macB, "10.1.0.3", free()))
	a, b := r.plug(vifA, macA, "10.1.0.2/24"), r.plug(vifB, macB, "10.1.0.3/24")
	for _, s := range []*netlab.Space{a.Space, b.Space} {
		if got, err := resolver(s).LookupHost(t.Context(), "web.apps.example."); err != nil ||
			len(got) != 3 {
			t.Fatalf("%v %v", got, err)
		}
	}
	_, err := resolver(a.Space).LookupHost(t.Context(), "none.apps.example.")
	if err == nil {
		t.Fatal("a name that nobody has is resolved")
	}
	var names []string
	flows, res := r.collect(device.FlowMark{})
	for _, l := range res.Lookups {
		names = append(names, fmt.Sprint(l.Vif, " ", l.Name, " ", l.Addrs))
		if time.Since(l.At) > time.Minute {
			t.Errorf("asked for at %v", l.At)
		}
	}
	slices.Sort(names)
	wantFlows(t, names, "nbu1x1 web.apps.example [10.1.0.8 10.1.0.9 fd00::8]",
		"nbu1x1 none.apps.example []")
	wantFlows(t, flows) // what every guest needs is no flow
}

// A switch network instance has no addresses of its own; its guests' were learned. What it admits
// is seen where the kernel has br_netfilter.
func TestFlowsOfASwitch(t *testing.T) {
	r := newRig(t)
	r.set("bridge/bn2", device.Spec{Bridge: &device.BridgeSpec{MAC: "00:16:3e:01:02:02", MTU: 1500}})
	of := func(mac string, rules []device.Rule) device.Spec {
		s := logged(mac, "10.1.0.2", rules)
		s.Vif.Bridge, s.Vif.IP = "bn2", netip.Addr{}
		return s
	}
	r.set("vif/"+vifA, of(macA, []device.Rule{{RuleID: 3, Protocol: "udp", FPort: 9}}))
	s := vif(macB, "10.5.0.3", free())
	s.Vif.Bridge, s.Vif.IP = "bn2", netip.Addr{}
	r.set("vif/"+vifB, s)
	a, b := r.plug(vifA, macA, "10.5.0.2/24"), r.plug(vifB, macB, "10.5.0.3/24")
	r.rests()
	echo(t, b.Space, "10.5.0.3:9")
	says(t, a.Space, "10.5.0.2:2000", "10.5.0.3:9", 1, 3*time.Second)
	says(t, a.Space, "10.5.0.2:2000", "10.5.0.3:10", 1, blink)
	r.Until("the guest's address", func(x *picture) bool {
		return slices.ContainsFunc(x.vifs, func(v device.VifSeen) bool {
			return v.Vif == vifA && slices.Contains(v.IPs, netip.MustParseAddr("10.5.0.2"))
		})
	})
	want := []string{"nbu1x1 out 17 10.5.0.2:2000 10.5.0.3:10 dropped by 0 tx 1 rx 0"}
	if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables"); err == nil {
		want = append(want, "nbu1x1 out 17 10.5.0.2:2000 10.5.0.3:9 accepted by 3 tx 1 rx 1")
	}
	got, _ := r.collect(device.FlowMark{})
	wantFlows(t, got, want...)
}
