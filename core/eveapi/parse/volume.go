package parse

import (
	"github.com/lf-edge/eve-api/go/config"

	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// Volumes reads the volumes. apps tells which of them no application refers to.
func Volumes(list []*config.Volume, apps []app.AppInstanceConfig) ([]volume.VolumeConfig, string) {
	used := map[string]bool{}
	for i := range apps {
		for _, r := range apps[i].VolumeRefConfigList {
			used[r.VolumeKey()] = true
		}
	}
	var rows []volume.VolumeConfig
	for i, v := range list {
		row := readVolume(v, i)
		row.HasNoAppReferences = !used[row.Key()]
		rows = append(rows, row)
	}
	out, dropped := unique(rows, func(v *volume.VolumeConfig) {
		v.ParseError = joinError(v.ParseError, "another volume has the same UUID and generation")
	})
	return out, tooMany("volumes", dropped)
}

func readVolume(v *config.Volume, index int) volume.VolumeConfig {
	out := volume.VolumeConfig{
		ReadOnly: v.GetReadonly(), GenerationCounter: v.GetGenerationCount(),
		Encrypted: !v.GetClearText(), DisplayName: clip(v.GetDisplayName(), 1000),
	}
	var errs wrongs
	var wrong string
	out.VolumeID, wrong = readUUID(v.GetUuid(), index)
	errs.add(wrong)
	if size := v.GetMaxsizebytes(); size < 0 {
		errs.add("its size is negative")
	} else {
		out.MaxVolSize = uint64(size)
	}
	if t := v.GetTarget(); t >= 0 && t <= config.Target_AppCustom {
		out.Target = volume.Target(t)
	} else {
		errs.add("target ", number(int(t)), " is unknown")
	}
	errs.add(readOrigin(&out, v.GetOrigin()))
	out.ParseError = errs.String()
	return out
}

func readOrigin(out *volume.VolumeConfig, o *config.VolumeContentOrigin) string {
	switch t := o.GetType(); {
	case o == nil:
		return "it has no origin"
	case t == config.VolumeContentOriginType_VCOT_BLANK:
		out.VolumeContentOriginType = volume.OriginBlank
		if out.MaxVolSize == 0 {
			return "a blank volume needs a size"
		}
	case t == config.VolumeContentOriginType_VCOT_DOWNLOAD:
		out.VolumeContentOriginType = volume.OriginDownload
		id, ok := refUUID(o.GetDownloadContentTreeID())
		if !ok {
			return "content tree " + quote(o.GetDownloadContentTreeID()) + " is not a UUID"
		}
		out.ContentID = id
	default:
		return "origin " + number(int(t)) + " is unknown"
	}
	return ""
}
