package volumemgr

import (
	"fmt"
	"strings"

	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// answerRefs tells applications how far their volumes are.
func (a *volumemgr) answerRefs(x *pass) {
	for _, vol := range x.answer.All() {
		for key, r := range a.refConfigs.Prefixed(vol + "#") {
			a.answerRef(key, r)
		}
		for key := range a.refs.Prefixed(vol + "#") {
			if a.refConfigs.Gone(key) {
				a.refs.Delete(key)
			}
		}
	}
}

// answerRef tells one application how far one of its volumes is.
func (a *volumemgr) answerRef(key string, r *volume.VolumeRefConfig) {
	st := volume.VolumeRefStatus{VolumeID: r.VolumeID, GenerationCounter: r.GenerationCounter,
		LocalGenerationCounter: r.LocalGenerationCounter, AppUUID: r.AppUUID,
		Of: a.refConfigs.Rev(key), MountDir: r.MountDir, VerifyOnly: r.VerifyOnly,
		State: entity.INITIAL}
	v := a.volumes.Get(r.VolumeKey())
	if v == nil || v.SubState == volume.SubDeleting {
		st.PendingAdd = true
		a.refs.Put(st)
		return
	}
	st.State, st.Progress = v.State, v.Progress
	st.ContentFormat, st.ReadOnly, st.DisplayName = v.ContentFormat, v.ReadOnly, v.DisplayName
	st.MaxVolSize, st.WWN, st.Target = v.MaxVolSize, v.WWN, v.Target
	st.CustomMeta, st.ReferenceName = v.CustomMeta, v.ReferenceName
	st.ErrorAndTimeWithSource = v.ErrorAndTimeWithSource
	if r.VerifyOnly {
		st.State = min(st.State, entity.LOADED)
	} else if v.State == entity.CREATED_VOLUME {
		st.ActiveFileLocation = v.FileLocation
	}
	if n := a.rivals(r, v); n > 1 {
		a.refuse(&st, v, n)
	}
	a.refs.Put(st)
}

// refuse gives a reference the error of a volume that belongs to another application.
func (a *volumemgr) refuse(st *volume.VolumeRefStatus, v *volume.VolumeStatus, n int) {
	d := entity.ErrorDescription{ErrorTime: v.LastRefCountChangeTime,
		ErrorSeverity: entity.SeverityError, ErrorEntities: []entity.ErrorEntity{
			{EntityType: entity.Volume, EntityID: v.VolumeID}},
		Error: fmt.Sprintf("Multiple app instances (%d) are trying to use the same "+
			"file-based volume", n)}
	st.ErrorAndTimeWithSource = entity.ErrorAndTimeWithSource{ErrorSourceType: fromRef,
		ErrorDescription: d}
	st.State, st.ActiveFileLocation = min(st.State, entity.LOADED), ""
}

// fromRef is the source of errors of references.
const fromRef = "VolumeRefStatus"

// rivals counts the applications that use a writable volume of one file, 0 if this one may have it:
// it has it already, or nobody has and it is the first.
func (a *volumemgr) rivals(r *volume.VolumeRefConfig, v *volume.VolumeStatus) int {
	if v.ReadOnly || v.ContentFormat == content.CONTAINER {
		return 0
	}
	refs := a.refsOf(r.VolumeKey())
	if len(refs) < 2 {
		return 0
	}
	owner := refs[0].AppUUID
	for _, o := range refs {
		st := a.refs.Get(o.Key())
		if st != nil && !st.VerifyOnly && st.State == entity.CREATED_VOLUME && !st.HasError() {
			owner = o.AppUUID
		}
	}
	if owner == r.AppUUID {
		return 0
	}
	return len(refs)
}

// volumeOf is the volume that a reference with this key is to.
func volumeOf(key string) string { return key[:max(strings.LastIndexByte(key, '#'), 0)] }
