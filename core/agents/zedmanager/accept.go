package zedmanager

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// Sources of errors.
const (
	fromStatus  = "AppInstanceStatus"
	fromConfig  = "AppInstanceConfig"
	fromVolume  = "VolumeRefStatus"
	fromNetwork = "AppNetworkStatus"
	fromDomain  = "DomainStatus"
)

// acceptance is the configuration in force of an application: the last one that was not refused.
type acceptance struct{ Config app.AppInstanceConfig }

// Key is the application's UUID.
func (c acceptance) Key() string { return c.Config.UUID }

var acceptances = bus.NewTopic[acceptance](bus.Decl{Owner: "zedmanager", Name: "AcceptedConfig",
	MaxBytes: 256 << 10})

// accept judges a configuration and returns the one in force, nil if there is none. What the
// commands in it start is noted in the status.
func (a *zedmanager) accept(t *round, cfg *app.AppInstanceConfig,
	st *app.AppInstanceStatus) *app.AppInstanceConfig {
	have := a.accepted.Get(cfg.UUID)
	wrong := invalid(cfg)
	if wrong == "" {
		wrong = a.crowded(cfg)
	}
	if wrong != "" {
		st.SetFrom(fromStatus, entity.ErrorDescription{Error: wrong}, t.Wall)
		if have == nil {
			return nil
		}
		return &have.Config
	}
	switch {
	case have == nil:
		a.accepted.Put(acceptance{*cfg})
		st.ClearFrom(fromStatus)
		a.baseline(t, cfg, st)
	default:
		old := &have.Config
		restarts, purges := restarts(cfg) != restarts(old), purges(cfg) != purges(old)
		if wrong := refusal(old, cfg, restarts, purges); wrong != "" {
			st.SetFrom(fromStatus, entity.ErrorDescription{Error: wrong}, t.Wall)
			return old
		}
		a.accepted.Put(acceptance{*cfg})
		st.ClearFrom(fromStatus)
		switch {
		case purges:
			a.startPurge(t, cfg.UUID, st)
		case restarts:
			a.startRestart(t, cfg, st)
		}
	}
	return &a.accepted.Get(cfg.UUID).Config
}

// invalid says why no application can be made of a configuration.
func invalid(cfg *app.AppInstanceConfig) string {
	switch {
	case len(cfg.Errors) > 0:
		return strings.Join(cfg.Errors, "\n")
	case cfg.FixedResources.Memory == 0:
		return "Invalid Memory Size - 0"
	case cfg.FixedResources.VCpus == 0:
		return "Invalid Cpu count - 0"
	case len(cfg.VolumeRefConfigList) > maxAppVolumes:
		return fmt.Sprintf("%d volumes, at most %d are supported", len(cfg.VolumeRefConfigList),
			maxAppVolumes)
	}
	return ""
}

// Limits of volumes: of one application, and of all together, where one that several applications
// use counts for each.
const (
	maxAppVolumes = 128
	maxVolumes    = 4000
)

// crowded says that the volumes of an application are too many beside those of the others, empty if
// they are not.
func (a *zedmanager) crowded(cfg *app.AppInstanceConfig) string {
	fresh := 0
	for _, ref := range cfg.VolumeRefConfigList {
		if ref.AppUUID = cfg.UUID; a.refs.Get(ref.Key()) == nil {
			fresh++
		}
	}
	if fresh == 0 || a.refs.Len()+fresh <= maxVolumes {
		return ""
	}
	return tooManyVolumes
}

// tooManyVolumes is the error of an application that would exceed maxVolumes.
const tooManyVolumes = "the applications use more than 4000 volumes"

// Counters of commands, of the controller and of the local profile server together. They are
// compared with "different", not with "greater": a lowered counter is a command, too.
func restarts(c *app.AppInstanceConfig) uint32 {
	return c.RestartCmd.Counter + c.LocalRestartCmd.Counter
}

func purges(c *app.AppInstanceConfig) uint32 { return c.PurgeCmd.Counter + c.LocalPurgeCmd.Counter }

// refusal says which command a change lacks, empty if it may be taken over.
func refusal(old, cfg *app.AppInstanceConfig, restarts, purges bool) string {
	if why := needsPurge(old, cfg); len(why) > 0 && !purges {
		return "Need purge due to " + strings.Join(why, ", ") + " but not a purgeCmd"
	}
	if why := needsRestart(old, cfg); len(why) > 0 && !restarts && !purges {
		return "Need restart due to " + strings.Join(why, ", ") + " but not a restartCmd"
	}
	return ""
}

func needsPurge(old, cfg *app.AppInstanceConfig) (why []string) {
	if n, m := len(old.VolumeRefConfigList), len(cfg.VolumeRefConfigList); n != m {
		why = append(why, fmt.Sprintf("number of volumes changed from %d to %d", n, m))
	}
	for i := range cfg.VolumeRefConfigList {
		key := cfg.VolumeRefConfigList[i].VolumeKey()
		if !slices.ContainsFunc(old.VolumeRefConfigList, func(v volume.VolumeRefConfig) bool {
			return v.VolumeKey() == key
		}) {
			why = append(why, "new volume "+key)
		}
	}
	if !slices.Equal(old.IoAdapterList, cfg.IoAdapterList) {
		why = append(why, "adapters changed")
	}
	return why
}

func needsRestart(old, cfg *app.AppInstanceConfig) (why []string) {
	x, y := old.FixedResources, cfg.FixedResources
	if x.Memory != y.Memory || x.MaxMem != y.MaxMem {
		why = append(why, fmt.Sprintf("memory changed from %d to %d", x.Memory, y.Memory))
	}
	if x.VCpus != y.VCpus || x.MaxCpus != y.MaxCpus {
		why = append(why, fmt.Sprintf("vCPUs changed from %d to %d", x.VCpus, y.VCpus))
	}
	x.Memory, x.MaxMem, x.VCpus, x.MaxCpus, x.BootOrder = y.Memory, y.MaxMem, y.VCpus, y.MaxCpus,
		y.BootOrder
	if x != y {
		why = append(why, "resources changed")
	}
	return why
}

// baseline compares the purge counter of an application that is new since boot with the one it was
// made or purged with last: a purge that was asked for while the device was off still happens.
func (a *zedmanager) baseline(t *round, cfg *app.AppInstanceConfig,
	st *app.AppInstanceStatus) {
	switch last := a.purges.Get(cfg.UUID); {
	case last == nil:
		a.purges.Put(app.PurgeCounter{AppID: cfg.UUID, Counter: purges(cfg)})
	case last.Counter != purges(cfg):
		a.startPurge(t, cfg.UUID, st)
	}
}

// startPurge begins a purge. One under way whose application is being halted already takes the new
// configuration in.
func (a *zedmanager) startPurge(t *round, id string, st *app.AppInstanceStatus) {
	st.PurgeStartedAt, st.RestartInprogress = t.Wall, app.NotInprogress
	if st.PurgeInprogress == app.NotInprogress || st.PurgeInprogress == app.BringUp {
		st.PurgeInprogress = app.DownloadAndVerify
	}
}

// startRestart begins a restart of an application that was started; else the command is spent.
func (a *zedmanager) startRestart(t *round, cfg *app.AppInstanceConfig,
	st *app.AppInstanceStatus) {
	d := a.domains.Get(cfg.UUID)
	purging := st.PurgeInprogress != app.NotInprogress && st.PurgeInprogress != app.BringUp
	if d != nil && d.Activate && a.effective(cfg) && !purging {
		st.RestartInprogress, st.RestartStartedAt = app.BringDown, t.Wall
	}
}
