package controllerconn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

// order is what the test wants of the agent on the bench.
type order struct {
	Name  string
	Req   controllerconn.Request
	Again int  // raised to ask for a Redo
	Test  bool // a connectivity test over Ports
	Ports []network.NetworkPortStatus
}

func (o order) Key() string { return o.Name }

// mark puts an item into the agent's queue; Body is what it says when it is built.
type mark struct {
	Item  controllerconn.Item
	Mark  int
	Force bool
	Body  string
}

func (m mark) Key() string { return m.Item.Kind + "." + m.Item.Entity }

// outcome is what the agent made of an order.
type outcome struct {
	Name    string
	Phase   agent.Phase
	Code    int
	Payload string
	Status  controllerconn.SenderStatus
	Last    int
	Tries   []controllerconn.Attempt
	Text    string
	Again   int
	Verdict controllerconn.Verdict
	Ports   []controllerconn.PortResult
}

func (o outcome) Key() string { return o.Name }

// marked remembers which mark was taken.
type marked struct {
	Name string
	Mark int
}

func (m marked) Key() string { return m.Name }

var (
	orders   = bus.NewTopic[order](bus.Decl{Owner: "boss", Name: "Order"})
	marks    = bus.NewTopic[mark](bus.Decl{Owner: "boss", Name: "Mark"})
	outcomes = bus.NewTopic[outcome](bus.Decl{Owner: "zedagent-info", Name: "Outcome"})
	taken    = bus.NewTopic[marked](bus.Decl{Owner: "zedagent-info", Name: "Taken", Life: bus.Local})
	conn     = controllerconn.Declare("zedagent-info")
)

// courier is the agent on the bench: it does what orders and marks say.
type courier struct {
	c        *controllerconn.Conn
	orders   *bus.Sub[order]
	marks    *bus.Sub[mark]
	outcomes *bus.Pub[outcome]
	taken    *bus.Pub[marked]
}

func newCourier(p bus.Port) agent.Agent {
	return &courier{
		controllerconn.Attach(p, conn, controllerconn.Options{}), bus.Subscribe(p, orders),
		bus.Subscribe(p, marks), bus.Publish(p, outcomes), bus.Publish(p, taken),
	}
}

func (a *courier) Step(t *agent.Turn) {
	for k, o := range a.orders.All() {
		a.one(t, k, o)
	}
	a.c.Keep(t, func(k string) bool { return a.orders.Get(k) != nil })
	for k, m := range a.marks.All() {
		if old := a.taken.Get(k); old == nil || old.Mark != m.Mark {
			a.taken.Put(marked{k, m.Mark})
			a.c.MarkDue(t, m.Item, m.Force)
		}
	}
	a.c.Pump(t, func(i controllerconn.Item) controllerconn.Message {
		m := a.marks.Get(i.Kind + "." + i.Entity)
		if m == nil {
			return controllerconn.Message{Nothing: true}
		}
		var s bus.Sum
		s.String(m.Body)
		return controllerconn.Message{Sum: s.Value(), Request: controllerconn.Request{
			Endpoint: eveapi.Info, Payload: []byte(m.Body)}}
	})
}

func (a *courier) one(t *agent.Turn, k string, o *order) {
	out := outcome{Name: k, Again: o.Again}
	if old := a.outcomes.Get(k); old != nil && old.Again != o.Again {
		a.c.Redo(t, k)
	}
	if o.Test {
		r := a.c.Test(t, k, o.Ports)
		out.Phase, out.Verdict, out.Ports, out.Text = r.Phase, r.Verdict, r.Ports, r.Text
		out.Last = r.Code
	} else {
		r := a.c.Want(t, k, o.Req)
		out.Phase, out.Code, out.Payload, out.Status = r.Phase, r.Code, string(r.Payload), r.Status
		out.Last, out.Tries, out.Text = r.LastCode, r.Attempts, r.Error()
	}
	a.outcomes.Put(out)
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// port is a working management port.
func port(name string, cost uint8, addrs ...string) network.NetworkPortStatus {
	p := network.NetworkPortStatus{
		IfName: name, Logicallabel: name, IsMgmt: true, IsL3Port: true, Up: true, Cost: cost,
		DNSServers: []netip.Addr{ip("10.0.0.53")},
	}
	for _, a := range addrs {
		p.AddrInfoList = append(p.AddrInfoList, netip.PrefixFrom(ip(a), 24))
	}
	return p
}

// newRig has a device with the given ports that knows its controller and its UUID.
func newRig(t testing.TB, ports ...network.NetworkPortStatus) *rig.Rig {
	t.Helper()
	r := rig.New(t, "zedagent-info", newCourier)
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 12, Sha256: "aa"})
	rig.Put(r, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	setPorts(r, network.DPCSuccess, ports...)
	r.Step()
	return r
}

const deviceID = "8a4ae2bc-5a3c-4f4f-a9f0-2f5a47e1a001"

func setPorts(r *rig.Rig, s network.DPCState, ports ...network.NetworkPortStatus) {
	rig.Put(r, network.DNS, network.DeviceNetworkStatus{State: s, Ports: ports})
}

// serve answers what runs beside web.Send: the server's name and signatures.
func serve(r *rig.Rig) {
	r.Step()
	for range 3 {
		for _, c := range rig.Calls(r, store.Read) {
			rig.Done(r, store.Read, c.Key, store.ReadRes{Data: []byte("zed.example\n")})
		}
		for _, c := range rig.Calls(r, tpm.Sign) {
			res := tpm.SignRes{CertHash: sha256.Sum256([]byte(c.Req.Name))}
			copy(res.RS[:], c.Req.Digest[:])
			rig.Done(r, tpm.Sign, c.Key, res)
		}
		r.Step()
	}
}

// ask puts an order and goes on until something is sent, or it is over.
func ask(r *rig.Rig, o order) {
	rig.Put(r, orders, o)
	serve(r)
}

// sent is the one request under way.
func sent(t *testing.T, r *rig.Rig) web.SendReq {
	t.Helper()
	calls := rig.Calls(r, web.Send)
	if len(calls) != 1 {
		t.Fatalf("%d requests under way, want 1\n%s", len(calls), r.Dump())
	}
	return calls[0].Req
}

func answer(r *rig.Rig, key string, res web.SendRes) {
	res.WithTLS = true
	rig.Done(r, web.Send, key, res)
	serve(r)
}

func code(r *rig.Rig, key string, n int) { answer(r, key, web.SendRes{Code: n}) }

func fail(r *rig.Rig, key, fault string) {
	rig.Fail(r, web.Send, key, agent.Fault{Code: fault, Text: "it is " + fault, Retry: true})
	serve(r)
}

func got(t *testing.T, r *rig.Rig, key string) outcome {
	t.Helper()
	o := rig.Get(r, outcomes, key)
	if o == nil {
		t.Fatalf("no outcome of %s\n%s", key, r.Dump())
	}
	return *o
}

// controller is a controller's signing certificate.
type controller struct {
	key *ecdsa.PrivateKey
	pem []byte
}

func newController(t *testing.T, name string) *controller {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return &controller{k, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (c *controller) row() security.ControllerCert {
	return security.ControllerCert{CertHash: "c0", Type: 1, Cert: string(c.pem)}
}

func (c *controller) seal(t *testing.T, payload string) []byte {
	t.Helper()
	digest := eveapi.Digest([]byte(payload))
	der, err := c.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := eveapi.RawSignature(der)
	if err != nil {
		t.Fatal(err)
	}
	h := eveapi.ControllerCertHash(c.pem)
	return eveapi.Envelope{
		Payload: []byte(payload), CertHash: h[:], Signature: rs[:],
		Algo: evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES,
	}.Bytes()
}
