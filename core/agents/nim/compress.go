package nim

import (
	"slices"

	"github.com/evetwin/evetwin/core/topics/network"
)

// compress keeps of a list what may still be needed: the first, the current one, the highest that
// works, or the one that worked last if none does now; the newest of the controller; as long as
// none of the controller's ever worked, the newest of each key; a manual one unless a higher one
// works; last resort where it is allowed. It returns where the current one is now. It must not be
// called while a verification runs.
func compress(list []network.DevicePortConfig, current int, lastResort bool) (
	[]network.DevicePortConfig, int) {
	everWorked := slices.ContainsFunc(list, func(d network.DevicePortConfig) bool {
		return d.DPCKey == keyController && !d.LastSucceeded.IsZero()
	})
	recent := mostRecent(list)
	var out []network.DevicePortConfig
	at, working := -1, false
	for i := range list {
		d := &list[i]
		newest := !slices.ContainsFunc(out, func(o network.DevicePortConfig) bool {
			return o.DPCKey == d.DPCKey
		})
		keep := i == 0 || i == current || i == recent ||
			!working && (d.Working() || d.DPCKey == keyManual) ||
			newest && (d.DPCKey == keyController || !everWorked) ||
			lastResort && d.DPCKey == keyLastResort
		if !keep {
			continue
		}
		if i == current {
			at = len(out)
		}
		working = working || d.Working()
		out = append(out, *d)
	}
	return out, at
}

// mostRecent is the index of the configuration that worked last if none works now, else -1. While
// the controller is out of reach all fail, and the way back to it must not be forgotten.
func mostRecent(list []network.DevicePortConfig) int {
	at := -1
	for i := range list {
		d := &list[i]
		switch {
		case d.Working():
			return -1
		case d.LastSucceeded.IsZero():
		case at < 0 || d.LastSucceeded.After(list[at].LastSucceeded):
			at = i
		}
	}
	return at
}
