package world

import (
	"encoding/hex"
	"hash/fnv"
	"net"
	"net/netip"
)

// MAC is an Ethernet address. The zero MAC means that none is given.
type MAC [6]byte

// ParseMAC reads an Ethernet address of six bytes in any of the usual notations.
func ParseMAC(s string) (MAC, error) {
	hw, err := net.ParseMAC(s)
	if err != nil {
		return MAC{}, err
	}
	if len(hw) != 6 {
		return MAC{}, &net.AddrError{Err: "not an Ethernet address", Addr: s}
	}
	return MAC(hw), nil
}

// String is the colon notation in lower case; empty for the zero MAC.
func (m MAC) String() string {
	if m == (MAC{}) {
		return ""
	}
	var b [17]byte
	for i, v := range m {
		hex.Encode(b[i*3:], []byte{v})
		if i < 5 {
			b[i*3+2] = ':'
		}
	}
	return string(b[:])
}

// MarshalText makes a MAC a string in JSON.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// multicast tells whether the group bit is set: no interface may have such an address.
func (m MAC) multicast() bool { return m[0]&1 != 0 }

// LinkLocal is the IPv6 link-local address that an interface with this MAC forms (EUI-64).
func (m MAC) LinkLocal() netip.Addr {
	return m.SLAAC(netip.MustParsePrefix("fe80::/64"))
}

// SLAAC is the address that an interface with this MAC forms in a /64 prefix (EUI-64); the
// zero Addr if the prefix has another length.
func (m MAC) SLAAC(p netip.Prefix) netip.Addr {
	if p.Bits() != 64 || !p.Addr().Is6() {
		return netip.Addr{}
	}
	a := p.Masked().Addr().As16()
	copy(a[8:], []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
	return netip.AddrFrom16(a)
}

// derivedMAC is the locally administered address of something the model gives none.
func derivedMAC(kind, name string) MAC {
	h := fnv.New64a()
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(name))
	s := h.Sum64()
	return MAC{0x02, byte(s >> 32), byte(s >> 24), byte(s >> 16), byte(s >> 8), byte(s)}
}
