package fleet

import (
	"errors"
	"maps"
	"slices"
)

// Errors that callers tell apart.
var (
	// ErrUnknown: no device has this UUID, or no onboarding certificate this name.
	ErrUnknown = errors.New("unknown")
	// ErrStale: the configuration was changed since the version that the caller names.
	ErrStale = errors.New("configuration has another version")
	// ErrConflict: a certificate or serial belongs to another device.
	ErrConflict = errors.New("belongs to another device")
)

// Options bound a fleet. Zero values stand for the defaults given.
type Options struct {
	// Seed makes the identifiers of devices: two fleets of one seed give a device the same UUID.
	Seed string
	// HistoryBytes bounds the reports kept of a device beside the newest of each entity, per kind
	// of report. Default 16 KiB, a handful of device reports.
	HistoryBytes int
	// Requests is how many of a device's last requests are kept. Default 32.
	Requests int
}

const (
	defaultHistory  = 16 << 10
	defaultRequests = 32
	// maxEntities is how many entities' newest reports are kept of one device.
	maxEntities = 4096
)

// Fleet is the controller's memory.
type Fleet struct {
	opts     Options
	revision uint64

	onboards map[[32]byte]*onboard
	devices  map[string]*Device
	byCert   map[[32]byte]*Device
	bySerial map[string][]*Device // by serial in lower case, in the order of insertion
	watch    func(device string)
}

// New makes an empty fleet.
func New(o Options) *Fleet {
	if o.HistoryBytes <= 0 {
		o.HistoryBytes = defaultHistory
	}
	if o.Requests <= 0 {
		o.Requests = defaultRequests
	}
	return &Fleet{
		opts:     o,
		onboards: map[[32]byte]*onboard{},
		devices:  map[string]*Device{},
		byCert:   map[[32]byte]*Device{},
		bySerial: map[string][]*Device{},
	}
}

// Revision grows with each change that a restarted controller must know of: devices, certificates,
// configurations. Reports do not move it.
func (f *Fleet) Revision() uint64 { return f.revision }

// Watch sets the function that is called after a device reported or was changed, with its UUID. It
// must neither block nor use the fleet. One function at a time; nil ends it.
func (f *Fleet) Watch(fn func(device string)) { f.watch = fn }

func (f *Fleet) notify(device string) {
	if f.watch != nil {
		f.watch(device)
	}
}

func (f *Fleet) changed(device string) {
	f.revision++
	f.notify(device)
}

// Device is the device with this UUID.
func (f *Fleet) Device(uuid string) (*Device, bool) {
	d, ok := f.devices[uuid]
	return d, ok
}

// ByCert is the device whose certificate has this hash (eveapi.DeviceCertHash).
func (f *Fleet) ByCert(hash [32]byte) (*Device, bool) {
	d, ok := f.byCert[hash]
	return d, ok
}

// ByName is the device with this name; of several the one with the smallest UUID.
func (f *Fleet) ByName(name string) (*Device, bool) {
	for _, d := range f.Devices() {
		if d.Name() == name {
			return d, true
		}
	}
	return nil, false
}

// Devices are all devices, by UUID.
func (f *Fleet) Devices() []*Device {
	all := make([]*Device, 0, len(f.devices))
	for _, uuid := range slices.Sorted(maps.Keys(f.devices)) {
		all = append(all, f.devices[uuid])
	}
	return all
}

// Len is the number of devices.
func (f *Fleet) Len() int {
	return len(f.devices)
}

// Remove forgets a device with its reports; its certificate is unknown from then on.
func (f *Fleet) Remove(uuid string) error {
	d, ok := f.devices[uuid]
	if !ok {
		return ErrUnknown
	}
	delete(f.devices, uuid)
	f.unindexSerial(d)
	if cert, ok := d.Cert(); ok {
		delete(f.byCert, cert.Hash)
	}
	f.changed(uuid)
	return nil
}
