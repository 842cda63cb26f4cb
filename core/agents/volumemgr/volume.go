package volumemgr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// Sources of errors of volumes.
const (
	fromConfig = "VolumeConfig"
	fromTree   = "ContentTreeStatus"
	fromVolume = "VolumeStatus"
)

// keepVolumes moves volumes on.
func (a *volumemgr) keepVolumes(x *pass) {
	if moved := take(&x.moved); len(moved) > 0 {
		for key, v := range a.volumes.All() {
			if _, is := slices.BinarySearch(moved, v.ContentID); is {
				x.vols.Add(key)
			}
		}
	}
	keys := take(&x.vols)
	if !a.seenVolumes.Complete() {
		return // what is missing may be there
	}
	for _, key := range keys {
		cfg, st := a.volumeConfigs.Get(key), a.volumes.Get(key)
		switch {
		case st != nil || cfg != nil && a.cleaned(x, key):
			a.keepVolume(x, key, cfg)
		case cfg == nil && a.volumeConfigs.Gone(key):
			a.cleaned(x, key)
		}
		a.noteVolume(key)
	}
}

// noteVolume notes whether nobody knows a volume that is on the disk, and whether one waits for
// space.
func (a *volumemgr) noteVolume(key string) {
	st := a.volumes.Get(key)
	if a.seenVolumes.Get(key) != nil && a.volumeConfigs.Get(key) == nil && st == nil &&
		a.pending.Get(key) == nil {
		a.strays.Put(stray{strayVolume, key})
	} else {
		a.strays.Delete(strayVolume + key)
	}
	if st != nil && st.HasError() && st.ErrorSourceType == fromDisk {
		a.waits.Put(waiting{volumeForSpace, key})
	} else {
		a.waits.Delete(volumeForSpace + key)
	}
}

// cleaned reports whether nothing is left of a creation that a power cut ended. The note is durable
// before a creation starts; a note without a status means that the device went down in between.
func (a *volumemgr) cleaned(x *pass, key string) bool {
	if a.pending.Get(key) == nil {
		return true
	}
	if !a.destroy(x, key) {
		return false
	}
	a.pending.Delete(key)
	return true
}

// refsOf lists the references to a volume, in key order.
func (a *volumemgr) refsOf(key string) (out []*volume.VolumeRefConfig) {
	for _, r := range a.refConfigs.Prefixed(key + "#") {
		out = append(out, r)
	}
	return out
}

// keepVolume moves one volume on; cfg is nil when it is not configured any more.
func (a *volumemgr) keepVolume(x *pass, key string, cfg *volume.VolumeConfig) {
	refs := a.refsOf(key)
	st := volume.VolumeStatus{State: entity.INITIAL, CreateTime: x.Wall,
		LastRefCountChangeTime: x.Wall}
	old := a.volumes.Get(key)
	if old != nil {
		st = *old
	} else {
		st.VolumeConfig = *cfg
	}
	deleting := st.SubState == volume.SubDeleting || cfg == nil && len(refs) == 0 &&
		a.volumeConfigs.Gone(key) && a.refConfigs.Complete()
	if deleting {
		a.deleteVolume(x, key, st)
		if cfg != nil && a.volumes.Get(key) == nil {
			a.keepVolume(x, key, cfg) // it is wanted again
		}
		return
	}
	st.Of = a.volumeConfigs.Rev(key)
	count := uint(len(refs))
	if cfg != nil {
		count++
	}
	if old != nil && count != st.RefCount {
		st.LastRefCountChangeTime = x.Wall
	}
	st.RefCount = count
	source, wrong := "", entity.ErrorDescription{}
	if cfg != nil {
		source, wrong = fromConfig, reconfigure(&st.VolumeConfig, cfg)
	}
	switch {
	case wrong.Error == "":
		source, wrong = a.advance(x, key, &st, refs)
	case st.ParseError == "":
		a.advance(x, key, &st, refs) // the old configuration goes on
	}
	if wrong.Error == "" {
		st.ErrorAndTimeWithSource = entity.ErrorAndTimeWithSource{}
	} else {
		st.SetFrom(source, wrong, x.Wall)
	}
	a.putVolume(x, key, &st)
}

// reconfigure takes over what may change in place and names what may not. A configuration that
// makes no sense changes nothing.
func reconfigure(have, want *volume.VolumeConfig) (wrong entity.ErrorDescription) {
	if want.ParseError != "" {
		wrong.Error = want.ParseError
		return wrong
	}
	if have.ParseError != "" { // nothing was ever made of it
		*have = *want
		return wrong
	}
	var why []string
	if have.ContentID != want.ContentID {
		why = append(why, "change in content tree from "+have.ContentID+" to "+want.ContentID)
	}
	if have.VolumeContentOriginType != want.VolumeContentOriginType {
		why = append(why, fmt.Sprintf("change in origin from %d to %d",
			have.VolumeContentOriginType, want.VolumeContentOriginType))
	}
	if have.MaxVolSize != want.MaxVolSize {
		why = append(why, fmt.Sprintf("change in maximum size from %d to %d", have.MaxVolSize,
			want.MaxVolSize))
	}
	if have.ReadOnly != want.ReadOnly {
		why = append(why, fmt.Sprintf("change in read-only from %t to %t", have.ReadOnly,
			want.ReadOnly))
	}
	if len(why) > 0 {
		wrong.Error = "Need volume regeneration due to " + strings.Join(why, ", ") +
			" but generation counter not incremented"
		return wrong
	}
	*have = *want
	return wrong
}

// advance moves a volume to the furthest state it may be in and returns what is wrong.
func (a *volumemgr) advance(x *pass, key string, st *volume.VolumeStatus,
	refs []*volume.VolumeRefConfig) (source string, wrong entity.ErrorDescription) {
	if seen := a.seenVolumes.Get(key); seen != nil {
		a.create.Drop(key)
		a.pending.Delete(key)
		st.State, st.SubState = entity.CREATED_VOLUME, volume.SubCreated
		st.FileLocation, st.ContentFormat = seen.Path, formatOf(seen.Format)
		st.CurrentSize, st.TotalSize, st.Progress = seen.Used, max(seen.Size, seen.Used), 100
		return "", wrong
	}
	tr := a.treeOf(st.ContentID)
	creating := st.SubState == volume.SubPreparing
	if st.VolumeContentOriginType == volume.OriginBlank {
		if st.MaxVolSize == 0 {
			wrong.Error = "blank volume " + st.DisplayName + " has no size"
			return fromConfig, wrong
		}
		st.ContentFormat = content.RAW
		if !creating {
			st.State, st.Progress, st.TotalSize = entity.LOADED, 100, int64(st.MaxVolSize)
		}
	} else if ready := a.followTree(tr, st, creating); !ready {
		if tr != nil {
			wrong = tr.Wrong
		}
		return fromTree, wrong
	}
	used := slices.ContainsFunc(refs, func(r *volume.VolumeRefConfig) bool {
		return !r.VerifyOnly
	})
	if !creating && !used && !(len(refs) == 0 && st.HasNoAppReferences) {
		return "", wrong
	}
	if !creating {
		if wrong = a.noSpace(x, st); wrong.Error != "" {
			return fromDisk, wrong
		}
	}
	return a.make(x, key, st, tr)
}

// followTree makes the state of a volume that of its tree, and reports whether it can be made.
func (a *volumemgr) followTree(tr *tree, st *volume.VolumeStatus, creating bool) (ready bool) {
	if tr == nil {
		return false
	}
	if ts := a.trees.Get(st.ContentID); ts != nil && !creating {
		st.State = tr.State
		st.ContentFormat, st.Progress = ts.Format, ts.Progress
		st.CurrentSize, st.TotalSize = ts.CurrentSize, ts.TotalSize
		st.ReferenceName = ts.ContentID + "-" + ts.RelativeURL
	}
	return tr.State == entity.LOADED
}

// treeOf is a tree with its published state and error, nil if it is not configured.
func (a *volumemgr) treeOf(id string) *tree {
	cfg, u := a.treeConfigs.Get(id), a.unfolds.Get(id)
	if cfg == nil || u == nil {
		return nil
	}
	tr := &tree{unfolded: *u, cfg: cfg}
	if st := a.trees.Get(id); st != nil {
		tr.State, tr.Wrong = st.State, st.ErrorDescription
	}
	return tr
}

// noSpace is the error of a volume that does not fit.
func (a *volumemgr) noSpace(x *pass, st *volume.VolumeStatus) (wrong entity.ErrorDescription) {
	need, left := st.MaxVolSize, a.remaining(x)
	if st.ReadOnly || st.HasNoAppReferences || need == 0 {
		need = uint64(max(st.TotalSize, 0))
	}
	if need <= left || x.items.Bool(config.IgnoreDiskCheck) {
		return wrong
	}
	wrong.Error = fmt.Sprintf("Remaining disk space %d volume needs %d", left, need)
	wrong.ErrorRetryCondition = whenSpace
	return wrong
}

// make has the volume made; it is there when it is seen.
func (a *volumemgr) make(x *pass, key string, st *volume.VolumeStatus, tr *tree) (source string,
	wrong entity.ErrorDescription) {
	st.State, st.SubState = entity.CREATING_VOLUME, volume.SubPreparing
	a.pending.Put(volume.VolumeCreatePending{VolumeKey: key})
	call := a.create.Want(key, store.CreateVolumeReq{VolumeKey: key, Size: int64(st.MaxVolSize),
		Format: st.ContentFormat.String(), Encrypted: st.Encrypted, Blobs: imageBlobs(st, tr)})
	if call.Phase != agent.Failed {
		return "", wrong
	}
	f := call.Fault
	wrong.Error = "create volume " + st.DisplayName + ": " + f.Text
	if !f.Retry && f.Code != agent.FaultLimit && f.Code != agent.FaultCancelled {
		return fromVolume, wrong
	}
	again := call.Ended + tick(x)
	if x.Now >= again {
		a.create.Redo(key)
		return "", entity.ErrorDescription{}
	}
	x.WakeAt("create "+key, again)
	wrong.ErrorRetryCondition = whenSpace
	if f.Code != store.FaultNoSpace {
		wrong.ErrorRetryCondition = "Will retry in " + tick(x).String()
	}
	return fromVolume, wrong
}

// imageBlobs lists what a volume is made from: of a container manifest, config and layers; of a
// disk from a registry its first layer; else the file.
func imageBlobs(st *volume.VolumeStatus, tr *tree) (out []string) {
	if st.VolumeContentOriginType == volume.OriginBlank {
		return nil
	}
	parts := tr.Parts
	for len(parts) > 1 && isIndex(parts[0].MediaType) {
		parts = parts[1:]
	}
	if st.ContentFormat != content.CONTAINER && len(parts) > 2 {
		parts = parts[2:3]
	}
	for _, p := range parts {
		out = append(out, p.Sha)
	}
	return out
}

func formatOf(name string) content.Format {
	for f := content.FmtUnknown; f <= content.PVC; f++ {
		if f.String() == name {
			return f
		}
	}
	return content.FmtUnknown
}
