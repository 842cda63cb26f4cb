package tpm

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// answers reports whether the module answers; if not, it ends the call and says so.
func (t *Tpm) answers(c interface {
	Fail(code, text string, retry bool)
}) bool {
	if t.Dead && !t.Absent {
		t.ail()
		c.Fail(device.FaultFailed, "the module does not answer", true)
		return false
	}
	t.heal()
	return true
}

// timing is how long an op takes.
type timing struct{ from, to time.Duration }

// Times of a TPM, as they were measured on a software TPM and on chips.
var (
	quick   = timing{2 * time.Millisecond, 8 * time.Millisecond}
	making  = timing{50 * time.Millisecond, 300 * time.Millisecond}
	working = timing{5 * time.Millisecond, 40 * time.Millisecond}
)

// on serves an op of the module.
func on[Req, Res any](t *Tpm, op agent.Op[Req, Res], takes timing,
	does func(q *Req) (Res, *agent.Fault),
) {
	host.Serve(t.pt, op, func(c host.Run[Req, Res]) {
		c.After(c.Latency(takes.from, takes.to), func() {
			if !t.answers(c) {
				return
			}
			c.Finish(does(c.Req()))
		})
	})
}

// chip serves an op that takes a module.
func chip[Req, Res any](t *Tpm, op agent.Op[Req, Res], takes timing,
	does func(q *Req) (Res, *agent.Fault),
) {
	on(t, op, takes, func(q *Req) (res Res, f *agent.Fault) {
		if t.Absent {
			return res, &agent.Fault{Code: device.FaultAbsent, Text: op.Name + ": there is no TPM"}
		}
		return does(q)
	})
}

// serve serves the ops of the part.
func serve(t *Tpm) {
	host.Serve(t.pt, device.Create, func(c host.Run[device.CreateReq, device.CreateRes]) {
		c.After(c.Latency(making.from, making.to), func() { t.create(c) })
	})
	host.Serve(t.pt, device.Sign, func(c host.Run[device.SignReq, device.SignRes]) {
		c.After(c.Latency(quick.from, quick.to), func() { t.sign(c) })
	})
	on(t, device.Public, working, t.servePublic)
	serveSecrets(t)
	serveMeasured(t)
	serveMemory(t)
}

func (t *Tpm) servePublic(q *device.PublicReq) (device.PublicRes, *agent.Fault) {
	switch q.Name {
	case device.Device:
		if !t.Disk.Tpm.HasDevice {
			return device.PublicRes{}, noKey(q.Name)
		}
	case device.Attest, device.Ecdh:
	case device.Endorsement, device.Identity:
		if t.Absent {
			return device.PublicRes{}, &agent.Fault{Code: device.FaultAbsent,
				Text: "key " + q.Name + ": there is no TPM"}
		}
	default:
		return device.PublicRes{}, noKey(q.Name)
	}
	res, err := t.public(q.Name)
	return res, failed(err)
}

func noKey(name string) *agent.Fault {
	return &agent.Fault{Code: device.FaultNoKey, Text: "there is no key " + name, Retry: true}
}

// failed is an error of the module's.
func failed(err error) *agent.Fault {
	if err == nil {
		return nil
	}
	return &agent.Fault{Code: device.FaultFailed, Text: err.Error(), Retry: true}
}

// serveMeasured serves what is about registers.
func serveMeasured(t *Tpm) {
	chip(t, device.PCRs, quick, func(q *device.PCRsReq) (device.PCRsRes, *agent.Fault) {
		list, f := device.Ordered(q.Registers, true)
		return device.PCRsRes{PCRs: t.read(list)}, f
	})
	chip(t, device.Extend, quick, func(q *device.ExtendReq) (device.ExtendRes, *agent.Fault) {
		if f := q.Check(); f != nil {
			return device.ExtendRes{}, f
		}
		return device.ExtendRes{Before: t.measure(q)}, nil
	})
	chip(t, device.EventLog, quick, func(*device.EventLogReq) (device.EventLogRes, *agent.Fault) {
		return device.EventLogRes{Measured: t.log.Bytes()}, nil
	})
	chip(t, device.Quote, working, func(q *device.QuoteReq) (res device.QuoteRes, f *agent.Fault) {
		list, f := device.Ordered(q.Registers, false)
		if f == nil {
			f = q.Check()
		}
		if f != nil {
			return res, f
		}
		res, err := t.quote(q, list)
		return res, failed(err)
	})
}

// serveSecrets serves what has to do with secrets: the keeper has them, callers their references.
func serveSecrets(t *Tpm) {
	on(t, device.Agree, quick, func(q *device.AgreeReq) (res device.AgreeRes, f *agent.Fault) {
		if f = q.Check(); f != nil {
			return res, f
		}
		x, y, err := tpmkey.Agree(t.own(device.Ecdh), q.Peer)
		if err == nil {
			res.Point = t.keeper.Made(secret.Agreed, slices.Concat(x[:], y[:]))
		}
		return res, failed(err)
	})
	chip(t, device.Activate, working, func(q *device.ActivateReq) (res device.ActivateRes,
		f *agent.Fault,
	) {
		b, err := t.activate(q)
		if err != nil {
			return res, &agent.Fault{Code: device.FaultRefused,
				Text: "activate a credential: " + err.Error()}
		}
		res.Credential = t.keeper.Made(secret.Credential, b)
		return res, nil
	})
	chip(t, device.Seal, working, func(q *device.SealReq) (res device.SealRes, f *agent.Fault) {
		list, f := device.Ordered(q.Registers, false)
		if f != nil {
			return res, f
		}
		value, f := q.Find(t.keeper.Reveal)
		if f == nil {
			t.seal(value, list)
		}
		return res, f
	})
	chip(t, device.Unseal, working, func(q *device.UnsealReq) (res device.UnsealRes, f *agent.Fault) {
		list, f := device.Ordered(q.Registers, false)
		if f != nil {
			return res, f
		}
		value, f := t.unseal(list)
		if f == nil {
			res.Secret = t.keeper.Made(secret.Sealed, value)
		}
		return res, f
	})
}

// serveMemory serves what agents store in the module.
func serveMemory(t *Tpm) {
	chip(t, device.NVRead, quick, func(q *device.NVReadReq) (res device.NVReadRes, f *agent.Fault) {
		if f := q.Check(); f != nil {
			return res, f
		}
		data, ok := t.Disk.Tpm.NV[q.Index]
		if !ok {
			return res, &agent.Fault{Code: device.FaultNoData, Retry: true,
				Text: "read the module's memory: nothing is stored there"}
		}
		res.Data = append(res.Data, data...)
		return res, nil
	})
	chip(t, device.NVWrite, quick, func(q *device.NVWriteReq) (res device.NVWriteRes, f *agent.Fault) {
		if f = q.Check(); f == nil {
			t.write(q.Index, q.Data)
		}
		return res, f
	})
}
