package dryrun

import (
	"fmt"
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Shape gives a device of a site these inputs, and the site what they ask of it. It is how a device
// in real time gets the inputs that Run gives one in virtual time.
func (in *Inputs) Shape(site *twin.Site, o *twin.DeviceOptions) error {
	d, err := in.Device(site)
	if err != nil {
		return err
	}
	o.Model, o.Interfaces, o.Config = d.Model, d.Interfaces, d.Config
	o.Disk, o.Limits = d.Disk, d.Limits
	demand(site, in.Config)
	return nil
}

// Watch follows a device in real time until it settles.
type Watch struct {
	in *Inputs
	w  watch
}

// Watch makes a Watch that takes a device for settled when nothing new has happened for quiet and
// nothing is in progress. in may be nil.
func (in *Inputs) Watch(quiet time.Duration) *Watch {
	return &Watch{in: in, w: watch{known: map[string]bool{}, quiet: quiet}}
}

// Look takes a look at a device now, a time since its start; k is nil while it is off. It reports
// whether the device is settled. The error is a *Refusal where the device does not take a file in.
func (w *Watch) Look(k *host.Kernel, now time.Duration) (settled bool, err error) {
	boot := "off"
	if k != nil {
		boot = fmt.Sprint("boot ", k.BootCount())
	}
	settled = w.w.look(k, now, boot)
	if len(w.w.wrong) > 0 {
		lines := w.w.wrong
		if w.in != nil {
			lines = w.in.sources(lines)
		}
		return false, &Refusal{lines}
	}
	return settled, nil
}

// Busy says what is in progress, and what is wrong, as of the last look; empty for nothing.
func (w *Watch) Busy() string {
	r := w.w.last
	if r == nil {
		return ""
	}
	parts := append([]string(nil), r.busy...)
	for _, p := range r.Ports {
		if p.Error != "" {
			parts = append(parts, "port "+p.Label+": "+p.Error)
		}
	}
	for _, a := range r.Applications {
		if a.Error != "" {
			parts = append(parts, "application "+a.Name+": "+a.Error)
		}
	}
	return flat(strings.Join(parts[:min(len(parts), 5)], ", "))
}
