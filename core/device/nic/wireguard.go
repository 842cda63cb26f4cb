package nic

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/netip"
	"slices"
	"time"
)

// WireGuardSpec makes a WireGuard interface and starts it. Key "wireguard/<ifname>". Fixed
// addresses and routes stand on it as on a link; it takes no DHCP. What somebody does to its peers
// nobody tells: that is seen with the next change of the network.
type WireGuardSpec struct {
	// PrivateKey is the reference of the private key, in base64 (package secret). If nobody knows it
	// the item is refused with FaultMissing.
	PrivateKey string
	ListenPort uint16 // of UDP; 0: one that is free
	MTU        uint16 // 0: the one that it has
	// Peers are sorted by their keys, each of which is there once.
	Peers []WireGuardPeer
}

// WireGuardPeer is who may be at the other end.
type WireGuardPeer struct {
	PublicKey string // in base64
	// Endpoint is where it is found; zero: it finds us. One that moves is followed, and not seen.
	Endpoint netip.AddrPort
	// AllowedIPs are the networks behind it, sorted, and no other's.
	AllowedIPs []netip.Prefix
	// Keepalive is how often it is reminded of us, in whole seconds; 0: never.
	Keepalive time.Duration
}

// keySize is how many bytes keys of WireGuard have.
const keySize = 32

// WireGuardKey is a key by its text, base64; false if it is none.
func WireGuardKey(text string) (key [keySize]byte, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != keySize || bytes.Equal(b, key[:]) {
		return key, false
	}
	return [keySize]byte(b), true
}

// Refusal says why a spec makes no sense; empty if it does.
func (s *WireGuardSpec) Refusal() string {
	if s.PrivateKey == "" {
		return "no private key"
	}
	networks, last := map[netip.Prefix]bool{}, ""
	for i := range s.Peers {
		p := &s.Peers[i]
		if _, ok := WireGuardKey(p.PublicKey); !ok {
			return "a peer has no public key"
		}
		if p.PublicKey <= last {
			return "peers are not sorted by their keys"
		}
		last = p.PublicKey
		if p.Endpoint != (netip.AddrPort{}) && (!p.Endpoint.Addr().IsValid() || p.Endpoint.Port() == 0) {
			return "a peer is found at no address"
		}
		if p.Keepalive < 0 || p.Keepalive > 65535*time.Second || p.Keepalive%time.Second != 0 {
			return "peers are reminded in whole seconds, 65535 at most"
		}
		if !slices.IsSortedFunc(p.AllowedIPs, ComparePrefixes) {
			return "networks of a peer are not sorted"
		}
		for _, n := range p.AllowedIPs {
			if !n.IsValid() || n != n.Masked() || networks[n] {
				return "a peer has no network, or that of another"
			}
			networks[n] = true
		}
	}
	return ""
}

// ComparePrefixes orders networks by their addresses, and then by their sizes.
func ComparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
