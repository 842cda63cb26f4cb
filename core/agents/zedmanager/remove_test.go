package zedmanager

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// left lists what an application still has.
func (w *world) left(id string) string {
	var out []string
	add := func(name string, has bool) {
		if has {
			out = append(out, name)
		}
	}
	add("guest", rig.Get(w.Rig, domain.Configs, id) != nil ||
		rig.Get(w.Rig, domain.Statuses, id) != nil)
	add("network", rig.Get(w.Rig, network.AppNetworks, id) != nil ||
		rig.Get(w.Rig, network.AppNetworkStatuses, id) != nil)
	add("volume", rig.Get(w.Rig, volume.Refs, "v-"+id+"#0#"+id) != nil)
	add("status", rig.Get(w.Rig, app.Statuses, id) != nil)
	return strings.Join(out, " ")
}

func TestRemoveInReverseOrder(t *testing.T) {
	w := running(t)
	rig.Delete(w.Rig, app.Configs, "a")
	var seen []string
	w.run(func() {
		if now := w.left("a"); len(seen) == 0 || seen[len(seen)-1] != now {
			seen = append(seen, now)
		}
	})
	want := []string{"guest network volume status", "network volume status", "status", ""}
	got := strings.Join(seen, "|")
	for i := range seen {
		if i > 0 && len(seen[i]) > len(seen[i-1]) {
			t.Errorf("something came back: %q", seen)
		}
	}
	if !strings.HasPrefix(got, want[0]) || !strings.Contains(got, want[1]) || seen[len(seen)-1] != "" {
		t.Errorf("went as %q, want %q", seen, want)
	}
	if len(rig.Rows(w.Rig, app.PurgeCounters))+len(rig.Rows(w.Rig, acceptances))+
		len(rig.Rows(w.Rig, activeApps)) != 0 {
		t.Error("something is remembered")
	}
}

func TestMissingConfigMeansNothingUntilComplete(t *testing.T) {
	w := newWorld(t)
	w.put(plain("a"))
	w.run()
	w.mustRun("a")
	rig.Delete(w.Rig, app.Configs, "a")
	w.run()
	if w.left("a") != "guest network volume status" {
		t.Errorf("left: %q", w.left("a"))
	}
	w.whole()
	w.run()
	if w.left("a") != "" {
		t.Errorf("left: %q", w.left("a"))
	}
}

func TestForgottenWhileOff(t *testing.T) {
	w := running(t)
	w.Reboot()
	w.running = map[string]domain.DomainConfig{}
	w.boot()
	w.run()
	if len(rig.Rows(w.Rig, app.PurgeCounters)) != 1 {
		t.Error("forgotten before the configuration is known")
	}
	w.whole()
	w.run()
	if n := len(rig.Rows(w.Rig, app.PurgeCounters)) + len(rig.Rows(w.Rig, activeApps)); n != 0 {
		t.Errorf("%d rows of an application that is gone", n)
	}
}

func TestAPP51_ReplaceOnFullMachine(t *testing.T) {
	w := newWorld(t)
	w.put(sized("a", 5000))
	w.whole()
	w.run()
	w.mustRun("a")
	rig.Delete(w.Rig, app.Configs, "a")
	w.put(sized("b", 5000))
	w.run(func() {
		if len(w.running) > 1 {
			t.Error("both run at once")
		}
	})
	w.mustRun("b")
	if w.left("a") != "" {
		t.Errorf("of a is left: %q", w.left("a"))
	}
}

func TestRemovedAndBackAgain(t *testing.T) {
	w := running(t)
	w.wedge = true
	rig.Delete(w.Rig, app.Configs, "a")
	w.Step()
	w.guests()
	w.Step()
	w.put(plain("a"))
	w.wedge = false
	w.run()
	w.mustRun("a")
}

// final is what others see of the agent at the end, without times and revisions.
func (w *world) final() string {
	var b strings.Builder
	for _, st := range rig.Rows(w.Rig, app.Statuses) {
		fmt.Fprintln(&b, st.UUID, st.State, st.Activated, st.ActivateInprogress,
			st.RestartInprogress, st.PurgeInprogress, st.Error, len(st.VolumeRefStatusList))
	}
	for _, r := range rig.Rows(w.Rig, volume.Refs) {
		fmt.Fprintln(&b, r.Key(), r.VerifyOnly)
	}
	for _, d := range rig.Rows(w.Rig, domain.Configs) {
		fmt.Fprintf(&b, "%+v\n", d)
	}
	for _, n := range rig.Rows(w.Rig, network.AppNetworks) {
		fmt.Fprintf(&b, "%+v\n", n)
	}
	fmt.Fprintln(&b, rig.Rows(w.Rig, app.PurgeCounters), rig.Rows(w.Rig, app.Summary), w.boots)
	return b.String()
}

// TestAPP47_ZedmanagerCrash installs, restarts, purges and removes an application beside another,
// with a crash of the agent in one place after the other. It always ends in the same rows and after
// as many boots.
func TestAPP47_ZedmanagerCrash(t *testing.T) {
	story := func(crashAt int) (chapters []string, steps int) {
		w := newWorld(t)
		act := func() {
			w.run(func() {
				if steps++; steps == crashAt {
					w.Crash()
					w.Step()
				}
			})
			chapters = append(chapters, w.final())
		}
		w.put(plain("other"))
		w.put(plain("a"))
		w.whole()
		act()
		c := plain("a")
		c.RestartCmd.Counter = 1
		w.put(c)
		act()
		c = purged(1)
		c.RestartCmd.Counter = 1
		w.put(c)
		act()
		rig.Delete(w.Rig, app.Configs, "a")
		act()
		return chapters, steps
	}
	want, steps := story(-1)
	if !strings.Contains(want[2], "v-a#1#a false") || !strings.Contains(want[2], "a:3") ||
		strings.Contains(want[3], "v-a") || !strings.Contains(want[0], entity.RUNNING.String()) {
		t.Fatalf("the story itself is wrong: %q", want)
	}
	for at := 1; at <= steps; at++ {
		got, _ := story(at)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("crash at step %d of %d, chapter %d:\n%s\nwant\n%s", at, steps, i, got[i],
					want[i])
			}
		}
	}
}
