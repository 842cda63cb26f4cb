package controllersim_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/client"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
	"github.com/lf-edge/eve-api/go/info"
)

// noon is the time the tests are at.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// signer is a key with a certificate whose envelopes cannot fail.
type signer struct {
	*client.Signer
	pem []byte
}

func newSigner(t testing.TB, name string) *signer {
	t.Helper()
	s, err := client.NewSigner(name)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{s, s.PEM}
}

func (s *signer) seal(t testing.TB, payload, sender []byte) []byte {
	t.Helper()
	body, err := s.Seal(payload, sender)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// testDevice is a client whose exchanges end the test if they cannot take place.
type testDevice struct {
	*client.Client
	t       testing.TB
	c       *controllersim.Controller
	own     *signer
	onboard *signer
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
	cl, err := client.New(c, serial)
	if err != nil {
		t.Fatal(err)
	}
	d := &testDevice{
		Client: cl, t: t, c: c, own: &signer{cl.Device, cl.Device.PEM},
		onboard: &signer{cl.Onboard, cl.Onboard.PEM},
	}
	cl.Now = func() time.Time { return noon }
	cl.Send = func(r controllersim.Request) (controllersim.Response, error) {
		return d.c.Handle(noon, r), nil
	}
	return d
}

func (d *testDevice) must(r controllersim.Response, err error) controllersim.Response {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *testDevice) get(e eveapi.Endpoint) controllersim.Response { return d.must(d.Get(e)) }

func (d *testDevice) post(e eveapi.Endpoint, payload []byte) controllersim.Response {
	return d.must(d.Post(e, payload))
}

func (d *testDevice) send(e eveapi.Endpoint, body []byte) controllersim.Response {
	return d.must(d.PostRaw(e, body))
}

func (d *testDevice) register() int {
	d.t.Helper()
	code, err := d.Register()
	if err != nil {
		d.t.Fatal(err)
	}
	return code
}

// onboardFully goes through a device's first boot.
func (d *testDevice) onboardFully() {
	d.t.Helper()
	if err := d.OnboardFully(); err != nil {
		d.t.Fatal(err)
	}
	if n := d.record().Count(eveapi.Register); n != 1 {
		d.t.Fatalf("%d registrations counted, want 1", n)
	}
}

// fetchConfig asks for the configuration as the device has it. It is nil on 304 and on a fault.
func (d *testDevice) fetchConfig() (*config.EdgeDevConfig, int, *eveapi.Fault) {
	d.t.Helper()
	cfg, code, err := d.FetchConfig()
	var fault *eveapi.Fault
	if err != nil && !errors.As(err, &fault) {
		d.t.Fatal(err)
	}
	if cfg != nil && code != http.StatusOK {
		d.t.Fatalf("config: %d with a configuration", code)
	}
	return cfg, code, fault
}

func (d *testDevice) record() *fleet.Device {
	d.t.Helper()
	rec, ok := d.c.Fleet().Device(d.UUID)
	if !ok {
		d.t.Fatalf("the fleet has no device %s", d.UUID)
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
