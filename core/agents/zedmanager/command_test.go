package zedmanager

import (
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// running is a world with the application a up.
func running(t *testing.T) *world {
	w := newWorld(t)
	w.put(plain("a"))
	w.whole()
	w.run()
	w.mustRun("a")
	w.states["a"] = nil
	return w
}

func TestAPP5_Restart(t *testing.T) {
	w := running(t)
	before := w.status("a")
	c := plain("a")
	c.RestartCmd.Counter = 1
	w.put(c)
	w.run()
	after := w.mustRun("a")
	want := []entity.SwState{entity.HALTING, entity.HALTED, entity.BOOTING, entity.RUNNING}
	if got := w.states["a"]; !slices.Equal(got, want) {
		t.Errorf("states %v", got)
	}
	if !after.BootTime.After(before.BootTime) || after.RestartStartedAt.IsZero() || w.boots["a"] != 2 {
		t.Errorf("%d boots, the last at %v", w.boots["a"], after.BootTime)
	}
	if got := w.verify["v-a#0#a"]; !slices.Equal(got, []bool{true, false}) {
		t.Errorf("the volume was touched: VerifyOnly %v", got)
	}
	c.RestartCmd.Counter = 0 // a counter that goes back is a command, too
	w.put(c)
	w.run()
	if w.mustRun("a"); w.boots["a"] != 3 {
		t.Errorf("%d boots after a lowered counter", w.boots["a"])
	}
}

// A guest on its way up is not active yet, and not off either.
func TestAPP5_RestartWaitsForAGuestThatIsBeingMade(t *testing.T) {
	w := running(t)
	c := plain("a")
	c.RestartCmd.Counter = 1
	w.put(c)
	w.Step()
	st := *rig.Get(w.Rig, domain.Statuses, "a")
	st.Of, st.State = rig.Rev(w.Rig, domain.Configs, "a"), entity.HALTING
	st.Activated, st.PendingModify = false, true
	rig.Put(w.Rig, domain.Statuses, st)
	w.Step()
	if got := w.status("a").State; got != entity.HALTING {
		t.Errorf("it is %s while its guest is pending", got)
	}
	if d := rig.Get(w.Rig, domain.Configs, "a"); d == nil || d.Activate {
		t.Error("the guest is wished again before it is off")
	}
	st.State, st.PendingModify = entity.HALTED, false
	rig.Put(w.Rig, domain.Statuses, st)
	w.Step()
	if d := rig.Get(w.Rig, domain.Configs, "a"); d == nil || !d.Activate {
		t.Error("the guest is off and not wished again")
	}
}

func TestAPP6_RestartOfAnInactiveOneIsSpent(t *testing.T) {
	w := newWorld(t)
	c := plain("a")
	c.Activate = false
	w.put(c)
	w.whole()
	w.run()
	c.RestartCmd.Counter = 7
	w.put(c)
	w.run()
	if st := w.status("a"); st.RestartInprogress != app.NotInprogress || st.State != entity.HALTED {
		t.Errorf("status %+v", st)
	}
	c.Activate = true
	w.put(c)
	w.run()
	if w.mustRun("a"); w.boots["a"] != 1 {
		t.Errorf("%d boots", w.boots["a"])
	}
}

// purged is the application with a new generation of its volume and a raised counter.
func purged(n uint32) app.AppInstanceConfig {
	c := plain("a")
	c.PurgeCmd.Counter = n
	c.VolumeRefConfigList[0].GenerationCounter = int64(n)
	return c
}

func TestAPP7_OldRunsWhileNewLoads(t *testing.T) {
	w := running(t)
	w.stuck["v-a#1"] = entity.VERIFYING
	w.put(purged(1))
	w.run()
	st := w.status("a")
	if st.State != entity.RUNNING || !st.Activated || st.PurgeInprogress != app.DownloadAndVerify ||
		w.boots["a"] != 1 {
		t.Fatalf("while the new content loads: %+v", st)
	}
	if len(st.VolumeRefStatusList) != 2 {
		t.Errorf("volumes %+v", st.VolumeRefStatusList)
	}
	delete(w.stuck, "v-a#1")
	w.run(func() {
		if old := rig.Get(w.Rig, volume.Refs, "v-a#0#a"); old == nil && len(w.running) > 0 &&
			w.running["a"].DiskConfigList[0].VolumeKey == "v-a#0" {
			t.Error("the volume is released while its guest runs")
		}
		if r := rig.Get(w.Rig, volume.Refs, "v-a#1#a"); r != nil && !r.VerifyOnly && w.boots["a"] == 1 &&
			len(w.running) > 0 {
			t.Error("the new volume is made while the old guest runs")
		}
	})
	w.mustRun("a")
	if d := w.running["a"]; d.DiskConfigList[0].VolumeKey != "v-a#1" || w.boots["a"] != 2 {
		t.Errorf("%d boots, runs with %+v", w.boots["a"], d.DiskConfigList)
	}
	if rig.Get(w.Rig, volume.Refs, "v-a#0#a") != nil {
		t.Error("the old volume is still wanted")
	}
	if p := rig.Get(w.Rig, app.PurgeCounters, "a"); p == nil || p.Counter != 1 {
		t.Errorf("counter %+v", p)
	}
}

// What has no guest, as right after a boot, keeps its volume all the same.
func TestAPP7_VolumeWithoutAGuestIsKeptWhileNewLoads(t *testing.T) {
	w := newWorld(t)
	c := plain("a")
	c.Activate = false
	w.put(c)
	w.whole()
	w.run()
	if r := rig.Get(w.Rig, volume.Refs, "v-a#0#a"); r == nil || r.VerifyOnly {
		t.Fatalf("the application is not installed: %+v", r)
	}
	w.stuck["v-a#1"] = entity.VERIFYING
	c = purged(1)
	c.Activate = false
	w.put(c)
	w.run()
	if rig.Get(w.Rig, volume.Refs, "v-a#0#a") == nil {
		t.Error("the volume is given up before its successor is loaded")
	}
	delete(w.stuck, "v-a#1")
	w.run()
	if rig.Get(w.Rig, volume.Refs, "v-a#0#a") != nil {
		t.Error("the volume is still wanted when its successor is there")
	}
}

func TestAPP8_UnchangedVolumeKeepsItsData(t *testing.T) {
	w := newWorld(t)
	data := volume.VolumeRefConfig{VolumeID: "data"}
	c := plain("a")
	c.VolumeRefConfigList = append(c.VolumeRefConfigList, data)
	w.put(c)
	w.whole()
	w.run()
	rev := rig.Rev(w.Rig, volume.Refs, "data#0#a")
	c = purged(1)
	c.VolumeRefConfigList = append(c.VolumeRefConfigList, data)
	w.put(c)
	w.run()
	w.mustRun("a")
	if rig.Rev(w.Rig, volume.Refs, "data#0#a") != rev {
		t.Error("the reference to the unchanged volume was touched")
	}
	if rig.Get(w.Rig, volume.Refs, "v-a#0#a") != nil || !w.made["v-a#1"] {
		t.Error("the changed volume was not made anew")
	}
}

func TestAPP9_ChangesNeedCommands(t *testing.T) {
	w := running(t)
	try := func(want string, change func(*app.AppInstanceConfig)) {
		t.Helper()
		c := plain("a")
		change(&c)
		w.put(c)
		w.run()
		st := w.status("a")
		if !strings.HasPrefix(st.Error, want) || st.State != entity.RUNNING || w.boots["a"] != 1 ||
			st.FixedResources.Memory != 512<<10 {
			t.Errorf("want %q: %+v", want, st)
		}
		w.put(plain("a"))
		w.run()
		w.mustRun("a")
	}
	try("Need purge due to number of volumes changed from 1 to 0 but not a purgeCmd",
		func(c *app.AppInstanceConfig) { c.VolumeRefConfigList = nil })
	try("Need purge due to new volume v-a#3", func(c *app.AppInstanceConfig) {
		c.VolumeRefConfigList[0].GenerationCounter = 3
	})
	try("Need purge due to adapters changed", func(c *app.AppInstanceConfig) {
		c.IoAdapterList = []app.IoAdapter{{Name: "usb1"}}
		c.RestartCmd.Counter = 1 // a restart is not enough
	})
	try("Need restart due to memory changed", func(c *app.AppInstanceConfig) {
		c.FixedResources.Memory = 1 << 20
	})
	c := plain("a")
	c.FixedResources.Memory = 1 << 20
	c.RestartCmd.Counter = 1
	w.put(c)
	w.run()
	if w.mustRun("a"); w.running["a"].VmConfig.Memory != 1<<20 || w.boots["a"] != 2 {
		t.Errorf("runs with %+v", w.running["a"].VmConfig)
	}
}

func TestAPP10_RulesAtOnceInterfacesLater(t *testing.T) {
	w := running(t)
	c := plain("a")
	c.AppNetAdapterList[0].ACLs = []network.ACE{{Name: "new rule"}}
	c.AppNetAdapterList = append(c.AppNetAdapterList, network.AppNetAdapterConfig{Name: "eth1"})
	w.put(c)
	w.run()
	w.mustRun("a")
	n := rig.Get(w.Rig, network.AppNetworks, "a")
	if len(n.AppNetAdapterList) != 1 || len(n.AppNetAdapterList[0].ACLs) != 1 || w.boots["a"] != 1 {
		t.Fatalf("network %+v after %d boots", n, w.boots["a"])
	}
	c.RestartCmd.Counter = 1
	w.put(c)
	w.run()
	w.mustRun("a")
	if n = rig.Get(w.Rig, network.AppNetworks, "a"); len(n.AppNetAdapterList) != 2 ||
		len(w.running["a"].VifList) != 2 {
		t.Errorf("after the restart: %+v", n)
	}
}

func TestAPP11_BootOrderIsStaged(t *testing.T) {
	w := running(t)
	c := plain("a")
	c.FixedResources.BootOrder = 1
	w.put(c)
	w.run()
	st := w.status("a")
	if st.Error != "BootOrder changed from UNSPECIFIED to USB - restart required to apply" ||
		st.ErrorSeverity != entity.SeverityWarning || st.State != entity.RUNNING ||
		st.ErrorRetryCondition != "Boot order setting will be applied when application is restarted" {
		t.Errorf("status %+v", st)
	}
	c.RestartCmd.Counter = 1
	w.put(c)
	w.run()
	if w.mustRun("a"); w.running["a"].VmConfig.BootOrder != 1 {
		t.Error("the boot order was not taken over")
	}
}

func TestAPP12_APP13_PurgeOverReboot(t *testing.T) {
	w := running(t)
	reboot := func(c app.AppInstanceConfig) {
		w.Reboot()
		w.running = map[string]domain.DomainConfig{}
		w.boots = map[string]int{}
		w.boot()
		w.put(c)
		w.whole()
		w.run()
		w.mustRun("a")
	}
	same := plain("a")
	same.RestartCmd.Counter = 5 // a reboot is a restart
	reboot(same)
	if w.boots["a"] != 1 || !w.status("a").PurgeStartedAt.IsZero() {
		t.Errorf("%d boots, a purge at %v", w.boots["a"], w.status("a").PurgeStartedAt)
	}
	reboot(purged(1))
	if st := w.status("a"); st.PurgeStartedAt.IsZero() || w.boots["a"] != 1 {
		t.Errorf("a purge asked for while off: %+v", st)
	}
	reboot(purged(1))
	if st := w.status("a"); !st.PurgeStartedAt.IsZero() {
		t.Errorf("purged twice: %+v", st)
	}
}

func TestAPP15_PurgeRecoversWhatNeverRan(t *testing.T) {
	w := newWorld(t)
	w.broken["v-a#0"] = "tag not found"
	w.put(plain("a"))
	w.whole()
	w.run()
	if st := w.status("a"); st.Error != "tag not found" || w.boots["a"] != 0 {
		t.Fatalf("status %+v", st)
	}
	w.put(purged(1))
	w.run()
	w.mustRun("a")
	if rig.Get(w.Rig, volume.Refs, "v-a#0#a") != nil {
		t.Error("the broken volume is still wanted")
	}
}
