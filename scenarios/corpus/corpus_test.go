package corpus_test

import (
	"testing"

	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

func TestWhatOnceFailedStaysMended(t *testing.T) {
	cases, err := corpus.Cases()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("the corpus is empty")
	}
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			t.Parallel()
			sc, err := scenarios.Find(c.Scenario)
			if err != nil {
				t.Fatal(err)
			}
			o := sim.Options{Seed: c.Seed}
			if c.Shaken {
				o.Rebuild, o.FullTurn = 3, 2
			}
			h, err := scenario.NewVirtualWorld(o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := sc.Run(h, c.Seed); !r.OK {
				t.Errorf("%s seed %d fails again (%s): %s", c.Scenario, c.Seed, c.Rule, r.Error)
			}
		})
	}
}
