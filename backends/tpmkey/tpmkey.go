// Package tpmkey has the keys of a device that are in software: they sign, stand in files, and make
// certificates as EVE has them.
package tpmkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Sign makes a deterministic ECDSA signature: r and s, 32 bytes each.
func Sign(k *ecdsa.PrivateKey, digest [32]byte) (rs [64]byte, err error) {
	der, err := k.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return rs, err
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return rs, fmt.Errorf("read own signature: %w", err)
	}
	v.R.FillBytes(rs[:32])
	v.S.FillBytes(rs[32:])
	return rs, nil
}

// SelfSign makes the device certificate as EVE has it: CN "EVE", for 20 years that begin a day
// before from. The key may be in a TPM.
func SelfSign(k crypto.Signer, public *ecdsa.PublicKey, from time.Time) (string, error) {
	pub, err := public.Bytes()
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(pub)
	tmpl := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(id[:8]),
		Subject:   pkix.Name{CommonName: "EVE", Organization: []string{"The Linux Foundation"}},
		NotBefore: from.AddDate(0, 0, -1), NotAfter: from.AddDate(20, 0, 0), IsCA: true,
		BasicConstraintsValid: true, SubjectKeyId: id[:20],
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, public, k)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// Public reads the public key and the hash of a certificate in PEM.
func Public(cert string) (key *ecdsa.PublicKey, hash [32]byte, err error) {
	b, _ := pem.Decode([]byte(cert))
	if b == nil {
		return nil, hash, errors.New("read certificate: no PEM block")
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, hash, fmt.Errorf("read certificate: %w", err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, hash, errors.New("read certificate: not of an elliptic curve key")
	}
	return key, sha256.Sum256(b.Bytes), nil
}

// Pair reads a certificate and its private key in PEM. It is an error unless both can be read and
// belong together.
func Pair(cert, private []byte) (*ecdsa.PrivateKey, error) {
	k, err := Read(private)
	if err != nil {
		return nil, err
	}
	public, _, err := Public(string(cert))
	if err != nil {
		return nil, err
	}
	if !k.PublicKey.Equal(public) {
		return nil, errors.New("the certificate is another key's")
	}
	return k, nil
}

// Write is a private key in PEM.
func Write(k *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// Read reads a private key in PEM.
func Read(b []byte) (*ecdsa.PrivateKey, error) {
	p, _ := pem.Decode(b)
	if p == nil {
		return nil, errors.New("read key: no PEM block")
	}
	if k, err := x509.ParseECPrivateKey(p.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	e, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("read key: not an elliptic curve key")
	}
	return e, nil
}
