package eveapi

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"

	"github.com/lf-edge/eve-api/go/evecommon"
)

// TrustedCert is what is kept of a validated controller certificate to verify its envelopes: its
// name and its parsed public key, so that an envelope costs one verification and no parsing.
type TrustedCert struct {
	// Hash is ControllerCertHash of the certificate.
	Hash [32]byte
	// ECDSA is the public key, nil if it is an RSA key.
	ECDSA *ecdsa.PublicKey
	// RSA is the public key, nil if it is an ECDSA key.
	RSA *rsa.PublicKey
}

// Open verifies a controller's answer and returns the payload in it, which points into
// envelope. The first trusted certificate with the name in the envelope counts; pass the
// current one first and the one of the backup list second. The signature is computed every
// time, nothing is remembered.
func Open(envelope []byte, certs []TrustedCert) ([]byte, *Fault) {
	return open(envelope, nil, certs)
}

// Original is what is known of a payload whose secrets were taken out of it.
type Original struct {
	// Digest is Digest of the payload as it came: what its sender signed.
	Digest [32]byte
	// Size is its length in bytes.
	Size int
}

// OpenStripped is Open for an envelope whose payload was replaced by one without secrets: the
// signature is verified over the payload as it came, of which only the digest is here. Whoever
// states the digest vouches for it and for nothing else: a part of the device.
func OpenStripped(envelope []byte, was Original, certs []TrustedCert) ([]byte, *Fault) {
	return open(envelope, &was, certs)
}

func open(envelope []byte, was *Original, certs []TrustedCert) ([]byte, *Fault) {
	e, fault := ParseEnvelope(envelope)
	if fault != nil {
		return nil, fault
	}
	if was == nil {
		was = &Original{Digest(e.Payload), len(e.Payload)}
	}
	if fault := e.checkNaming(); fault != nil {
		return nil, fault
	}
	for i := range certs {
		if !bytes.Equal(certs[i].Hash[:len(e.CertHash)], e.CertHash) {
			continue
		}
		if fault := e.verify(certs[i], was); fault != nil {
			return nil, fault
		}
		return e.Payload, nil
	}
	return nil, faultf(CertMiss, "no trusted certificate has the hash %x", e.CertHash)
}

// checkNaming refuses an envelope whose certificate hash cannot be compared with anything.
//
// EVE: compares the first 16 bytes for SHA256_16BYTES whatever the length. A length that belies the
// algorithm is refused here, as its documents recommend.
func (e Envelope) checkNaming() *Fault {
	if e.Encrypted {
		return faultf(Malformed, "the envelope is encrypted, which only a compound config may be")
	}
	if len(e.CertHash) != 16 && len(e.CertHash) != 32 {
		return faultf(HashSizeError, "certificate hash has %d bytes, want 16 or 32", len(e.CertHash))
	}
	want := 0
	switch e.Algo {
	case evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES:
		want = 32
	case evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_16BYTES:
		want = 16
	default:
		return faultf(AlgoFail, "hash algorithm %d is unknown", e.Algo)
	}
	if len(e.CertHash) != want {
		return faultf(HashSizeError, "certificate hash has %d bytes, its algorithm states %d",
			len(e.CertHash), want)
	}
	return nil
}

// Verify checks the envelope's signature against one certificate, whatever name the envelope gives.
func (e Envelope) Verify(c TrustedCert) *Fault {
	return e.verify(c, &Original{Digest(e.Payload), len(e.Payload)})
}

func (e Envelope) verify(c TrustedCert, was *Original) *Fault {
	good := false
	switch {
	case c.ECDSA != nil:
		good = VerifyRaw(c.ECDSA, was.Digest, e.Signature)
	case c.RSA != nil:
		good = verifyRSA(c.RSA, was.Digest, e.Signature)
	}
	if !good {
		return faultf(SignVerifyFail, "signature of %d bytes does not match the payload of %d bytes",
			len(e.Signature), was.Size)
	}
	return nil
}
