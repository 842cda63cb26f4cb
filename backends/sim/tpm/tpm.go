// Package tpm is the simulated part tpm: keys that derive from a seed, so that the same device
// signs the same way in every run. Signatures are real ECDSA, with the nonces of RFC 6979.
package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
)

// Paths of the onboarding identity on the device.
const (
	OnboardCert = "/config/onboard.cert.pem"
	OnboardKey  = "/config/onboard.key.pem"
)

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

	keys map[string]*key
}

type key struct {
	*ecdsa.PrivateKey
	hash [32]byte
}

// Wire serves the ops of the part and publishes the keys that exist.
func (t *Tpm) Wire(k *host.Kernel) {
	pt := k.Part("tpm")
	keys, module := bus.Publish(pt, device.Keys), bus.Publish(pt, device.Module)
	t.keys = map[string]*key{}
	m := device.TpmSeen{Kind: "model", Vendor: "evetwin", Firmware: "1", Detail: "a model, no chip"}
	if t.Absent {
		m = device.TpmSeen{Kind: "none", Detail: "keys are kept in software"}
	}
	module.Put(m)
	module.Complete()
	if t.Disk.Tpm.HasDevice {
		t.adopt(keys, device.Device, DeriveKey(t.Seed, t.Name), t.Disk.Tpm.CertPEM)
	}
	if cert, priv := OnboardPair(t.Disk); priv != nil {
		t.adopt(keys, device.Onboard, priv, cert)
	}
	keys.Complete()
	host.Serve(pt, device.Create, func(c host.Run[device.CreateReq, device.CreateRes]) {
		c.After(c.Latency(50*time.Millisecond, 300*time.Millisecond), func() { t.create(c, keys) })
	})
	host.Serve(pt, device.Sign, func(c host.Run[device.SignReq, device.SignRes]) {
		c.After(c.Latency(2*time.Millisecond, 8*time.Millisecond), func() { t.sign(c) })
	})
}

func (t *Tpm) adopt(keys *bus.Pub[device.KeySeen], name string, priv *ecdsa.PrivateKey,
	cert string,
) {
	b, _ := pem.Decode([]byte(cert))
	if b == nil {
		return
	}
	k := &key{priv, sha256.Sum256(b.Bytes)}
	t.keys[name] = k
	keys.Put(device.KeySeen{Name: name, InTPM: name == device.Device && !t.Absent, CertPEM: cert,
		CertHash: k.hash})
}

func (t *Tpm) create(c host.Run[device.CreateReq, device.CreateRes],
	keys *bus.Pub[device.KeySeen],
) {
	if c.Req().Name != device.Device {
		c.Fail(device.FaultNoKey, "create key "+c.Req().Name+": only the device key is made here", false)
		return
	}
	if t.keys[device.Device] != nil {
		c.Done(device.CreateRes{Restored: true})
		return
	}
	priv := DeriveKey(t.Seed, t.Name)
	cert, err := SelfSign(priv, time.Unix(c.Req().NotBefore, 0).UTC())
	if err != nil {
		c.Fail(device.FaultFailed, "create the device certificate: "+err.Error(), true)
		return
	}
	t.Disk.Tpm.HasDevice, t.Disk.Tpm.CertPEM = true, cert
	t.adopt(keys, device.Device, priv, cert)
	c.Done(device.CreateRes{})
}

func (t *Tpm) sign(c host.Run[device.SignReq, device.SignRes]) {
	k := t.keys[c.Req().Name]
	if k == nil {
		c.Fail(device.FaultNoKey, "sign: there is no key "+c.Req().Name, true)
		return
	}
	sign := t.Sign
	if sign == nil {
		sign = Sign
	}
	rs, err := sign(k.PrivateKey, c.Req().Digest)
	if err != nil {
		c.Fail(device.FaultFailed, "sign with key "+c.Req().Name+": "+err.Error(), true)
		return
	}
	t.Signed++
	c.Done(device.SignRes{RS: rs, CertHash: k.hash})
}

// Sign makes a deterministic ECDSA signature: r and s, 32 bytes each.
func Sign(k *ecdsa.PrivateKey, digest [32]byte) (rs [64]byte, err error) {
	der, err := k.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return rs, err
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return rs, fmt.Errorf("read own signature: %w", err)
	}
	v.R.FillBytes(rs[:32])
	v.S.FillBytes(rs[32:])
	return rs, nil
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

// SelfSign makes the device certificate with a key in software.
func SelfSign(k *ecdsa.PrivateKey, from time.Time) (string, error) {
	return SelfSignWith(k, &k.PublicKey, from)
}

// SignPEM signs with a private key given in PEM.
func SignPEM(key []byte, digest [32]byte) (rs [64]byte, err error) {
	k, err := readKey(key)
	if err != nil {
		return rs, err
	}
	return Sign(k, digest)
}

// OnboardPair reads the onboarding identity of a disk: certificate and key. There is none, and the
// key is nil, unless both can be read and belong together.
func OnboardPair(d *disk.Disk) (cert string, _ *ecdsa.PrivateKey) {
	text := d.Files[OnboardCert].Data
	priv, err := readKey(d.Files[OnboardKey].Data)
	p, _ := pem.Decode(text)
	if p == nil || err != nil {
		return "", nil
	}
	c, err := x509.ParseCertificate(p.Bytes)
	if err != nil || !priv.PublicKey.Equal(c.PublicKey) {
		return "", nil
	}
	return string(text), priv
}

// SelfSignWith makes the device certificate as EVE has it: CN "EVE", for 20 years that begin a day
// before from.
func SelfSignWith(k crypto.Signer, public *ecdsa.PublicKey, from time.Time) (string, error) {
	pub, err := public.Bytes()
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(pub)
	tmpl := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(id[:8]),
		Subject:   pkix.Name{CommonName: "EVE", Organization: []string{"The Linux Foundation"}},
		NotBefore: from.AddDate(0, 0, -1), NotAfter: from.AddDate(20, 0, 0), IsCA: true,
		BasicConstraintsValid: true, SubjectKeyId: id[:20],
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, public, k)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

func readKey(b []byte) (*ecdsa.PrivateKey, error) {
	p, _ := pem.Decode(b)
	if p == nil {
		return nil, errors.New("no PEM block")
	}
	if k, err := x509.ParseECPrivateKey(p.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	e, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("read key: not an elliptic curve key")
	}
	return e, nil
}
