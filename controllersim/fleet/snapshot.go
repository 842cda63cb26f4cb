package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/certs"
	"google.golang.org/protobuf/proto"
)

// Snapshot is a fleet as plain data, ready for encoding/json. Equal fleets give equal snapshots.
type Snapshot struct {
	// Onboards are the onboarding certificates, by name.
	Onboards []Onboard `json:"onboards,omitempty"`
	// Devices are the devices, by UUID.
	Devices []DeviceSnapshot `json:"devices,omitempty"`
}

// DeviceSnapshot is one device as plain data.
type DeviceSnapshot struct {
	// UUID is the device's identifier.
	UUID string `json:"uuid"`
	// Name is what people call it.
	Name string `json:"name"`
	// Serial and SoftSerial are as registered.
	Serial     string `json:"serial,omitempty"`
	SoftSerial string `json:"softSerial,omitempty"`
	// Manufacturer and Product override the hardware model.
	Manufacturer string `json:"manufacturer,omitempty"`
	Product      string `json:"product,omitempty"`
	// CertPEM is the device certificate.
	CertPEM []byte `json:"certPEM,omitempty"`
	// Onboard is the hash of the onboarding certificate it registered with.
	Onboard []byte `json:"onboard,omitempty"`
	// Registered tells whether the device itself registered.
	Registered bool `json:"registered,omitempty"`
	// NodeCerts are serialized ZCert messages.
	NodeCerts [][]byte `json:"nodeCerts,omitempty"`
	// Config is the serialized EdgeDevConfig, Version its version, ConfigAt its timestamp.
	Config   []byte    `json:"config,omitempty"`
	Version  string    `json:"version,omitempty"`
	ConfigAt time.Time `json:"configAt"`
	// LastSeen is when the last authenticated request came.
	LastSeen time.Time `json:"lastSeen"`
	// Seq is the number of the newest report; Reports are the newest of each entity and the kept
	// history, by number.
	Seq     uint64   `json:"seq,omitempty"`
	Reports []Report `json:"reports,omitempty"`
}

// Snapshot copies the fleet's records. Requests and their counts are not part of it.
func (f *Fleet) Snapshot() Snapshot {
	s := Snapshot{Onboards: f.Onboards()}
	for _, d := range f.Devices() {
		s.Devices = append(s.Devices, d.snapshot())
	}
	return s
}

func (d *Device) snapshot() DeviceSnapshot {
	s := DeviceSnapshot{
		UUID: d.uuid, Name: d.name, Serial: d.serial, SoftSerial: d.softSerial,
		Manufacturer: d.manufacturer, Product: d.product, CertPEM: d.certPEM,
		Registered: d.registered, LastSeen: d.lastSeen.UTC(), Seq: d.reports.seq,
		Config: d.config.raw, Version: d.config.version, ConfigAt: d.config.at.UTC(),
	}
	if d.onboard != nil {
		s.Onboard = slices.Clone(d.onboard[:])
	}
	for _, c := range d.nodeCerts {
		if raw, err := eveapi.Marshal(c); err == nil {
			s.NodeCerts = append(s.NodeCerts, raw)
		}
	}
	seen := map[uint64]bool{}
	keep := func(r Report) {
		if !seen[r.Seq] {
			seen[r.Seq] = true
			r.At = r.At.UTC()
			s.Reports = append(s.Reports, r)
		}
	}
	for _, r := range d.reports.last { //order: sorted below
		keep(r)
	}
	for _, h := range d.reports.history { //order: sorted below
		for _, r := range h.items {
			keep(r)
		}
	}
	slices.SortFunc(s.Reports, func(a, b Report) int { return int(int64(a.Seq) - int64(b.Seq)) })
	return s
}

// Restore makes a fleet of a snapshot.
func Restore(o Options, s Snapshot) (*Fleet, error) {
	f := New(o)
	for _, ob := range s.Onboards {
		if _, err := f.AddOnboard(ob.CertPEM, ob.Serials...); err != nil {
			return nil, fmt.Errorf("restore onboarding certificate %s: %w", ob.Name, err)
		}
	}
	for _, ds := range s.Devices {
		d, err := f.restore(ds)
		if err != nil {
			return nil, fmt.Errorf("restore device %s: %w", ds.UUID, err)
		}
		if err := f.insert(d); err != nil {
			return nil, fmt.Errorf("restore device %s: %w", ds.UUID, err)
		}
	}
	return f, nil
}

func (f *Fleet) restore(s DeviceSnapshot) (*Device, error) {
	d := &Device{
		fleet: f, uuid: strings.ToLower(s.UUID), name: s.Name, serial: s.Serial,
		softSerial: s.SoftSerial, manufacturer: s.Manufacturer, product: s.Product,
		registered: s.Registered, lastSeen: s.LastSeen,
	}
	if s.CertPEM != nil {
		cert, err := eveapi.ParseDeviceCert(s.CertPEM)
		if err != nil {
			return nil, err
		}
		d.cert, d.certPEM = &cert, s.CertPEM
	}
	if len(s.Onboard) == 32 {
		d.onboard = (*[32]byte)(s.Onboard)
	}
	for _, raw := range s.NodeCerts {
		c := &certs.ZCert{}
		if err := proto.Unmarshal(raw, c); err != nil {
			return nil, fmt.Errorf("node certificate: %w", err)
		}
		d.nodeCerts = append(d.nodeCerts, c)
	}
	if s.Config != nil {
		d.config = configState{
			raw: s.Config, hash: configHash(s.Config), version: s.Version, at: s.ConfigAt,
		}
	}
	for _, r := range s.Reports {
		d.reports.seq = r.Seq - 1
		d.AddReport(r)
	}
	d.reports.seq = s.Seq
	return d, nil
}
