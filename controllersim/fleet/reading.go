package fleet

import (
	"slices"
	"strings"

	"github.com/evetwin/evetwin/core/eveapi"
	"github.com/lf-edge/eve-api/go/info"
	"github.com/lf-edge/eve-api/go/metrics"
)

// LastInfo is the newest info message of a type on an entity, nil if there was none.
func (d *Device) LastInfo(typ info.ZInfoTypes, entity string) *info.ZInfoMsg {
	r, ok := d.Last(eveapi.Info, typ, entity)
	if !ok {
		return nil
	}
	m, err := eveapi.ParseInfo(r.Body)
	if err != nil {
		return nil
	}
	return m
}

// LastInfos are the newest info messages of a type, one for each entity, by entity.
func (d *Device) LastInfos(typ info.ZInfoTypes) []*info.ZInfoMsg {
	var found []Report
	for key, r := range d.reports.last { //order: sorted below
		if key.kind == eveapi.Info && key.typ == typ {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b Report) int { return strings.Compare(a.Entity, b.Entity) })
	out := make([]*info.ZInfoMsg, 0, len(found))
	for _, r := range found {
		if m, err := eveapi.ParseInfo(r.Body); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// DeviceInfo is what the device last said of itself, nil before it did.
func (d *Device) DeviceInfo() *info.ZInfoDevice {
	return d.LastInfo(info.ZInfoTypes_ZiDevice, d.uuid).GetDinfo()
}

// AppInfo is what the device last said of an application, nil before it did.
func (d *Device) AppInfo(uuid string) *info.ZInfoApp {
	return d.LastInfo(info.ZInfoTypes_ZiApp, uuid).GetAinfo()
}

// VolumeInfo is what the device last said of a volume, nil before it did.
func (d *Device) VolumeInfo(uuid string) *info.ZInfoVolume {
	return d.LastInfo(info.ZInfoTypes_ZiVolume, uuid).GetVinfo()
}

// ContentInfo is what the device last said of a content tree, nil before it did.
func (d *Device) ContentInfo(uuid string) *info.ZInfoContentTree {
	return d.LastInfo(info.ZInfoTypes_ZiContentTree, uuid).GetCinfo()
}

// NetworkInfo is what the device last said of a network instance, nil before it did.
func (d *Device) NetworkInfo(uuid string) *info.ZInfoNetworkInstance {
	return d.LastInfo(info.ZInfoTypes_ZiNetworkInstance, uuid).GetNiinfo()
}

// Metrics are the device's newest metrics, nil before the first.
func (d *Device) Metrics() *metrics.ZMetricMsg {
	r, ok := d.Last(eveapi.Metrics, 0, "")
	if !ok {
		return nil
	}
	m, err := eveapi.ParseMetrics(r.Body)
	if err != nil {
		return nil
	}
	return m
}
