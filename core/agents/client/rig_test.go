package client

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

const deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"

// authority is a certificate with its key.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func issue(t testing.TB, by *authority, name string, ca bool) *authority {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:      ca, BasicConstraintsValid: true,
	}
	a := &authority{key: k}
	parent, signer := tmpl, crypto.Signer(k)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(nil, tmpl, parent, k.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// controller is the other side: its certificates and what it says.
type controller struct {
	t                *testing.T
	root, sign, ecdh *authority
}

func newController(t *testing.T) *controller {
	root := issue(t, nil, "root", true)
	return &controller{t, root, issue(t, root, "sign", false), issue(t, root, "ecdh", false)}
}

func (c *controller) list() []byte {
	z := func(kind certs.ZCertType, a *authority) *certs.ZCert {
		h := sha256.Sum256(a.pem)
		return &certs.ZCert{HashAlgo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES,
			CertHash: h[:16], Type: kind, Cert: a.pem}
	}
	b, err := eveapi.Marshal(&certs.ZControllerCert{Certs: []*certs.ZCert{
		z(certs.ZCertType_CERT_TYPE_CONTROLLER_SIGNING, c.sign),
		z(certs.ZCertType_CERT_TYPE_CONTROLLER_ECDH_EXCHANGE, c.ecdh)}})
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// seal wraps a payload as the controller does.
func (c *controller) seal(payload []byte) []byte {
	digest := eveapi.Digest(payload)
	der, err := c.sign.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		c.t.Fatal(err)
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		c.t.Fatal(err)
	}
	h := eveapi.ControllerCertHash(c.sign.pem)
	return eveapi.Envelope{Payload: payload, CertHash: h[:], Signature: rs[:],
		Algo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES}.Bytes()
}

func (c *controller) uuid(id string) []byte {
	b, err := eveapi.UUIDResponseBody(eveapi.Identity{
		UUID: id, Manufacturer: "ACME", Product: "Box/1"})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.seal(b)
}

// bench is a device with one agent, and the files of its disk.
type bench struct {
	*rig.Rig
	t     *testing.T
	c     *controller
	files map[string][]byte
	// wrote lists the paths written, in order.
	wrote []string
}

// newBench has a device with a working network, its keys and its controller's name.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Rig: rig.New(t, "zedclient", New), t: t, c: newController(t),
		files: map[string][]byte{}}
	b.boot(true)
	return b
}

// boot puts what is there after each start of the device.
func (b *bench) boot(onboardKey bool) {
	b.put("/config/server", []byte("zed.example\n"))
	b.put(rootFile, b.c.root.pem)
	b.put(softFile, []byte("soft-1\n"))
	rig.Complete(b.Rig, store.Files)
	b.key(tpm.Device)
	if onboardKey {
		b.key(tpm.Onboard)
	}
	rig.Complete(b.Rig, tpm.Keys)
	rig.Put(b.Rig, hyper.Host, hyper.HostSeen{Serial: "SN7", Manufacturer: "M", Product: "P"})
	b.network(network.DPCSuccess, "10.0.0.5")
}

func (b *bench) key(name string) {
	cert := issue(b.t, nil, name, false)
	rig.Put(b.Rig, tpm.Keys, tpm.KeySeen{Name: name, CertPEM: string(cert.pem)})
}

func (b *bench) network(s network.DPCState, addrs ...string) {
	p := network.NetworkPortStatus{IfName: "eth0", Logicallabel: "eth0", IsMgmt: true, IsL3Port: true,
		Up: true, DNSServers: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.PrefixFrom(netip.MustParseAddr(a), 24))
	}
	rig.Put(b.Rig, network.DNS, network.DeviceNetworkStatus{State: s,
		Ports: []network.NetworkPortStatus{p}})
}

func (b *bench) put(path string, data []byte) {
	b.files[path] = data
	sum := sha256.Sum256(data)
	rig.Put(b.Rig, store.Files, store.FileSeen{Path: path, Size: int64(len(data)),
		Sha256: hex.EncodeToString(sum[:])})
}

// settle carries out everything but web.Send.
func (b *bench) settle() {
	b.t.Helper()
	b.Step()
	for range 5 {
		for _, c := range rig.Calls(b.Rig, store.Read) {
			rig.Done(b.Rig, store.Read, c.Key, store.ReadRes{Data: b.files[c.Req.Path]})
		}
		for _, c := range rig.Calls(b.Rig, store.Write) {
			if old := b.files[c.Req.Path]; c.Req.Backup && old != nil {
				b.put(c.Req.Path+".bak", old)
			}
			b.put(c.Req.Path, c.Req.Data)
			b.wrote = append(b.wrote, c.Req.Path)
			rig.Done(b.Rig, store.Write, c.Key, store.None{})
		}
		for _, c := range rig.Calls(b.Rig, tpm.Sign) {
			res := tpm.SignRes{CertHash: sha256.Sum256([]byte(c.Req.Name))}
			copy(res.RS[:], c.Req.Digest[:])
			rig.Done(b.Rig, tpm.Sign, c.Key, res)
		}
		b.Step()
	}
}

// asks is the endpoint of the request under way, "" if there is none.
func (b *bench) asks() string {
	b.settle()
	calls := rig.Calls(b.Rig, web.Send)
	if len(calls) == 0 {
		return ""
	}
	return calls[0].Req.URL[strings.LastIndex(calls[0].Req.URL, "/")+1:]
}

// expect fails unless the given endpoint is asked now, and gives the request.
func (b *bench) expect(endpoint string) web.SendReq {
	b.t.Helper()
	if got := b.asks(); got != endpoint {
		b.t.Fatalf("asks %q, want %q; %+v", got, endpoint, b.status())
	}
	if endpoint == "" {
		return web.SendReq{}
	}
	return rig.Calls(b.Rig, web.Send)[0].Req
}

// answer ends the request under way.
func (b *bench) answer(endpoint string, code int, body []byte) {
	b.t.Helper()
	b.expect(endpoint)
	res := web.SendRes{Code: code, Body: body, WithTLS: true}
	if body != nil {
		res.Header = []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}
	}
	rig.Done(b.Rig, web.Send, endpoint, res)
	b.settle()
}

func (b *bench) fail(endpoint, fault string) {
	b.t.Helper()
	b.expect(endpoint)
	rig.Fail(b.Rig, web.Send, endpoint, agent.Fault{Code: fault, Text: fault, Retry: true})
	b.settle()
}

func (b *bench) status() node.ClientStatus {
	if s := rig.Get(b.Rig, node.Client, entity.Global); s != nil {
		return *s
	}
	return node.ClientStatus{}
}

func (b *bench) led() node.LedBlinkCount {
	if l := rig.Get(b.Rig, node.Led.Of("zedclient"), "ledconfig"); l != nil {
		return l.BlinkCounter
	}
	return 0
}

func (b *bench) uuid() string {
	if o := rig.Get(b.Rig, node.Onboarding, entity.Global); o != nil {
		return o.DeviceUUID
	}
	return ""
}

func (b *bench) onboard() {
	b.t.Helper()
	b.answer("certs", 200, b.c.seal(b.c.list()))
	b.answer("register", 201, nil)
	b.answer("uuid", 200, b.c.uuid(deviceID))
}
