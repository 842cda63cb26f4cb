package recording_test

import (
	"io"
	"testing"

	"github.com/evetwin/evetwin/backends/taping"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// What a life under faults costs with and without a recorder; "evetwin bench record" compares them.
func BenchmarkStandard(b *testing.B) {
	for _, way := range []string{"plain", "recorded"} {
		b.Run(way, func(b *testing.B) {
			sc, err := scenarios.Find("standard")
			if err != nil {
				b.Fatal(err)
			}
			p, err := fault.Named(fault.Flaky)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := range b.N {
				seed := uint64(i%20) + 1
				rec := taping.Beside(io.Discard)
				around := []scenario.Around{storm.New(fault.Draw(p, seed, storm.Usual(), sc.Span))}
				if way == "recorded" {
					around = append(around, recording.Around{Recorder: rec})
				}
				h, err := scenario.NewVirtualWorld(sim.Options{Seed: seed}, nil, around...)
				if err != nil {
					b.Fatal(err)
				}
				if res := sc.Run(h, seed); !res.OK {
					b.Fatal(res.Error)
				}
				if err := rec.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
