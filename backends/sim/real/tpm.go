package real

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/disk"
	simtpm "github.com/evetwin/evetwin/backends/sim/tpm"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
)

// Tpm is the part tpm with the device key in a TPM that is named by a path: swtpm's socket here.
// The onboarding key is a file of /config, as on a real device.
type Tpm struct {
	TPM  *tpm.TPM
	Kind string // "swtpm", "device"
	Disk *disk.Disk

	pt   *host.Part
	keys *bus.Pub[device.KeySeen]
	hash map[string][32]byte
}

// Wire serves the ops of the part.
func (t *Tpm) Wire(k *host.Kernel) {
	pt := k.Part("tpm")
	t.pt, t.keys, t.hash = pt, bus.Publish(pt, device.Keys), map[string][32]byte{}
	module := bus.Publish(pt, device.Module)
	m := device.TpmSeen{Kind: t.Kind}
	if p, err := t.TPM.Properties(); err == nil {
		m.Vendor, m.Firmware = p.Manufacturer+" "+p.Vendor, p.Firmware
	} else {
		m.Detail = err.Error()
	}
	module.Put(m)
	module.Complete()
	if cert, err := t.TPM.NVRead(tpm.DeviceCertIndex); err == nil {
		t.show(device.Device, string(cert), true)
	}
	if cert, key := simtpm.OnboardPair(t.Disk); key != nil {
		t.show(device.Onboard, cert, false)
	}
	t.keys.Complete()
	host.Serve(pt, device.Create, t.create)
	host.Serve(pt, device.Sign, t.sign)
}

func (t *Tpm) show(name, cert string, inTPM bool) {
	b, _ := pem.Decode([]byte(cert))
	if b == nil {
		return
	}
	h := sha256.Sum256(b.Bytes)
	t.hash[name] = h
	t.keys.Put(device.KeySeen{Name: name, InTPM: inTPM, CertPEM: cert, CertHash: h})
}

func (t *Tpm) create(c host.Run[device.CreateReq, device.CreateRes]) {
	if c.Req().Name != device.Device {
		c.Fail(device.FaultNoKey, "create key "+c.Req().Name+": only the device key is made here", false)
		return
	}
	if _, has := t.hash[device.Device]; has {
		c.Done(device.CreateRes{Restored: true})
		return
	}
	from := time.Unix(c.Req().NotBefore, 0).UTC()
	var cert string
	c.Go(func(context.Context) (device.CreateRes, *agent.Fault) {
		key, made, err := t.TPM.DeviceKey()
		if err == nil {
			cert, err = simtpm.SelfSignWith(signer{key}, key.Public(), from)
		}
		if err == nil {
			err = t.TPM.NVWrite(tpm.DeviceCertIndex, []byte(cert))
		}
		if err != nil {
			return device.CreateRes{}, fault(device.FaultFailed,
				fmt.Errorf("create the device key: %w", err))
		}
		return device.CreateRes{Restored: !made}, nil
	}, func(res device.CreateRes, f *agent.Fault) {
		if f == nil {
			t.show(device.Device, cert, true)
		}
		c.Finish(res, f)
	})
}

func (t *Tpm) sign(c host.Run[device.SignReq, device.SignRes]) {
	q := *c.Req()
	h, ok := t.hash[q.Name]
	if !ok {
		c.Fail(device.FaultNoKey, "sign: there is no key "+q.Name, true)
		return
	}
	if q.Name == device.Onboard {
		rs, err := simtpm.SignPEM(t.Disk.Files[simtpm.OnboardKey].Data, q.Digest)
		if err != nil {
			c.Fail(device.FaultFailed, "sign with key "+q.Name+": "+err.Error(), true)
			return
		}
		c.Done(device.SignRes{RS: rs, CertHash: h})
		return
	}
	c.Go(func(context.Context) (device.SignRes, *agent.Fault) {
		key, err := t.TPM.OpenKey(tpm.DeviceKeyHandle)
		var rs [64]byte
		if err == nil {
			rs, err = key.Sign(q.Digest)
		}
		if err != nil {
			return device.SignRes{}, fault(device.FaultFailed, fmt.Errorf("sign: %w", err))
		}
		return device.SignRes{RS: rs, CertHash: h}, nil
	}, c.Finish)
}

// signer makes a TPM key a crypto.Signer, for certificates.
type signer struct{ *tpm.Key }

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
