package controllersim_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/attest"
	"github.com/lf-edge/eve-api/go/certs"
	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"
)

// A device goes through the whole protocol: certs, register, uuid, config, 304, info, metrics.
func TestAPI1_DeviceLife(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "serial-1")
	if r := d.get(eveapi.Ping); r.Code != http.StatusOK || r.Body != nil || r.Header != nil {
		t.Errorf("ping: %d, body of %d bytes", r.Code, len(r.Body))
	}
	d.onboardFully()
	for range 2 {
		if code := d.register(); code != http.StatusOK {
			t.Errorf("register again: %d, want 200", code)
		}
	}
	empty, code, _ := d.fetchConfig()
	if code != http.StatusOK || empty.GetId().GetUuid() != d.UUID {
		t.Fatalf("first config: %d %v", code, empty)
	}
	want, err := fleet.NewDraft("edge").MgmtPort("eth0", 0).Item("timer.config.interval", "60").Build()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.record().SetConfig(fleet.Change{Config: want, At: noon}); err != nil {
		t.Fatal(err)
	}
	got, code, fault := d.fetchConfig()
	if code != http.StatusOK || fault != nil || got.GetId().GetVersion() != "1" ||
		len(got.GetNetworks()) != 1 || got.GetConfigTimestamp().AsTime() != noon ||
		got.GetControllercertConfighash() != c.CertsHash() {
		t.Errorf("config: %d, %v, %v", code, fault, got)
	}
	for range 2 {
		if cfg, code, _ := d.fetchConfig(); code != http.StatusNotModified || cfg != nil {
			t.Errorf("unchanged config: %d, want 304", code)
		}
	}
	app := "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
	for _, state := range []info.ZSwState{info.ZSwState_DOWNLOAD_STARTED, info.ZSwState_RUNNING} {
		if r := d.post(eveapi.Info, appInfo(t, d.UUID, app, state)); r.Code != http.StatusCreated ||
			r.Body != nil {
			t.Errorf("info: %d", r.Code)
		}
	}
	if s := d.record().AppInfo(app).GetState(); s != info.ZSwState_RUNNING {
		t.Errorf("the fleet holds state %v", s)
	}
	m, err := eveapi.MetricsBody(&metrics.ZMetricMsg{DevID: d.UUID})
	if err != nil {
		t.Fatal(err)
	}
	if r := d.post(eveapi.Metrics, m); r.Code != http.StatusCreated {
		t.Errorf("metrics: %d", r.Code)
	}
	if d.record().Metrics().GetDevID() != d.UUID || !d.record().LastSeen().Equal(noon) {
		t.Errorf("the fleet has no metrics, or did not see the device")
	}
	if n := d.record().Count(eveapi.Config); n != 4 {
		t.Errorf("%d config requests counted, want 4", n)
	}
}

func TestRegisterCodes(t *testing.T) {
	c := newController(t)
	known := newSigner(t, "site key")
	if _, err := c.Fleet().AddOnboard(known.pem, "S1", "s2"); err != nil {
		t.Fatal(err)
	}
	reg := func(by *signer, dev *signer, serial string) []byte {
		payload, err := eveapi.RegisterBody(eveapi.Registration{CertPEM: dev.pem, Serial: serial})
		if err != nil {
			t.Fatal(err)
		}
		return by.seal(t, payload, by.pem)
	}
	one, two := newSigner(t, "one"), newSigner(t, "two")
	d := newDevice(t, c, "")
	flip := func(b []byte) []byte {
		e, _ := eveapi.ParseEnvelope(b)
		e.Payload[0] ^= 1
		return b
	}
	for _, step := range []struct {
		name string
		body []byte
		want int
	}{
		{"new", reg(known, one, "s1"), 201},
		{"again", reg(known, one, "s1"), 200},
		{"again, serial in another case", reg(known, one, "S1"), 200},
		{"other device, same key and serial", reg(known, two, "s1"), 409},
		{"same device, other serial", reg(known, one, "s2"), 409},
		{"serial not allowed", reg(known, two, "s3"), 403},
		{"onboarding key not known", reg(two, two, "s1"), 403},
		{"other device, other serial", reg(known, two, "s2"), 201},
		{"signature broken", flip(reg(known, one, "s1")), 401},
		{"no senderCert", known.seal(t, []byte("x"), nil), 401},
		{"senderCert not a certificate", known.seal(t, []byte("x"), []byte("x")), 401},
		{"senderCert of another key", known.seal(t, []byte("x"), two.pem), 401},
		{"payload not a registration", known.seal(t, []byte("\xff\xff"), known.pem), 422},
		{"payload empty", known.seal(t, nil, known.pem), 422},
		{"no envelope", []byte("\xff"), 400},
		{"empty", nil, 400},
	} {
		if r := d.send(eveapi.Register, step.body); r.Code != step.want || r.Body != nil {
			t.Errorf("%s: %d, want %d", step.name, r.Code, step.want)
		}
	}
	if n := c.Fleet().Len(); n != 2 {
		t.Errorf("%d devices, want 2", n)
	}
}

func TestRequestCodes(t *testing.T) {
	c := newController(t)
	d, other := newDevice(t, c, "1"), newDevice(t, c, "2")
	d.onboardFully()
	other.onboardFully()
	gone := "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	proto := http.Header{"Content-Type": {eveapi.ContentType}}
	path := func(e eveapi.Endpoint, id string) string {
		return eveapi.Route{Endpoint: e, Device: id}.Path()
	}
	good := d.own.seal(t, nil, nil)
	e, _ := eveapi.ParseEnvelope(good)
	resigned := func(change func(*eveapi.Envelope)) []byte {
		next := e
		change(&next)
		return next.Bytes()
	}
	for _, r := range []struct {
		name   string
		method string
		path   string
		header http.Header
		body   []byte
		want   int
	}{
		{"good", "POST", path(eveapi.Config, d.UUID), proto, good, 200},
		{"uuid without its id", "POST", path(eveapi.UUID, ""), proto, good, 200},
		{"uuid with its id", "POST", path(eveapi.UUID, d.UUID), proto, good, 200},
		{"certs with an id", "GET", path(eveapi.Certs, d.UUID), nil, nil, 200},
		{"ping with an id", "GET", path(eveapi.Ping, d.UUID), nil, nil, 200},
		{"parameters of the type", "POST", path(eveapi.Config, d.UUID),
			http.Header{"Content-Type": {eveapi.ContentType + "; v=1"}}, good, 200},
		{"GET config", "GET", path(eveapi.Config, d.UUID), nil, nil, 405},
		{"POST certs", "POST", path(eveapi.Certs, ""), proto, good, 405},
		{"unknown path", "POST", "/api/v2/edgedevice/nonsense", proto, good, 404},
		{"config without an id", "POST", "/api/v2/edgedevice/config", proto, good, 404},
		{"v1", "POST", "/api/v1/edgedevice/config", proto, good, 404},
		{"UUID that is none", "POST", "/api/v2/edgedevice/id/7/config", proto, good, 404},
		{"no content type", "POST", path(eveapi.Config, d.UUID), nil, good, 415},
		{"JSON", "POST", path(eveapi.Config, d.UUID),
			http.Header{"Content-Type": {"application/json"}}, good, 415},
		{"no body", "POST", path(eveapi.Config, d.UUID), proto, nil, 400},
		{"no envelope", "POST", path(eveapi.Config, d.UUID), proto, []byte("\xff\xff"), 400},
		{"truncated", "POST", path(eveapi.Config, d.UUID), proto, good[:len(good)-1], 400},
		{"unknown certificate", "POST", path(eveapi.Config, d.UUID), proto,
			newSigner(t, "x").seal(t, nil, nil), 400},
		{"hash of 16 bytes", "POST", path(eveapi.Config, d.UUID), proto,
			resigned(func(e *eveapi.Envelope) { e.CertHash, e.Algo = e.CertHash[:16], 1 }), 400},
		{"algorithm missing", "POST", path(eveapi.Config, d.UUID), proto,
			resigned(func(e *eveapi.Envelope) { e.Algo = 0 }), 400},
		{"signature missing", "POST", path(eveapi.Config, d.UUID), proto,
			resigned(func(e *eveapi.Envelope) { e.Signature = nil }), 401},
		{"signature of another payload", "POST", path(eveapi.Config, d.UUID), proto,
			resigned(func(e *eveapi.Envelope) { e.Payload = []byte{0x0a, 0} }), 401},
		{"another device's path", "POST", path(eveapi.Config, other.UUID), proto, good, 403},
		{"path of a device that is gone", "POST", path(eveapi.Config, gone), proto, good, 400},
		{"config request not to parse", "POST", path(eveapi.Config, d.UUID), proto,
			d.own.seal(t, []byte("\xff"), nil), 422},
		{"uuid request not to parse", "POST", path(eveapi.UUID, ""), proto,
			d.own.seal(t, []byte("\xff"), nil), 422},
		{"info not to parse", "POST", path(eveapi.Info, d.UUID), proto,
			d.own.seal(t, []byte("\xff"), nil), 422},
		{"info without content", "POST", path(eveapi.Info, d.UUID), proto, good, 422},
		{"info about another device", "POST", path(eveapi.Info, d.UUID), proto,
			d.own.seal(t, appInfo(t, other.UUID, "a", 0), nil), 422},
		{"metrics without a device", "POST", path(eveapi.Metrics, d.UUID), proto, good, 422},
		{"health", "POST", path(eveapi.HardwareHealth, d.UUID), proto, good, 201},
		{"flow log", "POST", path(eveapi.FlowLog, d.UUID), proto, good, 201},
		{"log file", "POST", path(eveapi.NewLogs, d.UUID), proto,
			d.own.seal(t, []byte("\x1f\x8b..."), nil), 201},
		{"log file not compressed", "POST", path(eveapi.NewLogs, d.UUID), proto, good, 422},
		{"compound config", "POST", path(eveapi.CompoundConfig, d.UUID), proto, good, 404},
		{"attestation of a state", "POST", path(eveapi.Attest, d.UUID), proto, good, 404},
	} {
		got := c.Handle(noon, controllersim.Request{
			Method: r.method, Path: r.path, Header: r.header, Body: bytes.Clone(r.body),
		})
		if got.Code != r.want {
			t.Errorf("%s: %d, want %d (%v)", r.name, got.Code, r.want, d.record().Requests())
		}
		if got.Body != nil && !eveapi.IsProto(got.Header.Get("Content-Type")) {
			t.Errorf("%s: body with headers %v", r.name, got.Header)
		}
		if got.Code >= 300 && got.Body != nil {
			t.Errorf("%s: %d with a body", r.name, got.Code)
		}
	}
}

func TestNodeCertsAreKeptUnlessMutable(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	send := func(cert string, mutable bool) int {
		m, err := eveapi.Marshal(&attest.ZAttestReq{
			ReqType: attest.ZAttestReqType_ATTEST_REQ_CERT, Certs: []*certs.ZCert{{
				Type: certs.ZCertType_CERT_TYPE_DEVICE_ECDH_EXCHANGE, Cert: []byte(cert),
				Attributes: &certs.ZCertAttr{IsMutable: mutable},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return d.post(eveapi.Attest, m).Code
	}
	for i, step := range []struct {
		cert    string
		mutable bool
		want    int
	}{{"a", true, 201}, {"b", false, 201}, {"b", false, 201}, {"c", false, 404}} {
		if got := send(step.cert, step.mutable); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
	if list := d.record().NodeCerts(); len(list) != 1 || string(list[0].GetCert()) != "b" {
		t.Errorf("the fleet holds %v", list)
	}
}

// FuzzHandle: no body makes the controller panic, and nothing unsigned is believed.
func FuzzHandle(f *testing.F) {
	c := newController(f)
	d := newDevice(f, c, "1")
	d.onboardFully()
	good := d.own.seal(f, nil, nil)
	f.Add("/api/v2/edgedevice/id/"+d.UUID+"/config", good)
	f.Add("/api/v2/edgedevice/uuid", good[:20])
	f.Add("/api/v2/edgedevice/register", d.onboard.seal(f, []byte{1}, d.onboard.pem))
	f.Add("/api/v2/edgedevice/id/"+d.UUID+"/info", []byte{0x0a, 0xff})
	f.Add("/api/v2/edgedevice/id//apps/instanceid//newlogs", []byte(nil))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		r := c.Handle(noon, controllersim.Request{
			Method: "POST", Path: path, Body: body,
			Header: http.Header{"Content-Type": {eveapi.ContentType}},
		})
		e, fault := eveapi.ParseEnvelope(body)
		if r.Code < 300 && (fault != nil || len(e.Signature) == 0) {
			t.Fatalf("%s is answered with %d", path, r.Code)
		}
	})
}
