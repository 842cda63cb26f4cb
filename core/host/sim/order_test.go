package sim_test

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

// counted is the lamp that counts how often it was set.
type counted struct {
	house
	sets int
}

// Wire is house's with a count.
func (h *counted) Wire(k *host.Kernel, _ host.Machine) {
	pt := k.Part("lamp")
	out := bus.Publish(pt, lamps)
	host.Serve(pt, set, func(c host.Run[setReq, none]) {
		r := *c.Req()
		h.sets++
		c.After(c.Latency(time.Millisecond, 100*time.Millisecond), func() {
			out.Put(lamp(r))
			c.Done(none{})
		})
	})
}

// The worker redoes a call that is over while the lamp does not show what it wished. Outcomes
// travel behind their rows, so in a world without faults it never does: one call for each wish.
func TestOutcomesBehindTheirRowsNeedNoRedo(t *testing.T) {
	sets, wished := 0, 0
	for seed := range uint64(50) {
		w := sim.New(sim.Options{Seed: seed, Never: true})
		h := &counted{}
		d := w.Device(sim.DeviceOptions{Name: "edge", Hardware: h,
			Limits: host.Limits{DurablePerHour: -1}, Agents: []agent.Entry{
				{Name: "boss", New: newBoss}, {Name: "worker", New: newWorker}}})
		if err := d.Boot(); err != nil {
			t.Fatal(err)
		}
		w.Run(time.Hour)
		sets += h.sets
		wished += row(d, saved, "a").N + 1 // the first wish is for 0
	}
	if sets != wished || wished < 5000 {
		t.Fatalf("%d calls for %d wishes", sets, wished)
	}
}

// A subscriber that crashes again and again, while its publisher writes durably and so publishes
// long after its turns, always ends with what there is.
func TestRestartsNeverLoseTheNewestRow(t *testing.T) {
	for seed := range uint64(100) {
		w, d := world(t, seed, sim.Options{Rebuild: 3, FullTurn: 3})
		for i := range 2000 {
			w.At(time.Minute+time.Duration(i)*150*time.Microsecond, func() { d.Crash("worker") })
		}
		w.At(time.Minute, func() { d.Crash("boss") })
		w.Run(2 * time.Minute)
		if got, want := row(d, dones, "a"), row(d, wishes, "a"); got == nil || got.N != want.N {
			t.Fatalf("seed %d: done %v of %v", seed, got, want)
		}
	}
}
