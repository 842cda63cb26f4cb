package tpm

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// ErrRefused says that the TPM took a request for wrong.
var ErrRefused = errors.New("the TPM refuses it")

// Agree multiplies a point on P-256 with the private ECDH key.
func (t *TPM) Agree(x, y [32]byte) (outX, outY [32]byte, err error) {
	err = t.alone(func() error {
		key, err := t.object(EcdhHandle)
		if err != nil {
			return err
		}
		answer, err := tpm2.ECDHZGen{KeyHandle: key.plain(),
			InPoint: tpm2.New2B(tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: x[:]},
				Y: tpm2.TPM2BECCParameter{Buffer: y[:]}})}.Execute(t.over)
		if err != nil {
			return err
		}
		point, err := answer.OutPoint.Contents()
		if err != nil {
			return err
		}
		if len(point.X.Buffer) > 32 || len(point.Y.Buffer) > 32 {
			return errors.New("a point too long")
		}
		new(big.Int).SetBytes(point.X.Buffer).FillBytes(outX[:])
		new(big.Int).SetBytes(point.Y.Buffer).FillBytes(outY[:])
		return nil
	})
	if err != nil {
		return outX, outY, fmt.Errorf("agree on a secret: %w", err)
	}
	return outX, outY, nil
}

// Activate opens a credential for the identity key with the endorsement key: a TPMS_ID_OBJECT and
// its encrypted seed. ErrRefused if it is for others, or damaged.
func (t *TPM) Activate(blob, seed []byte) (credential []byte, err error) {
	err = t.alone(func() error {
		endorsement, err := t.object(EndorsementHandle)
		if err != nil {
			return err
		}
		identity, err := t.object(IdentityHandle)
		if err != nil {
			return err
		}
		answer, err := tpm2.ActivateCredential{ActivateHandle: identity.plain(),
			KeyHandle:      endorsement.as(tpm2.Policy(tpm2.TPMAlgSHA256, 16, policyEndorsement)),
			CredentialBlob: tpm2.TPM2BIDObject{Buffer: blob},
			Secret:         tpm2.TPM2BEncryptedSecret{Buffer: seed},
		}.Execute(t.over)
		if err != nil {
			var code tpm2.TPMRC
			if errors.As(err, &code) {
				err = fmt.Errorf("%w: %w", ErrRefused, err)
			}
			return err
		}
		credential = answer.CertInfo.Buffer
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("activate a credential: %w", err)
	}
	return credential, nil
}

// policyEndorsement is the standard policy of endorsement keys: the secret of their hierarchy,
// which is empty.
func policyEndorsement(over transport.TPM, handle tpm2.TPMISHPolicy, nonce tpm2.TPM2BNonce) error {
	_, err := tpm2.PolicySecret{PolicySession: handle, NonceTPM: nonce,
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(nil)},
	}.Execute(over)
	return err
}
