package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

// Without room on the disk nothing becomes visible that is to be durable, and nothing is lost: not
// while it lasts, not in a power cut, not at the end. Lines say when it begins and ends.
func TestAFullDiskHoldsUpWhoKeepsRows(t *testing.T) {
	for _, cut := range []bool{false, true} {
		room, shown, asked, last := int64(1<<20), 0, 0, int64(0)
		var lines []string
		var d *sim.Device
		w, d, _ := hooked(t, 5, sim.DeviceOptions{
			Room: func() int64 { asked++; return room },
			Hooks: host.Hooks{Shown: func(k *host.Kernel, _ *host.Source, rows []host.Change) {
				if now := k.Wall().UnixNano(); now < last {
					t.Fatalf("time goes back by %v", time.Duration(last-now))
				} else {
					last = now
				}
				for i := range rows {
					if rows[i].Topic.Life == bus.Persistent {
						shown++
					}
				}
			}},
			OnLine: func(_ string, _ time.Duration, l agent.Line) {
				if l.About == "journal" {
					lines = append(lines, l.Text)
				}
			}})
		w.Run(time.Minute)
		before, was := row(d, saved, "a").N, shown
		if was == 0 || asked == 0 || len(lines) != 0 {
			t.Fatalf("%d rows are shown, room was asked for %d times, %q", was, asked, lines)
		}
		room = 60 // less than a record takes
		w.Run(10 * time.Minute)
		if got := row(d, saved, "a").N; got > before+1 || shown > was+1 || len(lines) != 1 ||
			!strings.Contains(lines[0], "no room") {
			t.Fatalf("%d, then %d; %d rows are shown without room; %q", before, got, shown-was, lines)
		}
		before = row(d, saved, "a").N
		if cut {
			d.Reboot(time.Second)
			w.Run(11 * time.Minute)
			if got := row(d, saved, "a"); d.Boots() != 2 || got == nil || got.N != before {
				t.Fatalf("boot %d: %+v after the cut, %d before", d.Boots(), got, before)
			}
		}
		room = 1 << 20
		w.Run(20 * time.Minute)
		if got := row(d, saved, "a").N; got <= before+1 ||
			!strings.Contains(lines[len(lines)-1], "room again") {
			t.Errorf("%d, and with room %d; %q", before, got, lines)
		}
	}
}
