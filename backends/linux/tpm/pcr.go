package tpm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"
)

// quoteTries is how often a quote is made anew because a register changed meanwhile.
const quoteTries = 5

// errMoved says that a register changed while it was worked with.
var errMoved = errors.New("the registers keep changing")

// selection selects registers of the SHA-256 bank.
func selection(registers []uint32) tpm2.TPMLPCRSelection {
	list := make([]uint, len(registers))
	for i, r := range registers {
		list[i] = uint(r)
	}
	return tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{
		{Hash: tpm2.TPMAlgSHA256, PCRSelect: tpm2.PCClientCompatible.PCRs(list...)}}}
}

// PCRs reads registers, which are in ascending order.
func (t *TPM) PCRs(registers []uint32) (values [][32]byte, err error) {
	for len(values) < len(registers) {
		answer, err := tpm2.PCRRead{
			PCRSelectionIn: selection(registers[len(values):])}.Execute(t.over)
		if err == nil && len(answer.PCRValues.Digests) == 0 {
			err = errors.New("the TPM gave none")
		}
		if err != nil {
			return nil, fmt.Errorf("read PCRs %d: %w", registers, err)
		}
		for _, d := range answer.PCRValues.Digests {
			if len(d.Buffer) != sha256.Size {
				return nil, fmt.Errorf("read PCRs %d: %d bytes", registers, len(d.Buffer))
			}
			values = append(values, [32]byte(d.Buffer))
		}
	}
	return values, nil
}

// Extend extends a register by a digest.
func (t *TPM) Extend(register uint32, digest [32]byte) error {
	_, err := tpm2.PCRExtend{
		PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(register), Auth: tpm2.PasswordAuth(nil)},
		Digests: tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{
			{HashAlg: tpm2.TPMAlgSHA256, Digest: digest[:]}}},
	}.Execute(t.over)
	if err != nil {
		return fmt.Errorf("extend PCR %d: %w", register, err)
	}
	return nil
}

// Quote has the quoting key sign registers, which are in ascending order, and a nonce. It returns
// the signed TPMS_ATTEST, r and s of the signature, and the values that it is over.
func (t *TPM) Quote(nonce []byte, registers []uint32) (
	attested []byte, rs [64]byte, values [][32]byte, err error,
) {
	err = t.alone(func() error {
		key, err := t.object(QuoteHandle)
		for range quoteTries {
			if err != nil {
				return err
			}
			if values, err = t.PCRs(registers); err != nil {
				return err
			}
			var about *tpm2.TPMSAttest
			attested, rs, about, err = t.quoteOnce(key, nonce, registers)
			if err != nil {
				return err
			}
			info, err := about.Attested.Quote()
			if err != nil {
				return err
			}
			if sum := sum(values); bytes.Equal(info.PCRDigest.Buffer, sum[:]) {
				return nil
			}
		}
		return errMoved
	})
	if err != nil {
		return nil, rs, nil, fmt.Errorf("quote PCRs %d: %w", registers, err)
	}
	return attested, rs, values, nil
}

func (t *TPM) quoteOnce(key object, nonce []byte, registers []uint32) (
	attested []byte, rs [64]byte, about *tpm2.TPMSAttest, err error,
) {
	answer, err := tpm2.Quote{SignHandle: key.plain(), QualifyingData: tpm2.TPM2BData{Buffer: nonce},
		InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull}, PCRSelect: selection(registers),
	}.Execute(t.over)
	if err != nil {
		return nil, rs, nil, err
	}
	if about, err = answer.Quoted.Contents(); err != nil {
		return nil, rs, nil, err
	}
	rs, err = raw(answer.Signature)
	return answer.Quoted.Bytes(), rs, about, err
}

// raw is an ECDSA signature as r and s, 32 bytes each, big-endian.
func raw(signature tpm2.TPMTSignature) (rs [64]byte, err error) {
	both, err := signature.Signature.ECDSA()
	if err != nil {
		return rs, err
	}
	if len(both.SignatureR.Buffer) > 32 || len(both.SignatureS.Buffer) > 32 {
		return rs, errors.New("signature too long")
	}
	new(big.Int).SetBytes(both.SignatureR.Buffer).FillBytes(rs[:32])
	new(big.Int).SetBytes(both.SignatureS.Buffer).FillBytes(rs[32:])
	return rs, nil
}

// sum is the digest of registers as policies and quotes have it.
func sum(values [][32]byte) [32]byte {
	h := sha256.New()
	for _, v := range values {
		h.Write(v[:])
	}
	return [32]byte(h.Sum(nil))
}
