package nim

import (
	"slices"

	"github.com/evetwin/evetwin/core/topics/network"
)

// before reports whether a outranks b: a manual configuration first, then the controller's before
// all others, then the one with the newer time.
func before(a, b *network.DevicePortConfig) bool {
	if am, bm := a.DPCKey == keyManual, b.DPCKey == keyManual; am != bm {
		return am
	}
	if ac, bc := a.DPCKey == keyController, b.DPCKey == keyController; ac != bc {
		return ac
	}
	return a.TimePriority.After(b.TimePriority)
}

// find looks for a configuration in the list: the same version, key and time, else the same
// content.
func find(list []network.DevicePortConfig, d *network.DevicePortConfig) int {
	i := slices.IndexFunc(list, func(o network.DevicePortConfig) bool {
		return o.Version == d.Version && identify(&o).is(d)
	})
	if i < 0 {
		i = slices.IndexFunc(list, func(o network.DevicePortConfig) bool {
			return o.Version == d.Version && mostlyEqual(&o, d)
		})
	}
	return i
}

// index is the place of an identity in the list, -1 if it is not there.
func index(list []network.DevicePortConfig, id identity) int {
	return slices.IndexFunc(list, func(o network.DevicePortConfig) bool { return id.is(&o) })
}

// insert returns the list with d at its place; among equals the newcomer is last.
func insert(list []network.DevicePortConfig, d network.DevicePortConfig,
) []network.DevicePortConfig {
	at := slices.IndexFunc(list, func(o network.DevicePortConfig) bool { return before(&d, &o) })
	if at < 0 {
		at = len(list)
	}
	return slices.Insert(slices.Clone(list), at, d)
}

// update returns the list with d added, or in place of its older self, and whether that changed
// what there is to verify. A list is never written to: rows are immutable.
func update(list []network.DevicePortConfig, d network.DevicePortConfig, current int) (
	[]network.DevicePortConfig, bool) {
	if d.DPCKey == keyManual || d.DPCKey == keyLastResort {
		list = replaceOnly(list, &d)
	}
	i := find(list, &d)
	if i < 0 {
		return insert(list, d), true
	}
	same := mostlyEqual(&list[i], &d)
	if same && (i == 0 && current == 0 || list[i].TimePriority.Equal(d.TimePriority)) {
		return list, false
	}
	if same {
		d.TestResults, d.State, d.LastIPAndDNS = list[i].TestResults, list[i].State, list[i].LastIPAndDNS
		for k := range d.Ports {
			d.Ports[k].TestResults = list[i].Ports[k].TestResults
		}
	}
	return insert(slices.Delete(slices.Clone(list), i, i+1), d), true
}

// replaceOnly removes another configuration of a key that may be there once.
func replaceOnly(list []network.DevicePortConfig, d *network.DevicePortConfig,
) []network.DevicePortConfig {
	return slices.DeleteFunc(slices.Clone(list), func(o network.DevicePortConfig) bool {
		return o.DPCKey == d.DPCKey && !mostlyEqual(&o, d)
	})
}

// remove returns the list without the configurations of a key, and whether there were any.
func remove(list []network.DevicePortConfig, key string) ([]network.DevicePortConfig, bool) {
	out := slices.DeleteFunc(slices.Clone(list), func(o network.DevicePortConfig) bool {
		return o.DPCKey == key
	})
	return out, len(out) != len(list)
}

// loaded is what a list of before the boot is worth: results are forgotten, save the errors of the
// configuration itself; what can never be used is dropped; nothing is selected.
func loaded(list []network.DevicePortConfig) []network.DevicePortConfig {
	var out []network.DevicePortConfig
	for _, d := range list {
		d = sanitize(d, false)
		if mgmtPorts(&d, false) == 0 || !trustable(&d) {
			continue
		}
		for i := range d.Ports {
			if p := &d.Ports[i]; !p.InvalidConfig {
				p.TestResults = network.TestResults{}
			}
		}
		out = append(out, d)
	}
	return out
}
