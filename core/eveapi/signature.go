package eveapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Digest is what gets signed of a payload: SHA-256 over the payload bytes alone, not over the
// AuthBody around them.
func Digest(payload []byte) [32]byte { return sha256.Sum256(payload) }

// RawSignature turns an ASN.1 ECDSA signature over P-256, as crypto/ecdsa and TPM libraries return
// it, into the form of the envelope: r and s as 32 bytes each, padded on the left.
func RawSignature(der []byte) ([64]byte, error) {
	var raw [64]byte
	var r, s []byte
	var inner cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !in.Empty() ||
		!inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) || !inner.Empty() {
		return raw, fmt.Errorf("parse ASN.1 signature of %d bytes: not a pair of integers", len(der))
	}
	if len(r) > 32 || len(s) > 32 {
		return raw, fmt.Errorf("parse ASN.1 signature: r of %d and s of %d bytes exceed P-256",
			len(r), len(s))
	}
	copy(raw[32-len(r):32], r)
	copy(raw[64-len(s):], s)
	return raw, nil
}

// VerifyRaw checks r||s of an ECDSA key, each half of any length up to the curve's.
func VerifyRaw(key *ecdsa.PublicKey, digest [32]byte, sig []byte) bool {
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(sig) == 0 || len(sig)%2 != 0 || len(sig) > 2*size {
		return false
	}
	half := len(sig) / 2
	r, s := new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])
	return ecdsa.Verify(key, digest[:], r, s)
}

// verifyRSA checks a PKCS #1 v1.5 signature.
func verifyRSA(key *rsa.PublicKey, digest [32]byte, sig []byte) bool {
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
}
