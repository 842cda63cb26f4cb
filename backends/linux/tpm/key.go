package tpm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"
)

// DeviceKeyHandle is where EVE keeps the device key.
const DeviceKeyHandle = 0x817FFFFF

// ErrNoKey says that a handle holds no key.
var ErrNoKey = errors.New("no key at this handle")

// Key is a signing key in the TPM.
type Key struct {
	tpm    *TPM
	handle tpm2.TPMHandle
	name   tpm2.TPM2BName
	public *ecdsa.PublicKey
}

// deviceKeyTemplate is an unrestricted P-256 signing key that cannot leave the TPM.
func deviceKeyTemplate() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true,
			UserWithAuth: true, NoDA: true, SignEncrypt: true,
		},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			CurveID: tpm2.TPMECCNistP256,
			Scheme: tpm2.TPMTECCScheme{
				Scheme: tpm2.TPMAlgECDSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA,
					&tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
			},
		}),
	}
}

// DeviceKey returns the device key, and makes it if there is none. It says whether it did. The
// key belongs to the owner's hierarchy and survives every restart.
func (t *TPM) DeviceKey() (key *Key, made bool, err error) {
	key, err = t.OpenKey(DeviceKeyHandle)
	if !errors.Is(err, ErrNoKey) {
		return key, false, err
	}
	err = t.alone(func() error {
		return t.keep(DeviceKeyHandle, tpm2.TPMRHOwner, deviceKeyTemplate())
	})
	if err != nil {
		return nil, false, fmt.Errorf("make device key: %w", err)
	}
	key, err = t.OpenKey(DeviceKeyHandle)
	return key, err == nil, err
}

// OpenKey returns the P-256 key at a persistent handle; ErrNoKey if there is none.
func (t *TPM) OpenKey(handle uint32) (*Key, error) {
	answer, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(handle)}.Execute(t.over)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return nil, fmt.Errorf("open key %#x: %w", handle, ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("open key %#x: %w", handle, err)
	}
	public, err := publicKey(answer.OutPublic)
	if err != nil {
		return nil, fmt.Errorf("open key %#x: %w", handle, err)
	}
	return &Key{tpm: t, handle: tpm2.TPMHandle(handle), name: answer.Name, public: public}, nil
}

func publicKey(packed tpm2.TPM2BPublic) (*ecdsa.PublicKey, error) {
	area, err := packed.Contents()
	if err != nil {
		return nil, err
	}
	if area.Type != tpm2.TPMAlgECC {
		return nil, errors.New("key is not an elliptic curve key")
	}
	parameters, err := area.Parameters.ECCDetail()
	if err != nil {
		return nil, err
	}
	if parameters.CurveID != tpm2.TPMECCNistP256 {
		return nil, errors.New("key is not on P-256")
	}
	point, err := area.Unique.ECC()
	if err != nil {
		return nil, err
	}
	// A point in its uncompressed form: 4, x, y. Parsing checks that it is on the curve.
	encoded := make([]byte, 65)
	encoded[0] = 4
	new(big.Int).SetBytes(point.X.Buffer).FillBytes(encoded[1:33])
	new(big.Int).SetBytes(point.Y.Buffer).FillBytes(encoded[33:])
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), encoded)
}

// Public returns the public key.
func (k *Key) Public() *ecdsa.PublicKey { return k.public }

// Sign signs a SHA-256 digest: r and s, 32 bytes each, big-endian.
func (k *Key) Sign(digest [32]byte) (signature [64]byte, err error) {
	answer, err := tpm2.Sign{
		KeyHandle: tpm2.NamedHandle{Handle: k.handle, Name: k.name},
		Digest:    tpm2.TPM2BDigest{Buffer: digest[:]},
		InScheme: tpm2.TPMTSigScheme{
			Scheme: tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA,
				&tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256}),
		},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull},
	}.Execute(k.tpm.over)
	if err != nil {
		return signature, fmt.Errorf("sign with key %#x: %w", uint32(k.handle), err)
	}
	if signature, err = raw(answer.Signature); err != nil {
		return signature, fmt.Errorf("sign with key %#x: %w", uint32(k.handle), err)
	}
	return signature, nil
}
