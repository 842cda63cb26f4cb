package check

import (
	"time"

	"github.com/lf-edge/eve-api/go/info"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/node"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// told is what the controller was told last of one entity.
type told struct {
	typ info.ZInfoTypes
	id  string
}

// infoArrives: a state that was lost on the way is wrong for ever.
//
// EVE: what the device does not know any more after a boot, because it was removed shortly before
// or while the device was off, it does not tell of either. Only what went in this boot is judged,
// and not what came and went so soon that zedagent-info may never have looked at it.
func infoArrives() Rule {
	return Rule{Name: "info-arrives", Covers: []string{"API-37", "API-39", "API-41"}, Live: true,
		Says: "At last what the controller was told of every object is what the device says of it, and " +
			"of what is gone it was told only the name.",
		New: func(e *Ear) {
			t := &telling{e: e, last: map[told]*info.ZInfoMsg{}, left: map[told]bool{},
				came: map[told]time.Duration{}}
			e.OnBoot(func(Boot) { clear(t.left); clear(t.came) })
			OnRow(e, app.Statuses, leaves[app.AppInstanceStatus](t, info.ZInfoTypes_ZiApp, nil))
			OnRow(e, network.InstanceStatus,
				leaves[network.NetworkInstanceStatus](t, info.ZInfoTypes_ZiNetworkInstance, nil))
			OnRow(e, content.TreeStatuses,
				leaves[content.ContentTreeStatus](t, info.ZInfoTypes_ZiContentTree, nil))
			OnRow(e, volume.Statuses, leaves(t, info.ZInfoTypes_ZiVolume,
				func(v *volume.VolumeStatus) string { return v.VolumeID }))
			e.OnInfo(func(m *info.ZInfoMsg) {
				id := told{m.GetZtype(), eveapi.InfoEntity(m)}
				if _, known := t.last[id]; !known {
					t.order = append(t.order, id)
				}
				t.last[id] = m
			})
			e.OnEnd(func(time.Duration) {
				if connected(e) {
					t.compare()
				}
			})
		}}
}

// connected reports whether the device is onboarded and has a way to the controller.
func connected(e *Ear) bool {
	n := Get(e, network.DNS, entity.Global)
	return e.UUID() != "" && n != nil && n.State == network.DPCSuccess
}

type telling struct {
	e     *Ear
	last  map[told]*info.ZInfoMsg
	order []told        // in the order of their first message
	left  map[told]bool // gone since the boot, after it was there for a while
	came  map[told]time.Duration
}

// leaves notes what goes; id is what the controller calls it, nil: its key.
func leaves[V any](t *telling, typ info.ZInfoTypes, id func(*V) string) func(string, *V, *V) {
	return func(key string, was, now *V) {
		if was != nil && id != nil {
			key = id(was)
		}
		what := told{typ, key}
		switch {
		case was == nil:
			t.came[what] = t.e.Now()
		case now == nil && t.e.Now()-t.came[what] >= Grace:
			t.left[what] = true
		}
	}
}

// statesTold are the states that the controller knows under another name than the device.
var statesTold = map[entity.SwState]info.ZSwState{
	entity.DOWNLOADING: info.ZSwState_DOWNLOAD_STARTED, entity.LOADED: info.ZSwState_DELIVERED,
	entity.PAUSING: info.ZSwState_RUNNING, entity.PAUSED: info.ZSwState_INSTALLED,
	entity.BROKEN: info.ZSwState_HALTING, entity.FAILED: info.ZSwState_ERROR,
	entity.UNKNOWN: info.ZSwState_RUNNING, entity.REMOTELOADED: info.ZSwState_LOADED,
}

// stateTold is a state as the controller is told of it.
func stateTold(s entity.SwState) info.ZSwState {
	if t, ok := statesTold[s]; ok {
		return t
	}
	return info.ZSwState(info.ZSwState_value[s.String()])
}

// one compares what was told of an object: its state and its error.
func (t *telling) one(where string, id told, wantState, state, wantErr, err string) {
	t.e.Judged()
	switch {
	case t.last[id] == nil:
		t.e.Break(where, id.id, "it is %s, and the controller was told nothing of it", wantState)
	case wantState != state:
		t.e.Break(where, id.id, "it is %s, and the controller was told %s last", wantState, state)
	case wantErr != err:
		t.e.Break(where, id.id, "its error is %q, and the controller was told %q last", wantErr, err)
	}
}

func (t *telling) compare() {
	there := map[told]bool{}
	for key, st := range Rows(t.e, app.Statuses) {
		id := told{info.ZInfoTypes_ZiApp, key}
		m := t.last[id].GetAinfo()
		there[id] = true
		t.one(app.Statuses.String(), id, stateTold(st.State).String(), m.GetState().String(), st.Error,
			firstError(m.GetAppErr()))
	}
	for key, st := range Rows(t.e, network.InstanceStatus) {
		id := told{info.ZInfoTypes_ZiNetworkInstance, key}
		m := t.last[id].GetNiinfo()
		there[id] = true
		t.one(network.InstanceStatus.String(), id, onOff(st.Activated), onOff(m.GetActivated()),
			st.NetworkErr.Error, firstError(m.GetNetworkErr()))
	}
	for key, st := range Rows(t.e, content.TreeStatuses) {
		id := told{info.ZInfoTypes_ZiContentTree, key}
		m := t.last[id].GetCinfo()
		there[id] = true
		t.one(content.TreeStatuses.String(), id, stateTold(st.State).String(), m.GetState().String(),
			st.Error, m.GetErr().GetDescription())
	}
	t.volumes(there)
	t.device()
	for _, id := range t.order {
		if !there[id] && t.left[id] {
			t.gone(id)
		}
	}
}

// volumes compares volumes, of which a purge may leave two under one name.
func (t *telling) volumes(there map[told]bool) {
	count := map[string]int{}
	for _, st := range Rows(t.e, volume.Statuses) {
		count[st.VolumeID]++
	}
	for _, st := range Rows(t.e, volume.Statuses) {
		id := told{info.ZInfoTypes_ZiVolume, st.VolumeID}
		there[id] = true
		if m := t.last[id].GetVinfo(); count[st.VolumeID] == 1 {
			t.one(volume.Statuses.String(), id, stateTold(st.State).String(), m.GetState().String(),
				st.Error, m.GetVolumeErr().GetDescription())
		}
	}
}

// device compares the device's own state.
func (t *telling) device() {
	z := Get(t.e, node.ZedAgent, "zedagent")
	if z == nil {
		return
	}
	id := told{info.ZInfoTypes_ZiDevice, t.e.UUID()}
	m := t.last[id].GetDinfo()
	t.one(node.ZedAgent.String(), id, z.DeviceState.String(),
		node.DeviceState(m.GetState()).String(), onOff(z.MaintenanceMode), onOff(m.GetMaintenanceMode()))
}

// gone judges what was told of an object that is not there.
func (t *telling) gone(id told) {
	m := t.last[id]
	more := ""
	switch id.typ {
	case info.ZInfoTypes_ZiApp:
		more = m.GetAinfo().GetState().String()
	case info.ZInfoTypes_ZiNetworkInstance:
		more = onOff(m.GetNiinfo().GetActivated())
	case info.ZInfoTypes_ZiContentTree:
		more = m.GetCinfo().GetState().String()
	case info.ZInfoTypes_ZiVolume:
		more = m.GetVinfo().GetState().String()
	default:
		return
	}
	t.e.Judged()
	if more != info.ZSwState_INVALID.String() && more != onOff(false) {
		t.e.Break("info "+id.typ.String(), id.id,
			"it is gone, and the controller was told last that it is %s", more)
	}
}

func firstError(list []*info.ErrorInfo) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].GetDescription()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
