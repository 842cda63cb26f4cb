package controllersim_test

import (
	"crypto"
	"fmt"
	"net/http"
	"testing"

	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/config"
)

const benchDevices = 10_000

// benchFleet is a controller of 10,000 devices with a configuration of 3 KB each, and for each a
// config request signed by the device.
func benchFleet(b *testing.B, current bool) (*controllersim.Controller, []controllersim.Request) {
	b.Helper()
	c := newController(b)
	cfg := &config.EdgeDevConfig{}
	for i := range 60 {
		cfg.ConfigItems = append(cfg.ConfigItems, &config.ConfigItem{
			Key: fmt.Sprintf("agent.number%d.debug.loglevel", i), Value: "a value of a config item",
		})
	}
	requests := make([]controllersim.Request, benchDevices)
	for i := range requests {
		s := newSigner(b, fmt.Sprint("bench ", i))
		d, err := c.Fleet().AddDevice(fleet.NewDevice{CertPEM: s.pem})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.SetConfig(fleet.Change{Config: cfg, At: noon}); err != nil {
			b.Fatal(err)
		}
		var have string
		if current {
			_, hash, _ := d.ConfigBytes()
			have = hash + "." + c.CertsHash()
		}
		payload := eveapi.ConfigRequestBody(have, nil)
		digest := eveapi.Digest(payload)
		sig, err := s.Key.Sign(nil, digest[:], crypto.SHA256)
		if err != nil {
			b.Fatal(err)
		}
		rs, err := eveapi.RawSignature(sig)
		if err != nil {
			b.Fatal(err)
		}
		requests[i] = controllersim.Request{
			Method: "POST", Header: http.Header{"Content-Type": {eveapi.ContentType}},
			Path: eveapi.Route{Endpoint: eveapi.Config, Device: d.UUID()}.Path(),
			Body: eveapi.Seal(payload, rs, eveapi.DeviceCertHash(s.DER), nil),
		}
	}
	return c, requests
}

func benchConfig(b *testing.B, current bool, want int) {
	c, requests := benchFleet(b, current)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r := c.Handle(noon, requests[n%benchDevices])
		if r.Code != want {
			b.Fatalf("answer %d, want %d", r.Code, want)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "answers/s")
}

// BenchmarkConfigUnchanged is a poll that finds nothing new: one verification, 304.
func BenchmarkConfigUnchanged(b *testing.B) { benchConfig(b, true, http.StatusNotModified) }

// BenchmarkConfigChanged answers with 3 KB: one verification, one signature.
func BenchmarkConfigChanged(b *testing.B) { benchConfig(b, false, http.StatusOK) }

// BenchmarkNew is the time to a controller with all certificates.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := controllersim.New(controllersim.Options{
			Seed: []byte("another seed"),
		}); err != nil {
			b.Fatal(err)
		}
	}
}
