package bridge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// errPower is a process that ends at a point of the test's choice.
var errPower = errors.New("the process ends here")

// step is an op of a test.
type step struct {
	item string
	spec *device.Spec // nil: it is cleared
}

// life is what a network instance with a guest goes through.
func life() []step {
	at := netip.MustParseAddr
	web := []device.Rule{{RuleID: 5, Protocol: "tcp", LPort: 80}}
	spec := func(s device.Spec) *device.Spec { return &s }
	subnet := netip.MustParsePrefix("10.1.0.0/24")
	service := device.Spec{Service: &device.ServiceSpec{Subnet: subnet, Gateway: at("10.1.0.1"),
		Start: at("10.1.0.2"), End: at("10.1.0.100"), LeaseTime: time.Hour,
		Hosts: []device.Host{{MAC: macA, IP: at("10.1.0.2"), Name: "uuid-a"}}}}
	more := *service.Service
	more.Hosts = append(slices.Clone(more.Hosts),
		device.Host{MAC: macB, IP: at("10.1.0.3"), Name: "b"})
	br := device.Spec{Bridge: &device.BridgeSpec{MAC: bridgeMAC, MTU: 1400, STP: true,
		Addr: netip.MustParsePrefix("10.1.0.1/24")}}
	nat := func(table int) *device.Spec {
		return &device.Spec{NAT: &device.NATSpec{Subnet: subnet, Out: []string{"eth0"}, Table: table,
			Via: "eth0"}}
	}
	return []step{{"bridge/bn1", &br}, {"service/bn1", &service}, {"nat/bn1", nat(801)},
		{"vif/" + vifA, spec(vif(macA, "10.1.0.2", web, mapOf("tcp", 8080, "10.1.0.2", 80)))},
		{"nat/bn1", nat(802)}, {"service/bn1", &device.Spec{Service: &more}},
		{"vif/" + vifA, spec(vif(macA, "10.1.0.2", web, mapOf("tcp", 8081, "10.1.0.2", 80)))},
		{"vif/" + vifA, nil}, {"nat/bn1", nil}, {"service/bn1", nil}, {"bridge/bn1", nil}}
}

// state is what the kernel has of ours, as text.
func (r *rig) state() string {
	r.t.Helper()
	r.M.Lock()
	defer r.M.Unlock()
	d, err := r.M.dump()
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for i := range d.Routes {
		if w := &d.Routes[i]; w.Protocol == protocol {
			_, key, _ := strings.Cut(routeWay(w).Key, " ")
			out = append(out, "route "+strings.ReplaceAll(key, fmt.Sprintf("dev %d", r.M.indices["bn1"]),
				"dev bn1"))
		}
	}
	for i := range d.Rules {
		out = append(out, ruleWay(&d.Rules[i]).Key)
	}
	for name, n := range d.counts {
		out = append(out, fmt.Sprintf("%s: %d rules", name, n))
	}
	for _, l := range d.Links {
		a := l.Attrs()
		if a.Name != "lo" {
			out = append(out, fmt.Sprintf("%s mtu %d up %v port %v %v", a.Name, a.MTU, netkernel.IsUp(l),
				a.MasterIndex > 0, d.addresses(a.Name)))
		}
	}
	for name, s := range r.M.services {
		out = append(out, fmt.Sprintf("service %s serves %v", name, s.serves()))
	}
	for key := range r.M.shown {
		out = append(out, "shown "+key)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// do carries a step out; an error is that of the test's choice.
func (r *rig) do(s step) error {
	return r.M.Change(func() error {
		if s.spec == nil {
			return r.M.clear(s.item)
		}
		return r.M.set(s.item, *s.spec)
	})
}

// TestAProcessThatEndsAtAnyPoint ends the process behind each single change of each op of a life,
// starts another one, and repeats the op: what is there then is what would be there without it.
func TestAProcessThatEndsAtAnyPoint(t *testing.T) {
	steps := life()
	var want []string
	var changes []int
	plain := newRig(t)
	g := plain.lab.Guest(plain.dev, vifA)
	g.Plug(macA, false)
	n := 0
	plain.after = func(string) error { n++; return nil }
	for _, s := range steps {
		n = 0
		if err := plain.do(s); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, n)
		want = append(want, plain.state())
	}
	if last := want[len(want)-1]; strings.Contains(last, "bn1") || strings.Contains(last, "rules") {
		t.Fatalf("after all was cleared there is\n%s", last)
	}
	r := newRig(t)
	r.lab.Guest(r.dev, vifA).Plug(macA, false)
	cuts := 0
	for i, s := range steps {
		for at := range changes[i] {
			left := at
			r.after = func(string) error {
				if left--; left < 0 {
					return errPower
				}
				return nil
			}
			if err := r.do(s); !errors.Is(err, errPower) {
				break // this op was half done before, and has less to do
			}
			cuts++
			r.Restart()
		}
		r.after = nil
		for range 2 {
			if err := r.do(s); err != nil {
				t.Fatalf("step %d, %s: %v", i, s.item, err)
			}
		}
		if is := r.state(); is != want[i] {
			t.Fatalf("step %d, %s: there is\n%s\nwant\n%s", i, s.item, is, want[i])
		}
	}
	t.Logf("%d cuts in %v changes", cuts, changes)
	if cuts < len(steps) {
		t.Errorf("%d cuts only", cuts)
	}
}

func TestNET39_AnotherProcessTouchesNoFlow(t *testing.T) {
	r := newRig(t)
	r.local(device.Host{MAC: macA, IP: netip.MustParseAddr("10.1.0.2"), Name: "uuid-a"})
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", udp(false), mapOf("udp", 700, "10.1.0.2", 7)))
	g := r.plug(vifA, macA, "10.1.0.2/24")
	echo(t, g.Space, "10.1.0.2:7")
	flow := talks(t, r.sdn, "10.99.0.7:700")
	if !flow.answered(3 * time.Second) {
		t.Fatal("a mapped port does not answer")
	}
	asks(t, g.Space)
	r.Until("the address in use", func(x *picture) bool { return len(x.vifs[0].IPs) == 1 })
	before := r.state()
	index := r.dev.Find(vifA).Attrs().Index
	r.Stop()
	if !flow.answered(time.Second) {
		t.Error("a flow ended with the process")
	}
	r.Start()
	if !flow.answered(time.Second) {
		t.Error("a flow ended with the next process")
	}
	r.Until("all items", func(x *picture) bool {
		return len(x.items) == 4 && x.attached(vifA) && len(x.vifs[0].IPs) == 1
	})
	if now := r.state(); now != before || r.dev.Find(vifA).Attrs().Index != index {
		t.Errorf("another process has\n%s\nwant\n%s", now, before)
	}
}
