package tpm_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"github.com/google/go-tpm-tools/client"
	legacy "github.com/google/go-tpm/legacy/tpm2"
	"go.uber.org/goleak"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quote makes a quote over PCR 0 with go-tpm-tools and signs with the new API in between, on one
// open TPM.
func quote(
	t *testing.T, state string, nonce []byte,
) (public *ecdsa.PublicKey, message, raw []byte) {
	t.Helper()
	sockets, err := lab.NewSocketDir()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sockets.Close() }()
	device, err := swtpm.Open(t.Context(), swtpm.Options{Dir: state, SocketDir: sockets.Path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	}()
	attestation, err := client.AttestationKeyECC(device.ReadWriter())
	if err != nil {
		t.Fatalf("go-tpm-tools on the shared TPM: %v", err)
	}
	defer attestation.Close()
	key, _, err := device.DeviceKey()
	if err != nil {
		t.Fatalf("go-tpm on the shared TPM: %v", err)
	}
	if _, err := key.Sign(sha256.Sum256(nonce)); err != nil {
		t.Fatal(err)
	}
	selection := legacy.PCRSelection{Hash: legacy.AlgSHA256, PCRs: []int{0}}
	made, err := attestation.Quote(selection, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return attestation.PublicKey().(*ecdsa.PublicKey), made.GetQuote(), made.GetRawSig()
}

// TestLAB2_OneHandleTwoAPIs uses both of go-tpm's interfaces on one open TPM, and checks a quote
// made after a restart with the attestation key from before it.
func TestLAB2_OneHandleTwoAPIs(t *testing.T) {
	labtest.Program(t, "swtpm")
	state := t.TempDir()
	before, _, _ := quote(t, state, []byte("before"))
	after, message, raw := quote(t, state, []byte("after"))
	if !before.Equal(after) {
		t.Fatal("the attestation key is another one after a restart")
	}
	signature, err := legacy.DecodeSignature(bytes.NewBuffer(raw))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(message)
	if !ecdsa.Verify(before, digest[:], signature.ECC.R, signature.ECC.S) {
		t.Error("the quote does not verify with the key from before the restart")
	}
	attested, err := legacy.DecodeAttestationData(message)
	if err != nil || string(attested.ExtraData) != "after" {
		t.Errorf("the quote is for %q, %v", attested.ExtraData, err)
	}
}
