package scenario

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/data"
	"github.com/evetwin/evetwin/core/bus"
	deviceweb "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Names of servers in the simulated network, and where the bundled application listens.
const (
	Registry = twin.Registry
	Files    = "files.evetwin"
	WebPort  = 8080
)

// Draw is a random number for a key: of the scenario's seed, and of those its world was reseeded
// with.
func (s *S) Draw(key string) uint64 {
	seed := s.seed
	if v, ok := s.host.(*virtual); ok {
		seed ^= v.w.Branch()
	}
	var sum bus.Sum
	sum.Word(seed)
	sum.String(s.sc.Name)
	sum.String(key)
	return sum.Value()
}

// Between draws a duration in [from, to) for a key.
func (s *S) Between(key string, from, to time.Duration) time.Duration {
	return from + time.Duration(s.Draw(key)%uint64(to-from))
}

// Publish puts the bundled web application into the registry as repository:tag; images of other
// tags differ.
func (s *S) Publish(repository, tag string) { s.Must(s.host.Publish(repository, tag)) }

// PublishFile puts a file of a size into the HTTP datastore and returns its hash in hex.
func (s *S) PublishFile(path string, size int64) string {
	body := make([]byte, size)
	for i := 0; i < len(body); i += 4096 {
		body[i] = byte(i >> 12)
		body[i+1] = byte(i >> 20)
	}
	return s.Site().Store(Files).PutFile("/"+path, body)
}

// Downloads counts the requests for a file of the HTTP datastore that began at its first byte.
func (s *S) Downloads(path string) int { return s.Site().Requests(Files, "/"+path).Whole }

// Slow limits the speed of a cable, in kB/s.
func (s *S) Slow(d *D, ifname string, rate uint32) {
	t := d.Twin()
	if t == nil {
		s.Fail("%s has no simulated cables", d.name)
	}
	for _, f := range t.Board.Nic.Interfaces {
		if f.Name == ifname && t.World.SetRate(f.Port, rate) {
			return
		}
	}
	s.Fail("%s has no cable at %s", d.name, ifname)
}

// Fetched is how many bytes of downloads are on the device's disk, of the largest.
func (d *D) Fetched() any {
	var most int64
	for _, p := range Rows(d, deviceweb.Partials) {
		most = max(most, p.Have)
	}
	return most
}

// Answers returns a function for Eventually: whether an application answers over HTTP on a port of
// the device.
func (d *D) Answers(name string, port uint16) func() any {
	return func() any { return d.m.Answers(d.Config().AppID(name), port) }
}

// Guests counts the guests of an application that run; two would be a defect.
func (d *D) Guests(name string) int { return d.m.Guests(d.Config().AppID(name)) }

// State is what devices and controller hold now, but for times and counters.
func (s *S) State() string { return s.state() }

// Reference runs f on a fresh virtual host of the same seed and returns the state at its end.
func (s *S) Reference(f func(*S)) string {
	h, err := NewVirtual(s.seed)
	s.Must(err)
	r := &S{host: h, sc: s.sc, seed: s.seed}
	f(r)
	return r.state()
}

// Diff names the lines that only one of two states has, empty if they are equal.
func Diff(want, got string) string {
	in := func(list []string) map[string]bool {
		m := map[string]bool{}
		for _, l := range list {
			m[l] = true
		}
		return m
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	inA, inB := in(a), in(b)
	var out strings.Builder
	for _, l := range a {
		if !inB[l] {
			fmt.Fprintf(&out, "- %s\n", l)
		}
	}
	for _, l := range b {
		if !inA[l] {
			fmt.Fprintf(&out, "+ %s\n", l)
		}
	}
	return out.String()
}

// Answers asks the model whether a request from outside reaches the web server of this
// application, and that it runs.
func (m *virtualMachine) Answers(app string, port uint16) bool {
	b := m.d.Board
	if b.Hyper.Running()[app] != 1 {
		return false
	}
	reached := func(ifname string, from netip.Addr) bool {
		to, guestPort, ok := b.Bridge.Mapped(ifname, "tcp", port, from)
		return ok && to == app && guestPort == WebPort
	}
	for _, f := range b.Nic.Interfaces {
		addr, ok := b.Nic.Address(f.Name)
		if !ok {
			continue
		}
		at, err := m.d.World.FromOutside(m.d.Device.World().Wall(), world.OutsideLabel,
			netip.AddrPortFrom(addr, port), "tcp")
		if err != nil || at.Port != f.Port {
			continue
		}
		if reached(f.Name, at.Src) {
			return true
		}
	}
	return false
}

// Guests counts guests.
func (m *virtualMachine) Guests(app string) int { return m.d.Board.Hyper.Running()[app] }

// Publish builds a small image for the model.
func (v *virtual) Publish(repository, tag string) error {
	img, err := data.ImageSpec{Arch: "amd64", Entrypoint: []string{"/web"},
		Ports: []string{"8080/tcp"},
		Files: []data.File{{Path: "web", Body: []byte("web " + tag + strings.Repeat(".", 64<<10)),
			Mode: 0o755}}}.Build()
	if err != nil {
		return fmt.Errorf("build image %s:%s: %w", repository, tag, err)
	}
	v.site.Store(Registry).PutImage(repository, tag, img)
	return nil
}

// get reports whether a URL answers 200.
func get(url string) bool {
	c := http.Client{Timeout: 2 * time.Second}
	r, err := c.Get(url)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}
