package nic

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/netkernel"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/nic"
)

func TestNET14_MetricAndRulePerPort(t *testing.T) {
	r := newRig(t)
	r.does("link/eth0", link(1500))
	r.does("static/eth0", static("10.99.0.7/24", "10.99.0.1"))
	if got := r.via("10.99.0.7"); !strings.Contains(got, "unreachable") {
		t.Errorf("without a route item packets leave through %s", got)
	}
	for metric, want := range map[int]string{5000: "10.99.0.1 metric 5000",
		10001: "10.99.0.1 metric 10001"} {
		r.does("route/eth0", route(metric, 502))
		rules, err := r.dev.Link.RuleList(netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		n := slices.IndexFunc(rules, func(x netlink.Rule) bool { return x.Priority == 15000 })
		if n < 0 || rules[n].Table != 502 || rules[n].Src.String() != "10.99.0.7/32" {
			t.Errorf("rules %v", rules)
		}
		if r.mains() != want {
			t.Errorf("default routes %q, want %q", r.mains(), want)
		}
		if got := r.via("10.99.0.7"); got != "10.99.0.1" {
			t.Errorf("packets leave through %s", got)
		}
	}
	// The port's own table decides, not the main one.
	r.dev.Run("ip", "route", "del", "default")
	if got := r.via("10.99.0.7"); got != "10.99.0.1" {
		t.Errorf("without a default in the main table packets of the port leave through %s", got)
	}
	r.Until("the item to vanish", func(x *picture) bool { return !seen(x, "route/eth0") })
	r.does("route/eth0", route(5000, 503))
	if strings.Contains(r.network(), "502") {
		t.Errorf("the table that was left has something in it:\n%s", r.network())
	}
	if f := r.clear("route/eth0"); f != nil {
		t.Fatal(f)
	}
	if n := r.network(); strings.Contains(n, "route ") || strings.Contains(n, "rule ") {
		t.Errorf("after the item:\n%s", n)
	}
}

func TestNET16_GatewayZeroIsNoDefaultRoute(t *testing.T) {
	r := newRig(t)
	r.does("link/eth0", link(1500))
	r.does("static/eth0", static("10.99.0.7/24", "10.99.0.1"))
	r.does("route/eth0", route(5000, 502))
	if r.mains() == "" {
		t.Error("a gateway makes no default route")
	}
	r.does("static/eth0", static("10.99.0.7/24", "0.0.0.0"))
	if got := r.mains(); got != "" || r.via("10.99.0.7") == "10.99.0.1" {
		t.Errorf("with gateway 0.0.0.0: default routes %q", got)
	}
	if !strings.Contains(r.network(), "rule 15000 from 10.99.0.7/32 lookup 502") {
		t.Errorf("the rule went with the gateway:\n%s", r.network())
	}
}

// TestForeignRoutesAndAddressesStay has somebody else on the device whose things are not ours.
func TestForeignRoutesAndAddressesStay(t *testing.T) {
	r := newRig(t)
	r.does("link/eth0", link(1500))
	r.does("static/eth0", static("10.99.0.7/24", "10.99.0.1"))
	r.does("route/eth0", route(5000, 502))
	r.dev.Run("ip", "addr", "add", "10.50.0.1/24", "dev", "eth0")
	r.dev.Run("ip", "route", "add", "10.51.0.0/24", "via", "10.99.0.3", "dev", "eth0")
	r.dev.Run("ip", "rule", "add", "from", "10.52.0.1", "lookup", "502", "prio", "99")
	r.has("10.50.0.1/24", "10.99.0.7/24")
	r.does("route/eth0", route(5001, 502))
	for _, item := range []string{"route/eth0", "static/eth0"} {
		if f := r.clear(item); f != nil {
			t.Fatal(f)
		}
	}
	r.has("10.50.0.1/24")
	rules, err := r.dev.Link.RuleList(netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(rules, func(x netlink.Rule) bool { return x.Priority == 99 }) {
		t.Error("a rule of somebody else is gone")
	}
}

// steps is a device's life as ops; each leaves the network as want says after all were done.
func steps(r *rig) []func() *agent.Fault {
	set := func(item string, s device.Spec) func() *agent.Fault {
		return func() *agent.Fault { return r.set(item, s) }
	}
	clear := func(item string) func() *agent.Fault {
		return func() *agent.Fault { return r.clear(item) }
	}
	return []func() *agent.Fault{
		set("link/eth0", link(1400)),
		set("static/eth0", static("10.99.0.7/24", "10.99.0.1")),
		set("route/eth0", route(5000, 502)),
		set("resolv/global", device.Spec{Resolv: &device.ResolvSpec{Search: []string{"a.example"}}}),
		set("static/eth0", static("10.99.0.8/24", "10.99.0.2")),
		set("route/eth0", route(5001, 503)),
		clear("resolv/global"),
		clear("route/eth0"),
		set("link/eth0", link(1500)),
		set("route/eth0", route(5002, 502)),
	}
}

// TestCrashBehindEachChangeOfTheKernel ends the process behind each change in turn, starts another
// one and does the op again, as nim does with an item that it does not see.
func TestCrashBehindEachChangeOfTheKernel(t *testing.T) {
	r := newRig(t)
	want, whole := r.life(0)
	if whole < 20 || !strings.Contains(want, "metric 5002") {
		t.Fatalf("%d changes lead to\n%s", whole, want)
	}
	t.Logf("%d changes", whole)
	for n := 1; n <= whole; n++ {
		if got, _ := r.life(n); got != want {
			t.Fatalf("after a crash behind change %d:\n%s\nwant\n%s", n, got, want)
		}
	}
}

// life runs all steps with a crash behind change n, and clears all; it returns what the network was
// like at the end, and how many changes there were.
func (r *rig) life(n int) (network string, counted int) {
	r.t.Helper()
	crash := errors.New("crash")
	dead, changes := false, 0
	var mu sync.Mutex // changes follow from events, too
	died := func() bool { mu.Lock(); defer mu.Unlock(); return dead }
	r.Stop()
	r.o.after = func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if changes++; changes == n || dead {
			dead = true
			return crash
		}
		return nil
	}
	r.Start()
	list := steps(r)
	last := len(list) - 1
	for _, item := range []string{"route/eth0", "static/eth0", "link/eth0"} {
		list = append(list, func() *agent.Fault { return r.clear(item) })
	}
	for i, step := range list {
		f := step()
		if !died() && f != nil {
			r.t.Fatalf("crash %d: %+v", n, *f)
		}
		if died() {
			r.Stop()
			mu.Lock()
			dead = false
			mu.Unlock()
			r.Start()
			if f := step(); f != nil {
				r.t.Fatalf("again after crash %d: %+v", n, *f)
			}
		}
		if i == last {
			network = r.network()
		}
	}
	if left := r.network(); !strings.HasPrefix(left, "up false mtu 1500\n\n") {
		r.t.Fatalf("crash %d left behind:\n%s", n, left)
	}
	mu.Lock()
	defer mu.Unlock()
	return network, changes
}

// TestCountersOutliveTheirInterface replaces a card: the kernel counts from 0, the part goes on.
func TestCountersOutliveTheirInterface(t *testing.T) {
	r := newRig(t)
	r.does("link/eth0", link(1500))
	r.does("static/eth0", static("10.99.0.7/24", ""))
	send := func(n int) device.Counter {
		r.dev.Run("ip", "neigh", "replace", "10.99.0.9", "lladdr", "02:00:00:00:00:09", "dev", "eth0")
		r.dev.Do(func() { datagrams(t, n) })
		res, f := r.M.counters(t.Context())
		if f != nil || len(res.Counters) != 1 || res.Counters[0].IfName != "eth0" {
			t.Fatalf("counters %+v, %+v", res, f)
		}
		return res.Counters[0]
	}
	was := send(200)
	r.dev.Run("ip", "link", "del", "eth0")
	r.Until("eth0 to vanish", func(x *picture) bool { return len(x.links) == 0 })
	r.dev.Run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
	r.dev.Run("ip", "link", "set", "far0", "up")
	r.Until("another eth0", func(x *picture) bool { return len(x.links) == 1 && !x.links[0].Up })
	r.does("link/eth0", link(1500))
	r.does("static/eth0", static("10.99.0.7/24", ""))
	// More than before, so that the new interface's own counters say nothing of another one.
	if is := send(300); is.TxPkts < was.TxPkts+300 || is.TxBytes <= was.TxBytes {
		t.Errorf("counters went from %+v to %+v", was, is)
	}
}

// TestStormOfEvents has somebody change addresses as fast as the kernel can: what is seen in the
// end is what is there, and looks are fewer than events.
func TestStormOfEvents(t *testing.T) {
	r := newRig(t)
	r.does("link/eth0", link(1500))
	l := r.dev.Find("eth0")
	before := r.Looks()
	const events = 2000
	for i := range events / 2 {
		a := &netlink.Addr{IPNet: netkernel.IPNet(netip.PrefixFrom(
			netip.AddrFrom4([4]byte{10, 60, byte(i >> 8), byte(i)}), 24))}
		if err := r.dev.Link.AddrAdd(l, a); err != nil {
			t.Fatal(err)
		}
		if i == events/2-1 {
			break
		}
		if err := r.dev.Link.AddrDel(l, a); err != nil {
			t.Fatal(err)
		}
	}
	r.has("10.60.3.231/24")
	looks := r.Looks() - before
	t.Logf("%d looks for %d events", looks, events)
	if looks > events/4 {
		t.Errorf("%d looks for %d events", looks, events)
	}
}

// datagrams sends some to a host behind the interface that does not answer.
func datagrams(t *testing.T, n int) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer unix.Close(fd)
	for range n {
		err := unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{10, 99, 0, 9}})
		if err != nil {
			t.Error(err)
			return
		}
	}
}
