package fleet

import (
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/certs"
)

// Device is the record of one device.
type Device struct {
	fleet *Fleet
	uuid  string

	name                  string
	serial, softSerial    string
	manufacturer, product string
	cert                  *eveapi.DeviceCert
	certPEM               []byte
	onboard               *[32]byte
	registered            bool
	nodeCerts             []*certs.ZCert

	config   configState
	reports  reports
	requests []Logged
	counts   map[eveapi.Endpoint]int
	lastSeen time.Time
}

// UUID is the device's identifier in canonical form.
func (d *Device) UUID() string { return d.uuid }

// Name is what people call the device.
func (d *Device) Name() string {
	return d.name
}

// Serials are the product serial and the soft serial the device registered with.
func (d *Device) Serials() (serial, soft string) {
	return d.serial, d.softSerial
}

// Cert is the device certificate's key and hash, false while nobody has claimed the record.
func (d *Device) Cert() (eveapi.DeviceCert, bool) {
	if d.cert == nil {
		return eveapi.DeviceCert{}, false
	}
	return *d.cert, true
}

// CertPEM is the device certificate, nil while nobody has claimed the record.
func (d *Device) CertPEM() []byte {
	return slices.Clone(d.certPEM)
}

// Registered tells whether the device itself registered, rather than being added.
func (d *Device) Registered() bool {
	return d.registered
}

// Identity is what the device is told of itself.
func (d *Device) Identity() eveapi.Identity {
	return eveapi.Identity{UUID: d.uuid, Manufacturer: d.manufacturer, Product: d.product}
}

// NodeCerts are the certificates the device sent through attestation.
func (d *Device) NodeCerts() []*certs.ZCert {
	return slices.Clone(d.nodeCerts)
}

// SetNodeCerts stores the certificates a device sent. A certificate that is not mutable cannot be
// replaced by another of its type: then nothing is stored and the result is false.
func (d *Device) SetNodeCerts(list []*certs.ZCert) bool {
	for _, old := range d.nodeCerts {
		for _, c := range list {
			if c.GetType() == old.GetType() && !old.GetAttributes().GetIsMutable() &&
				!slices.Equal(c.GetCert(), old.GetCert()) {
				return false
			}
		}
	}
	d.nodeCerts = list
	d.fleet.changed(d.uuid)
	return true
}

// LastSeen is when the last authenticated request came, zero before the first.
func (d *Device) LastSeen() time.Time {
	return d.lastSeen
}

type serialMatch int

const (
	serialOther serialMatch = iota
	serialTaken
	serialWaits
)

// matches tells what a registration with d's serial and this onboarding certificate means for d.
func (d *Device) matches(by [32]byte) serialMatch {
	if d.cert == nil {
		return serialWaits
	}
	if d.onboard != nil && *d.onboard == by {
		return serialTaken
	}
	return serialOther
}

// takesRepeat tells what a registration with d's own certificate is: Repeated, Conflict if its
// serial is another, Created if d was added with its certificate and now registers itself.
func (d *Device) takesRepeat(by [32]byte, r eveapi.Registration) Outcome {
	outcome := Repeated
	if d.onboard == nil {
		if d.serial == "" {
			d.serial = r.Serial
		}
		outcome = Created
	}
	if !strings.EqualFold(d.serial, r.Serial) {
		return Conflict
	}
	if outcome == Created {
		d.softSerial, d.onboard, d.registered = r.SoftSerial, &by, true
	}
	return outcome
}

// claim makes a registration's facts those of d.
func (d *Device) claim(by [32]byte, r eveapi.Registration, cert eveapi.DeviceCert) {
	d.cert, d.certPEM, d.onboard = &cert, slices.Clone(r.CertPEM), &by
	d.serial, d.softSerial, d.registered = r.Serial, r.SoftSerial, true
}
