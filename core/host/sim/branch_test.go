package sim_test

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/sim"
)

// reseeded runs an hour of a device that crashes and reboots, and reseeds its world at instants.
func reseeded(t *testing.T, seed uint64, at []time.Duration, with []uint64,
) (w *sim.World, traces []uint64) {
	t.Helper()
	w, d := world(t, seed, sim.Options{})
	w.At(10*time.Minute, func() { d.Crash("worker") })
	w.At(30*time.Minute, func() { d.Reboot(5 * time.Second) })
	for i := range at {
		w.Before(at[i], func() {
			traces = append(traces, w.Trace())
			if with[i] != 0 {
				w.Reseed(with[i])
			}
		})
	}
	w.Run(time.Hour)
	return w, append(traces, w.Trace())
}

func TestAReseededWorldDivergesFromThereOn(t *testing.T) {
	at := []time.Duration{time.Millisecond, 10 * time.Minute, 29 * time.Minute, 50 * time.Minute}
	for seed := range uint64(20) {
		_, plain := reseeded(t, seed, at, make([]uint64, len(at)))
		if w, _ := reseeded(t, seed, nil, nil); w.Trace() != plain[len(at)] {
			t.Fatalf("seed %d: looking moved the trace", seed)
		}
		for i := range at {
			with := make([]uint64, len(at))
			with[i] = 7
			_, got := reseeded(t, seed, at, with)
			_, again := reseeded(t, seed, at, with)
			with[i] = 8
			_, other := reseeded(t, seed, at, with)
			for j := range got {
				if got[j] != again[j] {
					t.Fatalf("seed %d: reseeded at %v twice, two traces at mark %d", seed, at[i], j)
				}
				if same := got[j] == plain[j] && other[j] == plain[j]; same != (j <= i) {
					t.Fatalf("seed %d, reseeded at %v: trace at mark %d is the same: %v", seed, at[i], j, same)
				}
			}
			if last := len(at); got[last] == other[last] {
				t.Fatalf("seed %d: seeds 7 and 8 at %v gave one trace", seed, at[i])
			}
		}
	}
}

// A mark comes behind everything earlier and before everything at its instant, moves no clock, and
// is there also where nothing happens any more.
func TestMarksBetweenEvents(t *testing.T) {
	w := sim.New(sim.Options{Seed: 1})
	got := ""
	w.At(time.Second, func() { got += "a" })
	w.At(2*time.Second, func() { got += "b" })
	w.Before(2*time.Second, func() {
		if got += "2"; w.Now() != time.Second {
			t.Errorf("it is %v at the mark", w.Now())
		}
	})
	w.Before(time.Second+1, func() { got += "1" })
	w.Before(3*time.Second, func() { got += "3" })
	w.Before(9*time.Second, func() { got += "9" })
	looks := 0
	w.RunUntil(func() bool { looks++; return false }, 4*time.Second)
	if got != "a12b3" || looks != 4 {
		t.Errorf("%s, %d looks", got, looks)
	}
	if w.Run(10 * time.Second); got != "a12b39" {
		t.Error(got)
	}
}
