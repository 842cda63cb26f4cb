package check

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// sha is a digest.
func sha(c string) string { return strings.Repeat(c, 64) }

func verify(tp *tape, digest string) {
	end := begin(tp, store.Verify, "verifier", digest, store.VerifyReq{Sha256: digest})
	put(tp, store.Blobs, store.BlobSeen{Sha256: digest})
	end(&store.VerifyRes{Sha256: digest})
}

func tree(state entity.SwState, blobs ...string) content.ContentTreeStatus {
	return content.ContentTreeStatus{State: state, Blobs: blobs,
		ContentTreeConfig: content.ContentTreeConfig{ContentID: "c", ContentSha256: sha("1")}}
}

func create(tp *tape, format string, blobs ...string) func(*store.None) {
	return begin(tp, store.CreateVolume, "volumemgr", "v#0",
		store.CreateVolumeReq{VolumeKey: "v#0", Format: format, Blobs: blobs})
}

func TestVerifiedOnly(t *testing.T) {
	wished := volume.VolumeStatus{VolumeConfig: volume.VolumeConfig{VolumeID: "v", ContentID: "c",
		VolumeContentOriginType: volume.OriginDownload}}
	calm := func(t *testing.T) *tape {
		tp := start(t, verifiedOnly())
		tp.wait(time.Minute)
		verify(tp, sha("1"))
		put(tp, content.TreeStatuses, tree(entity.LOADED, sha("1")))
		put(tp, volume.Statuses, wished)
		return tp
	}
	tp := calm(t)
	end := create(tp, "qcow2", sha("1"))
	put(tp, store.Volumes, store.VolumeSeen{VolumeKey: "v#0"})
	end(&store.None{})
	begin(tp, hyper.Create, "domainmgr", "a", hyper.CreateReq{Spec: guest("a.1", "").Spec})
	tp.keeps()

	for name, act := range map[string]func(tp *tape){
		"blob": func(tp *tape) { put(tp, store.Blobs, store.BlobSeen{Sha256: sha("2")}) },
		"status": func(tp *tape) {
			put(tp, content.Blobs, content.BlobStatus{Sha256: sha("2"), State: entity.LOADED})
		},
		"answer": func(tp *tape) {
			put(tp, content.VerifyStatuses,
				content.VerifyImageStatus{ImageSha256: sha("2"), State: entity.VERIFIED})
		},
		"tree": func(tp *tape) {
			x := tree(entity.LOADED, sha("1"), sha("2"))
			x.ContentID = "d"
			put(tp, content.TreeStatuses, x)
		},
		"tree of another digest": func(tp *tape) {
			verify(tp, sha("2"))
			x := tree(entity.LOADED, sha("2"))
			x.ContentID = "d"
			put(tp, content.TreeStatuses, x)
		},
		"volume":            func(tp *tape) { create(tp, "container", sha("1"), sha("2")) },
		"volume of nothing": func(tp *tape) { create(tp, "qcow2") },
		"volume of another digest": func(tp *tape) {
			verify(tp, sha("2"))
			create(tp, "qcow2", sha("2"))
		},
		"volume that nobody made": func(tp *tape) {
			put(tp, store.Volumes, store.VolumeSeen{VolumeKey: "v#0"})
		},
		"guest": func(tp *tape) {
			begin(tp, hyper.Create, "domainmgr", "a", hyper.CreateReq{Spec: guest("a.1", "").Spec})
		},
	} {
		t.Run(name, func(t *testing.T) {
			tp := calm(t)
			act(tp)
			tp.breaks()
		})
	}
	t.Run("of an earlier boot", func(t *testing.T) {
		tp := calm(t)
		begin(tp, store.Verify, "verifier", sha("2"), store.VerifyReq{Sha256: sha("2")})
		tp = tp.reboot(nil)
		put(tp, store.Blobs, store.BlobSeen{Sha256: sha("1")})
		put(tp, store.Blobs, store.BlobSeen{Sha256: sha("2")}) // the power cut its verification
		tp.keeps()
		put(tp, store.Blobs, store.BlobSeen{Sha256: sha("3")})
		tp.breaks()
	})
}

func TestPurgeKeeps(t *testing.T) {
	ref := func(generation int64) volume.VolumeRefConfig {
		return volume.VolumeRefConfig{VolumeID: "v", GenerationCounter: generation, AppUUID: "a"}
	}
	purging := func(t *testing.T, next entity.SwState) *tape {
		tp := start(t, purgeKeeps())
		put(tp, store.Volumes, store.VolumeSeen{VolumeKey: "v#0"})
		put(tp, app.Configs, app.AppInstanceConfig{UUIDandVersion: id("a")})
		put(tp, app.Statuses, app.AppInstanceStatus{UUIDandVersion: id("a")})
		put(tp, volume.Refs, ref(0))
		put(tp, volume.Statuses, volume.VolumeStatus{State: entity.CREATED_VOLUME,
			VolumeConfig: volume.VolumeConfig{VolumeID: "v"}})
		put(tp, volume.Refs, ref(1))
		put(tp, volume.Statuses, volume.VolumeStatus{State: next,
			VolumeConfig: volume.VolumeConfig{VolumeID: "v", GenerationCounter: 1}})
		del(tp, volume.Refs, "v#0#a")
		return tp
	}
	purging(t, entity.LOADED).keeps()
	purging(t, entity.VERIFIED).breaks()
}
