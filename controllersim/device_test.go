package controllersim_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/info"
)

// noon is the time the tests are at.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// signer is a key with a certificate, as a device or an onboarding key has.
type signer struct {
	key *ecdsa.PrivateKey
	der []byte
	pem []byte
}

func newSigner(t testing.TB, label string) *signer {
	t.Helper()
	key := controllersim.DeriveKey([]byte("test"), label)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: noon.AddDate(10, 0, 0)}
	tmpl.Subject.CommonName = label
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{key, der, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (s *signer) seal(t testing.TB, payload, sender []byte) []byte {
	t.Helper()
	digest := eveapi.Digest(payload)
	sig, err := s.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := eveapi.RawSignature(sig)
	if err != nil {
		t.Fatal(err)
	}
	return eveapi.Seal(payload, rs, eveapi.DeviceCertHash(s.der), sender)
}

// testDevice is as much of a device as the protocol needs.
type testDevice struct {
	t       testing.TB
	c       *controllersim.Controller
	now     time.Time
	own     *signer
	onboard *signer
	serial  string

	uuid  string
	certs *eveapi.ControllerCerts
	hash  string
}

func newController(t testing.TB) *controllersim.Controller {
	t.Helper()
	c, err := controllersim.New(controllersim.Options{Seed: []byte("seed")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newDevice makes a device that holds the controller's own onboarding key.
func newDevice(t testing.TB, c *controllersim.Controller, serial string) *testDevice {
	t.Helper()
	cert, _, err := c.OnboardPEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(cert)
	return &testDevice{
		t: t, c: c, now: noon, own: newSigner(t, "device "+serial), serial: serial,
		onboard: &signer{c.OnboardKey(), block.Bytes, cert},
	}
}

func (d *testDevice) get(e eveapi.Endpoint) controllersim.Response {
	d.t.Helper()
	return d.c.Handle(d.now, controllersim.Request{
		Method: "GET", Path: eveapi.Route{Endpoint: e, Device: d.uuid}.Path(),
	})
}

func (d *testDevice) post(e eveapi.Endpoint, payload []byte) controllersim.Response {
	d.t.Helper()
	return d.send(e, d.own.seal(d.t, payload, nil))
}

func (d *testDevice) send(e eveapi.Endpoint, body []byte) controllersim.Response {
	d.t.Helper()
	header := http.Header{}
	for _, h := range eveapi.RequestHeaders(eveapi.Sender{
		RequestID: "r", Onboarded: d.uuid != "", Serial: d.serial,
	}, true) {
		header.Set(h.Name, h.Value)
	}
	return d.c.Handle(d.now, controllersim.Request{
		Method: "POST", Path: eveapi.Route{Endpoint: e, Device: d.uuid}.Path(), Header: header,
		Body: body,
	})
}

func (d *testDevice) register() int {
	d.t.Helper()
	payload, err := eveapi.RegisterBody(eveapi.Registration{CertPEM: d.own.pem, Serial: d.serial})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.send(eveapi.Register, d.onboard.seal(d.t, payload, d.onboard.pem)).Code
}

func (d *testDevice) fetchCerts() error {
	d.t.Helper()
	r := d.get(eveapi.Certs)
	if r.Code != http.StatusOK || !eveapi.IsProto(r.Header.Get("Content-Type")) {
		d.t.Fatalf("certs: %d %v", r.Code, r.Header)
	}
	cc, err := eveapi.OpenControllerCerts(r.Body, d.c.RootPEM(), d.now, eveapi.CertOptions{})
	if err == nil {
		d.certs = cc
	}
	return err
}

// onboardFully goes certs, register, uuid, as a device does at its first boot.
func (d *testDevice) onboardFully() {
	d.t.Helper()
	if err := d.fetchCerts(); err != nil {
		d.t.Fatal(err)
	}
	if code := d.register(); code != http.StatusCreated {
		d.t.Fatalf("register: %d", code)
	}
	r := d.post(eveapi.UUID, eveapi.UUIDRequestBody())
	if r.Code != http.StatusOK {
		d.t.Fatalf("uuid: %d", r.Code)
	}
	payload, fault := eveapi.Open(r.Body, d.certs.Trusted())
	if fault != nil {
		d.t.Fatal(fault)
	}
	id, err := eveapi.ParseUUIDResponse(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	d.uuid = id.UUID
}

// fetchConfig asks for the configuration as the device has it. It is nil on 304 and on a fault.
func (d *testDevice) fetchConfig() (*config.EdgeDevConfig, int, *eveapi.Fault) {
	d.t.Helper()
	r := d.post(eveapi.Config, eveapi.ConfigRequestBody(d.hash, nil))
	if r.Code != http.StatusOK {
		if len(r.Body) > 0 {
			d.t.Fatalf("config: %d with a body", r.Code)
		}
		return nil, r.Code, nil
	}
	payload, fault := eveapi.Open(r.Body, d.certs.Trusted())
	if fault != nil {
		return nil, r.Code, fault
	}
	cfg, hash, err := eveapi.ParseConfigResponse(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	d.hash = hash
	return cfg, r.Code, nil
}

func (d *testDevice) record() *fleet.Device {
	d.t.Helper()
	rec, ok := d.c.Fleet().Device(d.uuid)
	if !ok {
		d.t.Fatalf("the fleet has no device %s", d.uuid)
	}
	return rec
}

func appInfo(t testing.TB, device, app string, state info.ZSwState) []byte {
	t.Helper()
	b, err := eveapi.InfoBody(&info.ZInfoMsg{
		Ztype: info.ZInfoTypes_ZiApp, DevId: device,
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: &info.ZInfoApp{AppID: app, State: state}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
