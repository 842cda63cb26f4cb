package controllerconn_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/evecommon"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/metrics"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

var info = order{Name: "x", Req: controllerconn.Request{
	Endpoint: eveapi.Info, Payload: []byte("payload")}}

func TestAPI2_PostIsEnveloped(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	req := sent(t, r)
	want := "https://zed.example/api/v2/edgedevice/id/" + deviceID + "/info"
	if req.Method != "POST" || req.URL != want {
		t.Fatalf("%s %s", req.Method, req.URL)
	}
	e, fault := eveapi.ParseEnvelope(req.Body)
	if fault != nil {
		t.Fatal(fault)
	}
	digest := eveapi.Digest([]byte("payload"))
	name := sha256.Sum256([]byte(tpm.Device))
	if string(e.Payload) != "payload" ||
		e.Algo != evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES || len(e.Signature) != 64 ||
		!bytes.Equal(e.Signature[:32], digest[:]) ||
		!bytes.Equal(e.CertHash, name[:]) || e.SenderCert != nil {
		t.Fatalf("envelope %+v", e)
	}
	if req.Timeout != 2*time.Minute || req.Dial != 10*time.Second || req.TLS != web.TLSController {
		t.Fatalf("limits %v %v, TLS %q", req.Timeout, req.Dial, req.TLS)
	}
}

func TestAPI3_GetHasNoBody(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	ask(r, order{Name: "x", Req: controllerconn.Request{Endpoint: eveapi.Certs}})
	req := sent(t, r)
	if req.Method != "GET" || req.Body != nil || len(rig.Calls(r, tpm.Sign)) != 0 {
		t.Fatalf("%s with %d bytes", req.Method, len(req.Body))
	}
}

func TestRegisterIsSignedByTheOnboardingKey(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	rig.Delete(r, node.Onboarding, "global")
	ask(r, order{Name: "x", Req: controllerconn.Request{Endpoint: eveapi.Register,
		Payload: []byte("reg"), SenderPEM: []byte("PEM\n"), Serial: "sn", SoftSerial: "soft"}})
	req := sent(t, r)
	e, _ := eveapi.ParseEnvelope(req.Body)
	name := sha256.Sum256([]byte(tpm.Onboard))
	if text, err := e.SenderPEM(); err != nil || string(text) != "PEM\n" ||
		!bytes.Equal(e.CertHash, name[:]) {
		t.Fatalf("sender %q, %v", text, err)
	}
	res := web.SendRes{Header: req.Header}
	if res.Get("X-Serial-Number") != "sn" || res.Get("X-Soft-Serial") != "soft" ||
		len(res.Get("X-Request-Id")) != 36 {
		t.Fatalf("header %+v", req.Header)
	}
}

func TestEachAttemptHasItsOwnRequestID(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"), port("eth1", 1, "10.0.1.5"))
	seen := map[string]bool{}
	o := info
	for o.Again = range 3 {
		ask(r, o)
		for range 2 {
			res := web.SendRes{Header: sent(t, r).Header}
			seen[res.Get("X-Request-Id")] = true
			code(r, "x", 500)
		}
	}
	if len(seen) != 6 {
		t.Fatalf("%d different identifiers in 6 attempts", len(seen))
	}
}

func TestAPI13_SecondPortWhenTheFirstIsDead(t *testing.T) {
	r := newRig(t, port("eth1", 5, "10.0.1.5"), port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	if v := sent(t, r).Via; v.IfName != "eth0" || v.Source != ip("10.0.0.5") {
		t.Fatalf("first via %+v", v)
	}
	fail(r, "x", web.FaultTimeout)
	if v := sent(t, r).Via; v.IfName != "eth1" {
		t.Fatalf("then via %+v", v)
	}
	answer(r, "x", web.SendRes{Code: 201, Body: []byte("b")})
	o := got(t, r, "x")
	if o.Phase != agent.Done || o.Code != 201 || o.Payload != "b" || len(o.Tries) != 2 ||
		o.Tries[0].Error != "it is timeout" || o.Status != controllerconn.StatusNone {
		t.Fatalf("%+v", o)
	}
}

func TestEverySourceAddressIsTried(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5", "10.0.0.6", "fe80::1", "fd00::6"))
	ask(r, info)
	var order []string
	for range 3 {
		order = append(order, sent(t, r).Via.Source.String())
		fail(r, "x", web.FaultUnreachable)
	}
	if want := []string{"10.0.0.5", "10.0.0.6", "fd00::6"}; !equal(order, want) {
		t.Fatalf("sources %v, want %v", order, want)
	}
	if o := got(t, r, "x"); o.Phase != agent.Failed || o.Status != controllerconn.StatusFailed {
		t.Fatalf("%+v", o)
	}
}

func TestAPI14_RotationFromExchangeToExchange(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"), port("eth1", 0, "10.0.1.5"),
		port("eth2", 1, "10.0.2.5"))
	var first []string
	o := info
	for o.Again = range 4 {
		ask(r, o)
		first = append(first, sent(t, r).Via.IfName)
		code(r, "x", 201)
	}
	if want := []string{"eth0", "eth1", "eth0", "eth1"}; !equal(first, want) {
		t.Fatalf("ports %v, want %v", first, want)
	}
}

func TestAPI10_Answer503IsUpgrade(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"), port("eth1", 1, "10.0.1.5"))
	ask(r, info)
	code(r, "x", 503)
	fail(r, "x", web.FaultTimeout)
	o := got(t, r, "x")
	if o.Phase != agent.Failed || o.Status != controllerconn.StatusUpgrade || o.Code != 0 ||
		o.Last != 503 {
		t.Fatalf("%+v", o)
	}
}

func TestAnswersThatEndAnExchange(t *testing.T) {
	for _, c := range []struct {
		code int
		bail bool
		done bool
		st   controllerconn.SenderStatus
	}{
		{200, false, true, controllerconn.StatusNone}, {204, false, true, controllerconn.StatusNone},
		{304, false, true, controllerconn.StatusNone}, {403, false, true, controllerconn.StatusForbidden},
		{404, false, false, controllerconn.StatusNotFound},
		{500, false, false, controllerconn.StatusFailed},
		{400, true, true, controllerconn.StatusNotFound}, {503, true, true, controllerconn.StatusUpgrade},
	} {
		r := newRig(t, port("eth0", 0, "10.0.0.5"))
		o := info
		o.Req.Bail = c.bail
		ask(r, o)
		code(r, "x", c.code)
		g := got(t, r, "x")
		if (g.Phase == agent.Done) != c.done || g.Status != c.st || g.Last != c.code {
			t.Errorf("%d, bail %v: %+v", c.code, c.bail, g)
		}
	}
}

func TestFaultsAreClassed(t *testing.T) {
	for _, c := range []struct {
		fault string
		proxy string
		st    controllerconn.SenderStatus
	}{
		{web.FaultConnRefused, "", controllerconn.StatusRefused},
		{web.FaultConnRefused, "10.0.0.1", controllerconn.StatusFailed},
		{web.FaultCertInvalid, "", controllerconn.StatusCertInvalid},
		{web.FaultCertUnknown, "", controllerconn.StatusCertUnknownAuthority},
		{web.FaultCertUnknown, "10.0.0.1", controllerconn.StatusCertUnknownAuthorityProxy},
		{web.FaultTimeout, "", controllerconn.StatusFailed},
	} {
		p := port("eth0", 0, "10.0.0.5")
		if c.proxy != "" {
			p.Proxies = []network.ProxyEntry{{Type: network.ProxyHTTPS, Server: c.proxy, Port: 3128}}
		}
		r := newRig(t, p)
		ask(r, info)
		fail(r, "x", c.fault)
		if o := got(t, r, "x"); o.Status != c.st || o.Phase != agent.Failed {
			t.Errorf("%s behind %q: %+v", c.fault, c.proxy, o)
		}
	}
}

func TestNoTLSIsAFailure(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	rig.Done(r, web.Send, "x", web.SendRes{Code: 200})
	serve(r)
	if o := got(t, r, "x"); o.Phase != agent.Failed || o.Status != controllerconn.StatusNoTLS {
		t.Fatalf("%+v", o)
	}
}

func TestAPI16_PortWithoutDNSIsLeftOut(t *testing.T) {
	bare := port("eth0", 0, "10.0.0.5")
	bare.DNSServers = nil
	r := newRig(t, bare, port("eth1", 1, "10.0.1.5"))
	ask(r, info)
	if v := sent(t, r).Via; v.IfName != "eth1" {
		t.Fatalf("via %+v", v)
	}
	bare.Proxies = []network.ProxyEntry{{Type: network.ProxyHTTPS, Server: "10.0.0.1", Port: 3128}}
	r = newRig(t, bare, port("eth1", 1, "10.0.1.5"))
	ask(r, info)
	if v := sent(t, r).Via; v.IfName != "eth0" || v.Proxy != "http://10.0.0.1:3128" {
		t.Fatalf("via %+v", v)
	}
}

func TestNoPortAtAll(t *testing.T) {
	r := newRig(t)
	ask(r, info)
	if o := got(t, r, "x"); o.Phase != agent.Failed || o.Text != "no management interfaces" {
		t.Fatalf("%+v", o)
	}
}

func TestOverallLimit(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"), port("eth1", 0, "10.0.1.5"),
		port("eth2", 0, "10.0.2.5"))
	ask(r, info)
	r.Advance(100 * time.Second)
	fail(r, "x", web.FaultTimeout)
	r.Advance(100 * time.Second)
	fail(r, "x", web.FaultTimeout)
	if d := sent(t, r).Timeout; d != 40*time.Second {
		t.Fatalf("last attempt may take %v", d)
	}
	r.Advance(40 * time.Second)
	o := got(t, r, "x")
	if o.Phase != agent.Failed || len(o.Tries) != 3 || o.Status != controllerconn.StatusFailed {
		t.Fatalf("%+v", o)
	}
}

func TestVerifyOpensAndRefuses(t *testing.T) {
	good, bad := newController(t, "good"), newController(t, "bad")
	o := info
	o.Req.Endpoint, o.Req.Verify = eveapi.Config, true
	flipped := good.seal(t, "hello")
	flipped[6] ^= 1
	for name, c := range map[string]struct {
		body    []byte
		st      controllerconn.SenderStatus
		payload string
	}{
		"good":    {good.seal(t, "hello"), controllerconn.StatusNone, "hello"},
		"miss":    {bad.seal(t, "hello"), controllerconn.StatusCertMiss, ""},
		"flipped": {flipped, controllerconn.StatusSignVerifyFail, ""},
		"bare":    {[]byte("hello"), controllerconn.StatusMalformed, ""},
		"empty":   {nil, controllerconn.StatusNone, ""},
	} {
		r := newRig(t, port("eth0", 0, "10.0.0.5"))
		rig.Put(r, security.ControllerCerts.Of("zedagent"), good.row())
		rig.Put(r, security.ControllerCerts.Of("zedclient"), bad.row())
		ask(r, o)
		answer(r, "x", web.SendRes{Code: 200, Body: c.body})
		g := got(t, r, "x")
		if g.Status != c.st || g.Payload != c.payload ||
			(g.Phase == agent.Done) != (c.st == controllerconn.StatusNone) {
			t.Errorf("%s: %+v", name, g)
		}
		m := rig.Get(r, metrics.Maps.Of("zedagent-info"), "global")
		if n := m.Ports[0].AuthVerifyFailureCount; (n == 1) != c.st.BadEnvelope() {
			t.Errorf("%s: %d verification failures counted", name, n)
		}
	}
}

func TestAnswerIsVerifiedOnce(t *testing.T) {
	good := newController(t, "good")
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	rig.Put(r, security.ControllerCerts.Of("zedagent"), good.row())
	o := info
	o.Req.Endpoint, o.Req.Verify = eveapi.Config, true
	ask(r, o)
	answer(r, "x", web.SendRes{Code: 200, Body: good.seal(t, "hello")})
	rig.Delete(r, security.ControllerCerts.Of("zedagent"), "c0")
	setPorts(r, network.DPCFail)
	r.Step()
	if g := got(t, r, "x"); g.Phase != agent.Done || g.Payload != "hello" {
		t.Fatalf("the outcome moved with the certificates: %+v", g)
	}
}

func TestCertsOfZedclientUntilZedagentHasSome(t *testing.T) {
	old := newController(t, "old")
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	rig.Put(r, security.ControllerCerts.Of("zedclient"), old.row())
	o := info
	o.Req.Verify = true
	ask(r, o)
	answer(r, "x", web.SendRes{Code: 200, Body: old.seal(t, "hi")})
	if g := got(t, r, "x"); g.Payload != "hi" {
		t.Fatalf("%+v", g)
	}
}

func TestExchangeWaitsForServerAndUUID(t *testing.T) {
	r := rig.New(t, "zedagent-info", newCourier)
	setPorts(r, network.DPCSuccess, port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	if g := got(t, r, "x"); g.Phase != agent.Queued {
		t.Fatalf("%+v", g)
	}
	rig.Put(r, store.Files, store.FileSeen{Path: "/config/server", Size: 12, Sha256: "aa"})
	serve(r)
	rig.Put(r, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	serve(r)
	sent(t, r)
}

func TestAnotherRequestReplacesTheFirst(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	o := info
	o.Req.Payload = []byte("newer")
	ask(r, o)
	e, _ := eveapi.ParseEnvelope(sent(t, r).Body)
	if string(e.Payload) != "newer" {
		t.Fatalf("sent %q", e.Payload)
	}
}

func TestAgentCrashAsksAgain(t *testing.T) {
	r := newRig(t, port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	r.Crash()
	serve(r)
	code(r, "x", 201) // of the orphan: nobody listens
	if g := got(t, r, "x"); g.Phase == agent.Done {
		t.Fatalf("took an orphan's answer: %+v", g)
	}
	sent(t, r)
	code(r, "x", 200)
	if g := got(t, r, "x"); g.Code != 200 {
		t.Fatalf("%+v", g)
	}
}

func TestMetricsOncePerExchange(t *testing.T) {
	r := newRig(t, port("eth1", 1, "10.0.1.5"), port("eth0", 0, "10.0.0.5"))
	ask(r, info)
	fail(r, "x", web.FaultTimeout)
	if m := rig.Get(r, metrics.Maps.Of("zedagent-info"), "global"); m != nil {
		t.Fatalf("counted before the end: %+v", m)
	}
	answer(r, "x", web.SendRes{Code: 200, Body: []byte("12345"), Took: 30 * time.Millisecond})
	m := rig.Get(r, metrics.Maps.Of("zedagent-info"), "global")
	if len(m.Ports) != 2 || m.Ports[0].Interface != "eth0" || m.Ports[0].FailureCount != 1 ||
		m.Ports[1].SuccessCount != 1 || m.Ports[1].LastSuccess != r.Wall().Unix() {
		t.Fatalf("%+v", m)
	}
	want := metrics.URLCounters{URL: "https://zed.example/api/v2/edgedevice/info", TryMsgCount: 1,
		TryByteCount: 7, SentMsgCount: 1, SentByteCount: 7, RecvMsgCount: 1, RecvByteCount: 5,
		TotalTimeMs: 30}
	if u := m.Ports[1].URLs; len(u) != 1 || u[0] != want {
		t.Fatalf("%+v", u)
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
