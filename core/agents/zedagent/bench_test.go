package zedagent

import (
	"testing"
	"time"

	eveconfig "github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/host/rig"
)

// BenchmarkUnchanged is one request for a configuration that is answered by 304, all turns of it,
// on the bench with its rebuilt agents and its forced full turns.
func BenchmarkUnchanged(b *testing.B) {
	d := ready(b)
	d.configure(edge(), "h1")
	d.quietly()
	b.ReportAllocs()
	for b.Loop() {
		for len(rig.Calls(d.Rig, tpm.Sign)) == 0 {
			d.Advance(time.Second)
		}
		rig.Done(d.Rig, tpm.Sign, configKey, tpm.SignRes{})
		d.Step()
		rig.Done(d.Rig, web.Send, configKey, web.SendRes{Code: 304, WithTLS: true})
		d.Step()
	}
}

// quietly ends what is under way, so that only requests are left to do.
func (b *bench) quietly() {
	for range 3 {
		b.settle()
		b.certsThen()
	}
}

// BenchmarkParse is a configuration of 50 applications, verified, parsed and published, after one
// that differs in everything.
func BenchmarkParse(b *testing.B) {
	d := ready(b)
	d.configure(edge(), "h1")
	cfg := func(version string) *eveconfig.EdgeDevConfig {
		c := edge()
		for i := range 50 {
			a := &eveconfig.AppInstanceConfig{Uuidandversion: &eveconfig.UUIDandVersion{Version: version,
				Uuid: "66666666-0000-4000-8000-0000000001" + string(rune('0'+i/10)) + string(rune('0'+i%10))},
				Fixedresources: &eveconfig.VmConfig{Memory: 1, Vcpus: 1},
				Interfaces:     []*eveconfig.NetworkAdapter{{NetworkId: niID}}}
			c.Apps = append(c.Apps, a)
		}
		return c
	}
	bodies := [2][]byte{d.c.config(cfg("1"), "a"), d.c.config(cfg("2"), "b")}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		d.next()
		left, kept := d.keeper.Answer(bodies[n%2])
		rig.Done(d.Rig, web.Send, configKey, web.SendRes{Code: 200, WithTLS: true, Body: left,
			Kept: kept, Header: []web.Header{{Name: "Content-Type", Value: eveapi.ContentType}}})
		n++
		b.StartTimer()
		d.Step()
	}
}
