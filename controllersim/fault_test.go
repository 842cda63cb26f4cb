package controllersim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
)

func TestFaultsAsADeviceSeesThem(t *testing.T) {
	for _, f := range []struct {
		fault controllersim.Fault
		code  int
		want  eveapi.Code
	}{
		{controllersim.Fault{Kind: controllersim.FaultStatus, Status: 503}, 503, 0},
		{controllersim.Fault{Kind: controllersim.FaultWrongSigner}, 200, eveapi.CertMiss},
		{controllersim.Fault{Kind: controllersim.FaultBadSignature}, 200, eveapi.SignVerifyFail},
		{controllersim.Fault{Kind: controllersim.FaultCorrupt}, 200, eveapi.SignVerifyFail},
		{controllersim.Fault{Kind: controllersim.FaultTruncate}, 200, eveapi.Malformed},
		{controllersim.Fault{Kind: controllersim.FaultEmpty}, 200, eveapi.Malformed},
		{controllersim.Fault{Kind: controllersim.FaultOversized, Bytes: 10 << 20}, 200, eveapi.TooLarge},
		{controllersim.Fault{Kind: controllersim.FaultOversized, Bytes: 1 << 10}, 200, 0},
		{controllersim.Fault{Kind: controllersim.FaultNotModified}, 304, 0},
		{controllersim.Fault{Kind: controllersim.FaultHash16}, 200, 0},
	} {
		c := newController(t)
		d := newDevice(t, c, "1")
		d.onboardFully()
		f.fault.Name, f.fault.Endpoint, f.fault.Device = "f", eveapi.Config, d.UUID
		if err := c.SetFault(f.fault); err != nil {
			t.Fatal(err)
		}
		_, code, fault := d.fetchConfig()
		if code != f.code || (f.want == 0) != (fault == nil) || fault != nil && fault.Code != f.want {
			t.Errorf("%s: %d, %v, want %d, %v", f.fault.Kind, code, fault, f.code, f.want)
		}
		if r := d.post(eveapi.UUID, nil); r.Code != http.StatusOK {
			t.Errorf("%s at config: uuid gives %d", f.fault.Kind, r.Code)
		}
		if !c.ClearFault("f") || c.ClearFault("f") {
			t.Errorf("%s: cleared not once", f.fault.Kind)
		}
		d.Hash = ""
		if cfg, code, fault := d.fetchConfig(); code != 200 || fault != nil || cfg == nil {
			t.Errorf("%s cleared: %d, %v", f.fault.Kind, code, fault)
		}
	}
}

func TestFaultsOfDelayTypeAndCount(t *testing.T) {
	c := newController(t)
	d, other := newDevice(t, c, "1"), newDevice(t, c, "2")
	d.onboardFully()
	other.onboardFully()
	for _, f := range []controllersim.Fault{
		{Name: "slow", Kind: controllersim.FaultDelay, Delay: 7 * time.Second},
		{Name: "html", Kind: controllersim.FaultContentType, ContentType: "text/html", Device: d.UUID},
		{Name: "twice", Kind: controllersim.FaultStatus, Status: 403, Count: 2, Device: other.UUID},
	} {
		if err := c.SetFault(f); err != nil {
			t.Fatal(err)
		}
	}
	if r := d.post(eveapi.UUID, nil); r.Delay != 7*time.Second ||
		r.Header.Get("Content-Type") != "text/html" {
		t.Errorf("delay %s, headers %v", r.Delay, r.Header)
	}
	for i, want := range []int{403, 403, 200} {
		if r := other.post(eveapi.UUID, nil); r.Code != want || r.Delay != 7*time.Second {
			t.Errorf("request %d: %d after %s, want %d", i, r.Code, r.Delay, want)
		}
	}
	if n := len(c.Faults()); n != 2 {
		t.Errorf("%d faults are left, want 2", n)
	}
	c.ClearFaults()
	if r := d.post(eveapi.UUID, nil); r.Delay != 0 || !eveapi.IsProto(r.Header.Get("Content-Type")) {
		t.Errorf("cleared: delay %s, headers %v", r.Delay, r.Header)
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	c := newController(t)
	for _, f := range []controllersim.Fault{
		{Kind: "nonsense"}, {Kind: controllersim.FaultStatus}, {Kind: controllersim.FaultStatus,
			Status: 1000}, {Kind: controllersim.FaultDelay, Delay: -1},
		{Kind: controllersim.FaultEmpty, Endpoint: "nonsense"},
		{Kind: controllersim.FaultEmpty, Count: -1},
		{Kind: controllersim.FaultOversized, Bytes: 1 << 30}, {Kind: controllersim.FaultLate},
		{Kind: controllersim.FaultAgain, Delay: time.Hour},
	} {
		if err := c.SetFault(f); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

func TestRotationAndExpiredList(t *testing.T) {
	c := newController(t)
	d := newDevice(t, c, "1")
	d.onboardFully()
	first, _, _ := d.fetchConfig()
	if err := c.Rotate(); err != nil {
		t.Fatal(err)
	}
	_, code, fault := d.fetchConfig()
	if code != 200 || fault == nil || fault.Code != eveapi.CertMiss {
		t.Errorf("after the rotation: %d %v, want CertMiss", code, fault)
	}
	expired := controllersim.Fault{Name: "x", Kind: controllersim.FaultExpiredCert}
	if err := c.SetFault(expired); err != nil {
		t.Fatal(err)
	}
	if err := d.FetchCerts(); eveapi.CodeOf(err) != eveapi.CertInvalid {
		t.Errorf("expired signing certificate: %v, want CertInvalid", err)
	}
	c.ClearFaults()
	if err := d.FetchCerts(); err != nil {
		t.Fatal(err)
	}
	second, code, fault := d.fetchConfig()
	if code != 200 || fault != nil {
		t.Fatalf("with the new certificates: %d %v", code, fault)
	}
	if a, b := first.GetControllercertConfighash(), second.GetControllercertConfighash(); a == b {
		t.Errorf("controllercert_confighash stays %q", a)
	}
	if _, code, _ := d.fetchConfig(); code != 304 {
		t.Errorf("asked again: %d, want 304", code)
	}
}
