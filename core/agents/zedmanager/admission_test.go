package zedmanager

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
)

// sized is an application with so much memory, in MiB.
func sized(id string, mib int) app.AppInstanceConfig {
	c := plain(id)
	c.FixedResources.Memory = mib << 10
	return c
}

func TestAPP23_MemoryAdmission(t *testing.T) {
	w := newWorld(t)
	w.put(sized("huge", 8000))
	w.whole()
	w.run()
	st := w.status("huge")
	// 350+20+3 MiB and a fortieth of the guest's own memory come on top.
	if st.Error != "Remaining memory bytes 7751073792 app instance needs 8989442048" ||
		st.ErrorSeverity != entity.SeverityError || st.ErrorSourceType != "AppInstanceConfig" ||
		!st.MissingMemory || st.ErrorRetryCondition != "" {
		t.Errorf("alone: %+v", st)
	}
	w.put(sized("first", 4000))
	w.run()
	w.mustRun("first")
	w.put(sized("second", 4000))
	w.run()
	st = w.status("second")
	if st.ErrorSeverity != entity.SeverityWarning || w.boots["second"] != 0 ||
		st.ErrorRetryCondition != "Retry will be triggered when one or more apps will shutdown" {
		t.Errorf("beside another: %+v", st)
	}
	w.wedge = true
	c := sized("first", 4000)
	c.Activate = false
	w.put(c)
	w.run()
	st = w.status("second")
	if st.ErrorSeverity != entity.SeverityNotice || !strings.Contains(st.Error,
		"waiting for one or more halting app instances to free up") {
		t.Errorf("while the other halts: %+v", st)
	}
	w.wedge = false
	w.run()
	w.mustRun("second")
}

func TestAPP24_IgnoredMemoryCheck(t *testing.T) {
	w := newWorld(t)
	w.put(sized("huge", 8000))
	w.whole()
	w.run()
	if st := w.status("huge"); !st.MissingMemory {
		t.Fatalf("status %+v", st)
	}
	w.settings(config.Value{Key: config.IgnoreMemoryCheck, Value: "true"})
	w.run()
	w.mustRun("huge")
}

func TestOverheadOfTheMonitor(t *testing.T) {
	w := newWorld(t)
	w.settings(config.Value{Key: config.VmmMemoryLimitMiB, Value: "10"})
	w.put(sized("a", 100))
	bare := sized("b", 100)
	bare.FixedResources.VirtualizationMode = app.NOHYPER
	w.put(bare)
	w.whole()
	w.run()
	if a, b := w.status("a").MemOverhead, w.status("b").MemOverhead; a != 10*mib || b != 0 {
		t.Errorf("overheads %d and %d", a, b)
	}
}

func TestAPP33_StartDelay(t *testing.T) {
	w := newWorld(t)
	rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent",
		ConfigGetStatus: node.ConfigGetFail})
	c := plain("a")
	c.Delay = time.Minute
	w.put(c)
	w.whole()
	w.run()
	w.Advance(time.Hour)
	if st := w.status("a"); st.State != entity.START_DELAYED || !st.StartTime.IsZero() {
		t.Fatalf("before a good configuration: %+v", st)
	}
	rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent",
		ConfigGetStatus: node.ConfigGetReadSaved})
	start := w.Wall().Add(time.Minute)
	w.run()
	w.Advance(59 * time.Second)
	w.run()
	if st := w.status("a"); st.State != entity.START_DELAYED || !st.StartTime.Equal(start) {
		t.Fatalf("while the delay runs: %+v", st)
	}
	w.Advance(time.Second)
	w.run()
	if st := w.mustRun("a"); !st.StartTime.IsZero() {
		t.Errorf("a start time of a running application: %v", st.StartTime)
	}
}

func TestAPP35_WhoRanStartsFirst(t *testing.T) {
	setup := func() *world {
		w := newWorld(t)
		w.put(plain("ran"))
		idle := plain("idle")
		idle.Activate = false
		w.put(idle)
		w.whole()
		w.run()
		w.mustRun("ran")
		w.Reboot()
		w.running, w.boots = map[string]domain.DomainConfig{}, map[string]int{}
		w.boot()
		w.stuck["v-ran#0"] = entity.VERIFYING
		w.put(plain("ran"))
		w.put(plain("idle"))
		w.whole()
		w.run()
		if st := w.status("idle"); !st.NoBootPriority || w.boots["idle"] != 0 {
			t.Fatalf("the other does not wait: %+v", st)
		}
		return w
	}
	w := setup()
	edited := plain("idle")
	edited.DisplayName = "renamed" // being looked at again does not let it pass
	w.put(edited)
	w.run()
	if w.boots["idle"] != 0 {
		t.Error("an edit let it pass")
	}
	delete(w.stuck, "v-ran#0")
	w.run(func() {
		if w.boots["idle"] > w.boots["ran"] {
			t.Error("the other starts first")
		}
		d := rig.Get(w.Rig, domain.Configs, "ran")
		if d != nil && d.Activate && rig.Get(w.Rig, network.AppNetworks, "idle") == nil {
			t.Error("the other waits although nobody is before it")
		}
	})
	w.mustRun("ran")
	w.mustRun("idle")

	w = setup()
	w.Advance(5*time.Minute - time.Second)
	if w.run(); w.boots["idle"] != 0 {
		t.Error("released too early")
	}
	w.Advance(time.Second)
	w.run()
	w.mustRun("idle")
}

func TestMarkerOutlivesAShutdown(t *testing.T) {
	w := running(t)
	stop := func(z node.ZedAgentStatus) int {
		z.Name = "zedagent"
		rig.Put(w.Rig, node.ZedAgent, z)
		c := plain("a")
		c.Activate = false
		w.put(c)
		w.run()
		return len(rig.Rows(w.Rig, activeApps))
	}
	if n := stop(node.ZedAgentStatus{ShutdownCmd: true}); n != 1 {
		t.Error("forgotten because the device goes down")
	}
	if n := stop(node.ZedAgentStatus{}); n != 0 {
		t.Error("still marked after it was stopped")
	}
}

func TestAPP36_Profiles(t *testing.T) {
	w := newWorld(t)
	profile := func(name string) {
		rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", CurrentProfile: name,
			ConfigGetStatus: node.ConfigGetSuccess})
		w.run()
	}
	day, always := plain("day"), plain("always")
	day.ProfileList = []string{"day", "dusk"}
	w.put(day)
	w.put(always)
	w.whole()
	w.run()
	w.mustRun("day")
	profile("night")
	if st := w.status("day"); st.State != entity.HALTED || st.Activated {
		t.Errorf("in another profile: %+v", st)
	}
	w.mustRun("always")
	if n := rig.Get(w.Rig, network.AppNetworks, "day"); n == nil || !n.Activate {
		t.Error("a halted application keeps its network")
	}
	profile("dusk")
	w.mustRun("day")
	if w.boots["always"] != 1 || w.boots["day"] != 2 {
		t.Errorf("boots %v", w.boots)
	}
}
