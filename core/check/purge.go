package check

import (
	"github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// purgeKeeps: what is lost in a purge that cannot be finished is lost for good.
func purgeKeeps() Rule {
	return Rule{Name: "purge-keeps", Covers: []string{"APP-7"},
		Says: "A purge gives the volumes up that an application has only when all that take their " +
			"place are verified and loaded.",
		New: func(e *Ear) {
			OnRow(e, volume.Refs, func(key string, was, now *volume.VolumeRefConfig) {
				if was == nil || now != nil || Get(e, store.Volumes, was.VolumeKey()) == nil {
					return
				}
				judgePurge(e, key, was)
			})
		}}
}

// judgePurge looks at an application that gives a volume up which is on the disk.
//
// EVE: a volume whose configuration was replaced before volumemgr came to it after a boot is one
// that nobody knows, and is collected.
func judgePurge(e *Ear, key string, old *volume.VolumeRefConfig) {
	if Gone(e, app.Configs, old.AppUUID) || Get(e, app.Statuses, old.AppUUID) == nil {
		return // it is deleted
	}
	if Get(e, volume.Statuses, old.VolumeKey()) == nil {
		return
	}
	e.Judged()
	for k, ref := range Rows(e, volume.Refs) {
		if ref.AppUUID != old.AppUUID {
			continue
		}
		st := Get(e, volume.Statuses, ref.VolumeKey())
		if st == nil || st.State < entity.LOADED {
			e.Break(volume.Refs.String(), key, "it is given up before %s is loaded", k)
		}
	}
}
