package bridge

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	device "github.com/evetwin/evetwin/core/device/bridge"
)

// chain is the rules of a chain, in order.
type chain [][]expr.Any

func (c *chain) add(parts ...match) { *c = append(*c, rule(parts...)) }

// way is how packets of a guest go: from it or to it. The remote end and the guest's change sides.
type wayOf struct{ remote, local int }

var (
	fromGuest = wayOf{remote: dst, local: src}
	toGuest   = wayOf{remote: src, local: dst}
)

// access adds access rules to a chain; what matches none ends in no.
func (c *chain) access(rules []device.Rule, w wayOf, yes, no match) {
	for i := range rules {
		r := &rules[i]
		for _, m := range w.matches(r) {
			switch {
			case r.Drop:
				c.add(m, counted(), no)
			case r.Rate > 0:
				c.add(m, rate(r), counted(), yes)
				c.add(m, counted(), no)
			default:
				c.add(m, counted(), yes)
			}
		}
	}
	c.add(counted(), no)
}

// matches are what an access rule looks for: one match, or one for each family.
func (w wayOf) matches(r *device.Rule) []match {
	var with match
	if n, ok := number(r.Protocol); ok {
		with = l4(n)
		switch r.Protocol {
		case "icmp":
			with = append(four(), with...)
		case "icmpv6":
			with = append(six(), with...)
		}
		if r.FPort > 0 {
			with = append(with, port(w.remote, r.FPort)...)
		}
		if r.LPort > 0 {
			with = append(with, port(w.local, r.LPort)...)
		}
	}
	switch {
	case r.Host != "":
		return []match{append(member(w.remote, true, hostSet(r.Host, true)), with...),
			append(member(w.remote, false, hostSet(r.Host, false)), with...)}
	case r.Remote.IsValid():
		return []match{append(within(w.remote, r.Remote), with...)}
	}
	return []match{with}
}

// rate lets packets through up to the rate of a rule.
func rate(r *device.Rule) match {
	unit := map[string]expr.LimitTime{"m": expr.LimitTimeMinute, "h": expr.LimitTimeHour,
		"d": expr.LimitTimeDay}[r.Unit]
	if unit == 0 {
		unit = expr.LimitTimeSecond
	}
	return match{&expr.Limit{Type: expr.LimitTypePkts, Rate: uint64(r.Rate), Unit: unit,
		Burst: uint32(r.Burst)}}
}

// hostSet is the set of addresses that a domain name and the names below it were resolved to.
// Guests share it.
func hostSet(domain string, is4 bool) string {
	sum := sha256.Sum256([]byte(strings.ToLower(domain)))
	if is4 {
		return "h4_" + hex.EncodeToString(sum[:8])
	}
	return "h6_" + hex.EncodeToString(sum[:8])
}

// refused is the end of a packet that no rule admits, counted under a name.
func refused(name string) match {
	return append(match{&expr.Objref{Type: int(nftables.ObjTypeCounter), Name: name}}, drop()...)
}

// leaving is the chain of what a guest sends. gateway is the address of its bridge, invalid on a
// switch network instance.
func leaving(vif string, v *device.VifSpec, gateway netip.Addr) chain {
	var c chain
	no := noted("from", vif, v, dropsFrom(vif))
	c.frames(gateway.IsValid(), no)
	if !gateway.IsValid() {
		c.switched(fromGuest)
		c.access(v.Rules, fromGuest, accept(), no)
		return c
	}
	if gateway.Is4() {
		c.add(is(dst, netip.AddrFrom4([4]byte{255, 255, 255, 255})),
			ports(unix.IPPROTO_UDP, 68, 67), accept())
		c.add(is(dst, gateway), ports(unix.IPPROTO_UDP, 68, 67), accept())
		c.add(is(dst, device.MetadataAddr()), l4(unix.IPPROTO_TCP), port(dst, device.MetadataPort),
			accept())
	} else {
		c.add(six(), ports(unix.IPPROTO_UDP, 546, 547), accept())
	}
	c.add(icmpType(133, 136), accept())
	c.add(icmpType(143, 143), accept())
	for _, proto := range []uint8{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		c.add(is(dst, gateway), l4(proto), port(dst, 53), accept())
	}
	for _, p := range v.PortMaps {
		if n, ok := number(p.Protocol); ok && p.Target.Is4() == gateway.Is4() {
			c.add(is(dst, gateway), l4(n), port(src, p.ToPort), mark(markReply), accept())
		}
	}
	c.access(v.Rules, fromGuest, accept(), no)
	return c
}

// arriving is the chain of what a guest is sent.
func arriving(vif string, v *device.VifSpec, local bool) chain {
	var c chain
	no := noted("to", vif, v, dropsTo(vif))
	c.frames(local, no)
	c.add(marked(markLocal), accept())
	if local {
		c.add(marked(markHair), accept())
		c.add(icmpType(133, 136), accept())
	} else {
		c.switched(toGuest)
	}
	c.access(v.Rules, toGuest, accept(), no)
	return c
}

// frames decides on what access rules do not know: ARP, other protocols than IP, which pass in a
// switch network instance only, stacked VLAN tags, which would hide addresses, and later fragments.
func (c *chain) frames(local bool, no match) {
	c.add(ether(unix.ETH_P_ARP, false), accept())
	c.add(ether(unix.ETH_P_8021Q, false), no)
	c.add(ether(unix.ETH_P_8021AD, false), no)
	end := accept()
	if local {
		end = no
	}
	c.add(ether(unix.ETH_P_IP, true), ether(unix.ETH_P_IPV6, true), end)
	c.add(later(true), accept())
	c.add(later(false), accept())
}

// switched admits what each guest of a switch network instance needs.
func (c *chain) switched(w wayOf) {
	pair := func(local, remote uint16) match {
		return append(append(l4(unix.IPPROTO_UDP), port(w.local, local)...),
			port(w.remote, remote)...)
	}
	c.add(four(), pair(68, 67), accept())
	c.add(six(), pair(546, 547), accept())
	c.add(icmpType(0, 255), accept())
	for _, proto := range []uint8{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		c.add(l4(proto), port(w.remote, 53), accept())
	}
}
