package client

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/controllerconn"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/host/rig/cloud"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/security"
)

func TestOnboarding(t *testing.T) {
	b := newBench(t)
	b.onboard()
	b.expect("")
	s := b.status()
	if b.uuid() != deviceID || s.Step != "done" || s.Tries != 1 || s.Error != "" ||
		b.led() != node.LedOnboarded {
		t.Fatalf("uuid %q, status %+v, LED %d", b.uuid(), s, b.led())
	}
	if m := rig.Get(b.Rig, node.Onboarding, "global").HardwareModel; m != "ACME.Box_1" {
		t.Fatalf("model %q", m)
	}
	if string(b.files[uuidFile]) != deviceID+"\n" || string(b.files[modelFile]) != "ACME.Box_1" {
		t.Fatalf("files %q, %q", b.files[uuidFile], b.files[modelFile])
	}
	if !bytes.Equal(b.files[certsFile], b.c.List()) || b.files[certsFile+".bak"] == nil {
		t.Fatal("the certificates are not in the checkpoint and its backup")
	}
	rows := rig.Rows(b.Rig, security.ControllerCerts.Of("zedclient"))
	if len(rows) != 2 || !rig.IsComplete(b.Rig, security.ControllerCerts.Of("zedclient")) {
		t.Fatalf("certificates %+v", rows)
	}
}

func TestAPI1_RegisterIsSignedForByTheOnboardingCertificate(t *testing.T) {
	b := newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	req := b.expect("register")
	e, fault := eveapi.ParseEnvelope(req.Body)
	if fault != nil {
		t.Fatal(fault)
	}
	sender, err := e.SenderPEM()
	want := rig.Get(b.Rig, tpm.Keys, tpm.Onboard).CertPEM
	name := sha256.Sum256([]byte(tpm.Onboard)) // the bench's TPM names its keys so
	if err != nil || string(sender) != want || !bytes.Equal(e.CertHash, name[:]) {
		t.Fatalf("sender %q, %v", sender, err)
	}
	r, err := eveapi.ParseRegister(e.Payload)
	if err != nil || r.Serial != "SN7" || r.SoftSerial != "soft-1" ||
		string(r.CertPEM) != rig.Get(b.Rig, tpm.Keys, tpm.Device).CertPEM {
		t.Fatalf("%+v, %v", r, err)
	}
	if strings.Contains(req.URL, "/id/") {
		t.Fatalf("the URL names a device that has no UUID: %s", req.URL)
	}
	// A refusal does not fail the device: it goes on to ask, and registers again later.
	b.answer("register", 500, nil)
	b.answer("uuid", 400, nil)
	b.Advance(2 * time.Second)
	b.answer("register", 200, nil)
	b.answer("uuid", 200, b.c.uuid(deviceID))
	if b.uuid() != deviceID {
		t.Fatal("not onboarded after a repeated registration")
	}
}

func TestDEV16_NothingIsSentWithoutANetwork(t *testing.T) {
	for s := network.DPCNone; s <= network.DPCWwanWait; s++ {
		b := newBench(t)
		b.network(s, "10.0.0.5")
		open := s == network.DPCSuccess || s == network.DPCFailWithIPAndDNS || s == network.DPCRemoteWait
		if got := b.asks(); (got == "certs") != open {
			t.Errorf("in state %v it asks %q", s, got)
		}
		if step := b.status().Step; (step == stepNetwork) == open {
			t.Errorf("in state %v it says %q", s, step)
		}
		b.network(network.DPCSuccess, "fe80::5")
		b.Advance(2 * time.Second)
		b.settle()
		if n := len(rig.Calls(b.Rig, web.Send)); n != 0 && s != network.DPCSuccess {
			t.Errorf("from state %v: sends without a usable address", s)
		}
	}
}

func TestDEV16_GateClosingEndsARound(t *testing.T) {
	b := newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.expect("register")
	b.network(network.DPCFail, "10.0.0.5")
	b.settle()
	b.network(network.DPCSuccess, "10.0.0.5")
	b.Advance(2 * time.Second)
	b.answer("register", 201, nil) // certs are not fetched again
	b.expect("uuid")
}

func TestDEV17_OfflineRebootGoesOnAfterFiveSeconds(t *testing.T) {
	b := newBench(t)
	b.onboard()
	b.Reboot()
	for path, data := range b.files {
		b.put(path, data)
	}
	b.boot(true)
	b.network(network.DPCFail)
	b.Advance(4900 * time.Millisecond)
	b.settle()
	if s := b.status(); s.Step == "done" {
		t.Fatalf("done after 4.9 s: %+v", s)
	}
	b.Advance(100 * time.Millisecond)
	if s := b.status(); s.Step != "done" || b.uuid() != deviceID {
		t.Fatalf("after 5 s: %+v, uuid %q", s, b.uuid())
	}
}

func TestDEV17_NotWithoutCertificatesOrUUID(t *testing.T) {
	b := newBench(t)
	b.onboard()
	b.Reboot()
	b.boot(true)
	b.network(network.DPCFail)
	b.Advance(time.Minute)
	if s := b.status(); s.Step != stepNetwork {
		t.Fatalf("done without a checkpoint of certificates: %+v", s)
	}
	b = newBench(t)
	b.put(certsFile, b.c.List())
	b.network(network.DPCFail)
	b.Advance(time.Minute)
	if s := b.status(); s.Step != stepNetwork {
		t.Fatalf("done without a UUID: %+v", s)
	}
}

func TestDEV18_LEDOfRegister(t *testing.T) {
	for code, want := range map[int]node.LedBlinkCount{
		403: node.LedOnboardingNotFound, 409: node.LedOnboardingConflict,
		304: node.LedOnboardingConflict, 400: node.LedOnboardingFailure,
		500: node.LedOnboardingFailure, 504: node.LedOnboardingFailure, 401: node.LedConnected,
	} {
		b := newBench(t)
		b.answer("certs", 200, b.c.Seal(b.c.List()))
		b.answer("register", code, nil)
		b.answer("uuid", 401, nil)
		if got := b.led(); got != want {
			t.Errorf("register %d: LED %d, want %d", code, got, want)
		}
		if s := b.status(); !strings.Contains(s.Error, "register") {
			t.Errorf("register %d: error %q", code, s.Error)
		}
	}
}

func TestDEV18_LEDOfUUIDAndCerts(t *testing.T) {
	b := newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("register", 201, nil)
	if b.led() == node.LedOnboarded {
		t.Error("onboarded before there is a UUID")
	}
	b.answer("uuid", 200, []byte("no envelope"))
	if got := b.led(); got != node.LedInvalidAuthContainer {
		t.Errorf("bad container: LED %d", got)
	}
	b = newBench(t)
	other := cloud.Issue(t, nil, "other", true)
	b.put(rootFile, other.PEM)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	if got := b.led(); got != node.LedInvalidCert || b.asks() != "" {
		t.Errorf("chain to another root: LED %d, then asks %q", got, b.asks())
	}
	b = newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("register", 201, nil)
	b.answer("uuid", 404, nil)
	if got := b.led(); got != node.LedConnected {
		t.Errorf("uuid 404: LED %d", got)
	}
}

func TestDEV19_RegisterOnlyWithOnboardingKey(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, tpm.Keys, tpm.Onboard)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("uuid", 200, b.c.uuid(deviceID))
	if b.uuid() != deviceID {
		t.Fatal("not onboarded")
	}
}

func TestDEV19_CertsRefusedMeansNoVersion2(t *testing.T) {
	for _, code := range []int{404, 401, 400, 501} {
		b := newBench(t)
		b.answer("certs", code, nil)
		if s := b.status(); !strings.Contains(s.Error, "version 2") {
			t.Errorf("%d: %q", code, s.Error)
		}
		b.expect("")
	}
}

func TestBackOffDoubles(t *testing.T) {
	b := newBench(t)
	want := time.Second
	for i := range 14 {
		b.fail("certs", web.FaultTimeout)
		from := b.Now()
		for b.asks() == "" {
			b.Advance(want / 20)
		}
		low, high := want, min(want*5/4, 10*time.Minute)
		if d := b.Now() - from; d < low-want/20 || d > high+want/20 {
			t.Fatalf("round %d after %v, want %v to %v", i+2, d, low, high)
		}
		want = min(2*want, 10*time.Minute)
	}
	if s := b.status(); s.Tries != 15 || s.Error == "" {
		t.Fatalf("%+v", s)
	}
}

func TestNetworkChangeStartsARoundAtOnce(t *testing.T) {
	b := newBench(t)
	for range 8 {
		b.fail("certs", web.FaultTimeout)
		for b.asks() == "" {
			b.Advance(time.Second)
		}
	}
	b.fail("certs", web.FaultTimeout)
	b.Advance(5 * time.Second)
	b.expect("")
	b.network(network.DPCSuccess, "10.0.0.99")
	b.expect("certs")
}

// A network that changed under a round is tried as soon as the round has failed.
func TestNetworkChangeDuringARound(t *testing.T) {
	b := newBench(t)
	for range 8 {
		b.fail("certs", web.FaultTimeout)
		for b.asks() == "" {
			b.Advance(time.Second)
		}
	}
	b.network(network.DPCSuccess, "10.0.0.99")
	b.Advance(5 * time.Second)
	b.fail("certs", web.FaultTimeout) // over the old address
	b.fail("certs", web.FaultTimeout) // over the new one
	b.expect("certs")
	if s := b.status(); s.Tries != 10 {
		t.Errorf("%+v", s)
	}
}

func TestCertMissFetchesCertificatesAgain(t *testing.T) {
	b := newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("register", 201, nil)
	b.c.Sign = cloud.Issue(t, b.c.Root, "signer 2", false)
	b.answer("uuid", 200, b.c.uuid(deviceID))
	if b.led() != node.LedInvalidAuthContainer || b.uuid() != "" {
		t.Fatalf("LED %d, uuid %q", b.led(), b.uuid())
	}
	b.Advance(time.Second)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("uuid", 200, b.c.uuid(deviceID))
	if b.uuid() != deviceID {
		t.Fatal("not onboarded with the new certificates")
	}
	if rows := rig.Rows(b.Rig, security.ControllerCerts.Of("zedclient")); len(rows) != 2 {
		t.Fatalf("certificates %+v", rows)
	}
}

// A controller that signs with a certificate it does not list is asked ever more seldom.
func TestUnlistedSignerIsBackedOffFrom(t *testing.T) {
	b := newBench(t)
	list := b.c.Seal(b.c.List())
	b.c.Sign = cloud.Issue(t, b.c.Root, "signer 2", false)
	asked := 0
	for until := b.Now() + 10*time.Minute; b.Now() < until; b.Advance(time.Second) {
		switch b.asks() {
		case "certs":
			b.answer("certs", 200, list)
		case "register":
			b.answer("register", 201, nil)
		case "uuid":
			asked++
			b.answer("uuid", 200, b.c.uuid(deviceID))
		}
	}
	if asked < 5 || asked > 15 {
		t.Errorf("asked %d times in 10 min", asked)
	}
	// At last it lists the certificate, and the device takes notice.
	list = b.c.Seal(b.c.List())
	for until := b.Now() + 15*time.Minute; b.Now() < until; b.Advance(time.Second) {
		switch b.asks() {
		case "certs":
			b.answer("certs", 200, list)
		case "uuid":
			b.answer("uuid", 200, b.c.uuid(deviceID))
		}
	}
	if b.uuid() != deviceID {
		t.Error("it does not take notice of the list that has the signer")
	}
}

func TestCheckpointIsWrittenOnlyForAnotherSet(t *testing.T) {
	b := newBench(t)
	b.onboard()
	b.Reboot()
	b.wrote = nil
	for path, data := range b.files {
		b.put(path, data)
	}
	b.boot(true)
	b.onboard()
	if len(b.wrote) != 0 {
		t.Fatalf("wrote %q though nothing changed", b.wrote)
	}
}

func TestFullDiskDoesNotKeepFromOnboarding(t *testing.T) {
	b := newBench(t)
	b.expect("certs")
	rig.Done(b.Rig, web.Send, "certs", web.SendRes{Code: 200, WithTLS: true,
		Body: b.c.Seal(b.c.List())})
	for range 2 {
		b.Step()
		for _, c := range rig.Calls(b.Rig, store.Write) {
			rig.Fail(b.Rig, store.Write, c.Key, agent.Fault{Code: store.FaultNoSpace, Text: "full"})
		}
	}
	b.answer("register", 201, nil)
	b.answer("uuid", 200, b.c.uuid(deviceID))
	if b.uuid() != deviceID {
		t.Fatal("not onboarded")
	}
}

func TestAPI12_UUIDIsAskedAgain(t *testing.T) {
	b := newBench(t)
	b.onboard()
	rig.Put(b.Rig, node.UUIDChecks, node.UUIDCheck{Count: 1})
	b.answer("uuid", 400, nil)
	b.Advance(2 * time.Second)
	rig.Put(b.Rig, node.UUIDChecks, node.UUIDCheck{Count: 2}) // the question under way answers it
	other := "11111111-5a3c-4f4f-a9f0-2f5a47e1a001"
	b.answer("uuid", 200, b.c.uuid(other))
	if b.uuid() != other || string(b.files[uuidFile]) != other+"\n" {
		t.Fatalf("uuid %q", b.uuid())
	}
	b.expect("")
	b.Advance(time.Hour)
	b.expect("")
}

func TestServerChangeStartsOver(t *testing.T) {
	b := newBench(t)
	b.answer("certs", 200, b.c.Seal(b.c.List()))
	b.answer("register", 201, nil)
	b.expect("uuid")
	b.put("/config/server", []byte("other.example"))
	if u := b.expect("certs").URL; !strings.HasPrefix(u, "https://other.example/") {
		t.Fatalf("asks %s", u)
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, store.Files, store.FileKey(controllerconn.ServerFile))
	b.expect("")
	if s := b.status(); s.Step != "waiting for /config/server" {
		t.Fatalf("%+v", s)
	}
}

func TestDEV3_ClockWithoutBatteryIsWaitedFor(t *testing.T) {
	b := newBench(t)
	rig.Put(b.Rig, clock.Clock, clock.ClockSeen{})
	b.expect("")
	rig.Put(b.Rig, clock.Clock, clock.ClockSeen{Synced: true})
	b.expect("certs")
	b = newBench(t)
	rig.Put(b.Rig, clock.Clock, clock.ClockSeen{})
	b.Advance(6 * time.Minute)
	b.expect("certs")
}

func TestCrashAfterOnboardingDoesNotAskAgain(t *testing.T) {
	b := newBench(t)
	b.onboard()
	b.Crash()
	b.expect("")
	b.Advance(time.Minute)
	b.expect("")
	if s := b.status(); s.Step != "done" {
		t.Fatalf("%+v", s)
	}
}

func TestContentTypeOfUUID(t *testing.T) {
	for media, ok := range map[string]bool{
		eveapi.ContentType + "; charset=x": true, "application/json": true, "text/plain": true,
		"text/html": false, "": false,
	} {
		b := newBench(t)
		b.answer("certs", 200, b.c.Seal(b.c.List()))
		b.answer("register", 201, nil)
		b.expect("uuid")
		rig.Done(b.Rig, web.Send, "uuid", web.SendRes{Code: 200, WithTLS: true,
			Body: b.c.uuid(deviceID), Header: []web.Header{{Name: "Content-Type", Value: media}}})
		b.settle()
		if (b.uuid() == deviceID) != ok {
			t.Errorf("%q: uuid %q", media, b.uuid())
		}
	}
}
