package check

import (
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// verifiedOnly follows content from its hash to the guest that runs it.
func verifiedOnly() Rule {
	return Rule{Name: "verified-only", Covers: []string{"APP-17"},
		Says: "Content counts as there only after that very digest was verified, volumes are made of " +
			"such content only and of the content they are configured with, and guests run on volumes " +
			"that were made so.",
		New: func(e *Ear) {
			v := &verified{e: e, hashing: map[string]int{}, blobs: map[string]bool{},
				volumes: map[string]bool{}, making: map[string]int{}}
			e.OnBoot(func(Boot) { v.cut() })
			OnBegan(e, store.Verify, func(_ *host.Ran, r *store.VerifyReq) { v.hashing[r.Sha256]++ })
			OnEnded(e, store.Verify, func(_ *host.Ran, r *store.VerifyReq, _ *store.VerifyRes) {
				v.hashing[r.Sha256]--
			})
			OnRow(e, store.Blobs, v.blob)
			OnRow(e, content.Blobs, v.status)
			OnRow(e, content.VerifyStatuses, v.answer)
			OnRow(e, content.TreeStatuses, v.tree)
			OnBegan(e, store.CreateVolume, v.create)
			OnEnded(e, store.CreateVolume,
				func(_ *host.Ran, r *store.CreateVolumeReq, _ *store.None) { v.making[r.VolumeKey]-- })
			OnRow(e, store.Volumes, v.made)
			OnBegan(e, hyper.Create, v.guest)
		}}
}

type verified struct {
	e       *Ear
	hashing map[string]int  // runs of store.Verify by digest
	blobs   map[string]bool // digests that were verified, on this disk, over all boots
	making  map[string]int  // runs of store.CreateVolume that are in order
	volumes map[string]bool // volumes that were made so, over all boots
}

// cut ends what was under way; its outcome may be on the disk though nobody was told.
func (v *verified) cut() {
	for sha, n := range v.hashing { //order: each goes to its own key
		if n > 0 {
			v.blobs[sha] = true
		}
	}
	for key, n := range v.making { //order: each goes to its own key
		if n > 0 {
			v.volumes[key] = true
		}
	}
	clear(v.hashing)
	clear(v.making)
}

// blob judges what appears in the content store. A disk may come with blobs: what is there when the
// first boot looks is taken for verified before.
func (v *verified) blob(key string, was, now *store.BlobSeen) {
	switch {
	case now == nil || was != nil || v.blobs[key]:
		return
	case v.hashing[key] > 0:
		v.e.Judged()
	case v.e.Now() > 0 || v.e.Boot().BootCount() > 1:
		v.e.Judged()
		v.e.Break(store.Blobs.String(), key, "it is in the content store, and nobody verified it")
	}
	v.blobs[key] = true
}

// status judges a blob that its agent calls verified.
func (v *verified) status(key string, was, now *content.BlobStatus) {
	if now == nil || now.State < entity.VERIFIED || was != nil && was.State >= entity.VERIFIED {
		return
	}
	v.e.Judged()
	if !v.blobs[key] {
		v.e.Break(content.Blobs.String(), key, "it is %s and was never verified", now.State)
	}
}

func (v *verified) answer(key string, was, now *content.VerifyImageStatus) {
	if now == nil || now.State != entity.VERIFIED || was != nil && was.State == entity.VERIFIED {
		return
	}
	v.e.Judged()
	if !v.blobs[key] {
		v.e.Break(content.VerifyStatuses.String(), key, "it is VERIFIED and never was")
	}
}

// tree judges a content tree that is all there.
func (v *verified) tree(key string, was, now *content.ContentTreeStatus) {
	if now == nil || now.State < entity.LOADED || was != nil && was.State >= entity.LOADED {
		return
	}
	v.e.Judged()
	if len(now.Blobs) == 0 {
		v.e.Break(content.TreeStatuses.String(), key, "it is LOADED and has no blobs")
	}
	if sha := now.ContentSha256; sha != "" && len(now.Blobs) > 0 && now.Blobs[0] != sha {
		v.e.Break(content.TreeStatuses.String(), key, "it is LOADED as %s and configured as %s",
			now.Blobs[0], sha)
	}
	for _, sha := range now.Blobs {
		if !v.blobs[sha] {
			v.e.Break(content.TreeStatuses.String(), key, "it is LOADED and %s was never verified", sha)
		}
	}
}

// create judges what a volume is made of.
func (v *verified) create(r *host.Ran, req *store.CreateVolumeReq) {
	v.making[req.VolumeKey]++
	v.e.Judged()
	for _, sha := range req.Blobs {
		if !v.blobs[sha] {
			v.e.Break(r.Op, req.VolumeKey, "it is made of %s, which was never verified", sha)
		}
	}
	st := Get(v.e, volume.Statuses, req.VolumeKey)
	if st == nil || st.VolumeContentOriginType == volume.OriginBlank {
		return
	}
	tree := Get(v.e, content.TreeStatuses, st.ContentID)
	switch {
	case len(req.Blobs) == 0:
		v.e.Break(r.Op, req.VolumeKey, "it is made of nothing and has content tree %s", st.ContentID)
	case tree != nil && tree.ContentSha256 != "" && req.Format != "container" &&
		req.Blobs[0] != tree.ContentSha256:
		v.e.Break(r.Op, req.VolumeKey, "it is made of %s and configured as %s", req.Blobs[0],
			tree.ContentSha256)
	}
}

// made judges a volume that appears on the disk; those of a disk that came with them count.
func (v *verified) made(key string, was, now *store.VolumeSeen) {
	if now == nil || was != nil || v.volumes[key] {
		return
	}
	if v.making[key] > 0 {
		v.e.Judged()
	} else if v.e.Now() > 0 || v.e.Boot().BootCount() > 1 {
		v.e.Judged()
		v.e.Break(store.Volumes.String(), key, "it is on the disk, and nobody made it")
	}
	v.volumes[key] = true
}

// guest judges the disks of a domain.
func (v *verified) guest(r *host.Ran, req *hyper.CreateReq) {
	for i := range req.Spec.Disks {
		key := req.Spec.Disks[i].VolumeKey
		if key == "" {
			continue
		}
		v.e.Judged()
		if !v.volumes[key] {
			v.e.Break(r.Op, req.Spec.Name, "its disk %s was never made", key)
		}
	}
}
