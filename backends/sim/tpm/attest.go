package tpm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/backends/tpmkey"
	device "github.com/evetwin/evetwin/core/device/tpm"
)

// errNotOurs says that a credential cannot be opened.
var errNotOurs = errors.New("it is not for this module, or damaged")

// area is the public part of one of the model's keys: the endorsement key is one of TCG's for
// elliptic curves.
func (t *Tpm) area(name string) (tpm2.TPMTPublic, error) {
	out := tpm2.ECCEKTemplate
	if name != device.Endorsement {
		out = tpm2.TPMTPublic{Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true,
				SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true,
				Restricted:  name == device.Attest || name == device.Identity,
				SignEncrypt: name != device.Ecdh, Decrypt: name == device.Ecdh},
			Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC,
				&tpm2.TPMSECCParms{CurveID: tpm2.TPMECCNistP256})}
	}
	x, y, err := point(&t.own(name).PublicKey)
	out.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{
		X: tpm2.TPM2BECCParameter{Buffer: x}, Y: tpm2.TPM2BECCParameter{Buffer: y}})
	return out, err
}

// point is a public key as x and y.
func point(k *ecdsa.PublicKey) (x, y []byte, err error) {
	b, err := k.Bytes()
	if err != nil {
		return nil, nil, err
	}
	return b[1:33], b[33:], nil
}

// public is what Public gives.
func (t *Tpm) public(name string) (res device.PublicRes, err error) {
	if res.PKIX, err = x509.MarshalPKIXPublicKey(&t.own(name).PublicKey); err != nil || t.Absent {
		return res, err
	}
	area, err := t.area(name)
	if err == nil {
		res.Area = tpm2.Marshal(area)
	}
	return res, err
}

// quote signs registers, in ascending order.
func (t *Tpm) quote(q *device.QuoteReq, registers []uint32) (res device.QuoteRes, err error) {
	area, err := t.area(device.Attest)
	if err != nil {
		return res, err
	}
	name, err := tpm2.ObjectName(&area)
	if err != nil {
		return res, err
	}
	digest := t.sum(registers)
	res.Attested = tpm2.Marshal(tpm2.TPMSAttest{Magic: tpm2.TPMGeneratedValue,
		Type: tpm2.TPMSTAttestQuote, QualifiedSigner: *name,
		ExtraData: tpm2.TPM2BData{Buffer: q.Nonce},
		ClockInfo: tpm2.TPMSClockInfo{Clock: uint64(t.pt.Now() / time.Millisecond),
			ResetCount: uint32(t.pt.Kernel().BootCount()), Safe: true},
		FirmwareVersion: 1,
		Attested: tpm2.NewTPMUAttest(tpm2.TPMSTAttestQuote, &tpm2.TPMSQuoteInfo{
			PCRSelect: selection(registers), PCRDigest: tpm2.TPM2BDigest{Buffer: digest[:]}})})
	res.RS, err = tpmkey.Sign(t.own(device.Attest), sha256.Sum256(res.Attested))
	res.PCRs = t.read(registers)
	return res, err
}

// activate opens a credential as TPM2_ActivateCredential does.
func (t *Tpm) activate(q *device.ActivateReq) ([]byte, error) {
	identity, err := t.area(device.Identity)
	if err != nil {
		return nil, err
	}
	name, err := tpm2.ObjectName(&identity)
	if err != nil {
		return nil, err
	}
	seed, err := t.seedOf(q.Secret)
	if err != nil {
		return nil, err
	}
	if len(q.Blob) < 2+sha256.Size || binary.BigEndian.Uint16(q.Blob) != sha256.Size {
		return nil, errNotOurs
	}
	hash, err := tpm2.TPMAlgSHA256.Hash()
	if err != nil {
		return nil, err
	}
	tag, sealed := q.Blob[2:2+sha256.Size], q.Blob[2+sha256.Size:]
	mac := hmac.New(sha256.New, tpm2.KDFa(hash, seed, "INTEGRITY", nil, nil, 8*sha256.Size))
	mac.Write(sealed)
	mac.Write(name.Buffer)
	if !hmac.Equal(mac.Sum(nil), tag) {
		return nil, errNotOurs
	}
	block, err := aes.NewCipher(tpm2.KDFa(hash, seed, "STORAGE", name.Buffer, nil, 128))
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(sealed))
	// A credential's cipher is given by TCG; what it has is authentic.
	cfb := cipher.NewCFBDecrypter(block, make([]byte, aes.BlockSize)) //nolint:staticcheck // see above
	cfb.XORKeyStream(plain, sealed)
	if len(plain) < 2 || int(binary.BigEndian.Uint16(plain)) != len(plain)-2 {
		return nil, errNotOurs
	}
	return plain[2:], nil
}

// seedOf is the seed of a credential, which was agreed on with the endorsement key.
func (t *Tpm) seedOf(secret []byte) ([]byte, error) {
	peer, err := tpm2.Unmarshal[tpm2.TPMSECCPoint](secret)
	if err != nil || len(peer.X.Buffer) != 32 || len(peer.Y.Buffer) != 32 {
		return nil, errNotOurs
	}
	key := t.own(device.Endorsement)
	z, _, err := tpmkey.Agree(key, append(append([]byte{4}, peer.X.Buffer...), peer.Y.Buffer...))
	if err != nil {
		return nil, errNotOurs
	}
	x, _, err := point(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	hash, err := tpm2.TPMAlgSHA256.Hash()
	if err != nil {
		return nil, err
	}
	return tpm2.KDFe(hash, z[:], "IDENTITY", peer.X.Buffer, x, 8*sha256.Size), nil
}
