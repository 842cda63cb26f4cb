package cloud

import (
	"crypto/sha256"
	"net/netip"
	"testing"

	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

// Network is the state of a device with the one management port eth0, which has these addresses.
func Network(s network.DPCState, addrs ...string) network.DeviceNetworkStatus {
	p := network.NetworkPortStatus{IfName: "eth0", Logicallabel: "eth0", IsMgmt: true, IsL3Port: true,
		Up: true, DNSServers: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.PrefixFrom(netip.MustParseAddr(a), 24))
	}
	return network.DeviceNetworkStatus{State: s, Ports: []network.NetworkPortStatus{p}}
}

// Named puts the file with the controller's name on the disk; Serve gives its content.
func Named(r *rig.Rig) {
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 3, Sha256: "aa"})
}

// Serve ends every read, with the controller's name, and every signature.
func Serve(r *rig.Rig) {
	for _, c := range rig.Calls(r, store.Read) {
		rig.Done(r, store.Read, c.Key, store.ReadRes{Data: []byte("zed.example")})
	}
	Signed(r)
}

// Signed ends every signature; nobody verifies them on the bench.
func Signed(r *rig.Rig) {
	for _, c := range rig.Calls(r, tpm.Sign) {
		res := tpm.SignRes{CertHash: sha256.Sum256([]byte(c.Req.Name))}
		copy(res.RS[:], c.Req.Digest[:])
		rig.Done(r, tpm.Sign, c.Key, res)
	}
}

// Flying is the payload of the first message that is being sent, nil if there is none.
func Flying(t testing.TB, r *rig.Rig) []byte {
	t.Helper()
	calls := rig.Calls(r, web.Send)
	if len(calls) == 0 {
		return nil
	}
	e, fault := eveapi.ParseEnvelope(calls[0].Req.Body)
	if fault != nil {
		t.Fatal(fault)
	}
	return e.Payload
}
