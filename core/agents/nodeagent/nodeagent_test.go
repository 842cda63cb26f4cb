package nodeagent

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/power"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

func newBench(t *testing.T, b boot.BootSeen) *rig.Rig {
	t.Helper()
	r := rig.New(t, "nodeagent", New)
	rig.Put(r, boot.Parts, boot.PartSeen{Label: "IMGA", State: "active", Current: true})
	rig.Put(r, boot.Parts, boot.PartSeen{Label: "IMGB", State: "unused"})
	rig.Put(r, boot.Boot, b)
	rig.Put(r, node.Onboarding, node.OnboardingStatus{DeviceUUID: "x"})
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetSuccess})
	r.Step()
	return r
}

func zedagent(r *rig.Rig, z node.ZedAgentStatus) {
	z.Name = "zedagent"
	rig.Put(r, node.ZedAgent, z)
	r.Step()
}

func status(t *testing.T, r *rig.Rig) node.NodeAgentStatus {
	t.Helper()
	s := rig.Get(r, node.NodeAgent, "nodeagent")
	if s == nil {
		t.Fatal("no status")
	}
	return *s
}

func guest(r *rig.Rig, id int) {
	rig.Put(r, domain.Statuses, domain.DomainStatus{
		UUIDandVersion: entity.UUIDandVersion{UUID: "app"}, DomainId: id})
	r.Step()
}

func TestBootReasons(t *testing.T) {
	for _, c := range []struct {
		seen boot.BootSeen
		want node.BootReason
	}{
		{boot.BootSeen{Reason: "BootReasonRebootCmd", First: true}, node.BootReasonRebootCmd},
		{boot.BootSeen{Reason: "gibberish"}, node.BootReasonParseFail},
		{boot.BootSeen{First: true, PowerCycled: true}, node.BootReasonFirst},
		{boot.BootSeen{PowerCycled: true, Watchdog: true}, node.BootReasonPowerFail},
		{boot.BootSeen{Watchdog: true, CountsPower: true}, node.BootReasonHWWatchdog},
		{boot.BootSeen{CountsPower: true}, node.BootReasonKernel},
		{boot.BootSeen{}, node.BootReasonUnknown},
	} {
		r := newBench(t, c.seen)
		if s := status(t, r); s.BootReason != c.want || s.CurPart != "IMGA" {
			t.Errorf("%+v: %v in %s", c.seen, s.BootReason, s.CurPart)
		}
	}
}

func TestStackIsCutFromTheFront(t *testing.T) {
	r := newBench(t, boot.BootSeen{RebootStack: "start" + strings.Repeat("x", 2000) + "end"})
	if s := status(t, r).RebootStack; len(s) != 1600 || !strings.HasSuffix(s, "end") {
		t.Fatalf("%d bytes", len(s))
	}
}

func TestNoStatusBeforeTheBootIsUnderstood(t *testing.T) {
	r := rig.New(t, "nodeagent", New)
	rig.Put(r, boot.Parts, boot.PartSeen{Label: "IMGA", Current: true})
	r.Step()
	if s := rig.Get(r, node.NodeAgent, "nodeagent"); s != nil {
		t.Fatalf("status %+v", s)
	}
}

func TestDEV36_RebootWaitsForTheOthersAndForGuests(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	guest(r, 7)
	zedagent(r, node.ZedAgentStatus{RebootCmd: true, RequestedRebootReason: "because",
		ConfigGetStatus: node.ConfigGetSuccess})
	if s := status(t, r); !s.DeviceReboot || s.AllDomainsHalted {
		t.Fatalf("%+v", s)
	}
	r.Advance(29 * time.Second)
	if n := len(rig.Calls(r, boot.SetReason)); n != 0 {
		t.Fatal("reason recorded before the others had time to take note")
	}
	r.Advance(time.Second)
	calls := rig.Calls(r, boot.SetReason)
	if len(calls) != 1 || calls[0].Req.Reason != "BootReasonRebootCmd" ||
		calls[0].Req.Text != "because" {
		t.Fatalf("%+v", calls)
	}
	rig.Done(r, boot.SetReason, "reboot", boot.None{})
	r.Advance(299 * time.Second)
	if status(t, r).AllDomainsHalted {
		t.Fatal("halted while a guest runs")
	}
	r.Advance(time.Second)
	if !status(t, r).AllDomainsHalted {
		t.Fatal("waits for a guest longer than 300 s")
	}
	r.Advance(29 * time.Second)
	if n := len(rig.Calls(r, power.Reset)); n != 0 {
		t.Fatal("reset before the disk could settle")
	}
	r.Advance(time.Second)
	if c := rig.Calls(r, power.Reset); len(c) != 1 || c[0].Req.Off {
		t.Fatalf("%+v", c)
	}
}

func TestDEV36_RebootGoesOnOnceGuestsAreOff(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	guest(r, 7)
	zedagent(r, node.ZedAgentStatus{PoweroffCmd: true, ConfigGetStatus: node.ConfigGetSuccess})
	r.Advance(30 * time.Second)
	rig.Done(r, boot.SetReason, "poweroff", boot.None{})
	r.Advance(10 * time.Second)
	guest(r, 0)
	if s := status(t, r); !s.AllDomainsHalted || !s.DevicePoweroff {
		t.Fatalf("%+v", s)
	}
	r.Advance(30 * time.Second)
	if c := rig.Calls(r, power.Reset); len(c) != 1 || !c[0].Req.Off {
		t.Fatalf("%+v", c)
	}
}

func TestDEV36_ShutdownEndsWithGuestsOff(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	zedagent(r, node.ZedAgentStatus{ShutdownCmd: true, ConfigGetStatus: node.ConfigGetSuccess})
	r.Advance(time.Hour)
	s := status(t, r)
	if !s.DeviceShutdown || !s.AllDomainsHalted || s.DeviceReboot {
		t.Fatalf("%+v", s)
	}
	if n := len(rig.Calls(r, power.Reset)) + len(rig.Calls(r, boot.SetReason)); n != 0 {
		t.Fatal("a shutdown resets the device")
	}
}

func TestOperationSurvivesACrashAndAFullDisk(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	zedagent(r, node.ZedAgentStatus{RebootCmd: true, ConfigGetStatus: node.ConfigGetSuccess})
	r.Advance(20 * time.Second)
	r.Crash()
	r.Advance(10 * time.Second)
	for range 3 {
		rig.Fail(r, boot.SetReason, "reboot", agent.Fault{Code: "no-space", Retry: true})
		r.Advance(10 * time.Second)
	}
	r.Advance(20 * time.Second)
	if n := len(rig.Calls(r, power.Reset)); n != 1 {
		t.Fatalf("%d resets 80 s after the command\n%s", n, r.Dump())
	}
	rig.Fail(r, power.Reset, "down", agent.Fault{Code: "stuck"})
	r.Advance(10 * time.Second)
	if n := len(rig.Calls(r, power.Reset)); n != 1 {
		t.Fatal("gives up resetting")
	}
}

func TestDEV33_RebootAfterAWeekWithoutController(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	r.Advance(10 * 24 * time.Hour)
	if status(t, r).DeviceReboot {
		t.Fatal("reboots with the controller in reach")
	}
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetFail})
	r.SetWall(r.Wall().AddDate(5, 0, 0))
	r.Advance(604799 * time.Second)
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetTemporaryFail})
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetReadSaved})
	r.Advance(604799 * time.Second)
	if status(t, r).DeviceReboot {
		t.Fatal("reboots too early")
	}
	r.SetWall(r.Wall().AddDate(-9, 0, 0))
	r.Advance(31 * time.Second)
	c := rig.Calls(r, boot.SetReason)
	if len(c) != 1 || c[0].Req.Reason != "BootReasonDisconnect" {
		t.Fatalf("%+v, status %+v", c, status(t, r))
	}
}

func TestUnreachableDuringAnUpdateFallsBack(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	rig.Put(r, boot.Parts, boot.PartSeen{Label: "IMGA", State: "inprogress", Current: true})
	rig.Put(r, config.Items, config.ConfigItemValueMap{Values: []config.Value{
		{Key: config.FallbackNoNetwork, Value: "100"}}})
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetFail})
	r.Advance(130 * time.Second)
	if c := rig.Calls(r, boot.SetReason); len(c) != 1 || c[0].Req.Reason != "BootReasonFallback" {
		t.Fatalf("%+v", c)
	}
}

func TestDeviceThatWasNeverOnboardedStaysUp(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	rig.Delete(r, node.Onboarding, entity.Global)
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetFail})
	r.Advance(30 * 24 * time.Hour)
	if status(t, r).DeviceReboot {
		t.Fatal("reboots")
	}
}

func TestFullDiskIsAReasonForMaintenance(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	rig.Put(r, volume.Mgr, volume.VolumeMgrStatus{Name: "volumemgr"})
	r.Step()
	if status(t, r).LocalMaintenanceMode {
		t.Fatal("in maintenance before the space is known")
	}
	rig.Put(r, volume.Mgr, volume.VolumeMgrStatus{Name: "volumemgr", Initialized: true})
	r.Step()
	s := status(t, r)
	if !s.LocalMaintenanceMode || !slices.Equal(s.LocalMaintenanceModeReasons, []uint8{3}) {
		t.Fatalf("%+v", s)
	}
	rig.Put(r, volume.Mgr, volume.VolumeMgrStatus{Name: "volumemgr", Initialized: true,
		RemainingSpace: 1})
	r.Step()
	if s := status(t, r); s.LocalMaintenanceMode || len(s.LocalMaintenanceModeReasons) != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestDEV7_FirstReasonStays(t *testing.T) {
	r := newBench(t, boot.BootSeen{})
	zedagent(r, node.ZedAgentStatus{ConfigGetStatus: node.ConfigGetFail})
	r.Advance(604800 * time.Second)
	zedagent(r, node.ZedAgentStatus{RebootCmd: true, PoweroffCmd: true,
		RequestedRebootReason: "later", ConfigGetStatus: node.ConfigGetSuccess})
	r.Advance(30 * time.Second)
	c := rig.Calls(r, boot.SetReason)
	if len(c) != 1 || c[0].Req.Reason != "BootReasonDisconnect" {
		t.Fatalf("%+v", c)
	}
	rig.Done(r, boot.SetReason, "reboot", boot.None{})
	r.Advance(time.Minute)
	if c := rig.Calls(r, power.Reset); len(c) != 1 || c[0].Req.Off {
		t.Fatalf("%+v", c)
	}
}
