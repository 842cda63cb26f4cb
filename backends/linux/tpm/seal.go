package tpm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// SealedIndex is where the sealed secret is kept: TPM2B_PRIVATE and TPM2B_PUBLIC, padded, so that
// another secret takes its place in one command, whole or not at all.
const SealedIndex = 0x01800000

// sealedBytes is the size of what is kept there: enough for a secret of 64 bytes.
const sealedBytes = 384

// ErrPolicy says that registers do not have the values a secret was sealed to.
var ErrPolicy = errors.New("the registers are not as they were when it was sealed")

// policy is the digest of a policy that is one TPM2_PolicyPCR.
func policy(registers []uint32, values [][32]byte) []byte {
	digest := sum(values)
	h := sha256.New()
	h.Write(make([]byte, sha256.Size))
	_ = binary.Write(h, binary.BigEndian, uint32(tpm2.TPMCCPolicyPCR))
	h.Write(tpm2.Marshal(selection(registers)))
	h.Write(digest[:])
	return h.Sum(nil)
}

// Seal keeps a secret of up to 64 bytes that only Unseal gives, while registers, which are in
// ascending order, have the values they have now. On its way into the TPM it is encrypted.
func (t *TPM) Seal(secret []byte, registers []uint32) error {
	err := t.alone(func() error {
		endorsement, storage, err := t.parents()
		if err != nil {
			return err
		}
		values, err := t.PCRs(registers)
		if err != nil {
			return err
		}
		made, err := tpm2.Create{
			ParentHandle: storage.as(tpm2.HMAC(tpm2.TPMAlgSHA256, 16,
				tpm2.AESEncryption(128, tpm2.EncryptIn),
				tpm2.Salted(endorsement.handle, endorsement.public))),
			InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
				Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: secret})}},
			InPublic: tpm2.New2B(tpm2.TPMTPublic{Type: tpm2.TPMAlgKeyedHash,
				NameAlg:          tpm2.TPMAlgSHA256,
				ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, NoDA: true},
				AuthPolicy:       tpm2.TPM2BDigest{Buffer: policy(registers, values)}}),
		}.Execute(t.over)
		if err != nil {
			return err
		}
		record := append(tpm2.Marshal(made.OutPrivate), tpm2.Marshal(made.OutPublic)...)
		if len(record) > sealedBytes {
			return fmt.Errorf("it takes %d bytes, there is room for %d", len(record), sealedBytes)
		}
		return t.NVWrite(SealedIndex, append(record, make([]byte, sealedBytes-len(record))...))
	})
	if err != nil {
		return fmt.Errorf("seal to PCRs %d: %w", registers, err)
	}
	return nil
}

// Unseal gives the sealed secret: ErrNoData if there is none, ErrPolicy if registers, which are in
// ascending order, are not those it was sealed to, or have other values.
func (t *TPM) Unseal(registers []uint32) (secret []byte, err error) {
	err = t.alone(func() error {
		record, err := t.NVRead(SealedIndex)
		if err != nil {
			return err
		}
		private, public, err := parseSealed(record)
		if err != nil {
			return err
		}
		endorsement, storage, err := t.parents()
		if err != nil {
			return err
		}
		loaded, err := tpm2.Load{ParentHandle: storage.plain(), InPrivate: *private,
			InPublic: *public}.Execute(t.over)
		if err != nil {
			return err
		}
		session := tpm2.Policy(tpm2.TPMAlgSHA256, 16, policyPCR(registers),
			tpm2.AESEncryption(128, tpm2.EncryptOut),
			tpm2.Salted(endorsement.handle, endorsement.public))
		answer, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: loaded.ObjectHandle,
			Name: loaded.Name, Auth: session}}.Execute(t.over)
		if errors.Is(err, tpm2.TPMRCPolicyFail) {
			err = ErrPolicy
		}
		if err == nil {
			secret = answer.OutData.Buffer
		}
		return errors.Join(err, t.flush(loaded.ObjectHandle))
	})
	if err != nil {
		return nil, fmt.Errorf("unseal: %w", err)
	}
	return secret, nil
}

// parents are the keys that a secret takes: the one that encrypts it on its way, and the one below
// which it is kept. It belongs in alone.
func (t *TPM) parents() (endorsement, storage object, err error) {
	if endorsement, err = t.object(EndorsementHandle); err == nil {
		storage, err = t.object(StorageHandle)
	}
	return endorsement, storage, err
}

// policyPCR is a policy over registers as they are.
func policyPCR(registers []uint32) tpm2.PolicyCallback {
	return func(over transport.TPM, handle tpm2.TPMISHPolicy, _ tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicyPCR{PolicySession: handle, Pcrs: selection(registers)}.Execute(over)
		return err
	}
}

// parseSealed reads what is kept of a secret.
func parseSealed(record []byte) (*tpm2.TPM2BPrivate, *tpm2.TPM2BPublic, error) {
	first, rest, err := sized(record)
	if err != nil {
		return nil, nil, err
	}
	second, _, err := sized(rest)
	if err != nil {
		return nil, nil, err
	}
	private, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](first)
	if err != nil {
		return nil, nil, err
	}
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](second)
	return private, public, err
}

// sized cuts off the first structure that begins with its size, in two bytes.
func sized(b []byte) (first, rest []byte, err error) {
	if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
		return nil, nil, errors.New("what is kept of the secret is cut off")
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return bytes.Clone(b[:n]), b[n:], nil
}
