// Package tpm is the simulated part tpm: keys that derive from a seed, so that the same device
// signs the same way in every run. Signatures are real ECDSA, with the nonces of RFC 6979; quotes,
// policies and credentials are computed as a TPM computes them.
package tpm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/evetwin/evetwin/backends/eventlog"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Paths of the onboarding identity on the device.
const (
	OnboardCert = "/config/onboard.cert.pem"
	OnboardKey  = "/config/onboard.key.pem"
)

// probing is how often a module that does not answer is asked again.
const probing = time.Second

// Tpm is the part: a model of a TPM, or keys in software.
type Tpm struct {
	Disk *disk.Disk
	// Seed and Name make the device key.
	Seed uint64
	Name string
	// Absent: there is no TPM, keys are in software.
	Absent bool
	// Sign takes the place of the function Sign; nil keeps it.
	Sign func(k *ecdsa.PrivateKey, digest [32]byte) (rs [64]byte, err error)
	// Signed counts the signatures made for the agents.
	Signed uint64
	// Keeper returns the keeper of the device's secrets; it is called at each boot. Nil makes one of
	// its own.
	Keeper func() *secret.Keeper
	// Dead: the module does not answer.
	Dead bool

	pt     *host.Part
	keeper *secret.Keeper
	rows   *bus.Pub[device.KeySeen]
	module *bus.Pub[device.TpmSeen]
	keys   map[string]*key
	ailing bool
	looked bool
	pcrs   [device.Registers][32]byte
	log    eventlog.Log
}

type key struct {
	*ecdsa.PrivateKey
	hash [32]byte
}

// Wire serves the ops of the part and publishes the keys that exist.
func (t *Tpm) Wire(k *host.Kernel) {
	pt := k.Part("tpm")
	t.pt, t.rows, t.module = pt, bus.Publish(pt, device.Keys), bus.Publish(pt, device.Module)
	t.keys, t.ailing, t.looked = map[string]*key{}, false, false
	if t.keeper = secret.New(nil); t.Keeper != nil {
		t.keeper = t.Keeper()
	}
	t.reset()
	cert, onboard := t.Disk.Files[OnboardCert].Data, t.Disk.Files[OnboardKey].Data
	if t.Dead {
		t.ail()
	} else {
		t.module.Put(t.seen())
		t.look()
	}
	t.module.Complete()
	if priv, err := tpmkey.Pair(cert, onboard); err == nil {
		t.adopt(device.Onboard, priv, string(cert))
	}
	if t.looked {
		t.rows.Complete()
	}
	serve(t)
}

// seen is a module that answers, or none.
func (t *Tpm) seen() device.TpmSeen {
	if t.Absent {
		return device.TpmSeen{Kind: "none", Detail: "keys are kept in software"}
	}
	return device.TpmSeen{Kind: "model", Vendor: "evetwin", Firmware: "1", Detail: "a model, no chip"}
}

// look finds the device key in the module.
func (t *Tpm) look() {
	t.looked = true
	if t.Disk.Tpm.HasDevice {
		t.adopt(device.Device, t.own(device.Device), t.Disk.Tpm.CertPEM)
	}
}

// ail shows that the module does not answer, and asks it again until it does.
func (t *Tpm) ail() {
	if t.ailing {
		return
	}
	t.ailing = true
	m := t.seen()
	m.Detail = "it does not answer"
	t.module.Put(m)
	t.probe()
}

func (t *Tpm) probe() {
	t.pt.After(probing, func() {
		if t.ailing && t.Dead {
			t.probe()
			return
		}
		t.heal()
	})
}

// heal shows that the module answers again.
func (t *Tpm) heal() {
	if !t.ailing {
		return
	}
	t.ailing = false
	t.module.Put(t.seen())
	if !t.looked {
		t.look()
		t.rows.Complete()
	}
}

// Evict is somebody who removes the device key from the module.
func (t *Tpm) Evict() { t.Disk.Tpm.HasDevice = false }

// Clear is somebody who clears the module: the next owner has other keys and finds nothing stored.
func (t *Tpm) Clear() { t.Disk.Tpm = disk.TpmRecord{Owners: t.Disk.Tpm.Owners + 1} }

func (t *Tpm) adopt(name string, priv *ecdsa.PrivateKey, cert string) {
	_, hash, err := tpmkey.Public(cert)
	if err != nil {
		return
	}
	t.keys[name] = &key{priv, hash}
	t.rows.Put(device.KeySeen{Name: name, InTPM: name == device.Device && !t.Absent, CertPEM: cert,
		CertHash: hash})
}

func (t *Tpm) create(c host.Run[device.CreateReq, device.CreateRes]) {
	if c.Req().Name != device.Device {
		c.Fail(device.FaultNoKey, "create key "+c.Req().Name+": only the device key is made here", false)
		return
	}
	if !t.answers(c) {
		return
	}
	r := &t.Disk.Tpm
	if r.HasDevice && t.keys[device.Device] != nil {
		c.Done(device.CreateRes{Restored: true})
		return
	}
	priv, restored := t.own(device.Device), r.CertPEM != ""
	if !restored {
		cert, err := tpmkey.SelfSign(priv, &priv.PublicKey, time.Unix(c.Req().NotBefore, 0).UTC())
		if err != nil {
			c.Fail(device.FaultFailed, "create the device certificate: "+err.Error(), true)
			return
		}
		r.CertPEM = cert
	}
	r.HasDevice = true
	t.adopt(device.Device, priv, r.CertPEM)
	c.Done(device.CreateRes{Restored: restored})
}

func (t *Tpm) sign(c host.Run[device.SignReq, device.SignRes]) {
	name := c.Req().Name
	if name != device.Onboard && !t.answers(c) {
		return
	}
	if name == device.Device && !t.Disk.Tpm.HasDevice && t.keys[name] != nil {
		delete(t.keys, name)
		t.rows.Delete(name)
	}
	k := t.keys[name]
	if k == nil {
		c.Fail(device.FaultNoKey, "sign: there is no key "+name, true)
		return
	}
	sign := t.Sign
	if sign == nil {
		sign = Sign
	}
	rs, err := sign(k.PrivateKey, c.Req().Digest)
	if err != nil {
		c.Fail(device.FaultFailed, "sign with key "+name+": "+err.Error(), true)
		return
	}
	t.Signed++
	c.Done(device.SignRes{RS: rs, CertHash: k.hash})
}

// Sign makes a deterministic ECDSA signature: r and s, 32 bytes each.
func Sign(k *ecdsa.PrivateKey, digest [32]byte) (rs [64]byte, err error) {
	return tpmkey.Sign(k, digest)
}

// DeriveKey is the P-256 key of a device under a seed.
func DeriveKey(seed uint64, name string) *ecdsa.PrivateKey {
	for n := byte(0); ; n++ {
		b := binary.BigEndian.AppendUint64([]byte("evetwin device key"), seed)
		h := sha256.Sum256(append(append(b, n), name...))
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), h[:]); err == nil {
			return k
		}
	}
}
