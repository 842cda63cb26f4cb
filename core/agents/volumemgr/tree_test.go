package volumemgr

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

func TestContainerTree(t *testing.T) {
	w := newWorld(t)
	_, shas := w.image("app", "layer one", "layer two")
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	st := w.tree("t1")
	if st.State != entity.LOADED || !slices.Equal(st.Blobs, shas) || st.Progress != 100 ||
		!st.IsOCIRegistry || st.RelativeURL != "app@sha256:"+shas[0] {
		t.Fatalf("tree %+v", st)
	}
	if n := len(rig.Rows(w.Rig, content.Downloads)) + len(rig.Rows(w.Rig, content.Verifies)) +
		len(rig.Rows(w.Rig, content.DownloadStatuses)); n != 0 {
		t.Errorf("%d references to downloader and verifier are left", n)
	}
	if b := rig.Get(w.Rig, content.Blobs, shas[3]); b.RefCount != 1 || b.State != entity.LOADED {
		t.Errorf("layer %+v", b)
	}
}

func TestAPP13_RebootKeepsTagAndContent(t *testing.T) {
	w := newWorld(t)
	_, shas := w.image("app", "layer one")
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	w.tags["app:1"] = w.add("another image")
	w.fetches = map[string]int{}
	w.Reboot()
	w.boot()
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	if st := w.tree("t1"); st.State != entity.LOADED || st.Blobs[0] != shas[0] {
		t.Errorf("after the reboot: %+v", st)
	}
	if len(w.fetches) != 0 {
		t.Errorf("fetched again: %v", w.fetches)
	}
}

func TestAPP14_GenerationResolvesTheTagAgain(t *testing.T) {
	w := newWorld(t)
	first, _ := w.image("app", "layer one")
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	second, _ := w.image("app", "layer two")
	w.container("t1", "app", 0)
	w.run()
	if st := w.tree("t1"); st.Blobs[0] != first {
		t.Fatal("the tag moved the tree")
	}
	w.container("t1", "app", 1)
	w.run()
	if st := w.tree("t1"); st.Blobs[0] != second || st.State != entity.LOADED {
		t.Errorf("after the new generation: %+v", st)
	}
	if w.disk[first] != 0 {
		t.Error("the old content stays on the disk")
	}
}

func TestAPP16_SharedBlobIsFetchedOnce(t *testing.T) {
	w := newWorld(t)
	_, one := w.image("one", "shared layer", "layer of one")
	_, two := w.image("two", "shared layer", "layer of two")
	shared := one[3]
	if shared != two[3] {
		t.Fatal("the images share nothing")
	}
	w.container("t1", "one", 0)
	w.container("t2", "two", 0)
	w.whole()
	w.run()
	if w.fetches[shared] != 1 || rig.Get(w.Rig, content.Blobs, shared).RefCount != 2 {
		t.Errorf("%d fetches, blob %+v", w.fetches[shared], rig.Get(w.Rig, content.Blobs, shared))
	}
	rig.Delete(w.Rig, content.Trees, "t1")
	w.run()
	if w.disk[shared] == 0 || w.disk[one[4]] != 0 {
		t.Errorf("after the deletion of one: %v", w.disk)
	}
	if b := rig.Get(w.Rig, content.Blobs, shared); b == nil || b.RefCount != 1 {
		t.Errorf("blob %+v", b)
	}
	if rig.Get(w.Rig, content.Blobs, one[4]) != nil || rig.Get(w.Rig, content.Latched, "t1") != nil {
		t.Error("something of the deleted tree is left")
	}
}

func TestAPP17_WrongShaFiveTimes(t *testing.T) {
	w := newWorld(t)
	sha := w.add("disk")
	w.wrong[sha] = true
	w.file("t1", sha)
	w.whole()
	w.run()
	if w.fetches[sha] != 6 {
		t.Errorf("%d downloads, want one and five more", w.fetches[sha])
	}
	st := w.tree("t1")
	if !strings.Contains(st.ErrorDescription.Error, "computed 00 configured") ||
		st.State >= entity.VERIFIED {
		t.Errorf("tree %+v", st)
	}
	if len(w.partial) != 0 || len(rig.Rows(w.Rig, content.Downloads)) != 0 {
		t.Error("the wrong file is kept")
	}
	w.Advance(24 * time.Hour)
	w.Crash()
	w.run()
	if w.fetches[sha] != 6 || w.tree("t1").ErrorDescription.Error != st.ErrorDescription.Error {
		t.Errorf("a day later: %d downloads, %+v", w.fetches[sha], w.tree("t1"))
	}
	good := w.add("good disk")
	w.file("t1", good)
	w.run()
	if st = w.tree("t1"); st.State != entity.LOADED || st.HasError() {
		t.Errorf("with another hash: %+v", st)
	}
}

func TestAPP19_DeletedTreeCancelsDownload(t *testing.T) {
	w := newWorld(t)
	w.stall = true
	sha := w.add("disk")
	w.file("t1", sha)
	w.whole()
	w.run()
	if len(rig.Rows(w.Rig, content.Downloads)) != 1 {
		t.Fatal("nothing is downloaded")
	}
	rig.Delete(w.Rig, content.Trees, "t1")
	w.Step()
	if c := rig.Get(w.Rig, content.Downloads, sha); c == nil || c.RefCount != 0 {
		t.Fatalf("the download is not released: %+v", c)
	}
	w.run()
	if n := len(rig.Rows(w.Rig, content.Downloads)) + len(rig.Rows(w.Rig, content.Blobs)) +
		len(rig.Rows(w.Rig, content.TreeStatuses)); n != 0 {
		t.Errorf("%d rows are left\n%s", n, w.Dump())
	}
}

func TestBadTrees(t *testing.T) {
	w := newWorld(t)
	w.datastores()
	put := func(id string, change func(*content.ContentTreeConfig)) {
		c := content.ContentTreeConfig{ContentID: id, RelativeURL: "x", Format: content.QCOW2,
			DatastoreIDList: []string{"web"}}
		change(&c)
		rig.Put(w.Rig, content.Trees, c)
	}
	put("nosha", func(*content.ContentTreeConfig) {})
	put("badsha", func(c *content.ContentTreeConfig) { c.ContentSha256 = "zz" })
	put("two", func(c *content.ContentTreeConfig) { c.DatastoreIDList = []string{"hub", "web"} })
	put("lost", func(c *content.ContentTreeConfig) { c.DatastoreIDList = []string{"lost"} })
	put("parsed", func(c *content.ContentTreeConfig) { c.ParseError = "bad config" })
	junk := w.add("no manifest")
	put("junk", func(c *content.ContentTreeConfig) {
		c.DatastoreIDList, c.ContentSha256 = []string{"hub"}, junk
	})
	arm := w.add(`{"manifests":[{"digest":"sha256:` + junk +
		`","platform":{"os":"linux","architecture":"riscv64"}}]}`)
	put("arm", func(c *content.ContentTreeConfig) {
		c.DatastoreIDList, c.ContentSha256 = []string{"hub"}, arm
	})
	w.whole()
	w.run()
	for id, want := range map[string]string{
		"nosha": "no content sha256 defined", "badsha": "64 hexadecimal",
		"two": "more than one datastore", "lost": "datastore lost does not exist",
		"parsed": "bad config", "junk": "is not an image manifest",
		"arm": "no manifest for linux/amd64, only for linux/riscv64",
	} {
		st := w.tree(id)
		if !strings.Contains(st.ErrorDescription.Error, want) || st.State == entity.LOADED {
			t.Errorf("%s: %q in state %v, want %q", id, st.ErrorDescription.Error, st.State, want)
		}
	}
}

func TestAPP22_BlobWaitsForSpace(t *testing.T) {
	w := newWorld(t)
	_, shas := w.image("app", strings.Repeat("x", 5000))
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 5000, Reserved: 1000})
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	if st := w.tree("t1"); !strings.HasPrefix(st.ErrorDescription.Error, "Remaining disk space ") ||
		!strings.HasSuffix(st.ErrorDescription.Error, "blob needs 5000") || st.ErrorRetryCondition == "" {
		t.Fatalf("tree %+v", st)
	}
	if w.fetches[shas[3]] != 0 {
		t.Error("fetched what does not fit")
	}
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 7000, Reserved: 1000})
	w.run()
	if st := w.tree("t1"); st.State != entity.LOADED || st.HasError() {
		t.Errorf("with more space: %+v", st)
	}
}

// Nobody says how large a file is: it has to fit if it is as large as it may be, before any of it
// comes.
func TestAPP22_FileHasToFitAtItsLargest(t *testing.T) {
	w := newWorld(t)
	sha := w.add(strings.Repeat("x", 500))
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 1000})
	w.file("t1", sha)
	c := *rig.Get(w.Rig, content.Trees, "t1")
	c.MaxDownloadSize = 2000
	rig.Put(w.Rig, content.Trees, c)
	w.whole()
	w.run()
	if st := w.tree("t1"); st.ErrorDescription.Error != "Remaining disk space 1000 blob needs 2000" ||
		w.fetches[sha] != 0 {
		t.Fatalf("after %d fetches: %+v", w.fetches[sha], st)
	}
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 3000})
	w.run()
	if st := w.tree("t1"); st.State != entity.LOADED || st.HasError() {
		t.Errorf("with more space: %+v", st)
	}
}

// A configuration that comes to make no sense does not cost the content that is here.
func TestSpoiledTreeKeepsItsContent(t *testing.T) {
	w := newWorld(t)
	_, shas := w.image("app", "layer")
	w.container("t1", "app", 0)
	w.whole()
	w.run()
	c := *rig.Get(w.Rig, content.Trees, "t1")
	c.ParseError = "another content tree has the same UUID"
	rig.Put(w.Rig, content.Trees, c)
	w.run()
	w.Advance(2 * time.Hour)
	w.run()
	if st := w.tree("t1"); st.ErrorDescription.Error != c.ParseError || st.State != entity.LOADED {
		t.Fatalf("spoiled: %+v", st)
	}
	c.ParseError = ""
	rig.Put(w.Rig, content.Trees, c)
	w.run()
	if st := w.tree("t1"); st.HasError() || st.State != entity.LOADED {
		t.Errorf("corrected: %+v", st)
	}
	for _, sha := range shas {
		if w.fetches[sha] > 1 {
			t.Errorf("blob %s was fetched %d times", sha, w.fetches[sha])
		}
	}
}

func TestAPP24_IgnoredDiskCheck(t *testing.T) {
	w := newWorld(t)
	sha := w.add(strings.Repeat("x", 500))
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: 1000})
	w.file("t1", sha)
	w.volume(vol("v1", "t1", 5000))
	w.ref("v1", "a1", false)
	w.whole()
	w.run()
	if st := w.refStatus("v1", "a1"); !strings.HasPrefix(st.Error, "Remaining disk space ") {
		t.Fatalf("reference %+v", st)
	}
	rig.Put(w.Rig, config.Items, config.ConfigItemValueMap{FromController: true,
		Values: []config.Value{{Key: config.IgnoreDiskCheck, Value: "true"}}})
	w.run()
	if st := w.refStatus("v1", "a1"); st.State != entity.CREATED_VOLUME || st.HasError() {
		t.Errorf("with the check off: %+v", st)
	}
}

func TestManyLayers(t *testing.T) {
	w := newWorld(t)
	layers := func(n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprint("layer ", n, " ", i))
		}
		return out
	}
	w.image("huge", layers(maxParts+1)...)
	_, shas := w.image("large", layers(120)...)
	w.container("t1", "huge", 0)
	w.container("t2", "large", 0)
	w.whole()
	most := 0
	w.hook = func() { most = max(most, len(rig.Rows(w.Rig, content.Downloads))) }
	w.run()
	if st := w.tree("t1"); !strings.Contains(st.ErrorDescription.Error, "at most 500 are supported") {
		t.Errorf("too many layers: %+v", st)
	}
	if st := w.tree("t2"); st.State != entity.LOADED || len(st.Blobs) != len(shas) {
		t.Errorf("many layers: %v, %q", st.State, st.ErrorDescription.Error)
	}
	if most > maxDownloads {
		t.Errorf("%d downloads at once", most)
	}
	rig.Delete(w.Rig, content.Trees, "t2")
	if w.run(); len(w.disk) != 2 {
		t.Errorf("%d blobs are left, want index and manifest of the other", len(w.disk))
	}
}
