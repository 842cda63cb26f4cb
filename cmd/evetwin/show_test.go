package main

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/tui/source"
)

type beat struct{ N int }

func (beat) Key() string { return "beat" }

var beats = bus.NewTopic[beat](bus.Decl{Owner: "spinner", Name: "Beat"})

// spinner puts a row five times a second in the first minute, and once a minute from then on.
type spinner struct{ out *bus.Pub[beat] }

func newSpinner(p bus.Port) agent.Agent { return spinner{bus.Publish(p, beats)} }

func (s spinner) Step(t *agent.Turn) {
	if b := s.out.Get("beat"); b != nil && time.Duration(b.N) == t.Now {
		return
	}
	s.out.Put(beat{int(t.Now)})
	next := 200 * time.Millisecond
	if t.Now >= time.Minute {
		next = time.Minute
	}
	t.WakeAt("next", t.Now+next)
}

type nothing struct{}

func (nothing) Wire(*host.Kernel, host.Machine) {}
func (nothing) Cut(func(string) uint64)         {}

// An agent that goes beyond its limits is shown as slow, until it did well for a minute; one whose
// turns take too long is, too.
func TestSlowAgentsAreShown(t *testing.T) {
	w := sim.New(sim.Options{Seed: 1})
	d := w.Device(sim.DeviceOptions{Name: "edge", Hardware: nothing{},
		Agents: []agent.Entry{{Name: "spinner", New: newSpinner}},
		Limits: host.Limits{Throttle: func(*host.Proc, string) {}}})
	if err := d.Boot(); err != nil {
		t.Fatal(err)
	}
	shown := func(want source.Health, why string) {
		t.Helper()
		a := lives(d.Kernel())[0]
		if a.Name != "spinner" || a.Health != want || !strings.Contains(a.Why, why) ||
			(why == "") != (a.Why == "") {
			t.Errorf("at %v: %+v, want %v because of %q", w.Now(), a, want, why)
		}
	}
	w.Run(19 * time.Second)
	shown(source.Running, "")
	w.Run(21 * time.Second)
	shown(source.Slow, "put row beat of spinner/Beat 10")
	w.Run(110 * time.Second)
	shown(source.Slow, "300 times in a minute")
	w.Run(130 * time.Second)
	shown(source.Running, "")
	d.Kernel().TookLong(d.Kernel().Procs()[0], 7*time.Millisecond)
	shown(source.Slow, "a turn took 7ms")
	w.Run(191 * time.Second)
	shown(source.Running, "")
}
