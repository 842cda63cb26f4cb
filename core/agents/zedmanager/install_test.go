package zedmanager

import (
	"slices"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

func TestAPP1_APP4_InstallInOrder(t *testing.T) {
	w := newWorld(t)
	w.put(plain("a"))
	w.Step()
	if rig.IsComplete(w.Rig, volume.Refs) || rig.IsComplete(w.Rig, domain.Configs) {
		t.Fatal("complete before the configuration is")
	}
	w.whole()
	w.run(func() {
		if rig.Get(w.Rig, domain.Configs, "a") != nil && !w.made["v-a#0"] {
			t.Error("a guest is wished before its volume is there")
		}
	})
	w.mustRun("a")
	want := []entity.SwState{entity.INITIAL, entity.DOWNLOADING, entity.VERIFYING, entity.LOADED,
		entity.CREATING_VOLUME, entity.INSTALLED, entity.BOOTING, entity.RUNNING}
	if got := w.states["a"]; !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
	if got := w.verify["v-a#0#a"]; !slices.Equal(got, []bool{true, false}) {
		t.Errorf("VerifyOnly was %v", got)
	}
	if !rig.IsComplete(w.Rig, volume.Refs) || !rig.IsComplete(w.Rig, network.AppNetworks) ||
		!rig.IsComplete(w.Rig, domain.Configs) {
		t.Error("tables are not complete")
	}
	d := rig.Get(w.Rig, domain.Configs, "a")
	if len(d.DiskConfigList) != 1 || d.DiskConfigList[0].FileLocation != "/vols/v-a#0" ||
		d.AppNum != 1 || len(d.VifList) != 1 || d.VifList[0].IP != "10.1.0.2" {
		t.Errorf("guest %+v", d)
	}
}

func TestAPP3_NoMemoryNoCPU(t *testing.T) {
	w := newWorld(t)
	a, b, c := plain("a"), plain("b"), plain("c")
	a.FixedResources.Memory, b.FixedResources.VCpus = 0, 0
	c.Errors = []string{"cannot parse interface eth0"}
	w.put(a)
	w.put(b)
	w.put(c)
	w.whole()
	w.run()
	for id, want := range map[string]string{"a": "Invalid Memory Size - 0",
		"b": "Invalid Cpu count - 0", "c": "cannot parse interface eth0"} {
		if st := w.status(id); st.Error != want || st.State != entity.INITIAL {
			t.Errorf("%s: %+v", id, st)
		}
	}
	if n := len(rig.Rows(w.Rig, domain.Configs)) + len(rig.Rows(w.Rig, volume.Refs)); n != 0 {
		t.Errorf("%d wishes for applications that cannot be", n)
	}
	w.put(plain("a"))
	w.run()
	w.mustRun("a")
}

func TestErrorsOfVolumesAreJoined(t *testing.T) {
	w := newWorld(t)
	a := plain("a")
	a.VolumeRefConfigList = append(a.VolumeRefConfigList, volume.VolumeRefConfig{VolumeID: "data"})
	w.broken["v-a#0"], w.broken["data#0"] = "no such image", "disk full"
	w.put(a)
	w.whole()
	w.run()
	st := w.status("a")
	if !strings.Contains(st.Error, "no such image") || !strings.Contains(st.Error, "disk full") ||
		st.ErrorSourceType != "VolumeRefStatus" || st.ErrorSeverity != entity.SeverityError ||
		len(st.ErrorEntities) != 2 {
		t.Errorf("status %+v", st)
	}
	w.broken = map[string]string{}
	w.run()
	w.mustRun("a")
}

func TestContainerBootsWithShim(t *testing.T) {
	w := newWorld(t)
	a := plain("a")
	a.FixedResources.BootLoader = "/usr/bin/pygrub"
	a.FixedResources.EnableVnc = true
	w.put(a)
	w.whole()
	w.run(func() {
		for _, st := range rig.Rows(w.Rig, volume.RefStatuses) {
			st.ContentFormat = content.CONTAINER
			rig.Put(w.Rig, volume.RefStatuses, st)
		}
	})
	vm := rig.Get(w.Rig, domain.Configs, "a").VmConfig
	if vm.Kernel != containerKernel || vm.Ramdisk != containerRamdisk || vm.BootLoader != seabios ||
		vm.ExtraArgs != "console=hvc0 root=9p dhcp=1 console=tty0 mtu=1500" {
		t.Errorf("boots with %+v", vm)
	}
}

func TestNetworkErrorHoldsTheGuestBack(t *testing.T) {
	w := newWorld(t)
	w.noNet["a"] = "no free IP addresses in DHCP range"
	w.put(plain("a"))
	w.whole()
	w.run()
	st := w.status("a")
	if st.Error != w.noNet["a"] || st.ErrorSourceType != "AppNetworkStatus" || w.boots["a"] != 0 {
		t.Errorf("status %+v", st)
	}
	delete(w.noNet, "a")
	w.run()
	w.mustRun("a")
}

func TestAPP52_SummaryCountsOnce(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"runs", "fails", "loads", "off"} {
		c := plain(id)
		c.Activate = id != "off"
		w.put(c)
	}
	w.broken["v-fails#0"] = "no such image"
	w.stuck["v-loads#0"] = entity.DOWNLOADING
	w.whole()
	w.run()
	got := *rig.Get(w.Rig, app.Summary, "global")
	want := app.AppInstanceSummary{TotalRunning: 1, TotalError: 1, TotalStarting: 1}
	if got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
	w.wedge = true
	c := plain("runs")
	c.Activate = false
	w.put(c)
	w.run()
	got = *rig.Get(w.Rig, app.Summary, "global")
	want = app.AppInstanceSummary{TotalStopping: 1, TotalError: 1, TotalStarting: 1}
	if got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
}
