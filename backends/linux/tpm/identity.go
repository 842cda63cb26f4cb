package tpm

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
)

// create serves the op Create.
func (b *boot) create(c host.Run[device.CreateReq, device.CreateRes]) {
	if c.Req().Name != device.Device {
		c.Fail(device.FaultNoKey, "create key "+c.Req().Name+": only the device key is made here", false)
		return
	}
	from := time.Unix(c.Req().NotBefore, 0).UTC()
	var cert string
	var err error
	c.Go(func(ctx context.Context) (res device.CreateRes, _ *agent.Fault) {
		var t *TPM
		t, err = b.chip(ctx)
		switch {
		case err != nil:
		case t == nil:
			cert, res.Restored, err = b.p.soft.create(from)
		default:
			cert, res.Restored, err = t.create(from)
		}
		return res, fault(device.Create.Name, err)
	}, func(res device.CreateRes, f *agent.Fault) {
		b.heed(err)
		if f == nil {
			b.show(device.Device, cert, b.p.o.TPM != nil)
		}
		c.Finish(res, f)
	})
}

// create makes the device key and its certificate, or finds them. A certificate that is there is
// restored if it is of the key, which the TPM makes the same again as long as its owner stays.
func (t *TPM) create(from time.Time) (cert string, restored bool, err error) {
	key, made, err := t.DeviceKey()
	if err != nil {
		return "", false, err
	}
	if cert, err = t.identity(); err == nil {
		return cert, true, nil
	}
	if !errors.Is(err, ErrNoData) {
		return "", false, err
	}
	if cert, err = tpmkey.SelfSign(signer{key}, key.Public(), from); err != nil {
		return "", false, fmt.Errorf("make the device certificate: %w", err)
	}
	return cert, !made, t.NVWrite(DeviceCertIndex, []byte(cert))
}

// sign serves the op Sign.
func (b *boot) sign(c host.Run[device.SignReq, device.SignRes]) {
	q := *c.Req()
	h, ok := b.hash[q.Name]
	if !ok {
		c.Fail(device.FaultNoKey, "sign: there is no key "+q.Name, true)
		return
	}
	var err error
	c.Go(func(ctx context.Context) (res device.SignRes, _ *agent.Fault) {
		res.CertHash = h
		res.RS, err = b.signature(ctx, q.Name, q.Digest)
		return res, fault(device.Sign.Name, err)
	}, func(res device.SignRes, f *agent.Fault) {
		b.heed(err)
		if errors.Is(err, ErrNoKey) {
			b.gone(q.Name)
		}
		c.Finish(res, f)
	})
}

func (b *boot) signature(ctx context.Context, name string, digest [32]byte,
) (rs [64]byte, err error) {
	if name == device.Onboard {
		return tpmkey.Sign(b.onboard, digest)
	}
	if b.p.o.TPM == nil {
		k, err := b.p.soft.key(name)
		if err != nil {
			return rs, err
		}
		return tpmkey.Sign(k, digest)
	}
	t, err := b.chip(ctx)
	if err != nil {
		return rs, err
	}
	key, err := t.OpenKey(DeviceKeyHandle)
	if err != nil {
		return rs, err
	}
	return key.Sign(digest)
}

// signer makes a TPM key a crypto.Signer, for certificates.
type signer struct{ *Key }

// Public is the public key.
func (s signer) Public() crypto.PublicKey { return s.Key.Public() }

// Sign signs a SHA-256 digest, as ASN.1.
func (s signer) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, errors.New("sign with the TPM: no SHA-256 digest")
	}
	rs, err := s.Key.Sign([32]byte(digest))
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(rs[:32]),
		new(big.Int).SetBytes(rs[32:])})
}

var _ crypto.Signer = signer{}

// heed notes that the module does not answer.
func (b *boot) heed(err error) {
	if errors.Is(err, errSilent) {
		b.ail(err)
	}
}

// fault is an error as callers get it, nil for none.
func fault(what string, err error) *agent.Fault {
	if err == nil {
		return nil
	}
	code, retry := device.FaultFailed, true
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = agent.FaultCancelled
	case errors.Is(err, ErrNoKey):
		code = device.FaultNoKey
	case errors.Is(err, ErrNoData):
		code = device.FaultNoData
	case errors.Is(err, ErrPolicy):
		code, retry = device.FaultPolicy, false
	case errors.Is(err, ErrRefused):
		code, retry = device.FaultRefused, false
	case errors.Is(err, errNone):
		code, retry = device.FaultAbsent, false
	}
	return &agent.Fault{Code: code, Text: what + ": " + err.Error(), Retry: retry}
}
