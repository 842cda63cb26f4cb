package volumemgr

import (
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// pass is a turn on its way from content to volumes: what has to be looked at, and what applies to
// all objects.
type pass struct {
	*agent.Turn
	items *config.ConfigItemValueMap
	ledger
	all    bool // everything has to be looked at
	roomy  bool // trees consist of fewer blobs than before
	trees  agent.Work
	blobs  agent.Work
	states agent.Work // trees whose state has to be worked out
	moved  agent.Work // trees that volumes may be made from have changed
	vols   agent.Work
	answer agent.Work // volumes whose references have to be answered
	asks   []string   // resolutions that a tree does not wait for any more
}

// take empties a list of work and returns what was in it.
func take(w *agent.Work) []string {
	keys := w.All()
	*w = agent.Work{}
	return keys
}

// begin finds out what has to be looked at because of what has moved since the turn before.
func (a *volumemgr) begin(t *agent.Turn) *pass {
	x := &pass{Turn: t, items: a.items.Get(entity.Global)}
	if l := a.ledger.Get(entity.Global); l != nil {
		x.ledger = *l
	}
	now := ground{Trees: a.treeConfigs.Complete(), Volumes: a.volumeConfigs.Complete(),
		Refs: a.refConfigs.Complete(), SeenBlobs: a.seenBlobs.Complete(),
		SeenVolumes: a.seenVolumes.Complete(), Arch: a.arch()}
	x.all = t.Full || x.Ground != now || a.items.Moved() || a.datastores.Moved()
	x.Ground = now
	if x.all {
		a.everything(x)
		return x
	}
	agent.Keys(&x.trees, a.treeConfigs)
	agent.Keys(&x.vols, a.volumeConfigs)
	agent.Keys(&x.vols, a.seenVolumes)
	agent.From(&x.vols, a.refConfigs, (*volume.VolumeRefConfig).VolumeKey)
	agent.From(&x.answer, a.refConfigs, (*volume.VolumeRefConfig).VolumeKey)
	agent.Keys(&x.blobs, a.fetched)
	agent.Keys(&x.blobs, a.verified)
	for sha := range a.seenBlobs.Changed() {
		x.blobs.Add(sha)
		a.unfoldAgain(x, sha)
	}
	for _, sha := range a.read.Ended() {
		a.unfoldAgain(x, sha)
	}
	x.vols.Add(a.create.Ended()...)
	x.vols.Add(a.removeVolume.Ended()...)
	a.overdue(x)
	if a.resolved.Moved() {
		a.answered(x)
	}
	if x.Refused > 0 && a.seenBlobs.Moved() {
		a.retryRefused(x)
	}
	return x
}

// everything has all objects looked at; what is added up is added up anew.
func (a *volumemgr) everything(x *pass) {
	addKeys(&x.trees, a.treeConfigs.Table)
	addKeys(&x.trees, a.trees.Table)
	addKeys(&x.trees, a.unfolds.Table)
	addKeys(&x.trees, a.latched.Table)
	addKeys(&x.blobs, a.seenBlobs.Table)
	addKeys(&x.blobs, a.blobs.Table)
	addKeys(&x.blobs, a.manifests.Table)
	x.blobs.Add(a.read.Keys()...)
	for _, w := range a.wants.All() {
		x.blobs.Add(w.Use.Sha)
	}
	for _, s := range a.strays.All() {
		if s.Kind == strayBlob {
			x.blobs.Add(s.ID)
		} else {
			x.vols.Add(s.ID)
		}
	}
	addKeys(&x.vols, a.volumeConfigs.Table)
	addKeys(&x.vols, a.volumes.Table)
	addKeys(&x.vols, a.pending.Table)
	addKeys(&x.vols, a.seenVolumes.Table)
	for _, r := range a.refConfigs.All() {
		x.answer.Add(r.VolumeKey())
	}
	for key := range a.refs.All() {
		x.answer.Add(volumeOf(key))
	}
	for key := range a.resolves.All() {
		x.asks = append(x.asks, key)
	}
	x.Taken = 0
	for _, b := range a.blobs.All() {
		x.Taken += blobTakes(b)
	}
	for _, v := range a.volumes.All() {
		x.Taken += reservation(v)
	}
}

// overdue has looked at what deadlines were set for.
func (a *volumemgr) overdue(x *pass) {
	for _, key := range x.Due() {
		what, id, _ := strings.Cut(key, " ")
		switch what {
		case "read":
			a.unfoldAgain(x, id)
		case "create", "destroy":
			x.vols.Add(id)
		}
	}
}

// unfoldAgain has the trees looked at that want a blob.
func (a *volumemgr) unfoldAgain(x *pass, sha string) {
	for _, w := range a.wants.Prefixed(sha + "#") {
		x.trees.Add(w.Tree)
	}
}

// answered has the trees looked at whose resolution was answered.
func (a *volumemgr) answered(x *pass) {
	asks := map[string]bool{}
	for key := range a.resolved.Changed() {
		asks[key] = true
	}
	for id, u := range a.unfolds.All() {
		if u.Ask != "" && asks[u.Ask] {
			x.trees.Add(id)
		}
	}
}

// retryRefused has the trees looked at that would have been too much.
func (a *volumemgr) retryRefused(x *pass) {
	for id, u := range a.unfolds.All() {
		if u.Refused {
			x.trees.Add(id)
		}
	}
}

// again finds out who may go on because of what others gave back or took in this turn, and reports
// whether anything is left to be looked at.
func (a *volumemgr) again(x *pass) bool {
	left, free := a.remaining(x), maxDownloads-a.downloads.Len()
	if left != x.Left || x.Busy && free > 0 {
		for _, w := range a.waits.Prefixed(blobForSpace) {
			x.blobs.Add(w.ID)
		}
	}
	if left != x.Left {
		for _, w := range a.waits.Prefixed(volumeForSpace) {
			x.vols.Add(w.ID)
		}
	}
	x.Left, x.Busy = left, free <= 0
	for _, w := range a.waits.Prefixed(blobForTurn) {
		if free <= 0 || a.space.Get(persist) == nil {
			break
		}
		x.blobs.Add(w.ID)
		free--
	}
	if free := maxResolves - a.resolves.Len(); len(x.asks) > 0 {
		x.asks = nil
		for id, u := range a.unfolds.All() {
			if free > 0 && u.Ask != "" && a.resolves.Get(u.Ask) == nil {
				x.trees.Add(id)
				free--
			}
		}
	}
	if x.roomy {
		x.roomy = false
		a.retryRefused(x)
	}
	return len(x.trees.All())+len(x.blobs.All())+len(x.states.All())+len(x.moved.All())+
		len(x.vols.All()) > 0
}

// persist is the partition that blobs and volumes lie on.
const persist = "persist"

// putBlob publishes a blob and has looked at whatever stands on it.
func (a *volumemgr) putBlob(x *pass, st *content.BlobStatus) {
	old, rev := a.blobs.Get(st.Sha256), a.blobs.Rev(st.Sha256)
	a.blobs.Put(*st)
	if a.blobs.Rev(st.Sha256) == rev {
		return
	}
	x.Taken += blobTakes(st) - blobTakes(old)
	x.blobs.Add(st.Sha256)
	a.blobMoved(x, st.Sha256, old == nil || old.Size != st.Size || old.MediaType != st.MediaType)
}

// dropBlob forgets a blob.
func (a *volumemgr) dropBlob(x *pass, sha string) {
	if old := a.blobs.Get(sha); old != nil {
		x.Taken -= blobTakes(old)
		a.blobs.Delete(sha)
		a.blobMoved(x, sha, true)
	}
}

// blobMoved has the trees looked at that want a blob; unfold says that they may consist of
// something else now.
func (a *volumemgr) blobMoved(x *pass, sha string, unfold bool) {
	for _, w := range a.wants.Prefixed(sha + "#") {
		x.states.Add(w.Tree)
		if unfold {
			x.trees.Add(w.Tree)
		}
	}
}

// putVolume publishes a volume and has its references answered.
func (a *volumemgr) putVolume(x *pass, key string, st *volume.VolumeStatus) {
	old, rev := a.volumes.Get(key), a.volumes.Rev(key)
	a.volumes.Put(*st)
	if a.volumes.Rev(key) == rev {
		return
	}
	x.Taken += reservation(st) - reservation(old)
	x.answer.Add(key)
	x.vols.Add(key)
}

// dropVolume forgets a volume.
func (a *volumemgr) dropVolume(x *pass, key string) {
	x.Taken -= reservation(a.volumes.Get(key))
	a.volumes.Delete(key)
	x.answer.Add(key)
}
