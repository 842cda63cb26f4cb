package snapshot_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/check"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/trace"
	"github.com/evetwin/evetwin/core/trace/replay"
	"github.com/evetwin/evetwin/scenarios/recording"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/snapshot"
)

// bare is a configuration of ports alone.
func bare(t *testing.T) *config.EdgeDevConfig {
	t.Helper()
	cfg, err := fleet.NewDraft("edge").MgmtPort("eth0", 0).Build()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// A device that has run for ten minutes takes another configuration, and its applications go.
func TestAnotherConfigurationFromAnInstant(t *testing.T) {
	at := 10 * time.Minute
	s, _ := saved(t, snapshot.Life{Scenario: "standard", Seed: 4}, at)
	i := snapshot.Configure(&s.Life, at, 20*time.Minute, bare(t))
	a := s.Arrive("now")
	var guests, after int
	h, err := s.Begin(append(i.Around(), a,
		scenario.At(at-time.Second, func(w scenario.World) error {
			guests = running(w)
			return nil
		}), scenario.At(at+10*time.Minute, func(w scenario.World) error {
			after = running(w)
			return nil
		}))...)
	if err != nil {
		t.Fatal(err)
	}
	r := find(t, "standard").Run(h, s.Seed)
	i.Finish(h, &r)
	if want := (at + 20*time.Minute + check.Patience).Seconds(); !r.OK || r.VirtualS != want {
		t.Errorf("%+v, want the end at %g s", r, want)
	}
	if guests != 2 || after != 0 {
		t.Errorf("%d applications ran before, %d ten minutes behind", guests, after)
	}
}

// running counts the applications that the one device has a status of.
func running(w scenario.World) int {
	k := w.Sim.Devices()[0].Kernel()
	n := 0
	for _, d := range k.Topics() {
		if d.String() == "zedmanager/AppInstanceStatus" {
			h, _ := k.Head(d)
			n = h.Len()
		}
	}
	return n
}

func TestNoDeviceToConfigure(t *testing.T) {
	l := snapshot.Life{Scenario: "standard", Seed: 4}
	i := snapshot.Configure(&l, time.Millisecond, time.Minute, bare(t))
	h, err := l.Begin(i.Around()...)
	if err != nil {
		t.Fatal(err)
	}
	r := find(t, "standard").Run(h, 4)
	i.Finish(h, &r)
	if r.OK || !strings.Contains(r.Error, "knows 0 devices") {
		t.Errorf("%+v", r)
	}
	i = snapshot.Configure(&l, 100*time.Hour, time.Minute, bare(t))
	if h, err = l.Begin(i.Around()...); err != nil {
		t.Fatal(err)
	}
	r = find(t, "standard").Run(h, 4)
	if i.Finish(h, &r); r.OK || !strings.Contains(r.Error, "before the configuration") {
		t.Errorf("%+v", r)
	}
}

// What a recording holds of a fork is enough to repeat it, though the draws changed on the way.
func TestARecordedForkReplaysWithoutADifference(t *testing.T) {
	at := 9 * time.Minute
	sc := find(t, "standard")
	l := snapshot.Life{Scenario: "standard", Seed: 6}.Replanned(0, profile(t, fault.Flaky), sc.Span)
	for _, seed := range []uint64{6, 60, 61} {
		var b bytes.Buffer
		rec := trace.NewRecorder(&b)
		r := lived(t, l.Reseeded(at, seed).Replanned(at, profile(t, fault.Flaky), sc.Span),
			recording.Around{Recorder: rec})
		if err := rec.Close(); err != nil {
			t.Fatal(err)
		}
		in, err := trace.NewReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := replay.Run(in, replay.Options{Agents: roster.Agents()})
		if err != nil || got.First != nil || got.Turns != r.Turns {
			t.Errorf("seed %d: %d turns of %d, %v, %v", seed, got.Turns, r.Turns, got.First, err)
		}
	}
}
