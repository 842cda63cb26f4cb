package tpm

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evetwin/evetwin/backends/tpmkey"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// probing is how often a TPM that does not answer is asked again, and lookLimit how long it is
// waited for at boot.
const (
	probing   = time.Second
	lookLimit = 20 * time.Second
)

// Options of New.
type Options struct {
	// TPM is the module; nil: there is none, and keys are kept in Files. It stays open.
	TPM *TPM
	// Kind is what the module is called: "device", "swtpm".
	Kind string
	// Files has the onboarding identity, and keys in software.
	Files Files
	// Keeper returns the keeper of the device's secrets; it is called at each boot, on the device's
	// loop. Nil makes one of its own.
	Keeper func() *secret.Keeper
	// Firmware is the file with the event log of the firmware; empty, or not there: no log.
	Firmware string
	// Log is the file with what was measured in this boot, which is gone with the next reset as the
	// registers are: below /run. Empty: it is kept in memory.
	Log string
	// Reset does to the module what a reset of the device does to a chip; nil: it has felt it.
	Reset func(ctx context.Context) error
}

// Part is the device part tpm on a TPM, or with keys in files.
type Part struct {
	o    Options
	last *boot // of the boots so far; it belongs to the device's loop
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup
	soft soft
	log  measured
}

// New makes the part. Halt ends what it does by itself.
func New(o Options) *Part {
	if o.Keeper == nil {
		o.Keeper = func() *secret.Keeper { return secret.New(nil) }
	}
	p := &Part{o: o, soft: soft{files: o.Files}, log: measured{path: o.Log}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Halt ends the part's own work and waits for it.
func (p *Part) Halt() {
	p.stop()
	p.work.Wait()
}

// boot is the part in one boot; it belongs to the device's loop.
type boot struct {
	p      *Part
	pt     *host.Part
	keeper *secret.Keeper
	keys   *bus.Pub[device.KeySeen]
	module *bus.Pub[device.TpmSeen]
	hash   map[string][32]byte
	// onboard is the onboarding key, nil if there is none.
	onboard     *ecdsa.PrivateKey
	onboardCert string
	ailing      bool

	// felt is closed when the module has felt the reset that began the boot, or could not be brought
	// to. Until then it is the module of the boot before: its registers are not those of this boot,
	// and what it is asked is cut off. unfelt ends the waiting for it.
	felt   chan struct{}
	unfelt context.CancelFunc
}

// Wire serves the ops of the part and has it look for keys.
func (p *Part) Wire(k *host.Kernel) {
	pt := k.Part("tpm")
	b := &boot{p: p, pt: pt, keeper: p.o.Keeper(), keys: bus.Publish(pt, device.Keys),
		module: bus.Publish(pt, device.Module), hash: map[string][32]byte{},
		felt: make(chan struct{}), unfelt: func() {}}
	before := p.last
	p.last = b
	cert, err := p.o.Files.Read(onboardCertFile)
	if err == nil {
		var file []byte
		if file, err = p.o.Files.Read(onboardKeyFile); err == nil {
			b.onboard, err = tpmkey.Pair(cert, file)
		}
	}
	b.onboardCert = string(cert)
	if err != nil {
		b.onboard = nil
	}
	host.Serve(pt, device.Create, b.create)
	host.Serve(pt, device.Sign, b.sign)
	b.serve()
	if p.o.TPM == nil {
		close(b.felt)
		b.module.Put(device.TpmSeen{Kind: "none", Detail: "keys are kept in software"})
		b.module.Complete()
		if cert, err := p.soft.identity(); err == nil {
			b.show(device.Device, cert, false)
		}
		b.showOnboard()
		b.keys.Complete()
		return
	}
	b.begin(before)
}

// begin has the module feel the reset that began the boot, and looks at it then. before is the boot
// before, nil for the first: should the module still be on its way through its reset, that ends.
func (b *boot) begin(before *boot) {
	if before == nil || b.p.o.Reset == nil {
		close(b.felt)
		b.look()
		return
	}
	before.unfelt()
	ctx, cancel := context.WithTimeout(b.p.ctx, lookLimit)
	b.unfelt = cancel
	b.p.work.Go(func() {
		defer cancel()
		<-before.felt
		err := b.p.o.Reset(ctx)
		b.p.log.forget()
		close(b.felt)
		b.found(ctx, err)
	})
}

// chip is the module within the time of a call, once it has felt the reset that began the boot; nil
// where there is none.
func (b *boot) chip(ctx context.Context) (*TPM, error) {
	select {
	case <-b.felt:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the reset of the TPM: %w", ctx.Err())
	}
	if b.p.o.TPM == nil {
		return nil, nil
	}
	return b.p.o.TPM.Within(ctx), nil
}

// show shows a key by its certificate.
func (b *boot) show(name, cert string, inTPM bool) {
	_, h, err := tpmkey.Public(cert)
	if err != nil {
		return
	}
	b.hash[name] = h
	b.keys.Put(device.KeySeen{Name: name, InTPM: inTPM, CertPEM: cert, CertHash: h})
}

// showOnboard shows the onboarding key, which is in no module.
func (b *boot) showOnboard() {
	if _, shown := b.hash[device.Onboard]; b.onboard != nil && !shown {
		b.show(device.Onboard, b.onboardCert, false)
	}
}

// gone takes a key away that is not there any more.
func (b *boot) gone(name string) {
	if _, ok := b.hash[name]; ok {
		delete(b.hash, name)
		b.keys.Delete(name)
	}
}

// look asks the module what it is and which keys it has, beside the loop.
func (b *boot) look() {
	ctx, cancel := context.WithTimeout(b.p.ctx, lookLimit)
	b.p.work.Go(func() {
		defer cancel()
		b.found(ctx, nil)
	})
}

// found asks the module what it is and which keys it has, and shows it on the loop; err says what
// went wrong before.
func (b *boot) found(ctx context.Context, err error) {
	b.p.log.doubt()
	t := b.p.o.TPM.Within(ctx)
	m := device.TpmSeen{Kind: b.p.o.Kind}
	var cert string
	if err == nil {
		var about Properties
		about, err = t.Properties()
		m.Vendor, m.Firmware = about.Manufacturer+" "+about.Vendor, about.Firmware
	}
	if err == nil {
		cert, err = t.identity()
	}
	if b.p.ctx.Err() == nil {
		b.pt.Post(func() { b.looked(m, cert, err) })
	}
}

// looked shows what was found.
func (b *boot) looked(m device.TpmSeen, cert string, err error) {
	if err != nil && !errors.Is(err, ErrNoKey) && !errors.Is(err, ErrNoData) {
		if b.ailing {
			b.again()
		}
		b.ail(err)
		return
	}
	b.ailing = false
	b.module.Put(m)
	b.module.Complete()
	if err == nil {
		b.show(device.Device, cert, true)
	} else {
		b.gone(device.Device)
	}
	b.showOnboard()
	b.keys.Complete()
}

// ail shows that the module does not answer, and asks it again until it does.
func (b *boot) ail(err error) {
	if b.ailing {
		return
	}
	b.ailing = true
	b.module.Put(device.TpmSeen{Kind: b.p.o.Kind, Detail: "it does not answer: " + err.Error()})
	b.module.Complete()
	b.showOnboard()
	b.again()
}

// again has the module asked once more in a while.
func (b *boot) again() {
	b.pt.After(probing, func() {
		if b.p.ctx.Err() == nil {
			b.look()
		}
	})
}

// identity is the certificate of the device key: ErrNoData if there is none, ErrNoKey if its key is
// not there.
func (t *TPM) identity() (cert string, err error) {
	text, err := t.NVRead(DeviceCertIndex)
	if err != nil {
		return "", err
	}
	key, err := t.OpenKey(DeviceKeyHandle)
	if err != nil {
		return "", err
	}
	public, _, err := tpmkey.Public(string(text))
	if err != nil || !public.Equal(key.Public()) {
		return "", ErrNoData
	}
	return string(text), nil
}
