package world

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"strconv"
	"time"
)

// Authority is a certificate with its key. One that may sign issues leaf certificates, always
// the same one for the same names: keys are derived by hash and signatures need no chance.
type Authority struct {
	chain [][]byte
	certs []*x509.Certificate
	key   crypto.Signer
}

// ParseAuthority reads a certificate (chain) and its key, both PEM; RSA, ECDSA or Ed25519.
func ParseAuthority(certPEM, keyPEM string) (*Authority, error) {
	a, _, err := readPair(certPEM, keyPEM)
	return a, err
}

// DeriveAuthority makes the authority that belongs to a name: a self-signed P-256 certificate,
// valid between the two times. The same arguments give the same bytes. It protects nothing.
func DeriveAuthority(name string, from, to time.Time) (*Authority, error) {
	key, err := derivedKey("authority", name)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: derivedSerial("authority", name),
		Subject:      pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(nil, t, t, key.Public(), steady{key})
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of authority %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate of authority %s: %w", name, err)
	}
	return &Authority{[][]byte{der}, []*x509.Certificate{cert}, key}, nil
}

// Chain is the certificate as DER, followed by those that signed it, if known.
func (a *Authority) Chain() [][]byte { return a.chain }

// CertPEM is the certificate in PEM.
func (a *Authority) CertPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.chain[0]}))
}

// KeyPEM is the private key in PEM (PKCS #8).
func (a *Authority) KeyPEM() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return "", fmt.Errorf("write the key of %s: %w", a.leaf().Subject, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// Issue makes a server certificate for DNS names and addresses, as long valid as the
// authority. The chain has the leaf first.
func (a *Authority) Issue(names ...string) (chain [][]byte, err error) {
	if len(names) == 0 {
		return nil, errors.New("issue a certificate: no names")
	}
	ca := a.leaf()
	id := []string{"leaf", string(a.chain[0])}
	key, err := derivedKey(append(id, names...)...)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: derivedSerial(append(id, names...)...),
		Subject:      pkix.Name{CommonName: commonName(names[0])},
		NotBefore:    ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil {
			t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(nil, t, ca, key.Public(), steady{a.key})
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for %s: %w", names[0], err)
	}
	return append([][]byte{der}, a.chain...), nil
}

func (a *Authority) leaf() *x509.Certificate { return a.certs[0] }

// commonName is a name cut to the 64 characters that X.520 allows.
func commonName(s string) string { return s[:min(len(s), 64)] }

// steady signs without chance: ECDSA as RFC 6979 has it, the other schemes as they are.
type steady struct{ crypto.Signer }

// Sign passes no random source on.
func (s steady) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.Signer.Sign(nil, digest, o)
}

// derivedKey is the P-256 key that belongs to some names. The scalar is a hash; one that is
// zero or beyond the order of the curve, once in 2^32, is hashed again.
func derivedKey(names ...string) (*ecdsa.PrivateKey, error) {
	for try := 0; ; try++ {
		scalar := digest("key", strconv.Itoa(try), names)
		if _, err := ecdh.P256().NewPrivateKey(scalar[:]); err != nil {
			continue
		}
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
		if err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
		return key, nil
	}
}

func derivedSerial(names ...string) *big.Int {
	d := digest("serial", "", names)
	d[0] &= 0x7f
	return new(big.Int).SetBytes(d[:16])
}

// digest hashes names so that no two lists run together.
func digest(what, try string, names []string) [32]byte {
	h := sha256.New()
	for _, n := range append([]string{"evetwin world", what, try}, names...) {
		fmt.Fprintf(h, "%d:", len(n))
		h.Write([]byte(n))
	}
	return [32]byte(h.Sum(nil))
}

// readPair reads a certificate chain and its key; bad says which of the two is wrong.
func readPair(certPEM, keyPEM string) (a *Authority, bad string, err error) {
	a = &Authority{}
	for rest := []byte(certPEM); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, "cert", fmt.Errorf("not a certificate: %w", err)
		}
		a.chain, a.certs = append(a.chain, b.Bytes), append(a.certs, cert)
	}
	if len(a.certs) == 0 {
		return nil, "cert", errors.New("not a certificate in PEM")
	}
	b, rest := pem.Decode([]byte(keyPEM))
	for b != nil && b.Type == "EC PARAMETERS" {
		b, rest = pem.Decode(rest)
	}
	if b == nil {
		return nil, "key", errors.New("not a private key in PEM")
	}
	if a.key, err = readKey(b.Bytes); err != nil {
		return nil, "key", err
	}
	got, err1 := x509.MarshalPKIXPublicKey(a.key.Public())
	want, err2 := x509.MarshalPKIXPublicKey(a.certs[0].PublicKey)
	if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
		return nil, "key", errors.New("not the key of the certificate")
	}
	return a, "", nil
}

// readKey reads a private key in any of the three encodings that OpenSSL writes.
func readKey(der []byte) (crypto.Signer, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if s, ok := k.(crypto.Signer); ok {
			return s, nil
		}
		return nil, errors.New("a private key that cannot sign")
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return nil, errors.New("not a private key (PKCS #8, PKCS #1 or SEC 1)")
}
