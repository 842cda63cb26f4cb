package eveapi_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/auth"
	"github.com/lf-edge/eve-api/go/evecommon"
)

const (
	algo16 = evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES
	algo32 = evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES
)

func TestAPI4_CertHashOf16And32Bytes(t *testing.T) {
	p := newPKI(t)
	trusted := parse(t, p).Trusted()
	payload := []byte("a configuration")
	hash := eveapi.ControllerCertHash(p.sign.pem)
	long := append(bytes.Clone(hash[:]), 0)
	sig := p.sign.raw(t, payload)
	for name, c := range map[string]struct {
		algo evecommon.HashAlgorithm
		hash []byte
		want eveapi.Code
	}{
		"32 bytes":                  {algo32, hash[:], 0},
		"16 bytes":                  {algo16, hash[:16], 0},
		"no hash":                   {algo32, nil, eveapi.HashSizeError},
		"15 bytes":                  {algo16, hash[:15], eveapi.HashSizeError},
		"31 bytes":                  {algo32, hash[:31], eveapi.HashSizeError},
		"33 bytes":                  {algo32, long, eveapi.HashSizeError},
		"16 bytes stated as 32":     {algo32, hash[:16], eveapi.HashSizeError},
		"32 bytes stated as 16":     {algo16, hash[:], eveapi.HashSizeError},
		"no algorithm":              {0, hash[:], eveapi.AlgoFail},
		"unknown algorithm":         {7, hash[:], eveapi.AlgoFail},
		"other certificate":         {algo32, make([]byte, 32), eveapi.CertMiss},
		"other certificate, 16":     {algo16, make([]byte, 16), eveapi.CertMiss},
		"second half of the digest": {algo16, hash[16:], eveapi.CertMiss},
	} {
		e := eveapi.Envelope{Payload: payload, Algo: c.algo, CertHash: c.hash, Signature: sig}
		got, fault := eveapi.Open(e.Bytes(), trusted)
		switch {
		case c.want == 0 && (fault != nil || !bytes.Equal(got, payload)):
			t.Errorf("%s: %q, %v", name, got, fault)
		case c.want != 0 && (fault == nil || fault.Code != c.want || got != nil):
			t.Errorf("%s: %q, %v, want %v", name, got, fault, c.want)
		}
	}
}

func TestAPI5_AnyFlippedBitIsRefused(t *testing.T) {
	p := newPKI(t)
	trusted := parse(t, p).Trusted()
	payload := []byte("payload")
	good := p.sign.seal(t, payload, 32)
	if _, fault := eveapi.Open(good, trusted); fault != nil {
		t.Fatal(fault)
	}
	e, _ := eveapi.ParseEnvelope(good)
	for _, field := range [][]byte{e.Payload, e.Signature} {
		for i := range field {
			for bit := range 8 {
				field[i] ^= 1 << bit
				if got, fault := eveapi.Open(good, trusted); fault == nil || got != nil ||
					fault.Code != eveapi.SignVerifyFail {
					t.Fatalf("byte %d bit %d: %q, %v", i, bit, got, fault)
				}
				field[i] ^= 1 << bit
			}
		}
	}
}

func TestOpenWithBackupCertificate(t *testing.T) {
	p := newPKI(t)
	old := issue(t, p.inter, "old", key(t, "old"), false, p.sign.cert.NotBefore, p.sign.cert.NotAfter)
	list := p.list()
	list[0] = zcert(signing, old.pem)
	backup, err := eveapi.ParseControllerCerts(body(t, list), p.root.pem, noon, eveapi.CertOptions{})
	if err != nil {
		t.Fatal(err)
	}
	current := parse(t, p)
	answer := old.seal(t, []byte("x"), 32)
	_, fault := eveapi.Open(answer, current.Trusted())
	if fault == nil || fault.Code != eveapi.CertMiss {
		t.Errorf("rotated away: %v, want CertMiss", fault)
	}
	both := []eveapi.TrustedCert{current.Signing, backup.Signing}
	if _, fault := eveapi.Open(answer, both); fault != nil {
		t.Errorf("with the backup: %v", fault)
	}
}

func TestOpenRSA(t *testing.T) {
	p := newPKI(t)
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.sign = issue(t, p.inter, "rsa", k, false, p.sign.cert.NotBefore, p.sign.cert.NotAfter)
	trusted := parse(t, p).Trusted()
	good := p.sign.seal(t, []byte("x"), 32)
	if _, fault := eveapi.Open(good, trusted); fault != nil {
		t.Errorf("RSA: %v", fault)
	}
	good[4] ^= 1
	if _, fault := eveapi.Open(good, trusted); fault == nil || fault.Code != eveapi.SignVerifyFail {
		t.Errorf("RSA with another payload: %v", fault)
	}
}

func TestOpenTruncatedOversizedEncrypted(t *testing.T) {
	p := newPKI(t)
	trusted := parse(t, p).Trusted()
	good := p.sign.seal(t, []byte("a payload of some length"), 32)
	for n := range len(good) {
		if _, fault := eveapi.Open(good[:n], trusted); fault == nil {
			t.Errorf("truncated at %d of %d: accepted", n, len(good))
		}
	}
	huge := p.sign.seal(t, make([]byte, 10<<20), 32)
	if _, fault := eveapi.Open(huge, trusted); fault == nil || fault.Code != eveapi.TooLarge {
		t.Errorf("10 MiB: %v, want TooLarge", fault)
	}
	enc, err := eveapi.Marshal(&auth.AuthContainer{
		Algo: algo32, SenderCertHash: make([]byte, 32),
		CipherData: &evecommon.CipherBlock{CipherData: []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, fault := eveapi.Open(enc, trusted); fault == nil || fault.Code != eveapi.Malformed {
		t.Errorf("encrypted: %v, want Malformed", fault)
	}
}
