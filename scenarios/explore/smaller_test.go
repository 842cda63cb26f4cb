package explore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/explore"
	"github.com/evetwin/evetwin/scenarios/scenario"
)

// doubtful is a device of which its owner minds a reboot, if it has a second cable; mended says
// that nobody minds.
func doubtful(mended bool) *scenario.Scenario {
	return scenario.New("doubtful", func(s *scenario.S) {
		nics := scenario.NICs(2)
		if !s.Has("cable") {
			nics = scenario.NICs(1)
		}
		d := s.Device("edge", nics)
		d.Boot()
		if s.Has("change") {
			s.Wait(10 * time.Second)
			s.Cut(d, "eth0")
		}
		for s.Now() < 2*span {
			s.Wait(time.Second)
			if b := d.Twin().Boots(); b > 1 && s.Has("cable") && !mended {
				s.Fail("it booted %d times", b)
			}
		}
	}, scenario.UnderFaults(span), scenario.Parts("change", "cable"))
}

// What a failure does not need is left out of the scenario, too, and the case ends where it failed.
func TestAFailureIsMadeSmaller(t *testing.T) {
	sum, _ := look(t, explore.Options{Scenario: doubtful(false), Seeds: 12, Profile: hard, Jobs: 2})
	if len(sum.Failed) != 1 {
		t.Fatalf("%+v", sum)
	}
	f := sum.Failed[0]
	c := f.Case(doubtful(false), "commit")
	if !slices.Equal(c.Without, []string{"change"}) || len(c.Faults) != 1 ||
		c.Faults[0].Kind != fault.PowerCut || c.Until.Duration() < f.At || f.Settled {
		t.Fatalf("%+v of a failure at %v", c, f.At)
	}
	file, err := corpus.Save(t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	again := read(t, file)
	r, err := explore.Replay(doubtful(false), again)
	if err != nil || r.Rule != c.Rule || r.At != f.At || r.Trace != f.Trace {
		t.Errorf("replayed: %s at %v, trace %s (%v), not %s at %v, %s", r.Rule, r.At, r.Trace, err,
			c.Rule, f.At, f.Trace)
	}
	r, err = explore.Replay(doubtful(true), again)
	if err != nil || r.Rule != "" || r.Settled || r.Took > c.Until.Duration()+time.Millisecond {
		t.Errorf("mended: %q after %v, settled %v (%v)", r.Rule, r.Took, r.Settled, err)
	}
	again.Until = 0
	r, err = explore.Replay(doubtful(true), again)
	if err != nil || r.Rule != "" || !r.Settled || r.Took <= 2*span {
		t.Errorf("to the end: %q after %v, settled %v (%v)", r.Rule, r.Took, r.Settled, err)
	}
	again.Without = []string{"nothing"}
	if _, err := explore.Replay(doubtful(true), again); err == nil {
		t.Error("a part that the scenario does not have is left out")
	}
}
