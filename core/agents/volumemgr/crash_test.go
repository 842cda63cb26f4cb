package volumemgr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// final is what everybody else sees of the agent, without revisions.
func (w *world) final() string {
	var b strings.Builder
	for _, v := range rig.Rows(w.Rig, volume.Statuses) {
		fmt.Fprintln(&b, v.VolumeConfig.Key(), v.State, v.SubState, v.RefCount, v.FileLocation,
			v.Error)
	}
	for _, v := range rig.Rows(w.Rig, volume.RefStatuses) {
		fmt.Fprintln(&b, v.Key(), v.State, v.VerifyOnly, v.ActiveFileLocation, v.Error)
	}
	for _, v := range rig.Rows(w.Rig, content.TreeStatuses) {
		fmt.Fprintln(&b, v.ContentID, v.State, v.Blobs, v.Progress, v.ErrorDescription.Error)
	}
	for _, v := range rig.Rows(w.Rig, content.Blobs) {
		fmt.Fprintln(&b, v.Sha256, v.State, v.RefCount, v.MediaType, v.Size, v.Error)
	}
	fmt.Fprintln(&b, rig.Rows(w.Rig, content.Downloads), rig.Rows(w.Rig, content.Verifies),
		rig.Rows(w.Rig, volume.CreatePending), rig.Rows(w.Rig, volume.Mgr), w.volumes, w.disk)
	return b.String()
}

// TestAPP47_VolumemgrCrash installs an application, purges it and removes it, with a crash of the
// agent in one place after the other: it always ends in the same rows, and nothing is fetched or
// made twice.
func TestAPP47_VolumemgrCrash(t *testing.T) {
	story := func(crashAt int) (chapters []string, steps int) {
		w := newWorld(t)
		w.image("app", "layer one")
		w.image("new", "layer one", "layer two")
		act := func() {
			w.t.Helper()
			last := ""
			for range 200 {
				for _, f := range []func(){w.resolve, w.download, w.verify, w.store} {
					w.Step()
					if steps++; steps == crashAt {
						w.Crash()
						w.Step()
					}
					f()
				}
				w.Step()
				now := w.final() + fmt.Sprint(rig.Rows(w.Rig, content.DownloadStatuses))
				if now == last {
					chapters = append(chapters, w.final())
					return
				}
				last = now
			}
			w.t.Fatal("no rest\n" + w.Dump())
		}
		w.container("t1", "app", 0)
		w.volume(vol("v1", "t1", 1000))
		w.ref("v1", "a1", true)
		w.whole()
		act()
		w.ref("v1", "a1", false)
		act()
		purged := vol("v1", "t2", 1000)
		purged.GenerationCounter = 1
		w.container("t2", "new", 0)
		w.volume(purged)
		rig.Delete(w.Rig, content.Trees, "t1")
		rig.Delete(w.Rig, volume.Configs, "v1#0")
		rig.Put(w.Rig, volume.Refs, volume.VolumeRefConfig{VolumeID: "v1", AppUUID: "a1",
			GenerationCounter: 1})
		act()
		rig.Delete(w.Rig, volume.Refs, "v1#0#a1")
		act()
		rig.Delete(w.Rig, volume.Refs, "v1#1#a1")
		rig.Delete(w.Rig, volume.Configs, "v1#1")
		rig.Delete(w.Rig, content.Trees, "t2")
		act()
		for sha, n := range w.fetches {
			if n != 1 {
				t.Errorf("crash at %d: %s fetched %d times", crashAt, sha, n)
			}
		}
		return chapters, steps
	}
	want, steps := story(-1)
	if !strings.Contains(want[1], "CREATED_VOLUME") || !strings.Contains(want[3], "v1#1") ||
		strings.Contains(want[4], "v1") {
		t.Fatalf("the story itself is wrong: %q", want)
	}
	for at := 1; at <= steps; at++ {
		got, _ := story(at)
		for i := range want {
			if i < len(got) && got[i] != want[i] {
				t.Fatalf("crash at step %d of %d, chapter %d:\n%s\nwant\n%s", at, steps, i, got[i], want[i])
			}
		}
	}
}
