package zedmanager

import (
	"slices"

	"github.com/evetwin/evetwin/core/plant"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// volumes is how far the volumes of an application's configuration are.
type volumes struct {
	least    entity.SwState
	known    bool // volumemgr has answered every reference as it was
	answered bool // and as it is
	errs     []entity.ErrorDescription
	progress uint8
}

// reached reports whether all volumes are at least so far.
func (v *volumes) reached(s entity.SwState) bool {
	return v.answered && v.least >= s && len(v.errs) == 0
}

// keepRefs asks for the volumes of a configuration and, until those that a purge brings are loaded,
// for those the application has. A reference only verifies at first; it makes the volume, once,
// when the content is there and no purge forbids it.
func (a *zedmanager) keepRefs(acc *app.AppInstanceConfig, st *app.AppInstanceStatus) (v volumes) {
	v = volumes{least: entity.CREATED_VOLUME, known: true, answered: true}
	early := st.PurgeInprogress == app.DownloadAndVerify || st.PurgeInprogress == app.BringDown
	var keep []string
	sum := 0
	for _, ref := range acc.VolumeRefConfigList {
		ref.AppUUID, ref.VerifyOnly = acc.UUID, true
		if plant.On(plant.PurgeKeeps) {
			a.plantOldVolume(&ref)
		}
		key := ref.Key()
		keep = append(keep, key)
		vs := a.volumeStats.Get(key)
		known := vs != nil && vs.Of == a.refs.Rev(key)
		if old := a.refs.Get(key); old != nil {
			ref.MountDir = old.MountDir
			ready := known && vs.State >= entity.LOADED && !vs.HasError()
			ref.VerifyOnly = old.VerifyOnly && (early || !ready)
		}
		a.refs.Put(ref)
		v.answered = v.answered && known && vs.Of == a.refs.Rev(key)
		if v.known = v.known && known; !known {
			continue
		}
		v.least = min(v.least, vs.State)
		sum += int(vs.Progress)
		if vs.HasError() {
			v.errs = append(v.errs, withVolume(vs))
		}
	}
	if n := len(acc.VolumeRefConfigList); n > 0 {
		v.progress = uint8(sum/n) / progressStep * progressStep
	}
	had := st.VolumeRefStatusList
	if early && !plant.On(plant.EarlyRelease) {
		keep = append(keep, a.inUse(acc.UUID, had)...)
	}
	st.VolumeRefStatusList = nil
	for _, key := range sortedKeys(keep, had) {
		ref := a.refs.Get(key)
		switch {
		case ref == nil:
		case !slices.Contains(keep, key):
			a.refs.Delete(key)
		default:
			st.VolumeRefStatusList = append(st.VolumeRefStatusList, a.refStatus(key, ref))
		}
	}
	return v
}

// sortedKeys joins the keys of references with those that a status has listed.
func sortedKeys(keys []string, had []volume.VolumeRefStatus) []string {
	out := slices.Clone(keys)
	for i := range had {
		out = append(out, had[i].Key())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inUse lists the references of an application to volumes that are its own already, with a guest or
// without one: those its guest has as disks, those that do not verify only, and, as after a boot,
// those that only verify a volume of which nobody has said yet that it cannot be there: one that is
// there is called loaded, as long as a reference only verifies.
func (a *zedmanager) inUse(id string, had []volume.VolumeRefStatus) (keys []string) {
	if d := a.domains.Get(id); d != nil {
		for _, disk := range d.DiskConfigList {
			keys = append(keys, disk.VolumeKey+"#"+id)
		}
	}
	for i := range had {
		key := had[i].Key()
		ref, vs := a.refs.Get(key), a.volumeStats.Get(key)
		if ref == nil || slices.Contains(keys, key) {
			continue
		}
		known := vs != nil && vs.Of == a.refs.Rev(key)
		if !ref.VerifyOnly || !known || vs.State >= entity.LOADED {
			keys = append(keys, key)
		}
	}
	return keys
}

// progressStep is how coarse, in percent, the progress of an application is, so that many volumes
// do not move its row and the reports on it all the time.
const progressStep = 2

// refStatus is what volumemgr says about a reference, or that it says nothing yet. Its progress is
// in the progress of the application.
func (a *zedmanager) refStatus(key string, ref *volume.VolumeRefConfig) volume.VolumeRefStatus {
	if vs := a.volumeStats.Get(key); vs != nil {
		out := *vs
		if out.Progress = 0; vs.State >= entity.LOADED {
			out.Progress = 100
		}
		return out
	}
	return volume.VolumeRefStatus{VolumeID: ref.VolumeID, GenerationCounter: ref.GenerationCounter,
		LocalGenerationCounter: ref.LocalGenerationCounter, AppUUID: ref.AppUUID,
		State: entity.INITIAL, PendingAdd: true, VerifyOnly: ref.VerifyOnly, MountDir: ref.MountDir}
}

// withVolume is the error of a volume that names it; without a hope to go away it is an error.
func withVolume(vs *volume.VolumeRefStatus) entity.ErrorDescription {
	d := vs.ErrorDescription
	d.ErrorEntities = []entity.ErrorEntity{{EntityType: entity.Volume, EntityID: vs.VolumeID}}
	if d.ErrorRetryCondition == "" {
		d.ErrorSeverity = entity.SeverityError
	}
	return d
}

// showVolumes takes the state of the volumes into the status, only while there is no guest, or its
// volumes are made anew. What was shown stays while an answer is awaited.
func (a *zedmanager) showVolumes(st *app.AppInstanceStatus, v *volumes) {
	if !v.known {
		return
	}
	if len(v.errs) == 0 {
		st.ClearFrom(fromVolume)
	}
	st.Progress = v.progress
	if a.domains.Get(st.UUID) == nil || st.PurgeInprogress == app.RecreateVolumes {
		st.State = v.least
	}
}

// showTrouble takes the errors of the volumes into the status, unless something else is wrong that
// was found later on the way: of two errors one must win, or they would take turns.
func (a *zedmanager) showTrouble(t *round, st *app.AppInstanceStatus, v *volumes) {
	if !v.known || len(v.errs) == 0 {
		return
	}
	switch {
	case !st.HasError(), st.ErrorSourceType == fromVolume, st.ErrorSourceType == fromBootOrder:
		st.SetFrom(fromVolume, entity.Join(v.errs...), t.Wall)
	}
}

// plantOldVolume has a reference name the generation of the volume that the application has.
func (a *zedmanager) plantOldVolume(ref *volume.VolumeRefConfig) {
	for _, old := range a.refs.All() {
		if old.AppUUID == ref.AppUUID && old.VolumeID == ref.VolumeID {
			ref.GenerationCounter = old.GenerationCounter
			return
		}
	}
}
