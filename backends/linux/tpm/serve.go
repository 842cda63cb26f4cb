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
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
)

// errNone says that there is no TPM.
var errNone = errors.New("there is no TPM")

// work is what is done of a call beside the loop; t is nil where there is no TPM.
type work[Out any] = func(t *TPM) (Out, error)

// split serves an op in three: begin looks at the request on the loop, what it returns is done
// beside it, and end makes what the caller gets of what came out, on the loop again.
func split[Req, Res, Out any](b *boot, op agent.Op[Req, Res],
	begin func(q *Req) (work[Out], *agent.Fault), end func(Out) Res,
) {
	host.Serve(b.pt, op, func(c host.Run[Req, Res]) {
		does, f := begin(c.Req())
		if f != nil {
			c.Fail(f.Code, f.Text, f.Retry)
			return
		}
		var out Out
		var err error
		c.Go(func(ctx context.Context) (res Res, _ *agent.Fault) {
			var t *TPM
			if t, err = b.chip(ctx); err == nil {
				out, err = does(t)
			}
			return res, fault(op.Name, err)
		}, func(res Res, f *agent.Fault) {
			b.heed(err)
			if f == nil {
				res = end(out)
			}
			c.Finish(res, f)
		})
	})
}

// asked begins a call whose work takes the request alone. check may be nil.
func asked[Req, Out any](check func(q *Req) *agent.Fault, does func(t *TPM, q *Req) (Out, error),
) func(q *Req) (work[Out], *agent.Fault) {
	return func(q *Req) (work[Out], *agent.Fault) {
		if check != nil {
			if f := check(q); f != nil {
				return nil, f
			}
		}
		own := *q
		return func(t *TPM) (Out, error) { return does(t, &own) }, nil
	}
}

// on serves an op that has nothing to do on the loop.
func on[Req, Res any](b *boot, op agent.Op[Req, Res], check func(q *Req) *agent.Fault,
	does func(t *TPM, q *Req) (Res, error),
) {
	split(b, op, asked(check, does), func(res Res) Res { return res })
}

// absent serves an op that takes a module where there is none, and reports whether it did.
func absent[Req, Res any](b *boot, op agent.Op[Req, Res]) bool {
	if b.p.o.TPM != nil {
		return false
	}
	on(b, op, nil, func(*TPM, *Req) (res Res, _ error) { return res, errNone })
	return true
}

// chip serves an op that takes a module.
func chip[Req, Res any](b *boot, op agent.Op[Req, Res], check func(q *Req) *agent.Fault,
	does func(t *TPM, q *Req) (Res, error),
) {
	if !absent(b, op) {
		on(b, op, check, does)
	}
}

// serve serves the ops about more than the identity.
func (b *boot) serve() {
	on(b, device.Public, nil, b.public)
	b.serveSecrets()
	b.serveMeasured()
	b.serveMemory()
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

// serveMemory serves what agents store in the module.
func (b *boot) serveMemory() {
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
