package volumemgr

import (
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// remaining is how much of /persist applications may still take: its size without what the system
// keeps, without the blobs that are here or under way, and without what volumes may grow to. It
// never is what the disk happens to have free, so the same configuration always fits or never.
//
// EVE: counts a blob once per content tree; here a blob counts once (it lies there once).
func (a *volumemgr) remaining(x *pass) uint64 {
	s := a.space.Get(persist)
	if s == nil {
		return 0
	}
	return uint64(max(s.Total-s.Reserved-x.Taken, 0))
}

// blobTakes is what a blob takes of the space; nil takes none.
func blobTakes(b *content.BlobStatus) int64 {
	if b == nil || b.State != entity.LOADED && !b.HasDownloaderRef {
		return 0
	}
	return max(int64(b.Size), b.TotalSize, b.CurrentSize)
}

// coarse rounds space down to whole MiB, so that small blobs do not move what others look at. What
// is less than one stays as it is: whether there is any left matters.
func coarse(bytes uint64) uint64 {
	if bytes < 1<<20 {
		return bytes
	}
	return bytes &^ (1<<20 - 1)
}

// reservation is what a volume takes of the space: what it may grow to, or what it is if it cannot;
// nil takes none.
func reservation(v *volume.VolumeStatus) int64 {
	switch {
	case v == nil || v.State < entity.CREATING_VOLUME:
		return 0
	case v.ReadOnly || v.HasNoAppReferences:
		return v.CurrentSize
	}
	return max(int64(v.MaxVolSize), 0)
}
