package twin

import (
	"crypto/ecdsa"
	"crypto/sha256"

	"github.com/evetwin/evetwin/backends/sim/tpm"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/core/eveapi"
)

// Memory knows by heart what the TPMs of devices have signed and which signatures the controller
// has verified. Both are functions of what goes into them alone, so a world that has it is the same
// as one that has not; it is for worlds that repeat each other, one after the other. The zero value
// knows nothing yet; it is for sites of the same options. It forgets everything rather than grow
// beyond maxKnown.
type Memory struct {
	signed     map[signing][64]byte
	verified   map[verifying]bool
	controller *controllersim.Controller // the first
}

// maxKnown bounds signatures and verifications each: about 20 MiB.
const maxKnown = 1 << 16

type signing struct{ key, digest [32]byte }

type verifying struct {
	signing
	sig [32]byte
}

// keyID stands for a public key.
func keyID(k *ecdsa.PublicKey) (id [32]byte, ok bool) {
	b, err := k.Bytes()
	return sha256.Sum256(b), err == nil
}

// signer is tpm.Sign by heart, nil without a memory.
func (m *Memory) signer() func(*ecdsa.PrivateKey, [32]byte) ([64]byte, error) {
	if m == nil {
		return nil
	}
	return func(k *ecdsa.PrivateKey, digest [32]byte) ([64]byte, error) {
		id, ok := keyID(&k.PublicKey)
		if !ok {
			return tpm.Sign(k, digest)
		}
		what := signing{id, digest}
		if rs, ok := m.signed[what]; ok {
			return rs, nil
		}
		rs, err := tpm.Sign(k, digest)
		if err == nil {
			if m.signed == nil || len(m.signed) >= maxKnown {
				m.signed = map[signing][64]byte{}
			}
			m.signed[what] = rs
		}
		return rs, err
	}
}

// verifier is eveapi.VerifyRaw by heart, nil without a memory.
func (m *Memory) verifier() func(*ecdsa.PublicKey, [32]byte, []byte) bool {
	if m == nil {
		return nil
	}
	return func(k *ecdsa.PublicKey, digest [32]byte, sig []byte) bool {
		id, ok := keyID(k)
		if !ok {
			return eveapi.VerifyRaw(k, digest, sig)
		}
		what := verifying{signing{id, digest}, sha256.Sum256(sig)}
		good, known := m.verified[what]
		if !known {
			if m.verified == nil || len(m.verified) >= maxKnown {
				m.verified = map[verifying]bool{}
			}
			good = eveapi.VerifyRaw(k, digest, sig)
			m.verified[what] = good
		}
		return good
	}
}

// like is a controller that was made before, nil without one.
func (m *Memory) like() *controllersim.Controller {
	if m == nil {
		return nil
	}
	return m.controller
}

// made takes note of the first controller.
func (m *Memory) made(c *controllersim.Controller) {
	if m != nil && m.controller == nil {
		m.controller = c
	}
}
