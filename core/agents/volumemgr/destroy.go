package volumemgr

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// maxDestroys bounds how often the removal of a volume is tried.
const maxDestroys = 12

// orphanSweep is when volumes without a configuration are removed next.
type orphanSweep struct{ At time.Duration }

// Key is "global".
func (orphanSweep) Key() string { return entity.Global }

var sweeps = bus.NewTopic[orphanSweep](bus.Decl{Owner: "volumemgr", Name: "OrphanSweep",
	Life: bus.Local})

// tick is the interval of what is looked after: a tenth of the garbage collector's time.
func tick(x *pass) time.Duration { return x.items.Seconds(config.VdiskGC) / 10 }

// destroy removes a volume and reports whether nothing of it is left.
func (a *volumemgr) destroy(x *pass, key string) (gone bool) {
	call := a.removeVolume.Want(key, store.VolumeReq{VolumeKey: key})
	switch call.Phase {
	case agent.Done:
		if a.seenVolumes.Get(key) == nil {
			a.removeVolume.Drop(key)
			return true
		}
	case agent.Failed:
	default:
		return false
	}
	if call.Tries >= maxDestroys {
		return false // parked
	}
	if again := call.Ended + tick(x); x.Now < again {
		x.WakeAt("destroy "+key, again)
	} else {
		a.removeVolume.Redo(key)
	}
	return false
}

// deleteVolume removes a volume that nobody wants, whatever it is at.
func (a *volumemgr) deleteVolume(x *pass, key string, st volume.VolumeStatus) {
	a.create.Drop(key)
	if a.destroy(x, key) {
		a.pending.Delete(key)
		a.dropVolume(x, key)
		return
	}
	if st.SubState != volume.SubDeleting {
		st.SubState, st.RefCount, st.LastRefCountChangeTime = volume.SubDeleting, 0, x.Wall
	}
	var wrong entity.ErrorDescription
	if call := a.removeVolume.Get(key); call.Phase == agent.Failed {
		wrong.Error = "remove volume " + st.DisplayName + ": " + call.Fault.Text
		if call.Tries < maxDestroys {
			wrong.ErrorRetryCondition = "Will retry in " + tick(x).String()
		}
	}
	st.SetFrom(fromVolume, wrong, x.Wall)
	a.putVolume(x, key, &st)
}

// sweepOrphans removes volumes on the disk that no configuration knows, at the garbage collector's
// pace, and only once the configuration is known and the device is not in maintenance.
func (a *volumemgr) sweepOrphans(x *pass) {
	for _, key := range a.removeVolume.Keys() {
		if a.seenVolumes.Get(key) == nil && a.volumes.Get(key) == nil && a.pending.Get(key) == nil {
			a.removeVolume.Drop(key)
		}
	}
	orphans := a.orphans()
	if len(orphans) == 0 {
		a.sweeps.Delete(entity.Global)
		return
	}
	due := a.sweeps.Get(entity.Global)
	if due == nil {
		a.sweeps.Put(orphanSweep{At: x.Now + tick(x)})
	} else if x.Now >= due.At {
		a.sweeps.Put(orphanSweep{At: x.Now + tick(x)})
		for _, key := range orphans {
			if a.maintenance() {
				break
			}
			if c := a.removeVolume.Want(key, store.VolumeReq{VolumeKey: key}); c.Over() {
				a.removeVolume.Redo(key)
			}
		}
	}
	x.WakeAt("orphans", a.sweeps.Get(entity.Global).At)
}

// orphans lists, in key order, the volumes on the disk that nobody knows.
func (a *volumemgr) orphans() (out []string) {
	if !a.volumeConfigs.Complete() || !a.refConfigs.Complete() || !a.seenVolumes.Complete() {
		return nil
	}
	for _, s := range a.strays.Prefixed(strayVolume) {
		out = append(out, s.ID)
	}
	return out
}

func (a *volumemgr) maintenance() bool {
	z, n := a.zedagent.Get("zedagent"), a.nodeagent.Get("nodeagent")
	return z != nil && z.MaintenanceMode || n != nil && n.LocalMaintenanceMode
}
