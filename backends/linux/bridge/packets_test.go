package bridge

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	sim "github.com/evetwin/evetwin/backends/sim/bridge"
	device "github.com/evetwin/evetwin/core/device/bridge"
)

// sets is how many sets of access rules are tried in each kind of instance, and probes how many
// packets with each.
const (
	sets   = 40
	probes = 60
)

// remotes are addresses that rules and packets are drawn from.
func remotes() []netip.Addr {
	var out []netip.Addr
	for _, a := range []string{"10.1.0.3", "10.1.0.77", "192.0.2.9", "192.0.2.200", "198.51.100.4",
		"fd00:1::3", "fd00:1::77", "2001:db8::9", "2001:db8:1::9"} {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// drawRules draws a set of access rules.
func drawRules(r *rand.Rand) []device.Rule {
	var out []device.Rule
	list := remotes()
	for i := range r.IntN(7) {
		x := device.Rule{RuleID: int32(i + 1), Drop: r.IntN(3) == 0,
			Protocol: []string{"", "tcp", "udp", "icmp", "icmpv6", "6", "253"}[r.IntN(7)]}
		if r.IntN(3) > 0 {
			a := list[r.IntN(len(list))]
			bits := []int{0, 8, 17, a.BitLen() - 8, a.BitLen() - 3, a.BitLen()}[r.IntN(6)]
			x.Remote, _ = a.Prefix(bits)
		}
		if x.Protocol == "tcp" || x.Protocol == "udp" {
			x.FPort = []uint16{0, 0, 53, 80, 443}[r.IntN(5)]
			x.LPort = []uint16{0, 0, 80, 5000}[r.IntN(4)]
		}
		if r.IntN(10) == 0 {
			x.Remote, x.Host = netip.Prefix{}, "nobody.example"
		}
		out = append(out, x)
	}
	return out
}

// drawPacket draws a packet.
func drawPacket(r *rand.Rand) sim.Packet {
	list := remotes()
	p := sim.Packet{Out: r.IntN(2) == 0, Remote: list[r.IntN(len(list))],
		Proto: []uint8{6, 6, 17, 17, 1, 253}[r.IntN(6)]}
	if p.Proto == 1 && p.Remote.Is6() {
		p.Proto, p.Type = 58, 128
	}
	if p.Proto == 6 || p.Proto == 17 {
		p.RPort = []uint16{53, 80, 443, 1234}[r.IntN(4)]
		p.LPort = []uint16{80, 5000, 6000}[r.IntN(3)]
	}
	return p
}

// bed is what packets are sent between: guest A, whose rules are tried, an end on its bridge, and,
// for a local network instance, one behind the device.
type bed struct {
	r       *rig
	rand    *rand.Rand
	a, near *tap
	nearMAC string
	far     *tap
	// gateway is the address of the bridge; invalid in a switch network instance.
	gateway netip.Addr
	n       int
}

// guestIPs are the addresses of guest A.
var guestIPs = map[bool]netip.Addr{true: netip.MustParseAddr("10.1.0.2"),
	false: netip.MustParseAddr("fd00:1::2")}

// probe sends a packet of guest A, or to it, with a number.
func (b *bed) probe(from *tap, p sim.Packet, fromMAC, toMAC string) {
	from.send(frame(p, guestIPs[p.Remote.Is4()], fromMAC, toMAC, tag(b.n)))
	b.n++
}

// last sends a frame that passes by all rules, and returns its number.
func (b *bed) last(from *tap, fromMAC, toMAC string) int {
	f := ethernet(fromMAC, toMAC, true)
	f[12], f[13] = 8, 6
	from.send(append(append(f, make([]byte, 28)...), tag(b.n)...))
	b.n++
	return b.n - 1
}

// joined sends until something arrives: the kernel has a new port forward only when it has got
// round to it.
func (b *bed) joined() {
	b.near.patience(50 * time.Millisecond)
	for range 100 {
		n := b.last(b.a, macA, b.nearMAC)
		if b.near.any()[n] {
			break
		}
	}
	b.near.patience(5 * time.Second)
}

// beside sends packets on the bridge and returns the numbers of those that arrived.
func (b *bed) beside(list []sim.Packet, out bool) map[int]bool {
	from, to, fromMAC, toMAC := b.near, b.a, b.nearMAC, macA
	if out {
		from, to, fromMAC, toMAC = to, from, toMAC, fromMAC
	}
	for _, p := range list {
		b.probe(from, p, fromMAC, toMAC)
	}
	return to.until(b.last(from, fromMAC, toMAC))
}

// through sends packets through the device and returns the numbers of those that arrived.
func (b *bed) through(list []sim.Packet, out bool) map[int]bool {
	if out {
		for _, p := range list {
			b.probe(b.a, p, macA, bridgeMAC)
		}
		p := sim.Packet{Out: true, Proto: 6, RPort: 80, LPort: 4000,
			Remote: netip.MustParseAddr("10.99.0.1")} // guest B may send all
		b.near.send(frame(p, netip.MustParseAddr("10.1.0.3"), macB, bridgeMAC, tag(b.n)))
		b.n++
		return b.far.until(b.n - 1)
	}
	for _, p := range list {
		b.probe(b.far, p, "02:00:00:00:99:01", "02:00:00:00:99:00")
	}
	// Guest B takes all; what was sent before has arrived where it may.
	b.far.send(append(ethernet("02:00:00:00:99:01", "02:00:00:00:99:00", true), ip(254,
		netip.MustParseAddr("10.99.0.1"), netip.MustParseAddr("10.1.0.3"), 0, tag(b.n))...))
	b.n++
	b.near.until(b.n - 1)
	return b.a.arrived()
}

// try holds one set of rules against the evaluation of the model.
func (b *bed) try(t *testing.T) {
	rules := drawRules(b.rand)
	b.r.set("vif/"+vifA, vif(macA, "10.1.0.2", rules))
	home := netip.MustParsePrefix("10.1.0.0/24")
	lists := map[[2]bool][]sim.Packet{}
	for range probes {
		p := drawPacket(b.rand)
		far := b.far != nil && p.Remote.Is4() && !home.Contains(p.Remote)
		lists[[2]bool{far, p.Out}] = append(lists[[2]bool{far, p.Out}], p)
	}
	for kind, list := range lists {
		first := b.n
		send := b.beside
		if kind[0] {
			send = b.through
		}
		got := send(list, kind[1])
		for i, p := range list {
			if want := sim.Passes(rules, b.gateway, p); got[first+i] != want {
				t.Errorf("packet %+v, routed %v: passes %v, want %v, with rules %+v", p, kind[0], !want,
					want, rules)
			}
		}
	}
}

func TestNET31_GuestsPacketsPassAsRulesSay(t *testing.T) {
	onOneCPU(t)
	for seed, kind := range []string{"local", "local IPv6", "switch"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			b := &bed{r: r, rand: rand.New(rand.NewPCG(uint64(seed), 31))}
			s := device.BridgeSpec{MAC: bridgeMAC, MTU: 1500}
			switch kind {
			case "local":
				r.local()
				b.gateway = netip.MustParseAddr("10.1.0.1")
				for ip, mac := range map[string]string{"10.1.0.2": macA, "10.1.0.3": macB} {
					r.dev.Run("ip", "neigh", "replace", ip, "lladdr", mac, "dev", "bn1")
				}
				r.dev.Run("ip", "neigh", "replace", "10.99.0.1", "lladdr", "02:00:00:00:99:01", "dev",
					"eth0")
				b.far = tapOf(t, r.sdn, "lan0")
			case "local IPv6":
				s.Addr = netip.MustParsePrefix("fd00:1::1/64")
				b.gateway = s.Addr.Addr()
				r.set("bridge/bn1", device.Spec{Bridge: &s})
			case "switch":
				s.Ports = []string{"eth1"}
				r.set("bridge/bn1", device.Spec{Bridge: &s})
			}
			r.set("vif/"+vifA, vif(macA, "10.1.0.2", nil))
			b.a = tapOf(t, r.plug(vifA, macA, "fd00:1::2/64").Space, "eth0")
			if kind == "switch" {
				b.near, b.nearMAC = tapOf(t, r.sdn, "lan1"), r.sdn.Find("lan1").Attrs().HardwareAddr.String()
			} else {
				r.set("vif/"+vifB, vif(macB, "10.1.0.3", free()))
				b.near, b.nearMAC = tapOf(t, r.plug(vifB, macB, "fd00:1::3/64").Space, "eth0"), macB
			}
			b.joined()
			for range sets {
				b.try(t)
			}
			t.Logf("%d packets", b.n)
		})
	}
}
