package bridge

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// match is what a rule looks for, as expressions of nftables.
type match []expr.Any

// rule is a match with what is done.
func rule(parts ...match) []expr.Any {
	var out []expr.Any
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func accept() match { return match{&expr.Verdict{Kind: expr.VerdictAccept}} }

func drop() match { return match{&expr.Verdict{Kind: expr.VerdictDrop}} }

func jump(chain string) match {
	return match{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}

func counted() match { return match{&expr.Counter{}} }

// meta compares a property of the packet.
func meta(key expr.MetaKey, op expr.CmpOp, data []byte) match {
	return match{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: data}}
}

// ether matches a type of frame, behind a VLAN tag if there is one; not leaves it out.
func ether(kind uint16, not bool) match {
	op := expr.CmpOpEq
	if not {
		op = expr.CmpOpNeq
	}
	return meta(expr.MetaKeyPROTOCOL, op, binary.BigEndian.AppendUint16(nil, kind))
}

func four() match { return ether(unix.ETH_P_IP, false) }

func six() match { return ether(unix.ETH_P_IPV6, false) }

// family matches the family of an address.
func family(a netip.Addr) match {
	if a.Is4() {
		return four()
	}
	return six()
}

func l4(proto uint8) match { return meta(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{proto}) }

// number is the number of a protocol; false if it is none.
func number(proto string) (uint8, bool) {
	switch proto {
	case "tcp":
		return unix.IPPROTO_TCP, true
	case "udp":
		return unix.IPPROTO_UDP, true
	case "icmp":
		return unix.IPPROTO_ICMP, true
	case "icmpv6":
		return unix.IPPROTO_ICMPV6, true
	}
	n, err := strconv.ParseUint(proto, 10, 8)
	return uint8(n), err == nil
}

// Ends of a packet.
const (
	src = 0
	dst = 1
)

// addrOf loads an address of the packet; its family is known to match.
func addrOf(end int, is4 bool) *expr.Payload {
	p := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
	if !is4 {
		p.Offset, p.Len = 8, 16
	}
	p.Offset += uint32(end) * p.Len
	return p
}

// within matches an address of the packet, and its family.
func within(end int, p netip.Prefix) match {
	a := p.Masked().Addr()
	out := family(a)
	if p.Bits() == 0 {
		return out
	}
	size := a.BitLen() / 8
	mask := make([]byte, size)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return append(out, addrOf(end, a.Is4()),
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: uint32(size), Mask: mask,
			Xor: make([]byte, size)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: a.AsSlice()})
}

// is matches one address.
func is(end int, a netip.Addr) match { return within(end, netip.PrefixFrom(a, a.BitLen())) }

// member matches an address that a set holds.
func member(end int, is4 bool, set string) match {
	out := six()
	if is4 {
		out = four()
	}
	return append(out, addrOf(end, is4), &expr.Lookup{SourceRegister: 1, SetName: set})
}

// port matches a port; the protocol is known to have ports.
func port(end int, n uint16) match {
	return match{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader,
		Offset: 2 * uint32(end), Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, n)}}
}

// ports matches both ports of a protocol.
func ports(proto uint8, from, to uint16) match {
	return append(append(l4(proto), port(src, from)...), port(dst, to)...)
}

// icmpType matches a range of types of ICMPv6.
func icmpType(from, to uint8) match {
	return append(append(six(), l4(unix.IPPROTO_ICMPV6)...),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Len: 1},
		&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{from}, ToData: []byte{to}})
}

// later matches fragments behind the first.
func later(is4 bool) match {
	if is4 {
		return append(four(),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 6, Len: 2},
			&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 2, Mask: []byte{0x1f, 0xff},
				Xor: []byte{0, 0}},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0, 0}})
	}
	return append(six(),
		&expr.Exthdr{DestRegister: 1, Type: unix.IPPROTO_FRAGMENT, Offset: 2, Len: 2,
			Op: expr.ExthdrOpIpv6},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 2, Mask: []byte{0xff, 0xf8},
			Xor: []byte{0, 0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0, 0}})
}

// ifname is the name of an interface as nftables compares it.
func ifname(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

func iif(name string) match { return meta(expr.MetaKeyIIFNAME, expr.CmpOpEq, ifname(name)) }

func oif(name string) match { return meta(expr.MetaKeyOIFNAME, expr.CmpOpEq, ifname(name)) }

// among matches an interface that a set holds.
func among(key expr.MetaKey, set string) match {
	return match{&expr.Meta{Key: key, Register: 1}, &expr.Lookup{SourceRegister: 1, SetName: set}}
}

// Marks of packets inside the device, and of a connection from one guest to a mapped port.
const (
	markLocal  = 0x10000000 // from the device itself
	markHair   = 0x20000000 // from a guest to another's mapped port, admitted by its rules
	markReply  = 0x40000000 // from a guest to its gateway, as an answer to such a one
	markAround = 0x08000000 // of such a connection, in both directions; of the connection, too
)

// bits leaves the bits of a register that a mask and another value say.
func bits(mask, xor uint32) expr.Any {
	return &expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4,
		Mask: binaryutil.NativeEndian.PutUint32(mask), Xor: binaryutil.NativeEndian.PutUint32(xor)}
}

func notZero() expr.Any {
	return &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0, 0, 0, 0}}
}

// marked matches a mark of the packet.
func marked(mark uint32) match {
	return match{&expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, bits(mark, 0), notZero()}
}

// mark marks the packet, beside other marks it has.
func mark(m uint32) match {
	return match{&expr.Meta{Key: expr.MetaKeyMARK, Register: 1}, bits(^m, m),
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1}}
}

// flowMarked matches a mark of the connection.
func flowMarked(m uint32) match {
	return match{&expr.Ct{Key: expr.CtKeyMARK, Register: 1}, bits(m, 0), notZero()}
}

// markFlow marks the connection.
func markFlow(m uint32) match {
	return match{&expr.Ct{Key: expr.CtKeyMARK, Register: 1}, bits(^m, m),
		&expr.Ct{Key: expr.CtKeyMARK, SourceRegister: true, Register: 1}}
}

// forth matches packets of the direction in which a connection was opened.
func forth() match {
	return match{&expr.Ct{Key: expr.CtKeyDIRECTION, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0}}}
}
