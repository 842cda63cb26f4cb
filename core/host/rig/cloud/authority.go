package cloud

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// Authority is a certificate with its key.
type Authority struct {
	Key  *ecdsa.PrivateKey
	Cert *x509.Certificate
	PEM  []byte // of the certificate
}

// Issue makes a certificate of a name, signed by another one or by itself if by is nil, that is
// valid from 2025 to 2029. The same name has the same key each time; ca makes it one that signs
// certificates.
func Issue(t testing.TB, by *Authority, name string, ca bool) *Authority {
	t.Helper()
	d := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(int64(d[0])), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:      ca, BasicConstraintsValid: true,
	}
	a := &Authority{Key: k}
	parent, signer := tmpl, crypto.Signer(k)
	if by != nil {
		parent, signer = by.Cert, by.Key
	}
	der, err := x509.CreateCertificate(nil, tmpl, parent, k.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.Cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}
