package bridge

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/linux/netlab"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// blink is how long a test waits for an answer that should not come.
const blink = 150 * time.Millisecond

// wants fails the test unless somebody answers, or nobody does.
func wants(t *testing.T, s *netlab.Space, to string, want bool) {
	t.Helper()
	within := blink
	if want {
		within = 3 * time.Second // a neighbour may have to be asked for twice
	}
	if got := s.Dial(netip.MustParseAddrPort(to), within); got != want {
		t.Errorf("%s answers %v, want %v", to, got, want)
	}
}

// echo answers datagrams in a namespace with what they say.
func echo(t *testing.T, s *netlab.Space, at string) {
	t.Helper()
	var c net.PacketConn
	var err error
	s.Do(func() { c, err = net.ListenPacket("udp", at) })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
}

// talk is a flow of datagrams.
type talk struct{ c net.Conn }

func talks(t *testing.T, s *netlab.Space, to string) *talk {
	t.Helper()
	var c net.Conn
	var err error
	s.Do(func() { c, err = net.Dial("udp", to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &talk{c}
}

// answered sends a datagram and reports whether it is answered.
func (x *talk) answered(within time.Duration) bool {
	_ = x.c.SetDeadline(time.Now().Add(within))
	_, err := x.c.Write([]byte("hello"))
	if err == nil {
		_, err = x.c.Read(make([]byte, 100))
	}
	return err == nil
}

func udp(drop bool) []device.Rule {
	return []device.Rule{{RuleID: 5, Protocol: "udp", LPort: 7, Drop: drop}}
}

func mapOf(proto string, port uint16, ip string, to uint16) device.PortMap {
	return device.PortMap{Protocol: proto, In: []string{"eth0"}, Port: port, RuleID: 5,
		Target: netip.MustParseAddr(ip), ToPort: to}
}

func TestNET32_OtherRulesCountForFlowsThatAreOpen(t *testing.T) {
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", udp(false), mapOf("udp", 700, "10.1.0.2", 7)))
	g := r.plug(vifA, macA, "10.1.0.2/24")
	index := r.dev.Find(vifA).Attrs().Index
	echo(t, g.Space, "10.1.0.2:7")
	x := talks(t, r.sdn, "10.99.0.7:700")
	if !x.answered(3 * time.Second) {
		t.Fatal("a mapped port does not answer")
	}
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", udp(true), mapOf("udp", 700, "10.1.0.2", 7)))
	if x.answered(blink) {
		t.Error("a flow goes on that the rules drop")
	}
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", udp(false), mapOf("udp", 700, "10.1.0.2", 7)))
	if !x.answered(3 * time.Second) {
		t.Error("a flow does not go on that the rules admit again")
	}
	if now := r.dev.Find(vifA).Attrs(); now.Index != index || now.MasterIndex == 0 {
		t.Error("a change of rules touched the interface")
	}
}

func TestNET33_MappedPorts(t *testing.T) {
	r := newRig(t)
	r.local()
	web := []device.Rule{{RuleID: 5, Protocol: "tcp", LPort: 80}}
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", append(web, udp(false)...),
		mapOf("tcp", 8080, "10.1.0.2", 80), mapOf("udp", 700, "10.1.0.2", 7)))
	r.set("vif/"+vifB, vif(macB, "10.1.0.3", free()))
	a := r.plug(vifA, macA, "10.1.0.2/24", 80)
	b := r.plug(vifB, macB, "10.1.0.3/24", 8080)
	echo(t, a.Space, "10.1.0.2:7")
	wants(t, r.sdn, "10.99.0.7:8080", true)
	wants(t, b.Space, "10.99.0.7:8080", true) // hairpin
	wants(t, a.Space, "10.99.0.7:8080", false)
	flow := talks(t, r.sdn, "10.99.0.7:700")
	if !flow.answered(3 * time.Second) {
		t.Fatal("a mapped port does not answer")
	}

	// A port of the device with another address is mapped there, and no more here.
	r.dev.Run("ip", "addr", "add", "10.99.0.8/24", "dev", "eth0")
	r.dev.Run("ip", "addr", "del", "10.99.0.7/24", "dev", "eth0")
	r.dev.Run("ip", "addr", "add", "10.99.0.8/24", "dev", "eth0")
	r.dev.Run("ip", "route", "replace", "default", "via", "10.99.0.1")
	r.Until("the other address", func(*picture) bool {
		r.M.Lock()
		defer r.M.Unlock()
		return r.M.ports == "eth0 [10.99.0.8]\n"
	})
	wants(t, r.sdn, "10.99.0.8:8080", true)
	wants(t, b.Space, "10.99.0.8:8080", true)

	// After an edit the old port is dead, for flows that are open, too.
	flow = talks(t, r.sdn, "10.99.0.8:700")
	if !flow.answered(3 * time.Second) {
		t.Fatal("a mapped port does not answer")
	}
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", append(web, udp(false)...),
		mapOf("tcp", 8081, "10.1.0.2", 80)))
	wants(t, r.sdn, "10.99.0.8:8080", false)
	wants(t, r.sdn, "10.99.0.8:8081", true)
	if flow.answered(blink) {
		t.Error("a flow goes on whose port is not mapped any more")
	}
	// What guests may do to another by a mapped port is what the other's rules say.
	only := web[0]
	only.Remote = netip.MustParsePrefix("10.99.0.0/24")
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", []device.Rule{only}, mapOf("tcp", 8081, "10.1.0.2", 80)))
	wants(t, r.sdn, "10.99.0.8:8081", true)
	wants(t, b.Space, "10.99.0.8:8081", false)
}

func TestGuestsOfTwoInstancesByAMappedPort(t *testing.T) {
	r := newRig(t)
	r.local()
	r.set("bridge/bn2", device.Spec{Bridge: &device.BridgeSpec{MAC: "00:16:3e:01:02:02",
		Addr: netip.MustParsePrefix("10.2.0.1/24")}})
	r.set("nat/bn2", device.Spec{NAT: &device.NATSpec{Subnet: netip.MustParsePrefix("10.2.0.0/24"),
		Out: []string{"eth0"}, Table: 802, Via: "eth0"}})
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", free(), mapOf("tcp", 8080, "10.1.0.2", 80)))
	s := vif(macB, "10.2.0.3", free())
	s.Vif.Bridge = "bn2"
	r.set("vif/"+vifB, s)
	r.plug(vifA, macA, "10.1.0.2/24", 80)
	b := r.plug(vifB, macB, "10.2.0.3/24")
	b.Space.Run("ip", "route", "add", "default", "via", "10.2.0.1")
	wants(t, b.Space, "10.99.0.7:8080", true)
	wants(t, b.Space, "10.1.0.2:80", false) // by its own address nobody is reached
}

func TestGuestsGoOutAndNotIntoTheDevice(t *testing.T) {
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", free()))
	a := r.plug(vifA, macA, "10.1.0.2/24")
	for _, s := range []struct {
		in   *netlab.Space
		at   string
		want bool
	}{{r.sdn, "10.99.0.1:81", true}, {r.dev, "10.1.0.1:82", false}, {r.dev, "10.99.0.7:83", false}} {
		stop := s.in.Answer(s.at, func(from netip.AddrPort) {
			if s.want && from.Addr().Unmap().String() != "10.99.0.7" {
				t.Errorf("a guest is seen outside as %s", from)
			}
		})
		wants(t, a.Space, s.at, s.want)
		stop()
	}
}

func TestLAB8_ARateHoldsAndDropsAreCounted(t *testing.T) {
	onOneCPU(t)
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", []device.Rule{{RuleID: 1, Protocol: "253", Rate: 1,
		Unit: "h", Burst: 5}, {RuleID: 2, Protocol: "252"}}))
	r.set("vif/"+vifB, vif(macB, "10.1.0.3", free()))
	b := &bed{a: tapOf(t, r.plug(vifA, macA, "10.1.0.2/24").Space, "eth0"), r: r,
		near: tapOf(t, r.plug(vifB, macB, "10.1.0.3/24").Space, "eth0"), nearMAC: macB}
	b.joined()
	first := b.n
	to := netip.MustParseAddr("10.1.0.3")
	for i := range 20 {
		proto := uint8(253)
		if i >= 12 {
			proto = 252 - uint8(i%2) // 252 passes, 251 does not
		}
		b.a.send(append(ethernet(macA, macB, true),
			ip(proto, guestIPs[true], to, 0, tag(b.n))...))
		b.n++
	}
	got := b.near.until(b.last(b.a, macA, macB))
	for i := range 20 {
		if want := i < 5 || i >= 12 && i%2 == 0; got[first+i] != want {
			t.Errorf("packet %d of 20 passes %v, want %v", i, got[first+i], want)
		}
	}
	res, f := r.M.counters(t.Context())
	if f != nil || len(res.Counters) != 2 {
		t.Fatalf("%+v %+v", res, f)
	}
	if c := res.Counters[0]; c.Vif != vifA || c.TxACLDrops != 7+4 || c.TxPkts < 20 ||
		c.TxBytes < 20*34 {
		t.Errorf("counters %+v, want 11 drops of what the guest sent", c)
	}
	// Counters do not go back when the rules change, nor when somebody takes them away.
	r.dev.Run("nft", "flush", "ruleset")
	r.Until("the loss", func(x *picture) bool { return !x.has("vif/" + vifA) })
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
	res, f = r.M.counters(t.Context())
	if f != nil || res.Counters[0].TxACLDrops < 11 {
		t.Errorf("after all was taken away and set again: %+v %+v", res, f)
	}
}

func TestLaterFragmentsPassAndFirstOnesAreChecked(t *testing.T) {
	onOneCPU(t)
	r := newRig(t)
	r.local()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", []device.Rule{{RuleID: 1, Protocol: "udp", FPort: 9}}))
	r.set("vif/"+vifB, vif(macB, "10.1.0.3", free()))
	b := &bed{a: tapOf(t, r.plug(vifA, macA, "10.1.0.2/24").Space, "eth0"), r: r,
		near: tapOf(t, r.plug(vifB, macB, "10.1.0.3/24").Space, "eth0"), nearMAC: macB}
	b.joined()
	r.dev.Sysctl("net/bridge/bridge-nf-call-iptables", "0") // it would put fragments together
	to := netip.MustParseAddr("10.1.0.3")
	head := func(port byte) []byte { return []byte{0, 5, 0, port, 0, 64, 0, 0} }
	for _, x := range []struct {
		frag uint16
		port byte
		want bool
	}{{0x2000, 9, true}, {0x2000, 10, false}, {0x0004, 9, true}} {
		body := append(head(x.port), append(tag(b.n), make([]byte, 32)...)...)[:32]
		n := b.n
		b.a.send(append(ethernet(macA, macB, true), ip(17, guestIPs[true], to, x.frag, body)...))
		b.n++
		if got := b.near.until(b.last(b.a, macA, macB)); got[n] != x.want {
			t.Errorf("fragment %#x to port %d passes %v, want %v", x.frag, x.port, got[n], x.want)
		}
	}
}

// TestAThousandRules is the most that zedrouter asks for on one interface, among other guests.
func TestAThousandRules(t *testing.T) {
	r := newRig(t)
	r.local()
	var rules []device.Rule
	for i := range 1000 {
		rules = append(rules, device.Rule{RuleID: int32(i), Protocol: "tcp", FPort: uint16(i + 1),
			Remote: netip.MustParsePrefix("192.0.2.0/24"), Rate: 5, Unit: "s", Burst: 10})
	}
	for i := range 30 {
		r.set(fmt.Sprintf("vif/nbu1x%d", i+10), vif(macA, "10.1.0.2", free()))
	}
	start := time.Now()
	r.set("vif/"+vifA, vif(macA, "10.1.0.2", rules))
	t.Logf("1000 rules with a rate in %v", time.Since(start))
	start = time.Now()
	r.set("vif/nbu1x10", vif(macA, "10.1.0.2", nil))
	t.Logf("no rules among them in %v", time.Since(start))
}
