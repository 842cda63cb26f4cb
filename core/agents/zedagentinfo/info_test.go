package zedagentinfo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lf-edge/eve-api/go/info"
	"google.golang.org/protobuf/proto"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Fatalf("sent %q, want %q", got, want)
	}
}

func TestNothingIsToldBeforeOnboarding(t *testing.T) {
	b := newBench(t)
	rig.Delete(b.Rig, node.Onboarding, entity.Global)
	b.app(entity.RUNNING)
	want(t, b.flush(time.Minute))
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: deviceID})
	want(t, b.flush(time.Minute), "ZiApp "+appID, "ZiDevice "+deviceID)
}

func TestAPI37_DeviceIsToldOnChangeAndByTicker(t *testing.T) {
	b := newBench(t)
	b.interval("100")
	want(t, b.flush(10*time.Second), "ZiDevice "+deviceID)
	// A change is told at once, several changes in one message with the newest state.
	for _, name := range []string{"one", "two", "three"} {
		rig.Put(b.Rig, node.Info, node.EdgeNodeInfo{DeviceName: name})
		b.Step()
	}
	if m := b.next(); m.GetDinfo().GetDeviceName() != "three" {
		t.Fatalf("told of %q", m.GetDinfo().GetDeviceName())
	}
	b.answer(201)
	// Without any change the ticker tells, 80 to 120 s after the one before.
	var gaps []time.Duration
	last := b.Now()
	for b.Now() < time.Hour {
		if m := b.flying(); m != nil {
			gaps = append(gaps, b.Now()-last)
			last = b.Now()
			b.answer(201)
		}
		b.Advance(time.Second)
	}
	if len(gaps) < 29 || len(gaps) > 46 {
		t.Fatalf("%d messages in an hour", len(gaps))
	}
	spread := map[time.Duration]bool{}
	for _, g := range gaps[1:] {
		spread[g] = true
		if g < 79*time.Second || g > 121*time.Second {
			t.Fatalf("%v between two messages", g)
		}
	}
	if len(spread) < 5 {
		t.Fatalf("the ticker does not vary: %v", gaps)
	}
}

func TestAPI37_QueuedDeviceIsReplaced(t *testing.T) {
	b := newBench(t)
	b.next()
	b.answer(503) // held back for a minute
	for i := range 5 {
		rig.Put(b.Rig, node.Info, node.EdgeNodeInfo{DeviceName: fmt.Sprint("name ", i)})
		b.Advance(5 * time.Second)
		if m := b.flying(); m != nil {
			t.Fatalf("sent during the back-off: %v", m)
		}
	}
	b.Advance(34 * time.Second)
	if m := b.next(); m.GetDinfo().GetDeviceName() != "name 4" {
		t.Fatalf("told of %q", m.GetDinfo().GetDeviceName())
	}
	b.answer(201)
	want(t, b.flush(10*time.Second))
}

func TestAPI38_RefusedMessageIsDroppedOthersGoOn(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	if m := b.next(); m.GetZtype() != info.ZInfoTypes_ZiApp {
		t.Fatalf("first %v", m.GetZtype())
	}
	b.answer(422)
	want(t, b.flush(10*time.Second), "ZiDevice "+deviceID)
	b.app(entity.HALTING)
	want(t, b.flush(10*time.Second), "ZiApp "+appID)
}

// What was refused for good is told again with the device's own report, and then not any more.
func TestRefusedStateIsToldWithTheNextReport(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.next()
	b.answer(404)
	want(t, b.flush(10*time.Second), "ZiDevice "+deviceID)
	want(t, b.flush(12*time.Minute), "ZiApp "+appID, "ZiDevice "+deviceID)
	want(t, b.flush(12*time.Minute), "ZiDevice "+deviceID)
}

// The controller knows a volume by its UUID alone: when an old generation goes, the new one counts.
func TestOldGenerationLeavesTheNewOneTold(t *testing.T) {
	b := newBench(t)
	b.volume(0)
	b.volume(1)
	b.flush(10 * time.Second)
	rig.Delete(b.Rig, volume.Statuses, volumeID+"#0")
	want(t, b.flush(10*time.Second), "ZiVolume "+volumeID)
}

// So is the last word on what is gone.
func TestRefusedLastWordIsToldWithTheNextReport(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.next()
	b.answer(200)
	b.flush(10 * time.Second)
	rig.Delete(b.Rig, app.Statuses, appID)
	b.Advance(2 * time.Second)
	b.next()
	b.answer(422)
	want(t, b.flush(20*time.Second), "ZiDevice "+deviceID) // its list of applications changed
	want(t, b.flush(12*time.Minute), "ZiApp "+appID, "ZiDevice "+deviceID)
	want(t, b.flush(12*time.Minute), "ZiDevice "+deviceID)
	if n := len(rig.Rows(b.Rig, reporteds)); n != 0 {
		t.Errorf("%d objects are remembered", n)
	}
}

func TestAPI41_APP40_DeletedAppIsToldByItsIDAlone(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.flush(10 * time.Second)
	rig.Delete(b.Rig, app.Statuses, appID)
	m := b.next()
	m.AtTimeStamp = nil
	alone := &info.ZInfoMsg{Ztype: info.ZInfoTypes_ZiApp, DevId: deviceID,
		InfoContent: &info.ZInfoMsg_Ainfo{Ainfo: &info.ZInfoApp{AppID: appID}}}
	if !proto.Equal(m, alone) {
		t.Fatalf("last word %v", m)
	}
	b.answer(201)
	if n := len(rig.Rows(b.Rig, reporteds)); n != 0 {
		t.Fatalf("%d entities remembered", n)
	}
	want(t, b.flush(20*time.Second), "ZiDevice "+deviceID) // its list of applications changed
}

func TestGoneWhileTheAgentWasDownIsTold(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.volume(1)
	b.flush(10 * time.Second)
	rig.Delete(b.Rig, app.Statuses, appID)
	b.Crash()
	got := b.flush(10 * time.Second)
	want(t, got, "ZiApp "+appID, "ZiVolume "+volumeID, "ZiDevice "+deviceID)
}

func TestAPI40_NewEpochTellsEverythingAgain(t *testing.T) {
	b := newBench(t)
	b.epoch(1)
	b.app(entity.RUNNING)
	b.volume(1)
	rig.Put(b.Rig, network.InstanceStatus, network.NetworkInstanceStatus{
		NetworkInstanceConfig: network.NetworkInstanceConfig{
			UUIDandVersion: entity.UUIDandVersion{UUID: niID}}, Activated: true})
	rig.Put(b.Rig, content.TreeStatuses, content.ContentTreeStatus{
		ContentTreeConfig: content.ContentTreeConfig{ContentID: treeID}, State: entity.LOADED})
	rig.Put(b.Rig, content.Blobs, content.BlobStatus{Sha256: "b10b", RefCount: 1})
	all := []string{"ZiApp " + appID, "ZiNetworkInstance " + niID, "ZiVolume " + volumeID,
		"ZiContentTree " + treeID, "ZiBlobList b10b", "ZiDevice " + deviceID}
	want(t, b.flush(30*time.Second), all...)
	want(t, b.flush(30*time.Second))
	b.epoch(2)
	want(t, b.flush(30*time.Second), all...)
	want(t, b.flush(30*time.Second))
}

func TestAPI55_NewIdentityTellsEverythingAgain(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.flush(10 * time.Second)
	other := "99999999-5a3c-4f4f-a9f0-2f5a47e1a001"
	rig.Put(b.Rig, node.Onboarding, node.OnboardingStatus{DeviceUUID: other})
	if m := b.next(); m.GetDevId() != other || m.GetZtype() != info.ZInfoTypes_ZiApp {
		t.Fatalf("%v", m)
	}
	b.answer(201)
	want(t, b.flush(10*time.Second), "ZiDevice "+other)
}

func TestSameStateIsToldOnce(t *testing.T) {
	b := newBench(t)
	b.app(entity.RUNNING)
	b.flush(10 * time.Second)
	// Of has no place in the message: the row differs, what is said does not.
	s := *rig.Get(b.Rig, app.Statuses, appID)
	s.Of = 99
	rig.Put(b.Rig, app.Statuses, s)
	want(t, b.flush(10*time.Second))
	b.app(entity.HALTING)
	want(t, b.flush(10*time.Second), "ZiApp "+appID)
}

func TestBlobWithoutReferencesIsGone(t *testing.T) {
	b := newBench(t)
	rig.Put(b.Rig, content.Blobs, content.BlobStatus{Sha256: "b10b", RefCount: 1, Size: 9})
	b.flush(10 * time.Second)
	rig.Put(b.Rig, content.Blobs, content.BlobStatus{Sha256: "b10b", Size: 9,
		State: entity.VERIFIED})
	m := b.next()
	if x := m.GetBinfo().GetBlob()[0]; x.GetSha256() != "b10b" || x.GetResources() != nil ||
		x.GetState() != 0 {
		t.Fatalf("%v", m)
	}
}

func TestOldGenerationOfAVolumeIsNoEnd(t *testing.T) {
	b := newBench(t)
	b.volume(1)
	b.flush(10 * time.Second)
	b.volume(2)
	rig.Delete(b.Rig, volume.Statuses, volumeID+"#1")
	m := b.next()
	if v := m.GetVinfo(); v.GetGenerationCount() != 2 {
		t.Fatalf("%v", m)
	}
	b.answer(201)
	want(t, b.flush(10*time.Second))
	rig.Delete(b.Rig, volume.Statuses, volumeID+"#2")
	if v := b.next().GetVinfo(); v.GetUuid() != volumeID || v.GetUsage() != nil {
		t.Fatalf("%v", v)
	}
}

func TestDeviceMessage(t *testing.T) {
	b := newBench(t)
	b.epoch(1)
	b.app(entity.RUNNING)
	b.flush(0)
	for b.next().GetZtype() != info.ZInfoTypes_ZiDevice {
		b.answer(201)
	}
	d := b.flying().GetDinfo()
	if d.GetMachineArch() != "aarch64" || d.GetNcpu() != 4 || d.GetMemory() != 2048 ||
		d.GetStorage() != 4096 || d.GetMinfo().GetSerialNumber() != "SN7" {
		t.Errorf("machine %v", d)
	}
	if x := d.GetSwList(); len(x) != 2 || x[0].GetPartitionLabel() != "IMGB" ||
		x[0].GetUserStatus() != info.BaseOsStatus_UPDATED || x[0].GetShortVersion() != "13.1" {
		t.Errorf("software %v", x)
	}
	if x := d.GetSecInfo().GetShaRootCa(); fmt.Sprintf("%x", x) != "beef" {
		t.Errorf("root %x", x)
	}
	if x := d.GetAppInstances(); len(x) != 1 || x[0].GetDomainName() != "web.1" {
		t.Errorf("applications %v", x)
	}
	if d.GetState() != info.ZDeviceState_ZDEVICE_STATE_ONLINE || d.GetHostName() != deviceID ||
		!d.GetBootTime().AsTime().Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("state %v, host %q, booted %v", d.GetState(), d.GetHostName(), d.GetBootTime())
	}
}

// A wall clock that jumps moves the time of the boot with it, in the very next turn.
func TestBootTimeFollowsTheClock(t *testing.T) {
	b := newBench(t)
	b.epoch(1)
	for i := range 60 {
		b.SetWall(b.Wall().Add(time.Duration(i%3-1) * 48 * time.Hour))
		rig.Put(b.Rig, volume.Statuses, volume.VolumeStatus{CurrentSize: int64(i)})
		b.Step()
		if p := rig.Get(b.Rig, paces, "pace"); p != nil &&
			p.BootTime.Sub(b.Wall().Add(-b.Now())).Abs() > 5*time.Second {
			t.Fatalf("booted at %v, now is %v after %v", p.BootTime, b.Wall(), b.Now())
		}
	}
}

// A clock that goes a little back does not make the newer message look like the older one; one that
// was far off is told as it is.
func TestStampsGoForward(t *testing.T) {
	b := newBench(t)
	b.app(entity.BOOTING)
	stamp := func() time.Time {
		t.Helper()
		m := b.next()
		for m.GetZtype() != info.ZInfoTypes_ZiApp {
			b.answer(201)
			m = b.next()
		}
		b.answer(201)
		return m.GetAtTimeStamp().AsTime()
	}
	first := stamp()
	b.SetWall(b.Wall().Add(-time.Minute))
	b.app(entity.RUNNING)
	second := stamp()
	if !second.After(first) || second.Sub(first) > time.Second {
		t.Errorf("stamped %v, then %v", first, second)
	}
	b.SetWall(b.Wall().Add(-time.Hour))
	b.app(entity.HALTING)
	if third := stamp(); third.Sub(b.Wall()).Abs() > 3*time.Second {
		t.Errorf("the clock says %v, the message %v", b.Wall(), third)
	}
}

// What was told right after a boot, or before the clock was set, is told again when no older
// message can be under way any more.
func TestStepsOfTheClockAreFollowedByAllThereIs(t *testing.T) {
	b := newBench(t)
	b.interval("3600")
	b.app(entity.RUNNING)
	want(t, b.flush(time.Minute), "ZiApp "+appID, "ZiDevice "+deviceID)
	want(t, b.flush(4*time.Minute), "ZiApp "+appID)
	b.SetWall(b.Wall().Add(time.Hour))
	rig.Put(b.Rig, node.Info, node.EdgeNodeInfo{DeviceName: "a turn"})
	want(t, b.flush(2*time.Minute), "ZiDevice "+deviceID)
	want(t, b.flush(2*time.Minute), "ZiApp "+appID)
	want(t, b.flush(30*time.Minute))
}

func TestWhatApplicationsTellOfThemselves(t *testing.T) {
	b := newBench(t)
	b.flush(5 * time.Second)
	row := app.AppInstMetaData{AppInstUUID: appID, Type: app.MetaDataKubeConfig,
		Data: []byte("\x00\xffkind: Config")}
	rig.Put(b.Rig, app.MetaData, row)
	other := row
	other.Type, other.Data = app.MetaDataCustomStatus, []byte("{}")
	rig.Put(b.Rig, app.MetaData, other)
	for _, want := range []app.AppInstMetaData{row, other} {
		m := b.next()
		got := m.GetAmdinfo()
		if m.GetZtype() != info.ZInfoTypes_ZiAppInstMetaData || got.GetUuid() != appID ||
			got.GetType() != info.AppInstMetaDataType(want.Type) || !bytes.Equal(got.GetData(), want.Data) {
			t.Fatalf("told %v, want %+v", m, want)
		}
		b.answer(201)
	}
	rig.Delete(b.Rig, app.MetaData, row.Key())
	last := b.next().GetAmdinfo()
	if last.GetUuid() != appID || last.GetType() != info.AppInstMetaDataType(row.Type) ||
		len(last.GetData()) > 0 {
		t.Fatalf("the last word is %v", last)
	}
	b.answer(201)
	if more := b.flush(2 * time.Second); len(more) > 0 {
		t.Fatalf("told %q, too", more)
	}
}
