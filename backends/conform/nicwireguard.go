package conform

import (
	"crypto/ecdh"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/nic"
)

// Needs of cases on WireGuard.
const (
	NeedsWireGuard   = "WireGuard"
	NeedsNoWireGuard = "a kernel without WireGuard"
)

// nicTunnelCases are cases on WireGuard.
func nicTunnelCases() []Case[*nicBench] {
	return []Case[*nicBench]{
		{Name: "wrong specs", Run: (*nicBench).tunnelWrong,
			Clause: "specs that make no sense are refused; a key that nobody knows: FaultMissing"},
		{Name: "a tunnel", Run: (*nicBench).tunnel, Needs: NeedsWireGuard,
			Clause: "a WireGuard item makes an interface and starts it"},
		{Name: "other peers", Run: (*nicBench).tunnelPeers, Needs: NeedsWireGuard,
			Clause: "Set modifies an item, and comes back as it was applied"},
		{Name: "another key", Run: (*nicBench).tunnelKey, Needs: NeedsWireGuard,
			Clause: "PrivateKey is a reference: another one is another key"},
		{Name: "an address in it", Run: (*nicBench).tunnelAddress, Needs: NeedsWireGuard,
			Clause: "fixed addresses stand on it as on a link; it takes no DHCP"},
		{Name: "packets go through", Run: (*nicBench).tunnelCarries, Needs: NeedsWireGuard,
			Clause: "the spec is what the kernel does: who has the key is answered"},
		{Name: "somebody removes it", Run: (*nicBench).tunnelTaken, Needs: NeedsWireGuard,
			Clause: "what somebody took away is not seen any more, and can be set again"},
		{Name: "a kernel without", Run: (*nicBench).tunnelLacking, Needs: NeedsNoWireGuard,
			Clause: "this machine cannot do it: FaultUnsupported, Text names what it lacks"},
	}
}

// Keys of the suite, in base64: two private ones, and public ones of peers, sorted.
const (
	tunnelSecret = "oK56DE9Ue9zK76rAc8pBl6opph+1v36lm7cXXsQKrQM="
	otherSecret  = "GHNT6Td5YXFEWQlzYUlKqF1g3QHrNqKJ9nT5cJl2W1o="
	peerOne      = "2hTCwh2O1sFLzFEGOGy2YKxXN0Fx8iHx7gUoLM0JMRo="
	peerTwo      = "7yk8LqLLqVuwRdNq1Pa6dmwWJYqbXK5AHxBbW7OuiEw="
)

// tunnelPeer is a peer of the suite.
func tunnelPeer(key, endpoint string, keepalive time.Duration, networks ...string,
) nic.WireGuardPeer {
	p := nic.WireGuardPeer{PublicKey: key, Keepalive: keepalive}
	if endpoint != "" {
		p.Endpoint = netip.MustParseAddrPort(endpoint)
	}
	for _, n := range networks {
		p.AllowedIPs = append(p.AllowedIPs, netip.MustParsePrefix(n))
	}
	return p
}

// tunnelSpec is a spec with a private key that the device knows.
func (x *nicBench) tunnelSpec(t *testing.T, key string, peers ...nic.WireGuardPeer) nic.Spec {
	t.Helper()
	var ref string
	x.outside(t, func() { ref = x.Secret(key) })
	return nic.Spec{WireGuard: &nic.WireGuardSpec{PrivateKey: ref, ListenPort: 51820, Peers: peers}}
}

func (x *nicBench) tunnelWrong(t *testing.T) {
	two := tunnelPeer(peerTwo, "", 0, "10.96.2.0/24")
	for _, peers := range [][]nic.WireGuardPeer{
		{tunnelPeer("key", "", 0)},
		{tunnelPeer(strings.Repeat("A", 43)+"=", "", 0)},
		{two, tunnelPeer(peerOne, "", 0)},
		{two, two},
		{tunnelPeer(peerOne, "10.99.0.1:0", 0)},
		{tunnelPeer(peerOne, "", time.Millisecond)},
		{tunnelPeer(peerOne, "", 65536*time.Second)},
		{tunnelPeer(peerOne, "", 0, "10.96.0.1/24")},
		{tunnelPeer(peerOne, "", 0, "10.96.2.0/24", "10.96.1.0/24")},
		{tunnelPeer(peerOne, "", 0, "10.96.2.0/24"), two},
	} {
		x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0",
			Spec: x.tunnelSpec(t, tunnelSecret, peers...)}, nic.FaultRefused, false)
	}
	s := x.tunnelSpec(t, tunnelSecret)
	s.WireGuard.MTU = nic.LeastMTU - 1
	x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0", Spec: s}, nic.FaultRefused, false)
	x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0", Spec: x.tunnelSpec(t, "no key")},
		nic.FaultRefused, false)
	x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0", Spec: linkSpec(1400)}, nic.FaultRefused, false)
	s = x.tunnelSpec(t, tunnelSecret)
	s.WireGuard.PrivateKey = ""
	x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0", Spec: s}, nic.FaultRefused, false)
	s.WireGuard.PrivateKey = "sealed:" + strings.Repeat("0", 32)
	x.set.refuses(t, nic.SetReq{Item: "wireguard/wg0", Spec: s}, nic.FaultMissing, true)
	x.set.refuses(t, nic.SetReq{Item: "static/wg0", Spec: staticSpec("10.96.0.1/24", "")},
		nic.FaultMissing, true)
	x.afterBoot(t)
}

func (x *nicBench) tunnel(t *testing.T) {
	s := x.tunnelSpec(t, tunnelSecret, tunnelPeer(peerOne, "10.99.0.1:51820", 0, "10.96.1.0/24"))
	var was uint64
	for i := range 2 {
		x.apply(t, "wireguard/wg0", s)
		x.turn(t, func() {
			l := x.links.Get("wg0")
			if l == nil || l.Kind != "wireguard" || l.MAC != "" || l.Physical || !l.Up || l.MTU != 1420 {
				t.Fatalf("a tunnel shows as %+v", l)
			}
			if i == 0 {
				was = rev(x.items, "wireguard/wg0")
			} else if rev(x.items, "wireguard/wg0") != was {
				t.Error("setting the same again put the item")
			}
		})
	}
}

func (x *nicBench) tunnelPeers(t *testing.T) {
	for _, peers := range [][]nic.WireGuardPeer{
		{tunnelPeer(peerOne, "10.99.0.2:4500", 25*time.Second, "10.96.1.0/24", "10.96.3.0/24",
			"fd00:96::/64"), tunnelPeer(peerTwo, "", 0)},
		{tunnelPeer(peerOne, "[fd00:99::1]:51820", 0),
			tunnelPeer(peerTwo, "", 0, "0.0.0.0/0", "10.96.1.0/24")},
		{tunnelPeer(peerTwo, "", 0, "10.96.2.0/24")},
		nil,
	} {
		s := x.tunnelSpec(t, tunnelSecret, peers...)
		s.WireGuard.ListenPort, s.WireGuard.MTU = 51821, 1300
		x.apply(t, "wireguard/wg0", s)
		x.turn(t, func() {
			if l := x.links.Get("wg0"); l == nil || l.MTU != 1300 {
				t.Errorf("a tunnel with other peers shows as %+v", l)
			}
		})
	}
}

func (x *nicBench) tunnelKey(t *testing.T) {
	x.apply(t, "wireguard/wg0", x.tunnelSpec(t, otherSecret))
	x.set.refuses(t, nic.SetReq{Item: "vlan/v0", Spec: vlanSpec("wg0", 5)}, nic.FaultMissing, true)
}

func (x *nicBench) tunnelAddress(t *testing.T) {
	x.set.refuses(t, nic.SetReq{Item: "dhcp/wg0", Spec: dhcpSpec("")}, nic.FaultRefused, false)
	x.apply(t, "static/wg0", staticSpec("10.96.0.1/24", ""))
	x.has(t, "wg0", "10.96.0.1/24")
	x.unset.refuses(t, nic.ClearReq{Item: "wireguard/wg0"}, nic.FaultBusy, true)
	x.drop(t, "static/wg0")
	x.has(t, "wg0")
}

// TunnelFar is the other end of a tunnel: it has an address behind eth0, a private key, and an
// address inside, to which packets are sent. Public is the key of the device, which has the
// address Near inside.
func TunnelFar() (f struct{ At, Secret, Inside, Public, Near string }) {
	f.At, f.Secret, f.Inside = "10.99.0.1:51820", otherSecret, "10.96.1.1/24"
	f.Public, f.Near = publicKey(tunnelSecret), "10.96.1.2/24"
	return f
}

// publicKey is the public key of a private one.
func publicKey(secret string) string {
	raw, ok := nic.WireGuardKey(secret)
	key, err := ecdh.X25519().NewPrivateKey(raw[:])
	if !ok || err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(key.PublicKey().Bytes())
}

// tunnelCarries sends a packet through a tunnel, and again when all was set once more.
func (x *nicBench) tunnelCarries(t *testing.T) {
	x.apply(t, "link/eth0", linkSpec(1500))
	x.carrier(t, "eth0", true)
	x.apply(t, "static/eth0", staticSpec("10.99.0.7/24", ""))
	s := x.tunnelSpec(t, tunnelSecret, tunnelPeer(publicKey(otherSecret), TunnelFar().At, 0,
		"10.96.1.0/24"))
	for range 2 {
		x.apply(t, "wireguard/wg0", s)
		x.apply(t, "static/wg0", staticSpec(TunnelFar().Near, ""))
		if x.Carries != nil {
			if err := x.Carries(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, item := range []string{"static/wg0", "static/eth0"} {
		x.drop(t, item)
	}
}

func (x *nicBench) tunnelTaken(t *testing.T) {
	x.meddles(t, "wireguard/wg0")
	x.until(t, "wg0 to vanish", func() bool { return x.links.Get("wg0") == nil })
	x.apply(t, "wireguard/wg0", x.tunnelSpec(t, tunnelSecret, tunnelPeer(peerOne, "", 0)))
	for range 2 {
		x.drop(t, "wireguard/wg0")
	}
	x.until(t, "wg0 to vanish", func() bool { return x.links.Get("wg0") == nil })
}

// tunnelLacking is a kernel without WireGuard: the item gets an error that names what lacks.
func (x *nicBench) tunnelLacking(t *testing.T) {
	q := nic.SetReq{Item: "wireguard/wg0", Spec: x.tunnelSpec(t, tunnelSecret)}
	got := x.set.outcome(t, "x", q, nil)
	if got.Phase != agent.Failed || got.Fault.Code != nic.FaultUnsupported || got.Fault.Retry ||
		got.Fault.Text != "set wireguard/wg0: this kernel lacks "+NeedsWireGuard {
		t.Errorf("WireGuard on a kernel without: %+v", got.Fault)
	}
	x.afterBoot(t)
}
