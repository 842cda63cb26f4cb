package eveapi

import (
	"encoding/base64"

	"github.com/lf-edge/eve-api/go/evecommon"
	"google.golang.org/protobuf/encoding/protowire"
)

// MaxEnvelope is the size in bytes beyond which a received body is refused unread, whoever sent it.
const MaxEnvelope = 8 << 20

// Field numbers of AuthContainer and of the AuthBody in it.
const (
	fieldBody       protowire.Number = 1
	fieldAlgo       protowire.Number = 2
	fieldCertHash   protowire.Number = 3
	fieldSignature  protowire.Number = 4
	fieldSenderCert protowire.Number = 5
	fieldCipherCtx  protowire.Number = 6
	fieldCipherData protowire.Number = 7
	fieldPayload    protowire.Number = 1
)

// Envelope is an AuthContainer taken apart. After ParseEnvelope its slices point into the bytes
// parsed: it is valid as long as those are left alone.
type Envelope struct {
	// Payload is the message inside, serialized; for logs a gzip file.
	Payload []byte
	// Algo tells how the sender's certificate is named.
	Algo evecommon.HashAlgorithm
	// CertHash names the sender's certificate (see DeviceCertHash and ControllerCertHash).
	CertHash []byte
	// Signature is over Digest(Payload): r||s for ECDSA, PKCS #1 v1.5 for RSA.
	Signature []byte
	// SenderCert is base64 of the sender's certificate in PEM; only in a register request.
	SenderCert []byte
	// Encrypted tells that the payload came in cipherData, which ParseEnvelope leaves closed.
	Encrypted bool
}

// Seal builds the body a device sends: AuthContainer of version 2 with algorithm SHA256_32BYTES
// around payload, signed with rs = r||s over Digest(payload). certDERHash is DeviceCertHash of
// the signer's certificate. senderCertPEM is the onboarding certificate's PEM file for
// register, nil else.
func Seal(payload []byte, rs [64]byte, certDERHash []byte, senderCertPEM []byte) []byte {
	e := Envelope{
		Payload:   payload,
		Algo:      evecommon.HashAlgorithm_HASH_ALGORITHM_SHA256_32BYTES,
		CertHash:  certDERHash,
		Signature: rs[:],
	}
	if len(senderCertPEM) > 0 {
		e.SenderCert = make([]byte, base64.StdEncoding.EncodedLen(len(senderCertPEM)))
		base64.StdEncoding.Encode(e.SenderCert, senderCertPEM)
	}
	return e.Bytes()
}

// Bytes is the envelope on the wire, in one allocation, byte for byte what a deterministic protobuf
// marshal of AuthContainer yields.
func (e Envelope) Bytes() []byte {
	inner := 0
	if len(e.Payload) > 0 {
		inner = sizeBytes(fieldPayload, len(e.Payload))
	}
	size := sizeBytes(fieldBody, inner)
	if e.Algo != 0 {
		size += protowire.SizeTag(fieldAlgo) + protowire.SizeVarint(uint64(e.Algo))
	}
	size += sizeOptional(fieldCertHash, e.CertHash) + sizeOptional(fieldSignature, e.Signature) +
		sizeOptional(fieldSenderCert, e.SenderCert)
	b := make([]byte, 0, size)
	b = protowire.AppendTag(b, fieldBody, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(inner))
	b = appendOptional(b, fieldPayload, e.Payload)
	if e.Algo != 0 {
		b = protowire.AppendTag(b, fieldAlgo, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(e.Algo))
	}
	b = appendOptional(b, fieldCertHash, e.CertHash)
	b = appendOptional(b, fieldSignature, e.Signature)
	return appendOptional(b, fieldSenderCert, e.SenderCert)
}

func sizeBytes(n protowire.Number, length int) int {
	return protowire.SizeTag(n) + protowire.SizeBytes(length)
}

func sizeOptional(n protowire.Number, v []byte) int {
	if len(v) == 0 {
		return 0
	}
	return sizeBytes(n, len(v))
}

func appendOptional(b []byte, n protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

// ParseEnvelope takes a received body apart without verifying anything. It copies nothing: the
// slices of the result point into b. Unknown fields are skipped, a repeated field counts as its
// last occurrence, as protobuf has it.
func ParseEnvelope(b []byte) (Envelope, *Fault) {
	var e Envelope
	if len(b) == 0 {
		return e, faultf(Malformed, "envelope is empty")
	}
	if len(b) > MaxEnvelope {
		return e, faultf(TooLarge, "envelope of %d bytes exceeds the limit of %d", len(b), MaxEnvelope)
	}
	err := eachField(b, func(n protowire.Number, t protowire.Type, v []byte, u uint64) bool {
		switch {
		case n == fieldAlgo && t == protowire.VarintType:
			e.Algo = evecommon.HashAlgorithm(int32(u))
		case t != protowire.BytesType:
		case n == fieldBody:
			return eachField(v, func(n protowire.Number, t protowire.Type, v []byte, _ uint64) bool {
				if n == fieldPayload && t == protowire.BytesType {
					e.Payload = v
				}
				return true
			}) == nil
		case n == fieldCertHash:
			e.CertHash = v
		case n == fieldSignature:
			e.Signature = v
		case n == fieldSenderCert:
			e.SenderCert = v
		case n == fieldCipherCtx, n == fieldCipherData:
			e.Encrypted = true
		}
		return true
	})
	if err != nil {
		return Envelope{}, faultf(Malformed, "envelope is not an AuthContainer: %v", err)
	}
	return e, nil
}
