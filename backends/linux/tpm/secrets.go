package tpm

import (
	"slices"

	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// ownSecret is how many bytes a secret of the module's own has.
const ownSecret = 32

// serveSecrets serves what has to do with secrets. They go from the module to the keeper, and from
// it to the module; callers have references.
func (b *boot) serveSecrets() {
	split(b, device.Agree, asked((*device.AgreeReq).Check, b.agree),
		func(point []byte) device.AgreeRes {
			return device.AgreeRes{Point: b.keeper.Made(secret.Agreed, point)}
		})
	if !absent(b, device.Activate) {
		split(b, device.Activate, asked(nil, func(t *TPM, q *device.ActivateReq) ([]byte, error) {
			return t.Activate(q.Blob, q.Secret)
		}), func(credential []byte) device.ActivateRes {
			return device.ActivateRes{Credential: b.keeper.Made(secret.Credential, credential)}
		})
	}
	if !absent(b, device.Seal) {
		split(b, device.Seal, b.seal, func(res device.SealRes) device.SealRes { return res })
	}
	if !absent(b, device.Unseal) {
		check := some(func(q *device.UnsealReq) []uint32 { return q.Registers }, nil)
		split(b, device.Unseal, asked(check, func(t *TPM, q *device.UnsealReq) ([]byte, error) {
			list, _ := device.Ordered(q.Registers, false)
			return t.Unseal(list)
		}), func(value []byte) device.UnsealRes {
			return device.UnsealRes{Secret: b.keeper.Made(secret.Sealed, value)}
		})
	}
}

// agree is a point, x and y: what the peer has in common with the module, or a key in software.
func (b *boot) agree(t *TPM, q *device.AgreeReq) ([]byte, error) {
	var x, y [32]byte
	var err error
	if t != nil {
		x, y, err = t.Agree([32]byte(q.Peer[1:33]), [32]byte(q.Peer[33:]))
	} else {
		k, keyErr := b.p.soft.own(device.Ecdh)
		if err = keyErr; err == nil {
			x, y, err = tpmkey.Agree(k, q.Peer)
		}
	}
	return slices.Concat(x[:], y[:]), err
}

// seal looks up the secret of a request while it is on the loop.
func (b *boot) seal(q *device.SealReq) (work[device.SealRes], *agent.Fault) {
	list, f := device.Ordered(q.Registers, false)
	if f != nil {
		return nil, f
	}
	value, f := q.Find(b.keeper.Reveal)
	return func(t *TPM) (res device.SealRes, err error) {
		if value == nil {
			if value, err = t.Random(ownSecret); err != nil {
				return res, err
			}
		}
		return res, t.Seal(value, list)
	}, f
}
