package volumemgr

import (
	"iter"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/plant"
)

// maxRemovals bounds how many blobs are removed at once.
const maxRemovals = 64

// unfolding reports whether a tree is on its way to know its parts: they may be blobs that are here
// and that nobody wants so far. A tree that is stuck keeps nothing.
func (a *volumemgr) unfolding() bool {
	for id, u := range a.unfolds.All() {
		if u.Closed {
			continue
		}
		if st := a.trees.Get(id); u.Unread || st == nil || !st.HasError() {
			return true
		}
	}
	return false
}

// collectBlobs removes blobs that no tree wants and no deferral keeps.
func (a *volumemgr) collectBlobs(x *pass) {
	a.expireDeferrals(x)
	going := a.removeBlob.Keys()
	for _, sha := range going {
		if a.seenBlobs.Get(sha) == nil || a.isWanted(sha) {
			a.removeBlob.Drop(sha)
		}
	}
	if len(going) > 0 {
		going = a.removeBlob.Keys()
	}
	unwanted := a.strays.Prefixed(strayBlob)
	known := a.treeConfigs.Complete() || plant.On(plant.RestartTearsDown)
	if !some(unwanted) || !known || !a.seenBlobs.Complete() || a.unfolding() {
		return
	}
	deferred := a.deferredBlobs()
	for _, sha := range going {
		if !deferred[sha] {
			a.collectBlob(x, sha)
		}
	}
	n := len(going)
	for _, s := range unwanted {
		if n >= maxRemovals {
			break
		}
		if !deferred[s.ID] && a.removeBlob.Get(s.ID).Phase == agent.None {
			a.collectBlob(x, s.ID)
			n++
		}
	}
}

// some reports whether there is a row.
func some(rows iter.Seq2[string, *stray]) bool {
	for range rows {
		return true
	}
	return false
}

// collectBlob has one blob removed, again and again if the disk will not.
func (a *volumemgr) collectBlob(x *pass, sha string) {
	call := a.removeBlob.Want(sha, store.BlobReq{Sha256: sha})
	if call.Phase != agent.Failed {
		return
	}
	if again := call.Ended + readAgain; x.Now < again {
		x.WakeAt("remove "+sha, again)
	} else {
		a.removeBlob.Redo(sha)
	}
}
