package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi"
)

// Onboard is an onboarding certificate, which devices of certain serials may register with.
type Onboard struct {
	// Name is the certificate's common name.
	Name string
	// CertPEM is the certificate.
	CertPEM []byte
	// Serials are the product serials allowed, compared without case; "*" allows any.
	Serials []string
}

type onboard struct {
	Onboard
	cert eveapi.DeviceCert
}

func (o *onboard) allows(serial string) bool {
	return slices.ContainsFunc(o.Serials, func(s string) bool {
		return s == "*" || strings.EqualFold(s, serial)
	})
}

// AddOnboard makes an onboarding certificate known, or replaces the serials of a known one.
func (f *Fleet) AddOnboard(certPEM []byte, serials ...string) (Onboard, error) {
	cert, err := eveapi.ParseDeviceCert(certPEM)
	if err != nil {
		return Onboard{}, fmt.Errorf("add onboarding certificate: %w", err)
	}
	o := &onboard{Onboard{Name: cert.Name, CertPEM: slices.Clone(certPEM)}, cert}
	for _, s := range serials {
		if s = strings.TrimSpace(s); s != "" {
			o.Serials = append(o.Serials, s)
		}
	}
	f.onboards[cert.Hash] = o
	f.changed("")
	return o.Onboard, nil
}

// Onboards are all onboarding certificates, by name.
func (f *Fleet) Onboards() []Onboard {
	all := make([]*onboard, 0, len(f.onboards))
	for _, o := range f.onboards { //order: sorted below
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *onboard) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return slices.Compare(a.cert.Hash[:], b.cert.Hash[:])
	})
	var out []Onboard
	for _, o := range all {
		out = append(out, o.Onboard)
	}
	return out
}

// RemoveOnboard forgets the onboarding certificates of this name. Devices registered with them
// stay.
func (f *Fleet) RemoveOnboard(name string) error {
	before := len(f.onboards)
	maps.DeleteFunc(f.onboards, func(_ [32]byte, o *onboard) bool { return o.Name == name })
	if len(f.onboards) == before {
		return fmt.Errorf("onboarding certificate %q: %w", name, ErrUnknown)
	}
	f.changed("")
	return nil
}

// OnboardAllowed tells whether a known onboarding certificate has this hash.
func (f *Fleet) OnboardAllowed(hash [32]byte) bool {
	return f.onboards[hash] != nil
}
