package corpus_test

import (
	"testing"

	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
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
			r, err := explore.Replay(sc, &c)
			if err != nil {
				t.Fatal(err)
			}
			if r.Rule != "" {
				t.Errorf("%s seed %d breaks %s again (%s): %s", c.Scenario, c.Seed, r.Rule, c.Rule, r.Saw)
			}
		})
	}
}
