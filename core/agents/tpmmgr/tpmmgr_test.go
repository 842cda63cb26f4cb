package tpmmgr

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/security"
)

func newBench(t *testing.T) *rig.Rig {
	t.Helper()
	r := rig.New(t, "tpmmgr", New)
	rig.Put(r, tpm.Module, tpm.TpmSeen{Kind: "model", Vendor: "ACME"})
	rig.Put(r, clock.Clock, clock.ClockSeen{RTC: true})
	return r
}

func status(r *rig.Rig) security.TpmStatus {
	if s := rig.Get(r, security.Tpm, entity.Global); s != nil {
		return *s
	}
	return security.TpmStatus{}
}

func device() tpm.KeySeen {
	return tpm.KeySeen{Name: tpm.Device, InTPM: true, CertPEM: "PEM\n", CertHash: [32]byte{0xab}}
}

func TestKeyIsMadeAndPublished(t *testing.T) {
	r := newBench(t)
	r.Step()
	if n := len(rig.Calls(r, tpm.Create)); n != 0 {
		t.Fatal("creates before the part has looked for keys")
	}
	rig.Complete(r, tpm.Keys)
	r.Step()
	calls := rig.Calls(r, tpm.Create)
	if len(calls) != 1 || calls[0].Req.Name != tpm.Device ||
		calls[0].Req.NotBefore != r.Wall().Add(-24*time.Hour).Unix() {
		t.Fatalf("calls %+v", calls)
	}
	r.Advance(time.Second) // the request stays what it was
	rig.Put(r, tpm.Keys, device())
	rig.Put(r, tpm.Keys, tpm.KeySeen{Name: tpm.Onboard, CertPEM: "onboard"})
	rig.Done(r, tpm.Create, tpm.Device, tpm.CreateRes{})
	r.Step()
	if s := status(r); !s.Ready || !s.InTPM || s.Kind != "model" || s.CertHash[:2] != "ab" {
		t.Fatalf("status %+v", s)
	}
	certs := rig.Rows(r, security.EdgeNodeCerts)
	sum := sha256.Sum256([]byte("PEM\n"))
	if len(certs) != 1 || certs[0].CertID != hex.EncodeToString(sum[:16]) || !certs[0].IsTpm ||
		certs[0].CertType != security.CertOnboarding {
		t.Fatalf("certificates %+v", certs)
	}
}

func TestExistingKeyIsKept(t *testing.T) {
	r := newBench(t)
	rig.Put(r, tpm.Keys, device())
	rig.Complete(r, tpm.Keys)
	r.Step()
	if n := len(rig.Calls(r, tpm.Create)); n != 0 || !status(r).Ready {
		t.Fatalf("%d calls, status %+v", n, status(r))
	}
}

func TestCreationIsTriedAgain(t *testing.T) {
	r := newBench(t)
	rig.Complete(r, tpm.Keys)
	r.Step()
	for i := range 8 {
		rig.Fail(r, tpm.Create, tpm.Device, agent.Fault{Code: tpm.FaultFailed, Text: "lockout"})
		r.Step()
		if s := status(r); s.Ready || s.Error != "create device key: lockout" {
			t.Fatalf("status %+v", s)
		}
		want := min(10*time.Second<<min(i, 5), 5*time.Minute)
		r.Advance(want - time.Second)
		if n := len(rig.Calls(r, tpm.Create)); n != 0 {
			t.Fatalf("try %d before %v", i+2, want)
		}
		r.Advance(time.Second)
		if n := len(rig.Calls(r, tpm.Create)); n != 1 {
			t.Fatalf("no try %d after %v", i+2, want)
		}
	}
	rig.Put(r, tpm.Keys, device())
	rig.Done(r, tpm.Create, tpm.Device, tpm.CreateRes{})
	r.Step()
	if s := status(r); !s.Ready || s.Error != "" {
		t.Fatalf("status %+v", s)
	}
}

func TestCertificateWaitsForTheTime(t *testing.T) {
	r := newBench(t)
	rig.Put(r, clock.Clock, clock.ClockSeen{})
	rig.Complete(r, tpm.Keys)
	r.SetWall(time.Unix(100, 0))
	r.Advance(5 * time.Minute)
	if n := len(rig.Calls(r, tpm.Create)); n != 0 {
		t.Fatal("creates with a clock that nobody has set")
	}
	r.Advance(5 * time.Minute)
	if n := len(rig.Calls(r, tpm.Create)); n != 0 {
		t.Fatal("creates in 1970")
	}
	r.SetWall(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	rig.Put(r, clock.Clock, clock.ClockSeen{Synced: true})
	r.Step()
	if n := len(rig.Calls(r, tpm.Create)); n != 1 {
		t.Fatal("does not create with the time set")
	}
	r = newBench(t)
	rig.Put(r, clock.Clock, clock.ClockSeen{})
	rig.Complete(r, tpm.Keys)
	r.Advance(6 * time.Minute)
	if n := len(rig.Calls(r, tpm.Create)); n != 1 {
		t.Fatal("waits for ever for a time server")
	}
}

func TestCertificatesOutliveAReboot(t *testing.T) {
	r := newBench(t)
	rig.Put(r, tpm.Keys, device())
	rig.Complete(r, tpm.Keys)
	r.Step()
	r.Reboot()
	r.Step()
	if n := len(rig.Rows(r, security.EdgeNodeCerts)); n != 1 {
		t.Fatalf("%d certificates after the reboot", n)
	}
	rig.Complete(r, tpm.Keys)
	r.Step()
	if n := len(rig.Rows(r, security.EdgeNodeCerts)); n != 0 {
		t.Fatalf("%d certificates of keys that are gone", n)
	}
}
