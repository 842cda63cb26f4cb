package bridge

import (
	"net/netip"
	"strconv"
)

// Packet is a packet at a guest's interface, seen from the guest.
type Packet struct {
	// Out says that the guest sends it.
	Out bool
	// Proto is the number of its protocol: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
	Proto uint8
	// Remote is the other end's address.
	Remote netip.Addr
	// RPort and LPort are the other end's port and the guest's, of TCP and UDP.
	RPort, LPort uint16
	// Type is that of ICMPv6.
	Type uint8
}

// Protocols of packets.
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	protoSix  = 58
)

// Verdict is what becomes of a packet at a guest's interface.
type Verdict struct {
	Pass bool
	// Needed says that it passes because every guest needs it, whatever the rules say.
	Needed bool
	// RuleID is that of the rule that decided; 0: none did.
	RuleID int32
}

// Decide says what becomes of a packet: what every guest needs passes, then the first access rule
// that matches decides, and what matches none is dropped. gateway is the address of the bridge,
// invalid in a switch network instance. Limits of rate are left out: they never drop. resolved
// reports whether a domain name, or one below it, was resolved to an address; nil: none was.
func Decide(rules []Rule, gateway netip.Addr, p Packet,
	resolved func(host string, a netip.Addr) bool,
) Verdict {
	if gateway.IsValid() && p.Out && needed(gateway, p) || !gateway.IsValid() && basic(p) {
		return Verdict{Pass: true, Needed: true}
	}
	if gateway.IsValid() && p.Proto == protoSix && p.Remote.Is6() &&
		(p.Type >= 133 && p.Type <= 136 || p.Out && p.Type == 143) {
		return Verdict{Pass: true, Needed: true} // neighbours are found
	}
	for i := range rules {
		r := &rules[i]
		if matches(r, p) && (r.Host == "" || resolved != nil && resolved(r.Host, p.Remote)) {
			return Verdict{Pass: !r.Drop, RuleID: r.RuleID}
		}
	}
	return Verdict{}
}

// needed is what a guest of a local network instance may ask of the device.
func needed(gateway netip.Addr, p Packet) bool {
	here := p.Remote == gateway
	switch {
	case here && p.RPort == 53 && (p.Proto == protoUDP || p.Proto == protoTCP):
		return true
	case gateway.Is4():
		all := p.Remote == netip.AddrFrom4([4]byte{255, 255, 255, 255})
		data := p.Remote == MetadataAddr()
		return (here || all) && p.Proto == protoUDP && p.LPort == 68 && p.RPort == 67 ||
			data && p.Proto == protoTCP && p.RPort == MetadataPort
	}
	return p.Remote.Is6() && p.Proto == protoUDP && p.LPort == 546 && p.RPort == 547
}

// basic is what passes in a switch network instance in both directions.
func basic(p Packet) bool {
	switch p.Proto {
	case protoSix:
		return p.Remote.Is6()
	case protoTCP:
		return p.RPort == 53
	case protoUDP:
		return p.RPort == 53 || p.Remote.Is4() && p.LPort == 68 && p.RPort == 67 ||
			p.Remote.Is6() && p.LPort == 546 && p.RPort == 547
	}
	return false
}

// matches reports whether an access rule is about a packet, but for its domain name.
func matches(r *Rule, p Packet) bool {
	is := func(proto uint8) bool { return p.Proto == proto }
	ok := true
	switch r.Protocol {
	case "":
	case "tcp":
		ok = is(protoTCP)
	case "udp":
		ok = is(protoUDP)
	case "icmp":
		ok = is(protoICMP) && p.Remote.Is4()
	case "icmpv6":
		ok = is(protoSix) && p.Remote.Is6()
	default:
		n, err := strconv.ParseUint(r.Protocol, 10, 8)
		ok = err == nil && is(uint8(n))
	}
	return ok && (!r.Remote.IsValid() || r.Remote.Contains(p.Remote)) &&
		(r.FPort == 0 || r.FPort == p.RPort) && (r.LPort == 0 || r.LPort == p.LPort)
}
