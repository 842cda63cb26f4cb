package eveapi_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/auth"
	"github.com/lf-edge/eve-api/go/evecommon"
	"github.com/lf-edge/eve-api/go/register"
	"google.golang.org/protobuf/proto"
)

// deviceSeal signs as a device does: digest, raw signature, envelope.
func deviceSeal(t testing.TB, a *authority, payload, sender []byte) []byte {
	t.Helper()
	return eveapi.Seal(payload, [64]byte(a.raw(t, payload)), eveapi.DeviceCertHash(a.cert.Raw), sender)
}

func TestAPI2_SealIsRawSignatureOverPayloadWithDERHash(t *testing.T) {
	dev := issue(t, nil, "device", key(t, "device"), false, noon, noon)
	for _, payload := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("config"), 5000)} {
		wire := deviceSeal(t, dev, payload, nil)
		got := &auth.AuthContainer{}
		if err := proto.Unmarshal(wire, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.GetProtectedPayload().GetPayload(), payload) {
			t.Fatalf("payload of %d bytes came out as %d", len(payload),
				len(got.GetProtectedPayload().GetPayload()))
		}
		if got.GetAlgo() != evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES {
			t.Errorf("algo = %v", got.GetAlgo())
		}
		if want := sha256.Sum256(dev.cert.Raw); !bytes.Equal(got.GetSenderCertHash(), want[:]) {
			t.Errorf("senderCertHash is not SHA-256 over the DER certificate")
		}
		if got.GetSenderCert() != nil {
			t.Errorf("senderCert is set on a request that is not a registration")
		}
		sig := got.GetSignatureHash()
		if len(sig) != 64 {
			t.Fatalf("signature of %d bytes, want 64", len(sig))
		}
		sum := sha256.Sum256(payload)
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		if !ecdsa.Verify(dev.key.Public().(*ecdsa.PublicKey), sum[:], r, s) {
			t.Errorf("signature does not verify over the bare payload")
		}
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, wire) {
			t.Errorf("wire form differs from protobuf's")
		}
	}
}

func TestAPI1_RegisterCarriesOnboardingCertificate(t *testing.T) {
	onboard := issue(t, nil, "onboard", key(t, "onboard"), false, noon, noon)
	dev := issue(t, nil, "device", key(t, "device"), false, noon, noon)
	payload, err := eveapi.RegisterBody(eveapi.Registration{
		CertPEM: dev.pem, Serial: " 31415926 \n", SoftSerial: "soft_1-a\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := &auth.AuthContainer{}
	if err := proto.Unmarshal(deviceSeal(t, onboard, payload, onboard.pem), got); err != nil {
		t.Fatal(err)
	}
	if want := base64.StdEncoding.EncodeToString(onboard.pem); string(got.GetSenderCert()) != want {
		t.Errorf("senderCert is not base64 of the PEM file")
	}
	msg := &register.ZRegisterMsg{}
	if err := proto.Unmarshal(got.GetProtectedPayload().GetPayload(), msg); err != nil {
		t.Fatal(err)
	}
	if msg.GetSerial() != "31415926" || msg.GetSoftSerial() != "soft_1-a" ||
		msg.GetOnBoardKey() != "" {
		t.Errorf("registration is %v", msg)
	}
	if want := base64.StdEncoding.EncodeToString(dev.pem); string(msg.GetPemCert()) != want {
		t.Errorf("pemCert is not base64 of the device certificate's PEM")
	}
	e, fault := eveapi.ParseEnvelope(deviceSeal(t, onboard, payload, onboard.pem))
	if fault != nil {
		t.Fatal(fault)
	}
	sender, err := e.SenderPEM()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := eveapi.ParseDeviceCert(sender)
	if err != nil {
		t.Fatal(err)
	}
	if asn1, fault := e.VerifyDevice(cert.Key); fault != nil || asn1 {
		t.Errorf("signature by the onboarding key: %v (ASN.1 %v)", fault, asn1)
	}
	if !bytes.Equal(cert.Hash[:], e.CertHash) || cert.Name != "onboard" {
		t.Errorf("certificate is %q with hash %x", cert.Name, cert.Hash)
	}
}

func TestRegisterBounds(t *testing.T) {
	dev := issue(t, nil, "device", key(t, "device"), false, noon, noon)
	long := strings.Repeat("9", 257)
	for name, r := range map[string]eveapi.Registration{
		"no certificate":      {Serial: "1"},
		"huge certificate":    {CertPEM: bytes.Repeat([]byte("x"), 9000), Serial: "1"},
		"long serial":         {CertPEM: dev.pem, Serial: long},
		"long soft serial":    {CertPEM: dev.pem, SoftSerial: long},
		"soft serial charset": {CertPEM: dev.pem, SoftSerial: "a b"},
	} {
		if _, err := eveapi.RegisterBody(r); err == nil {
			t.Errorf("%s: accepted", name)
		}
		raw, err := eveapi.Marshal(&register.ZRegisterMsg{
			PemCert: []byte(base64.StdEncoding.EncodeToString(r.CertPEM)),
			Serial:  r.Serial, SoftSerial: r.SoftSerial,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eveapi.ParseRegister(raw); err == nil {
			t.Errorf("%s: accepted by the controller's side", name)
		}
	}
}

func TestRawSignaturePadsAndRefuses(t *testing.T) {
	// SEQUENCE { INTEGER 1, INTEGER 0x00ff }: both far shorter than 32 bytes.
	rs, err := eveapi.RawSignature([]byte{0x30, 7, 2, 1, 1, 2, 2, 0, 0xff})
	if err != nil {
		t.Fatal(err)
	}
	if rs[31] != 1 || rs[63] != 0xff || rs[0] != 0 || rs[32] != 0 {
		t.Errorf("raw form is %x", rs)
	}
	big33 := append([]byte{2, 33, 1}, make([]byte, 32)...)
	tooBig := append(append([]byte{0x30, 38}, big33...), 2, 1, 1)
	for name, in := range map[string][]byte{
		"empty": nil, "not a sequence": {2, 1, 1}, "one integer": {0x30, 3, 2, 1, 1},
		"trailing byte": {0x30, 6, 2, 1, 1, 2, 1, 1, 0}, "r of 33 bytes": tooBig,
		"negative": {0x30, 6, 2, 1, 0x80, 2, 1, 1},
	} {
		if _, err := eveapi.RawSignature(in); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVerifyDeviceReportsASN1(t *testing.T) {
	dev := issue(t, nil, "device", key(t, "device"), false, noon, noon)
	payload := []byte("info")
	digest := eveapi.Digest(payload)
	der, err := dev.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	pub := dev.key.Public().(*ecdsa.PublicKey)
	e := eveapi.Envelope{Payload: payload, Signature: der}
	if asn1, fault := e.VerifyDevice(pub); fault != nil || !asn1 {
		t.Errorf("ASN.1 signature: %v, asn1 %v", fault, asn1)
	}
	der[len(der)-1] ^= 1
	if _, fault := e.VerifyDevice(pub); fault == nil {
		t.Errorf("a wrong ASN.1 signature verifies")
	}
}
