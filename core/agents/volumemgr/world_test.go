package volumemgr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// world plays everybody around the agent: a registry whose blobs can be fetched, a downloader and a
// verifier, and a disk.
type world struct {
	*rig.Rig
	t         *testing.T
	remote    map[string][]byte // by hash; what is not here is not found
	wrong     map[string]bool   // fetched with another content
	tags      map[string]string
	disk      map[string]int64 // blobs
	partial   map[string]bool
	volumes   map[string]store.CreateVolumeReq
	slow      bool // creations do not end
	stall     bool // downloads do not end
	fetches   map[string]int
	everCalls []string
	hook      func() // runs in every round
}

const total = 1 << 20

func newWorld(t *testing.T) *world {
	w := &world{Rig: rig.New(t, "volumemgr", New), t: t, remote: map[string][]byte{},
		wrong: map[string]bool{}, tags: map[string]string{}, disk: map[string]int64{},
		partial: map[string]bool{}, volumes: map[string]store.CreateVolumeReq{},
		fetches: map[string]int{}}
	w.boot()
	return w
}

// boot shows what the disk holds.
func (w *world) boot() {
	for sha, size := range w.disk {
		rig.Put(w.Rig, store.Blobs, store.BlobSeen{Sha256: sha, Size: size})
	}
	for key, v := range w.volumes {
		w.showVolume(key, v)
	}
	rig.Put(w.Rig, store.Space, store.SpaceSeen{Total: total})
	rig.Put(w.Rig, hyper.Host, hyper.HostSeen{Arch: "amd64"})
	rig.Complete(w.Rig, store.Blobs)
	rig.Complete(w.Rig, store.Volumes)
}

func (w *world) showVolume(key string, v store.CreateVolumeReq) {
	rig.Put(w.Rig, store.Volumes, store.VolumeSeen{VolumeKey: key, Path: "/vols/" + key,
		Format: v.Format, Size: v.Size, Used: 100})
}

// whole declares what the agents above publish complete.
func (w *world) whole() {
	rig.Complete(w.Rig, content.Trees)
	rig.Complete(w.Rig, content.Datastores)
	rig.Complete(w.Rig, volume.Configs)
	rig.Complete(w.Rig, volume.Refs)
}

// run lets everybody act until nothing moves.
func (w *world) run() {
	w.t.Helper()
	last := ""
	for range 200 {
		w.Step()
		if w.hook != nil {
			w.hook()
			w.Advance(time.Second)
		}
		w.resolve()
		w.download()
		w.verify()
		w.store()
		w.Step()
		_, now, _ := strings.Cut(w.Dump(), "\n")
		if now == last {
			return
		}
		last = now
	}
	w.t.Fatal("the world does not come to rest\n" + w.Dump())
}

func (w *world) resolve() {
	for _, c := range rig.Rows(w.Rig, content.Resolves) {
		st := content.ResolveStatus{DatastoreID: c.DatastoreID, Name: c.Name, Counter: c.Counter,
			Of: rig.Rev(w.Rig, content.Resolves, c.Key()), ImageSha256: w.tags[c.Name]}
		if st.ImageSha256 == "" {
			st.Error = "no such tag"
		}
		rig.Put(w.Rig, content.ResolveStatuses, st)
	}
	for _, st := range rig.Rows(w.Rig, content.ResolveStatuses) {
		if rig.Get(w.Rig, content.Resolves, st.Key()) == nil {
			rig.Delete(w.Rig, content.ResolveStatuses, st.Key())
		}
	}
}

func (w *world) download() {
	for _, c := range rig.Rows(w.Rig, content.Downloads) {
		old := rig.Get(w.Rig, content.DownloadStatuses, c.ImageSha256)
		st := content.DownloaderStatus{ImageSha256: c.ImageSha256, Target: c.Target,
			Of: rig.Rev(w.Rig, content.Downloads, c.ImageSha256), State: entity.DOWNLOADING}
		data, ok := w.remote[c.ImageSha256]
		switch {
		case c.RefCount == 0:
			st.Expired = true
		case old != nil && old.State == entity.DOWNLOADED:
			st.State, st.TotalSize, st.CurrentSize = old.State, old.TotalSize, old.TotalSize
		case !ok:
			st.Error, st.ErrorRetryCondition = "not found", "Will retry in 1m0s"
		case !w.stall:
			w.fetches[c.ImageSha256]++
			w.partial[c.ImageSha256] = true
			st.State, st.Progress = entity.DOWNLOADED, 100
			st.TotalSize, st.CurrentSize = int64(len(data)), int64(len(data))
		}
		rig.Put(w.Rig, content.DownloadStatuses, st)
	}
	for _, st := range rig.Rows(w.Rig, content.DownloadStatuses) {
		if rig.Get(w.Rig, content.Downloads, st.ImageSha256) == nil {
			delete(w.partial, st.ImageSha256)
			rig.Delete(w.Rig, content.DownloadStatuses, st.ImageSha256)
		}
	}
}

func (w *world) verify() {
	for _, c := range rig.Rows(w.Rig, content.Verifies) {
		st := content.VerifyImageStatus{ImageSha256: c.ImageSha256,
			Of: rig.Rev(w.Rig, content.Verifies, c.ImageSha256), State: entity.VERIFYING}
		switch {
		case c.RefCount == 0:
			st.Expired = true
		case w.wrong[c.ImageSha256]:
			st.Error = "computed 00 configured " + c.ImageSha256
		default:
			if !w.partial[c.ImageSha256] && w.disk[c.ImageSha256] == 0 {
				w.t.Fatal("verifies a file that is not there")
			}
			delete(w.partial, c.ImageSha256)
			w.disk[c.ImageSha256] = int64(len(w.remote[c.ImageSha256]))
			st.State = entity.VERIFIED
			rig.Put(w.Rig, store.Blobs, store.BlobSeen{Sha256: c.ImageSha256,
				Size: w.disk[c.ImageSha256]})
		}
		rig.Put(w.Rig, content.VerifyStatuses, st)
	}
	for _, st := range rig.Rows(w.Rig, content.VerifyStatuses) {
		if rig.Get(w.Rig, content.Verifies, st.ImageSha256) == nil {
			rig.Delete(w.Rig, content.VerifyStatuses, st.ImageSha256)
		}
	}
}

func (w *world) store() {
	for _, c := range rig.Calls(w.Rig, store.ReadBlob) {
		if w.disk[c.Req.Sha256] == 0 {
			rig.Fail(w.Rig, store.ReadBlob, c.Key, agent.Fault{Code: store.FaultMissing, Text: "gone"})
			continue
		}
		rig.Done(w.Rig, store.ReadBlob, c.Key, store.BlobRes{Data: w.remote[c.Req.Sha256]})
	}
	for _, c := range rig.Calls(w.Rig, store.RemoveBlob) {
		delete(w.disk, c.Key)
		rig.Delete(w.Rig, store.Blobs, c.Key)
		rig.Done(w.Rig, store.RemoveBlob, c.Key, store.None{})
		w.Advance(time.Millisecond)
	}
	for _, c := range rig.Calls(w.Rig, store.CreateVolume) {
		if w.slow {
			continue
		}
		w.everCalls = append(w.everCalls, "create "+c.Key)
		w.volumes[c.Key] = c.Req
		w.showVolume(c.Key, c.Req)
		rig.Done(w.Rig, store.CreateVolume, c.Key, store.None{})
	}
	for _, c := range rig.Calls(w.Rig, store.RemoveVolume) {
		w.everCalls = append(w.everCalls, "remove "+c.Key)
		delete(w.volumes, c.Key)
		rig.Delete(w.Rig, store.Volumes, c.Key)
		rig.Done(w.Rig, store.RemoveVolume, c.Key, store.None{})
	}
}

// add puts a blob into the registry and returns its hash.
func (w *world) add(data string) string {
	h := sha256.Sum256([]byte(data))
	sha := hex.EncodeToString(h[:])
	w.remote[sha] = []byte(data)
	return sha
}

// image adds a container image with a config and layers, behind an index with another platform.
func (w *world) image(name string, layers ...string) (index string, shas []string) {
	list := []string{w.add("config of " + name)}
	for _, l := range layers {
		list = append(list, w.add(l))
	}
	var docs []string
	for _, sha := range list {
		docs = append(docs, fmt.Sprintf(`{"digest":"sha256:%s","size":%d}`, sha, len(w.remote[sha])))
	}
	m := w.add(fmt.Sprintf(`{"mediaType":%q,"config":%s,"layers":[%s]}`, typeManifest, docs[0],
		strings.Join(docs[1:], ",")))
	other := strings.Repeat("0", 64)
	index = w.add(fmt.Sprintf(`{"mediaType":%q,"manifests":[`+
		`{"digest":"sha256:%s","size":5,"platform":{"os":"linux","architecture":"arm64"}},`+
		`{"digest":"sha256:%s","size":%d,"platform":{"os":"linux","architecture":"amd64"}}]}`,
		typeIndex, other, m, len(w.remote[m])))
	w.tags[name+":1"] = index
	return index, append([]string{index, m}, list...)
}

func (w *world) datastores() {
	rig.Put(w.Rig, content.Datastores, content.DatastoreConfig{UUID: "hub",
		DsType: content.DsContainerRegistry})
	rig.Put(w.Rig, content.Datastores, content.DatastoreConfig{UUID: "web", DsType: content.DsHTTP})
	rig.Put(w.Rig, config.Items, config.ConfigItemValueMap{FromController: true})
}

// container configures a tree of an image by tag.
func (w *world) container(id, name string, generation int64) {
	w.datastores()
	rig.Put(w.Rig, content.Trees, content.ContentTreeConfig{ContentID: id, RelativeURL: name + ":1",
		DatastoreIDList: []string{"hub"}, Format: content.CONTAINER, GenerationCounter: generation})
}

// file configures a tree of one file.
func (w *world) file(id, sha string) {
	w.datastores()
	rig.Put(w.Rig, content.Trees, content.ContentTreeConfig{ContentID: id, RelativeURL: id + ".qcow2",
		DatastoreIDList: []string{"web"}, Format: content.QCOW2, ContentSha256: sha})
}

// vol is a configured volume of a tree.
func vol(id, tree string, size uint64) volume.VolumeConfig {
	return volume.VolumeConfig{VolumeID: id, ContentID: tree, MaxVolSize: size, DisplayName: id,
		VolumeContentOriginType: volume.OriginDownload, Encrypted: true}
}

func (w *world) volume(c volume.VolumeConfig) { rig.Put(w.Rig, volume.Configs, c) }

func (w *world) ref(id, app string, verifyOnly bool) {
	rig.Put(w.Rig, volume.Refs, volume.VolumeRefConfig{VolumeID: id, AppUUID: app,
		VerifyOnly: verifyOnly})
}

func (w *world) refStatus(id, app string) volume.VolumeRefStatus {
	w.t.Helper()
	st := rig.Get(w.Rig, volume.RefStatuses, id+"#0#"+app)
	if st == nil {
		w.t.Fatal("no status of the reference\n" + w.Dump())
	}
	return *st
}

func (w *world) tree(id string) content.ContentTreeStatus {
	w.t.Helper()
	st := rig.Get(w.Rig, content.TreeStatuses, id)
	if st == nil {
		w.t.Fatal("no status of the tree\n" + w.Dump())
	}
	return *st
}

func (w *world) volumeStatus(key string) volume.VolumeStatus {
	w.t.Helper()
	st := rig.Get(w.Rig, volume.Statuses, key)
	if st == nil {
		w.t.Fatal("no status of the volume\n" + w.Dump())
	}
	return *st
}
