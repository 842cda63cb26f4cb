package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/google/uuid"
)

// NewDevice describes a device to be made known before it appears.
type NewDevice struct {
	// UUID is the device's; "" derives one from the fleet's seed and the name, serial or certificate.
	UUID string
	// Name is what people call it; "" is the serial or the UUID.
	Name string
	// CertPEM is its device certificate; nil lets the device with Serial claim the record when it
	// registers.
	CertPEM []byte
	// Serial is its product serial.
	Serial string
	// Manufacturer and Product override the device's hardware model, if both are given.
	Manufacturer, Product string
}

// Outcome says how a registration ended.
type Outcome int

// The outcomes of Register.
const (
	// Created: the device is new, or claimed the record that waited for its serial.
	Created Outcome = iota + 1
	// Repeated: it is registered already, with the same certificate.
	Repeated
	// Refused: the onboarding certificate is unknown or does not allow the serial.
	Refused
	// Conflict: the onboarding certificate and serial are those of a device with another
	// certificate, or the certificate is registered with another serial.
	Conflict
)

// AddDevice makes a device known. ErrConflict if its UUID, certificate or serial is taken.
func (f *Fleet) AddDevice(n NewDevice) (*Device, error) {
	d := &Device{
		fleet: f, name: n.Name, serial: strings.TrimSpace(n.Serial),
		manufacturer: n.Manufacturer, product: n.Product,
	}
	seed := "name/" + n.Name
	if n.Name == "" {
		seed = "serial/" + d.serial
	}
	if n.CertPEM != nil {
		cert, err := eveapi.ParseDeviceCert(n.CertPEM)
		if err != nil {
			return nil, fmt.Errorf("add device %s: %w", n.Name, err)
		}
		d.cert, d.certPEM = &cert, slices.Clone(n.CertPEM)
		if n.Name == "" && d.serial == "" {
			seed = fmt.Sprintf("cert/%x", cert.Hash)
		}
	} else if d.serial == "" {
		return nil, fmt.Errorf("add device %s: neither a certificate nor a serial", n.Name)
	}
	d.uuid = n.UUID
	if d.uuid == "" {
		d.uuid = ID(f.opts.Seed, "device", seed)
	}
	id, err := uuid.Parse(d.uuid)
	if err != nil {
		return nil, fmt.Errorf("add device %s: UUID %q: %w", n.Name, d.uuid, err)
	}
	d.uuid = id.String()
	if d.name == "" {
		d.name = d.uuid
		if d.serial != "" {
			d.name = d.serial
		}
	}
	if err := f.insert(d); err != nil {
		return nil, fmt.Errorf("add device %s: %w", d.name, err)
	}
	f.changed(d.uuid)
	return d, nil
}

func (f *Fleet) insert(d *Device) error {
	if f.devices[d.uuid] != nil {
		return fmt.Errorf("UUID %s %w", d.uuid, ErrConflict)
	}
	if d.cert != nil {
		if f.byCert[d.cert.Hash] != nil {
			return fmt.Errorf("certificate %w", ErrConflict)
		}
		f.byCert[d.cert.Hash] = d
	}
	f.devices[d.uuid] = d
	f.indexSerial(d)
	return nil
}

func (f *Fleet) indexSerial(d *Device) {
	if serial, _ := d.Serials(); serial != "" {
		key := strings.ToLower(serial)
		f.bySerial[key] = append(f.bySerial[key], d)
	}
}

func (f *Fleet) unindexSerial(d *Device) {
	serial, _ := d.Serials()
	key := strings.ToLower(serial)
	left := slices.DeleteFunc(f.bySerial[key], func(o *Device) bool { return o == d })
	if len(left) == 0 {
		delete(f.bySerial, key)
		return
	}
	f.bySerial[key] = left
}

// Register lets a device in that proved to hold the key of the onboarding certificate with hash by.
// It may be repeated at will. The error explains Refused and Conflict.
func (f *Fleet) Register(by [32]byte, r eveapi.Registration, cert eveapi.DeviceCert) (
	*Device, Outcome, error,
) {
	o := f.onboards[by]
	if o == nil {
		return nil, Refused, fmt.Errorf("onboarding certificate %x: %w", by[:4], ErrUnknown)
	}
	if !o.allows(r.Serial) {
		return nil, Refused, fmt.Errorf("onboarding certificate %s does not allow serial %q",
			o.Name, r.Serial)
	}
	d, outcome, err := f.enroll(o, r, cert)
	if outcome == Created {
		f.changed(d.uuid)
	}
	return d, outcome, err
}

func (f *Fleet) enroll(o *onboard, r eveapi.Registration, cert eveapi.DeviceCert) (
	*Device, Outcome, error,
) {
	if d := f.byCert[cert.Hash]; d != nil {
		f.unindexSerial(d)
		outcome := d.takesRepeat(o.cert.Hash, r)
		f.indexSerial(d)
		if outcome != Conflict {
			return d, outcome, nil
		}
		return nil, Conflict, fmt.Errorf("device certificate of %s comes with serial %q", d.uuid,
			r.Serial)
	}
	var waiting *Device
	for _, d := range f.bySerial[strings.ToLower(r.Serial)] {
		switch d.matches(o.cert.Hash) {
		case serialTaken:
			return nil, Conflict, fmt.Errorf("serial %q is registered with another certificate",
				r.Serial)
		case serialWaits:
			if waiting == nil {
				waiting = d
			}
		}
	}
	if waiting != nil {
		waiting.claim(o.cert.Hash, r, cert)
		f.byCert[cert.Hash] = waiting
		return waiting, Created, nil
	}
	d := &Device{fleet: f, uuid: ID(f.opts.Seed, "device", fmt.Sprintf("cert/%x", cert.Hash))}
	d.claim(o.cert.Hash, r, cert)
	d.name = r.Serial
	if d.name == "" {
		d.name = d.uuid
	}
	if err := f.insert(d); err != nil {
		return nil, Conflict, err
	}
	return d, Created, nil
}
