package volumemgr

import (
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// stateTrees publishes what became of trees: the least state of their blobs, and their sums.
func (a *volumemgr) stateTrees(x *pass) {
	for _, id := range take(&x.states) {
		rev := a.trees.Rev(id)
		cfg, u := a.treeConfigs.Get(id), a.unfolds.Get(id)
		if cfg != nil && u != nil {
			a.stateTree(x, &tree{unfolded: *u, cfg: cfg})
		} else if a.treeConfigs.Gone(id) {
			a.deferDelete(x, id)
			a.trees.Delete(id)
		}
		if a.trees.Rev(id) != rev {
			x.moved.Add(id)
			x.trees.Add(id) // one that is loaded is not unfolded any more
		}
	}
}

func (a *volumemgr) stateTree(x *pass, tr *tree) {
	cfg := tr.cfg
	st := content.ContentTreeStatus{ContentTreeConfig: *cfg, Of: a.treeConfigs.Rev(cfg.ContentID),
		IsOCIRegistry: a.isRegistry(cfg), AllDatastoresResolved: a.known(cfg),
		HasResolverRef: tr.State == entity.RESOLVING_TAG, CreateTime: x.Wall}
	for _, id := range cfg.DatastoreIDList {
		if ds := a.datastores.Get(id); ds != nil {
			st.DatastoreTypesList = append(st.DatastoreTypesList, ds.DsType)
		}
	}
	if old := a.trees.Get(cfg.ContentID); old != nil {
		st.CreateTime, st.ErrorAndTimeWithSource = old.CreateTime, old.ErrorAndTimeWithSource
	}
	if tr.Tagged && len(tr.Parts) > 0 {
		st.RelativeURL = byDigest(cfg, tr.Parts[0].Sha)
	}
	errs := a.sumBlobs(tr, &st)
	if tr.Wrong.Error != "" {
		errs = append(errs, tr.Wrong)
	}
	st.SetFrom(fromBlob, entity.Join(errs...), x.Wall)
	a.trees.Put(st)
}

// sumBlobs joins the blobs of a tree.
func (a *volumemgr) sumBlobs(tr *tree, st *content.ContentTreeStatus) (
	errs []entity.ErrorDescription) {
	least, begun := entity.LOADED, false
	for _, p := range tr.Parts {
		st.Blobs = append(st.Blobs, p.Sha)
		b := a.blobs.Get(p.Sha)
		if b == nil {
			least = entity.INITIAL
			continue
		}
		least = min(least, b.State)
		begun = begun || b.State > entity.INITIAL
		st.CurrentSize += b.CurrentSize
		st.TotalSize += max(b.TotalSize, int64(b.Size))
		if b.HasError() {
			errs = append(errs, b.ErrorDescription)
		}
	}
	switch {
	case len(tr.Parts) == 0:
		st.State = tr.State
		return errs
	case !tr.Closed && (begun || least > entity.INITIAL), least == entity.INITIAL && begun:
		// While blobs are missing, known or not, the tree is no further.
		least = entity.DOWNLOADING
	case least == entity.INITIAL && tr.Tagged:
		least = entity.RESOLVED_TAG
	}
	st.State = least
	switch {
	case st.State == entity.LOADED:
		st.Progress = 100
	case tr.Closed && st.TotalSize > 0:
		st.Progress = uint8(min(99, 100*st.CurrentSize/st.TotalSize)) / progressStep * progressStep
		st.CurrentSize = int64(st.Progress) * st.TotalSize / 100
	default:
		st.CurrentSize, st.TotalSize = 0, 0
	}
	return errs
}

// progressStep is how coarse, in percent, the progress of a tree is: an image of many layers would
// else move the rows of trees, volumes and applications, and the reports on them, hundreds of times
// a minute. Blobs tell it to the byte.
const progressStep = 2
