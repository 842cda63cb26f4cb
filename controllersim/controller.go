package controllersim

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
)

// Options say who a controller is.
type Options struct {
	// Seed is what all its keys derive from, and as secret as they are. A controller of real
	// devices takes 32 bytes of crypto/rand and keeps them.
	Seed []byte
	// TimeBase is where the validity of its certificates begins; they are valid for 130 years. The
	// zero time means 1970, so that a device with a wrong clock accepts them too.
	TimeBase time.Time
	// Hosts are names and addresses of its TLS certificate, beside localhost and loopback.
	Hosts []string
	// Generation counts the signing certificates it had before, to go on after a restart.
	Generation int
	// Fleet is what it knows; nil for an empty one.
	Fleet *fleet.Fleet
	// Like is a controller that was made with the same options: its keys and certificates, as they
	// were then, are taken over instead of made again. nil makes them.
	Like *Controller
	// Verify takes the place of eveapi.VerifyRaw for what devices sign; nil keeps it.
	Verify func(key *ecdsa.PublicKey, digest [32]byte, sig []byte) bool
}

// Controller answers devices. One goroutine at a time may use it; package httpd sees to that.
type Controller struct {
	fleet *fleet.Fleet

	verify func(key *ecdsa.PublicKey, digest [32]byte, sig []byte) bool
	id     *identity
	born   *identity // what it was made with
	faults []*armed
	before map[string]map[string]reply // answers of FaultRepeat, by its name and the path
}

// New makes a controller. Its own onboarding certificate is known to the fleet from the start, for
// any serial.
func New(o Options) (*Controller, error) {
	if len(o.Seed) == 0 {
		return nil, fmt.Errorf("make controller: no seed")
	}
	if o.TimeBase.IsZero() {
		o.TimeBase = time.Unix(0, 0)
	}
	o.TimeBase = o.TimeBase.UTC()
	if o.Fleet == nil {
		o.Fleet = fleet.New(fleet.Options{Seed: fmt.Sprintf("%x", o.Seed)})
	}
	var id *identity
	var err error
	if o.Like != nil && bytes.Equal(o.Like.born.seed, o.Seed) {
		id = o.Like.born
	} else {
		id, err = newIdentity(o)
	}
	if err != nil {
		return nil, fmt.Errorf("make controller: %w", err)
	}
	if _, err := o.Fleet.AddOnboard(id.onboard.pem, "*"); err != nil {
		return nil, fmt.Errorf("make controller: %w", err)
	}
	if o.Verify == nil {
		o.Verify = eveapi.VerifyRaw
	}
	return &Controller{fleet: o.Fleet, id: id, born: id, verify: o.Verify}, nil
}

// Fleet is what the controller knows of devices.
func (c *Controller) Fleet() *fleet.Fleet { return c.fleet }

// RootPEM is the root certificate, a device's /config/root-certificate.pem.
func (c *Controller) RootPEM() []byte { return c.id.root.pem }

// OnboardPEM is an onboarding certificate with its key that the fleet accepts for any serial:
// /config/onboard.cert.pem and /config/onboard.key.pem.
func (c *Controller) OnboardPEM() (cert, key []byte, err error) {
	key, err = c.id.onboard.keyPEM()
	return c.id.onboard.pem, key, err
}

// OnboardKey is the key of OnboardPEM, for devices whose keys live in a model.
func (c *Controller) OnboardKey() *ecdsa.PrivateKey { return c.id.onboard.key }

// TLSCertificate is the certificate of the controller's server.
func (c *Controller) TLSCertificate() tls.Certificate {
	return c.id.tls.certificate()
}

// Generation counts how often the signing certificate was rotated.
func (c *Controller) Generation() int { return c.id.generation }

// Rotate replaces the signing certificate. All answers are signed by the new one from then on, and
// each configuration names another controllercert_confighash.
func (c *Controller) Rotate() error {
	id, err := c.id.next(c.id.generation + 1)
	if err != nil {
		return fmt.Errorf("rotate signing certificate: %w", err)
	}
	c.id = id
	return nil
}

// CertsHash is what configurations name as controllercert_confighash: it changes exactly when the
// certificates do.
func (c *Controller) CertsHash() string { return c.id.certsHash }

// Bootstrap makes a /config/bootstrap-config.pb of a configuration, signed by the controller.
func (c *Controller) Bootstrap(cfg *config.EdgeDevConfig) ([]byte, error) {
	payload, err := eveapi.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("make bootstrap configuration: %w", err)
	}
	envelope, err := c.id.signing.seal(payload, 32)
	if err != nil {
		return nil, fmt.Errorf("make bootstrap configuration: %w", err)
	}
	return eveapi.BootstrapFile(envelope, c.id.zcerts()[:1])
}
