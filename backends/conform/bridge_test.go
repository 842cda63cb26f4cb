package conform_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/metadata"
	"github.com/evetwin/evetwin/backends/sim/bridge"
)

func TestModelBridgeConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	can := model
	can.Lacks = lacking(conform.NeedsBridgeVLAN, conform.NeedsNoBridgeVLAN, false)
	conform.Bridge(t, can, modelBridge(false))
}

// TestModelBridgeWithoutVLANConforms is the model of a kernel whose bridges do not filter VLANs.
func TestModelBridgeWithoutVLANConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.Bridge(t, conform.Backend{Name: "model without VLANs", Report: report,
		Lacks: lacking(conform.NeedsBridgeVLAN, conform.NeedsNoBridgeVLAN, true)}, modelBridge(true))
}

// modelBridge makes models of a part bridge.
func modelBridge(lacks bool) func(t *testing.T) conform.BridgeSetup {
	return func(*testing.T) conform.BridgeSetup {
		b := &bridge.Bridge{NoVLAN: lacks, Lacks: func(ifname string) bool {
			return ifname != "eth0" && ifname != "eth1"
		}}
		return conform.BridgeSetup{Setup: conform.Setup{Part: b}, Appear: b.Appear,
			Vanish: b.Vanish, Meddle: b.Meddle,
			Reach: func(port uint16) bool {
				_, _, ok := b.Mapped("eth0", "tcp", port, netip.MustParseAddr("10.99.0.1"))
				return ok
			},
			Ask: func(do func(func()), vif string, from netip.Addr, r conform.BridgeRequest,
			) (out conform.BridgeAnswer) {
				do(func() {
					a, _ := b.Ask(vif, from, metadata.Request{Method: r.Method, Path: r.Path,
						Type: r.Type, Body: []byte(r.Body)})
					out = conform.BridgeAnswer{Code: a.Code, Type: a.Type, Allow: a.Allow,
						Body: string(a.Body)}
					if r.Method == http.MethodHead {
						out.Body = "" // as a server of HTTP does
					}
				})
				return out
			},
			Talk: func(do func(func()), k conform.BridgeTalk) { do(func() { talkInModel(b, k) }) },
			Rest: func(do func(func())) { do(b.Rest) },
			Resolve: func(do func(func()), vif, name string) {
				do(func() { b.Resolve(vif, name) })
			},
			Outside: func() bool { return false }} // the model has no way in
	}
}

// talkInModel has datagrams of 33 bytes pass.
func talkInModel(b *bridge.Bridge, k conform.BridgeTalk) {
	n := uint64(k.Count)
	x := bridge.Talk{Packet: bridge.Packet{Out: !k.Inbound, Proto: 17, LPort: k.LPort,
		RPort: k.RPort, Remote: netip.MustParseAddr("10.99.0.1")}, TxPkts: n, RxPkts: n,
		TxBytes: 33 * n, RxBytes: 33 * n}
	if k.Silent && k.Inbound {
		x.TxPkts, x.TxBytes = 0, 0
	} else if k.Silent {
		x.RxPkts, x.RxBytes = 0, 0
	}
	b.Talk(k.Vif, x)
}
