package storm_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// Every op that a device's life has can fail, be late, hang and be reported failed, by its name.
func TestEveryOpIsInTrouble(t *testing.T) {
	standard, err := scenarios.Find("standard")
	if err != nil {
		t.Fatal(err)
	}
	life := func(p fault.Plan) map[string][]ended {
		l := &lab{}
		h, err := scenario.NewVirtualWorld(sim.Options{Seed: 7}, nil, storm.New(p), l)
		if err != nil {
			t.Fatal(err)
		}
		standard.Run(h, 7) // what becomes of the device is not the question
		out := map[string][]ended{}
		for _, e := range l.runs {
			out[e.Op] = append(out[e.Op], e)
		}
		return out
	}
	calm := life(fault.Plan{})
	if len(calm) < 20 {
		t.Fatalf("only %d ops run", len(calm))
	}
	injected := func(e *ended) bool { return strings.Contains(faultText(e), "injected") }
	late := func(e *ended) bool { return e.Late || e.took >= 4*time.Second }
	for _, x := range []struct {
		kind  fault.Kind
		value int64
		shows func(e *ended) bool
	}{{fault.OpFail, 0, injected}, {fault.OpDelay, 4000, late}, {fault.OpHang, 0, late},
		{fault.OpDeny, 0, injected}} {
		for op, first := range calm {
			if op == "power.Reset" {
				continue // the device is gone before it ends
			}
			// Up to its first run the life is as without any fault.
			at := first[0].at - first[0].took
			p := fault.Plan{Faults: []fault.Fault{{Kind: x.kind, At: max(0, fault.Seconds(at.Seconds())-1),
				For: 120, On: op, Value: x.value}}}
			t.Run(string(x.kind)+" "+op, func(t *testing.T) {
				t.Parallel()
				runs := life(p)[op]
				if !slices.ContainsFunc(runs, func(e ended) bool { return x.shows(&e) }) {
					t.Errorf("nothing of it shows in %d runs", len(runs))
				}
			})
		}
	}
}
