package domainmgr

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
)

const name1 = app1 + ".3.7"

func TestGuestIsMadeAndStarted(t *testing.T) {
	b := newBench(t)
	c := guest(app1)
	c.CloudInitUserData = "I2Nsb3VkLWNvbmZpZw=="
	b.wish(c)
	if made := b.run(); !slices.Equal(made, []string{"create " + name1, "start " + name1}) {
		t.Fatalf("did %v", made)
	}
	st := b.is(app1, entity.RUNNING)
	if st.DomainName != name1 || st.BootTime.IsZero() || st.PendingAdd || st.Error != "" ||
		len(st.DiskStatusList) != 1 || len(st.VifList) != 1 {
		t.Fatalf("status %+v", st)
	}
	d := b.domain(app1)
	if d.Instance != app1+"/3" || d.UserData != c.CloudInitUserData || d.MemoryKiB != 512<<10 ||
		d.Disks[0].Format != "qcow2" || d.Disks[0].Path != "/persist/v" ||
		d.Vifs[0].Name != "nbu1x7" || d.Vifs[0].IP.String() != "10.1.0.2" {
		t.Fatalf("spec %+v", d.Spec)
	}
	edit := c // what runs stays as it is until it is stopped
	edit.VmConfig.Memory, edit.Version, edit.CloudInitVersion = 1<<20, "4", 9
	b.wish(edit)
	if made := b.run(); len(made) != 0 {
		t.Fatalf("an edit did %v", made)
	}
	if b.is(app1, entity.RUNNING).DomainName != name1 {
		t.Fatal("the name of what runs changed")
	}
	b.wish(idle(edit))
	b.run()
	b.wish(edit)
	b.run()
	b.is(app1, entity.RUNNING)
	if d := b.domain(app1); d.MemoryKiB != 1<<20 || d.Instance != app1+"/9" || d.Name != app1+".4.7" {
		t.Fatalf("spec %+v", d.Spec)
	}
}

func TestAPP5_RestartIsANewRunOfTheSameVolumes(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	was := *b.is(app1, entity.RUNNING)
	b.Advance(time.Minute)
	b.wish(idle(guest(app1)))
	b.Step()
	if st := b.is(app1, entity.HALTING); !st.PendingModify {
		t.Fatalf("status %+v", st)
	}
	b.run()
	if st := b.is(app1, entity.HALTED); st.PendingModify || st.DomainId != 0 {
		t.Fatalf("status %+v", st)
	}
	b.wish(guest(app1))
	b.Step()
	b.is(app1, entity.BOOTING)
	b.run()
	st := b.is(app1, entity.RUNNING)
	if !st.BootTime.After(was.BootTime) || st.Boots != was.Boots+1 ||
		!reflect.DeepEqual(st.DiskStatusList, was.DiskStatusList) {
		t.Fatalf("before %+v, after %+v", was, st)
	}
}

func TestAPP38_GuestThatTurnsItselfOffIsStartedAgain(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	b.ends(app1, hyper.Halted, "the guest turned itself off")
	b.run()
	st := b.is(app1, entity.HALTED)
	if !strings.HasPrefix(st.Error, "unexpected state HALTED") || !st.BootFailed ||
		st.ErrorSeverity != entity.SeverityWarning || st.ErrorRetryCondition != "will retry in 10m0s" {
		t.Fatalf("status %+v", st)
	}
	b.sleep(9*time.Minute + 59*time.Second)
	b.is(app1, entity.HALTED)
	b.sleep(2 * time.Second)
	if st := b.is(app1, entity.RUNNING); st.Error != "" || st.BootFailed || st.TriedCount != 1 {
		t.Fatalf("status %+v", st)
	}
	b.ends(app1, hyper.Halted, "") // a restart command does not wait
	b.run()
	b.wish(idle(guest(app1)))
	b.run()
	if st := b.is(app1, entity.HALTED); st.Error != "" || st.BootFailed {
		t.Fatalf("status %+v", st)
	}
	b.wish(guest(app1))
	b.run()
	b.is(app1, entity.RUNNING)
}

func TestAPP38_CrashedContainerWaitsForACommand(t *testing.T) {
	b := newBench(t)
	b.wish(container(app1))
	b.run()
	b.ends(app1, hyper.Broken, "exit 1")
	b.run()
	st := b.is(app1, entity.BROKEN)
	if !strings.HasPrefix(st.Error, "one of the application's tasks has crashed") ||
		st.ErrorRetryCondition != "" || st.BootFailed {
		t.Fatalf("status %+v", st)
	}
	b.Crash()
	if b.sleep(time.Hour); len(b.made) != 0 {
		t.Fatalf("did %v", b.made)
	}
	b.is(app1, entity.BROKEN)
	b.wish(idle(container(app1)))
	b.run()
	b.is(app1, entity.HALTED)
	b.wish(container(app1))
	b.run()
	b.is(app1, entity.RUNNING)
	b.ends(app1, hyper.Halted, "exit 0") // a container that ends well is a guest that is off
	b.run()
	b.is(app1, entity.HALTED)
	b.sleep(10 * time.Minute)
	b.is(app1, entity.RUNNING)
}

func TestThreeTriesThenTheRetryTimer(t *testing.T) {
	b := newBench(t)
	b.fail["create"] = agent.Fault{Code: hyper.FaultNoMemory, Text: "no memory", Retry: true}
	b.wish(guest(app1))
	b.run()
	if st := b.is(app1, entity.BOOTING); !st.PendingAdd || len(b.made) != 1 {
		t.Fatalf("status %+v", st)
	}
	b.sleep(4 * time.Second)
	if len(b.made) != 0 {
		t.Fatal("tried again too soon")
	}
	b.sleep(time.Second)
	b.sleep(5 * time.Second)
	st := b.is(app1, entity.BROKEN)
	if len(b.made) != 1 || !st.BootFailed || st.Error != "no memory" || st.TriedCount != 1 ||
		st.ErrorSeverity != entity.SeverityError || st.PendingAdd {
		t.Fatalf("did %v, status %+v", b.made, st)
	}
	delete(b.fail, "create")
	b.fail["start"] = agent.Fault{Code: hyper.FaultFailed, Text: "no kernel", Retry: true}
	b.sleep(10 * time.Minute)
	if st := b.is(app1, entity.BROKEN); st.Error != "no kernel" || st.TriedCount != 2 ||
		b.domain(app1) != nil {
		t.Fatalf("status %+v", st)
	}
	delete(b.fail, "start")
	b.sleep(10 * time.Minute)
	b.is(app1, entity.RUNNING)
}

func TestConfigurationThatMakesNoGuest(t *testing.T) {
	b := newBench(t)
	for want, edit := range map[string]func(*domain.DomainConfig){
		"read user data":    func(c *domain.DomainConfig) { c.CloudInitUserData = "%%%" },
		"volume v#0 has no": func(c *domain.DomainConfig) { c.DiskConfigList[0].FileLocation = "" },
		"the format of":     func(c *domain.DomainConfig) { c.DiskConfigList[0].Format = 0 },
	} {
		c := guest(app1)
		edit(&c)
		b.wish(c)
		b.run()
		st := b.is(app1, entity.INSTALLED)
		if !st.ConfigFailed || !strings.Contains(st.Error, want) || len(b.made) != 0 {
			t.Errorf("want %q: %+v", want, st)
		}
	}
	b.wish(guest(app1))
	b.run()
	if st := b.is(app1, entity.RUNNING); st.ConfigFailed || st.Error != "" {
		t.Fatalf("status %+v", st)
	}
}

func TestAPP39_StopByModeAndPatience(t *testing.T) {
	for _, tt := range []struct {
		mode  app.VmMode
		gone  bool // the configuration is deleted
		forse time.Duration
		end   time.Duration
	}{
		{app.HVM, false, 60 * time.Second, 60 * time.Second},
		{app.FML, true, 60 * time.Second, 60 * time.Second},
		{app.PV, false, 0, 600 * time.Second},
		{app.PV, true, 0, 60 * time.Second},
		{app.LEGACY, false, 0, 0},
		{app.NOHYPER, true, 0, 0},
	} {
		b := newBench(t)
		b.deaf = true
		c := guest(app1)
		c.VmConfig.VirtualizationMode = tt.mode
		b.wish(c)
		b.run()
		if tt.gone {
			b.unwish(app1)
		} else {
			b.wish(idle(c))
		}
		if b.run(); tt.end > 0 {
			if len(b.made) != 0 {
				t.Fatalf("%v: did %v at once", tt.mode, b.made)
			}
			b.sleep(tt.end - time.Second)
			if b.domain(app1) == nil {
				t.Fatalf("%v: gone too soon", tt.mode)
			}
			b.sleep(2 * time.Second)
		}
		if b.domain(app1) != nil {
			t.Fatalf("%v: still there\n%s", tt.mode, b.Dump())
		}
		if tt.gone != (rig.Get(b.Rig, domain.Statuses, app1) == nil) {
			t.Fatalf("%v: %s", tt.mode, b.Dump())
		}
		if forced := slices.Contains(b.made, "force "+name1); forced != (tt.forse > 0) {
			t.Fatalf("%v: did %v", tt.mode, b.made)
		}
	}
}

func TestAPP39_DestroyThatFailsIsTold(t *testing.T) {
	b := newBench(t)
	b.stuck = true
	b.wish(guest(app1))
	b.run()
	b.wish(idle(guest(app1)))
	b.run()
	b.sleep(10*time.Minute - time.Second)
	if st := b.is(app1, entity.HALTING); st.Error != "" {
		t.Fatalf("status %+v", st)
	}
	b.sleep(2 * time.Second)
	if st := b.is(app1, entity.HALTING); !strings.Contains(st.Error, "failed to halt/destroy") {
		t.Fatalf("status %+v", st)
	}
	b.stuck = false
	b.run()
	if st := b.is(app1, entity.HALTED); st.Error != "" {
		t.Fatalf("status %+v", st)
	}
}

// A guest that is off already is not asked.
func TestAPP39_GuestThatIsOffIsReapedAtOnce(t *testing.T) {
	b := newBench(t)
	b.wish(guest(app1))
	b.run()
	b.ends(app1, hyper.Halting, "")
	b.unwish(app1)
	if made := b.run(); !slices.Equal(made, []string{"delete " + name1}) {
		t.Fatalf("did %v", made)
	}
}

func TestAPP48_OwnStopIsNoCrash(t *testing.T) {
	for _, crash := range []bool{false, true} {
		b := newBench(t)
		b.deaf = true
		b.wish(guest(app1))
		b.run()
		b.wish(idle(guest(app1)))
		b.run() // the power button is pressed, the guest takes its time
		if crash {
			b.Crash()
		}
		b.wish(guest(app1)) // and is wanted again before it is off
		b.run()
		if st := b.is(app1, entity.HALTING); st.Error != "" {
			t.Fatalf("status %+v", st)
		}
		b.deaf = false
		b.ends(app1, hyper.Halted, "guest-shutdown") // as QEMU tells it, the guest did it
		b.run()
		st := b.is(app1, entity.RUNNING)
		if st.Error != "" || st.BootFailed || st.TriedCount != 0 || st.Boots != 2 {
			t.Fatalf("status %+v", st)
		}
	}
}

func TestAPP49_AbilitiesOfTheMachine(t *testing.T) {
	b := newBench(t)
	rig.Put(b.Rig, hyper.Host, hyper.HostSeen{Hypervisor: "qemu-tcg", TotalMemoryMB: 2048, Ncpus: 2,
		Detail: "/dev/kvm does not run guests"})
	b.wish(guest(app1))
	b.run()
	caps := rig.Get(b.Rig, domain.Caps, "global")
	if caps == nil || caps.HWAssistedVirtualization || caps.IOVirtualization || caps.UseVHost {
		t.Fatalf("capabilities %+v", caps)
	}
	b.is(app1, entity.RUNNING)
	if m := rig.Get(b.Rig, domain.Host, "global"); m.TotalMemoryMB != 2048 || m.FreeMemoryMB != 1536 ||
		m.Ncpus != 2 {
		t.Fatalf("memory %+v", m)
	}
}
