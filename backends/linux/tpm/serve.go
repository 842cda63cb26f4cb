package tpm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
)

// errNone says that there is no TPM.
var errNone = errors.New("there is no TPM")

// on serves an op beside the loop. check may be nil; t is nil where there is no TPM.
func on[Req, Res any](b *boot, op agent.Op[Req, Res], check func(q *Req) *agent.Fault,
	does func(t *TPM, q *Req) (Res, error),
) {
	host.Serve(b.pt, op, func(c host.Run[Req, Res]) {
		if check != nil {
			if f := check(c.Req()); f != nil {
				c.Fail(f.Code, f.Text, f.Retry)
				return
			}
		}
		q := *c.Req()
		var err error
		c.Go(func(ctx context.Context) (res Res, _ *agent.Fault) {
			var t *TPM
			if b.p.o.TPM != nil {
				t = b.p.o.TPM.Within(ctx)
			}
			res, err = does(t, &q)
			return res, fault(op.Name, err)
		}, func(res Res, f *agent.Fault) {
			b.heed(err)
			c.Finish(res, f)
		})
	})
}

// chip serves an op that takes a module.
func chip[Req, Res any](b *boot, op agent.Op[Req, Res], check func(q *Req) *agent.Fault,
	does func(t *TPM, q *Req) (Res, error),
) {
	if b.p.o.TPM == nil {
		on(b, op, nil, func(*TPM, *Req) (res Res, _ error) { return res, errNone })
		return
	}
	on(b, op, check, does)
}

// serve serves the ops about more than the identity.
func (b *boot) serve() {
	on(b, device.Public, nil, b.public)
	on(b, device.Agree, (*device.AgreeReq).Check, b.agree)
	chip(b, device.Activate, nil, func(t *TPM, q *device.ActivateReq) (device.ActivateRes, error) {
		credential, err := t.Activate(q.Blob, q.Secret)
		return device.ActivateRes{Credential: credential}, err
	})
	b.serveMeasured()
	b.serveStored()
}

// handles are where keys are, by their names.
func handles(name string) (uint32, bool) {
	switch name {
	case device.Device:
		return DeviceKeyHandle, true
	case device.Attest:
		return QuoteHandle, true
	case device.Ecdh:
		return EcdhHandle, true
	case device.Endorsement:
		return EndorsementHandle, true
	case device.Identity:
		return IdentityHandle, true
	}
	return 0, false
}

func (b *boot) public(t *TPM, q *device.PublicReq) (res device.PublicRes, err error) {
	handle, ok := handles(q.Name)
	if !ok {
		return res, fmt.Errorf("%s: %w", q.Name, ErrNoKey)
	}
	var key crypto.PublicKey
	switch {
	case t != nil:
		key, res.Area, err = t.Public(handle)
	case q.Name == device.Endorsement || q.Name == device.Identity:
		err = errNone
	default:
		get := b.p.soft.own
		if q.Name == device.Device {
			get = b.p.soft.key
		}
		k, keyErr := get(q.Name)
		if err = keyErr; err == nil {
			key = &k.PublicKey
		}
	}
	if err == nil {
		res.PKIX, err = x509.MarshalPKIXPublicKey(key)
	}
	return res, err
}

func (b *boot) agree(t *TPM, q *device.AgreeReq) (res device.AgreeRes, err error) {
	if t != nil {
		res.X, res.Y, err = t.Agree([32]byte(q.Peer[1:33]), [32]byte(q.Peer[33:]))
		return res, err
	}
	k, err := b.p.soft.own(device.Ecdh)
	if err == nil {
		res.X, res.Y, err = tpmkey.Agree(k, q.Peer)
	}
	return res, err
}

// some checks a list of registers that may not be empty, and then more.
func some[Req any](list func(q *Req) []uint32, more func(q *Req) *agent.Fault,
) func(q *Req) *agent.Fault {
	return func(q *Req) *agent.Fault {
		if _, f := device.Ordered(list(q), false); f != nil || more == nil {
			return f
		}
		return more(q)
	}
}

// serveMeasured serves what is about registers.
func (b *boot) serveMeasured() {
	chip(b, device.PCRs, func(q *device.PCRsReq) *agent.Fault {
		_, f := device.Ordered(q.Registers, true)
		return f
	}, func(t *TPM, q *device.PCRsReq) (device.PCRsRes, error) {
		list, _ := device.Ordered(q.Registers, true)
		values, err := t.PCRs(list)
		return device.PCRsRes{PCRs: pcrs(list, values)}, err
	})
	chip(b, device.Extend, (*device.ExtendReq).Check,
		func(t *TPM, q *device.ExtendReq) (res device.ExtendRes, err error) {
			res.Before, err = b.p.log.measure(t, eventlog.Event{Register: q.Register, Type: q.Type,
				Data: bytes.Clone(q.Event)})
			return res, err
		})
	chip(b, device.EventLog, nil,
		func(t *TPM, _ *device.EventLogReq) (res device.EventLogRes, err error) {
			if b.p.o.Firmware != "" {
				res.Firmware, err = os.ReadFile(b.p.o.Firmware)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return res, err
				}
			}
			res.Measured, err = b.p.log.bytes(t)
			return res, err
		})
	chip(b, device.Quote, some(func(q *device.QuoteReq) []uint32 { return q.Registers },
		(*device.QuoteReq).Check), func(t *TPM, q *device.QuoteReq) (res device.QuoteRes, err error) {
		list, _ := device.Ordered(q.Registers, false)
		var values [][32]byte
		res.Attested, res.RS, values, err = t.Quote(q.Nonce, list)
		res.PCRs = pcrs(list, values)
		return res, err
	})
}

// pcrs is registers with their values.
func pcrs(registers []uint32, values [][32]byte) []device.PCR {
	var out []device.PCR
	for i, v := range values {
		out = append(out, device.PCR{Register: registers[i], Value: v})
	}
	return out
}

// serveStored serves what the module keeps.
func (b *boot) serveStored() {
	chip(b, device.Seal, some(func(q *device.SealReq) []uint32 { return q.Registers },
		(*device.SealReq).Check), func(t *TPM, q *device.SealReq) (res device.SealRes, err error) {
		secret := q.Secret
		if len(secret) == 0 {
			if secret, err = t.Random(32); err != nil {
				return res, err
			}
		}
		list, _ := device.Ordered(q.Registers, false)
		return res, t.Seal(secret, list)
	})
	chip(b, device.Unseal, some(func(q *device.UnsealReq) []uint32 { return q.Registers }, nil),
		func(t *TPM, q *device.UnsealReq) (res device.UnsealRes, err error) {
			list, _ := device.Ordered(q.Registers, false)
			res.Secret, err = t.Unseal(list)
			return res, err
		})
	chip(b, device.NVRead, (*device.NVReadReq).Check,
		func(t *TPM, q *device.NVReadReq) (res device.NVReadRes, err error) {
			res.Data, err = t.NVRead(q.Index)
			return res, err
		})
	chip(b, device.NVWrite, (*device.NVWriteReq).Check,
		func(t *TPM, q *device.NVWriteReq) (res device.NVWriteRes, err error) {
			if len(q.Data) == 0 {
				return res, t.NVDelete(q.Index)
			}
			if was, err := t.NVRead(q.Index); err == nil && bytes.Equal(was, q.Data) {
				return res, nil
			}
			return res, t.NVWrite(q.Index, q.Data)
		})
}
