package volumemgr

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// oneFile is a world with a tree t1 of one file of 500 bytes.
func oneFile(t *testing.T) (w *world, sha string) {
	w = newWorld(t)
	sha = w.add(strings.Repeat("x", 500))
	w.file("t1", sha)
	return w, sha
}

func TestAPP4_NothingIsMadeWhileVerifyOnly(t *testing.T) {
	w, sha := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "a1", true)
	w.whole()
	w.run()
	if st := w.refStatus("v1", "a1"); st.State != entity.LOADED || !st.VerifyOnly {
		t.Fatalf("verify only: %+v", st)
	}
	if len(w.volumes) != 0 || len(rig.Rows(w.Rig, volume.CreatePending)) != 0 {
		t.Fatalf("made: %v", w.volumes)
	}
	w.ref("v1", "a1", false)
	w.slow = true
	w.run()
	if st := w.refStatus("v1", "a1"); st.State != entity.CREATING_VOLUME {
		t.Errorf("while it is made: %+v", st)
	}
	if rig.Get(w.Rig, volume.CreatePending, "v1#0") == nil {
		t.Error("a creation runs without a durable note")
	}
	w.slow = false
	w.run()
	st := w.refStatus("v1", "a1")
	if st.State != entity.CREATED_VOLUME || st.ActiveFileLocation != "/vols/v1#0" ||
		st.ContentFormat != content.QCOW2 {
		t.Errorf("at the end: %+v", st)
	}
	req := w.volumes["v1#0"]
	if req.Format != "qcow2" || req.Size != 1000 || !req.Encrypted || len(req.Blobs) != 1 ||
		req.Blobs[0] != sha {
		t.Errorf("made from %+v", req)
	}
	if v := w.volumeStatus("v1#0"); v.RefCount != 2 || v.SubState != volume.SubCreated {
		t.Errorf("volume %+v", v)
	}
	if len(rig.Rows(w.Rig, volume.CreatePending)) != 0 {
		t.Error("the note stays")
	}
}

func TestContainerVolume(t *testing.T) {
	w := newWorld(t)
	_, shas := w.image("app", "layer one")
	w.container("t1", "app", 0)
	c := vol("v1", "t1", 0)
	c.HasNoAppReferences = true // it stands alone and is made without any application
	w.volume(c)
	w.whole()
	w.run()
	req := w.volumes["v1#0"]
	if req.Format != "container" || len(req.Blobs) != 3 || req.Blobs[0] != shas[1] ||
		req.Blobs[2] != shas[3] {
		t.Errorf("made from %+v, want manifest, config and layers of %v", req, shas)
	}
}

func TestAPP22_VolumeWaitsForAnother(t *testing.T) {
	w, _ := oneFile(t)
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 10000, Reserved: 1000})
	w.volume(vol("big", "t1", 6000))
	w.volume(vol("also", "t1", 6000))
	w.ref("big", "a1", false)
	w.whole()
	w.run()
	w.ref("also", "a2", false)
	w.run()
	const want = "Remaining disk space 2500 volume needs 6000"
	if st := w.refStatus("also", "a2"); st.Error != want || st.ErrorSourceType != "DiskMetric" ||
		st.ErrorRetryCondition != "Will retry when more space will be available" {
		t.Fatalf("reference %+v", st)
	}
	if v := w.volumeStatus("also#0"); v.Error != want {
		t.Errorf("volume %+v", v)
	}
	rig.Delete(w.Rig, volume.Configs, "big#0")
	rig.Delete(w.Rig, volume.Refs, "big#0#a1")
	w.run()
	if st := w.refStatus("also", "a2"); st.State != entity.CREATED_VOLUME || st.HasError() {
		t.Errorf("after the other is gone: %+v", st)
	}
	if _, left := w.volumes["big#0"]; left {
		t.Error("the other is still there")
	}
}

// A volume that makes no sense is never made; one that is there goes on as it was.
func TestVolumeThatMakesNoSense(t *testing.T) {
	w, _ := oneFile(t)
	bad := vol("v1", "t1", 1000)
	bad.ParseError = "another volume has the same UUID and generation"
	w.volume(bad)
	w.ref("v1", "a1", false)
	w.whole()
	w.run()
	if _, made := w.volumes["v1#0"]; made || w.volumeStatus("v1#0").Error != bad.ParseError ||
		w.refStatus("v1", "a1").Error != bad.ParseError {
		t.Fatalf("made %t, status %+v", made, w.volumeStatus("v1#0"))
	}
	w.volume(vol("v1", "t1", 2000))
	w.run()
	if st := w.volumeStatus("v1#0"); st.State != entity.CREATED_VOLUME || st.HasError() ||
		st.MaxVolSize != 2000 {
		t.Fatalf("corrected: %+v", st)
	}
	w.volume(bad)
	w.run()
	if st := w.volumeStatus("v1#0"); st.State != entity.CREATED_VOLUME || st.MaxVolSize != 2000 ||
		st.Error != bad.ParseError {
		t.Errorf("spoiled: %+v", st)
	}
}

func TestAPP25_SharedWritableFile(t *testing.T) {
	w, _ := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "bbb", false)
	w.whole()
	w.run()
	w.ref("v1", "aaa", false)
	w.run()
	st := w.refStatus("v1", "aaa")
	if st.Error != "Multiple app instances (2) are trying to use the same file-based volume" ||
		st.State == entity.CREATED_VOLUME {
		t.Errorf("the second application: %+v", st)
	}
	if st = w.refStatus("v1", "bbb"); st.HasError() || st.State != entity.CREATED_VOLUME {
		t.Errorf("the first application: %+v", st)
	}
	rig.Delete(w.Rig, volume.Refs, "v1#0#bbb")
	w.run()
	if st = w.refStatus("v1", "aaa"); st.HasError() || st.State != entity.CREATED_VOLUME {
		t.Errorf("alone: %+v", st)
	}
	ro := vol("ro", "t1", 1000)
	ro.ReadOnly = true
	w.volume(ro)
	w.image("app", "layer one")
	w.container("t2", "app", 0)
	w.volume(vol("box", "t2", 0))
	for _, app := range []string{"aaa", "bbb"} {
		w.ref("ro", app, false)
		w.ref("box", app, false)
	}
	w.run()
	for _, app := range []string{"aaa", "bbb"} {
		for _, id := range []string{"ro", "box"} {
			if st := w.refStatus(id, app); st.HasError() || st.State != entity.CREATED_VOLUME {
				t.Errorf("read-only file or container: %+v", st)
			}
		}
	}
}

func TestAPP26_ChangeNeedsRegeneration(t *testing.T) {
	w, _ := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "a1", false)
	w.whole()
	w.run()
	bigger := vol("v1", "t1", 2000)
	bigger.ReadOnly = true
	w.volume(bigger)
	w.run()
	v := w.volumeStatus("v1#0")
	if !strings.HasPrefix(v.Error, "Need volume regeneration due to change in maximum size") ||
		!strings.Contains(v.Error, "read-only") || v.MaxVolSize != 1000 || v.ReadOnly {
		t.Errorf("volume %+v", v)
	}
	if v.State != entity.CREATED_VOLUME {
		t.Errorf("the volume that is there is %v", v.State)
	}
	w.volume(vol("v1", "t1", 1000))
	w.run()
	if v = w.volumeStatus("v1#0"); v.HasError() {
		t.Errorf("after it was taken back: %+v", v)
	}
}

func TestAPP27_BlankVolume(t *testing.T) {
	w := newWorld(t)
	w.datastores()
	blank := volume.VolumeConfig{VolumeID: "v1", VolumeContentOriginType: volume.OriginBlank,
		MaxVolSize: 4321}
	w.volume(blank)
	empty := blank
	empty.VolumeID, empty.MaxVolSize = "v2", 0
	w.volume(empty)
	w.ref("v1", "a1", true)
	w.whole()
	w.run()
	if st := w.refStatus("v1", "a1"); st.State != entity.LOADED {
		t.Errorf("verify only: %+v", st)
	}
	w.ref("v1", "a1", false)
	w.run()
	if req := w.volumes["v1#0"]; req.Size != 4321 || req.Format != "raw" || len(req.Blobs) != 0 {
		t.Errorf("made as %+v", req)
	}
	if v := w.volumeStatus("v2#0"); !v.HasError() {
		t.Errorf("without a size: %+v", v)
	}
}

func TestAPP28_PowerLossInCreation(t *testing.T) {
	w, _ := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "a1", false)
	w.whole()
	w.slow = true
	w.run()
	w.Reboot()
	// The worst case: the volume is there although nobody knows how much of it.
	w.volumes["v1#0"] = store.CreateVolumeReq{Format: "qcow2"}
	w.slow = false
	w.boot()
	w.file("t1", w.add(strings.Repeat("x", 500)))
	w.volume(vol("v1", "t1", 1000))
	w.Step()
	if st := rig.Get(w.Rig, volume.Statuses, "v1#0"); st != nil && st.State >= entity.CREATED_VOLUME {
		t.Fatalf("uses what a power cut left: %+v", st)
	}
	w.ref("v1", "a1", false)
	w.whole()
	w.everCalls = nil
	w.run()
	if got := strings.Join(w.everCalls, ", "); got != "remove v1#0, create v1#0" {
		t.Errorf("calls %q", got)
	}
	if st := w.refStatus("v1", "a1"); st.State != entity.CREATED_VOLUME {
		t.Errorf("at the end: %+v", st)
	}
}

func TestAPP29_OrphanFiles(t *testing.T) {
	w := newWorld(t)
	w.volumes["old#1"] = store.CreateVolumeReq{Format: "raw"}
	w.boot()
	w.datastores()
	rig.Complete(w.Rig, content.Trees)
	rig.Complete(w.Rig, volume.Refs)
	w.run()
	w.Advance(2 * time.Hour)
	if w.run(); len(w.volumes) != 1 {
		t.Fatal("removed before the configuration was known")
	}
	rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent", MaintenanceMode: true})
	rig.Complete(w.Rig, volume.Configs)
	w.run()
	w.Advance(2 * time.Hour)
	if w.run(); len(w.volumes) != 1 {
		t.Fatal("removed in maintenance mode")
	}
	rig.Put(w.Rig, node.ZedAgent, node.ZedAgentStatus{Name: "zedagent"})
	w.run()
	w.Advance(time.Hour)
	if w.run(); len(w.volumes) != 0 {
		t.Error("still there after the interval")
	}
}

func TestSpaceIsToldInWholeMebibytes(t *testing.T) {
	for bytes, want := range map[uint64]uint64{0: 0, 1: 1, 1<<20 - 1: 1<<20 - 1, 1 << 20: 1 << 20,
		5<<20 + 7: 5 << 20} {
		if got := coarse(bytes); got != want {
			t.Errorf("%d bytes are told as %d, want %d", bytes, got, want)
		}
	}
}

func TestAPP31_RemainingSpace(t *testing.T) {
	w, _ := oneFile(t)
	left := func() uint64 { return rig.Get(w.Rig, volume.Mgr, "volumemgr").RemainingSpace }
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 3000, Reserved: 1000})
	w.volume(vol("v1", "t1", 1500))
	w.ref("v1", "a1", false)
	w.whole()
	w.run()
	if got := left(); got != 0 {
		t.Errorf("%d left of 2000 after a file of 500 and a volume of 1500", got)
	}
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 2500, Reserved: 1000})
	w.run()
	if got := left(); got != 0 {
		t.Errorf("%d left, it never is negative", got)
	}
	rig.Delete(w.Rig, volume.Configs, "v1#0")
	rig.Delete(w.Rig, volume.Refs, "v1#0#a1")
	w.run()
	if got := left(); got != 1000 {
		t.Errorf("%d left after the deletion, want 1000", got)
	}
}

func TestAPP30_DeferredDelete(t *testing.T) {
	w, sha := oneFile(t)
	rig.Put(w.Rig, config.Items, config.ConfigItemValueMap{FromController: true,
		Values: []config.Value{{Key: config.DeferContentDelete, Value: "3600"}}})
	w.whole()
	w.run()
	rig.Delete(w.Rig, content.Trees, "t1")
	w.run()
	w.Advance(30 * time.Minute)
	if w.run(); w.disk[sha] == 0 {
		t.Fatal("removed before its time")
	}
	rig.Put(w.Rig, content.Trees, content.ContentTreeConfig{ContentID: "t1", ContentSha256: sha,
		DatastoreIDList: []string{"web"}, RelativeURL: "t1.qcow2", Format: content.QCOW2})
	w.run()
	if st := w.tree("t1"); st.State != entity.LOADED || w.fetches[sha] != 1 {
		t.Fatalf("after it came back: %d fetches, %+v", w.fetches[sha], st)
	}
	rig.Delete(w.Rig, content.Trees, "t1")
	w.run()
	w.Advance(time.Hour)
	if w.run(); w.disk[sha] != 0 {
		t.Error("still there after its time")
	}
}

func TestCreationThatFails(t *testing.T) {
	w, _ := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "a1", false)
	w.whole()
	w.slow = true
	w.run()
	rig.Fail(w.Rig, store.CreateVolume, "v1#0",
		agent.Fault{Code: store.FaultIO, Text: "disk on fire", Retry: true})
	w.run()
	if st := w.refStatus("v1", "a1"); !strings.Contains(st.Error, "disk on fire") ||
		st.ErrorRetryCondition != "Will retry in 6m0s" || st.State != entity.CREATING_VOLUME {
		t.Fatalf("after the fault: %+v", st)
	}
	w.slow = false
	w.Advance(6 * time.Minute)
	w.run()
	if st := w.refStatus("v1", "a1"); st.State != entity.CREATED_VOLUME || st.HasError() {
		t.Errorf("after the retry: %+v", st)
	}
}

func TestRemovalThatFails(t *testing.T) {
	w, _ := oneFile(t)
	w.volume(vol("v1", "t1", 1000))
	w.ref("v1", "a1", false)
	w.whole()
	w.run()
	rig.Delete(w.Rig, volume.Configs, "v1#0")
	rig.Delete(w.Rig, volume.Refs, "v1#0#a1")
	for n := range maxDestroys {
		w.Step()
		if len(rig.Calls(w.Rig, store.RemoveVolume)) != 1 {
			t.Fatalf("try %d is not made", n+1)
		}
		rig.Fail(w.Rig, store.RemoveVolume, "v1#0", agent.Fault{Code: store.FaultIO, Text: "busy"})
		w.Advance(6 * time.Minute)
	}
	w.Advance(24 * time.Hour)
	if n := len(rig.Calls(w.Rig, store.RemoveVolume)); n != 0 {
		t.Error("tried more often than allowed")
	}
	if v := w.volumeStatus("v1#0"); !strings.Contains(v.Error, "busy") || v.ErrorRetryCondition != "" {
		t.Errorf("parked as %+v", v)
	}
}
