package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/sim"
)

// taped runs an hour of a device that crashes and reboots.
func taped(t *testing.T, seed uint64, o sim.Options) *sim.World {
	t.Helper()
	w, d := world(t, seed, o)
	w.At(10*time.Minute, func() { d.Crash("worker") })
	w.At(30*time.Minute, func() { d.Reboot(5 * time.Second) })
	w.Run(time.Hour)
	return w
}

func TestAPlayedTapeIsTheWorldItself(t *testing.T) {
	for seed := range uint64(30) {
		tape := &sim.Tape{}
		plain := taped(t, seed, sim.Options{Rebuild: 3, FullTurn: 2, Record: tape})
		if uint64(tape.Turns()) != plain.Turns() {
			t.Fatalf("%d turns on the tape of %d", tape.Turns(), plain.Turns())
		}
		for _, at := range []time.Duration{1, time.Minute, 10 * time.Minute, 30 * time.Minute,
			40 * time.Minute, 2 * time.Hour} {
			w := taped(t, seed, sim.Options{Rebuild: 3, FullTurn: 2, Play: tape, PlayUntil: at})
			if w.Trace() != plain.Trace() || w.Turns() != plain.Turns() {
				t.Fatalf("seed %d, played until %v: trace %x in %d turns, live %x in %d", seed, at,
					w.Trace(), w.Turns(), plain.Trace(), plain.Turns())
			}
		}
	}
}

// broken runs f and returns what it panicked with.
func broken(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func TestATapeOfAnotherWorldIsNotPlayed(t *testing.T) {
	tape := &sim.Tape{}
	taped(t, 1, sim.Options{Record: tape})
	play := func(seed uint64, o sim.Options, more bool) string {
		o.Play, o.PlayUntil = tape, 2*time.Hour
		return broken(func() {
			if !more {
				taped(t, seed, o)
				return
			}
			w, _ := world(t, seed, o)
			w.Run(2 * time.Hour) // nobody crashes here, and the tape ends before
		})
	}
	if text := play(1, sim.Options{}, false); text != "" {
		t.Error(text)
	}
	if text := play(2, sim.Options{}, false); !strings.Contains(text, "tape") {
		t.Errorf("seed 2 played the tape of seed 1: %q", text)
	}
	if text := play(1, sim.Options{}, true); !strings.Contains(text, "tape") {
		t.Errorf("a world without the crash played the tape: %q", text)
	}
}
