package tpmkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/tpmkey"
)

func fresh(t *testing.T) (*ecdsa.PrivateKey, string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tpmkey.SelfSign(k, &k.PublicKey, time.Unix(1e9, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	return k, cert
}

func TestWriteAndPair(t *testing.T) {
	k, cert := fresh(t)
	_, other := fresh(t)
	file, err := tpmkey.Write(k)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpmkey.Pair([]byte(cert), file); err != nil || !got.Equal(k) {
		t.Errorf("read back: %v", err)
	}
	for what, b := range map[string][2]string{"another's": {other, string(file)},
		"no certificate": {"", string(file)}, "no key": {cert, "no PEM"}, "swapped": {string(file), cert},
	} {
		if _, err := tpmkey.Pair([]byte(b[0]), []byte(b[1])); err == nil {
			t.Errorf("%s: certificate and key belong together", what)
		}
	}
}

func TestSignIsTheSameEachTime(t *testing.T) {
	k, _ := fresh(t)
	d := sha256.Sum256([]byte("x"))
	one, err := tpmkey.Sign(k, d)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := tpmkey.Sign(k, d); err != nil || one != two {
		t.Errorf("two signatures differ, %v", err)
	}
	if !ecdsa.Verify(&k.PublicKey, d[:], new(big.Int).SetBytes(one[:32]),
		new(big.Int).SetBytes(one[32:])) {
		t.Error("the signature does not verify")
	}
}
