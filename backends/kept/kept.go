// Package kept is what every part store does with the files of the device that hold secrets: what
// they are, and what an agent is handed of them. It uses the keeper of secrets and so belongs to
// the device's loop.
package kept

import (
	device "github.com/evetwin/evetwin/core/device/store"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// Configurations are the files that hold one, in the order in which a boot learns from them.
var Configurations = [...]string{device.BootstrapConfig, device.BackupConfig, device.SavedConfig}

// Read is what an agent is handed of a file: references instead of secrets, where there may be
// some. Whoever hands it out holds what was kept of it.
func Read(k *secret.Keeper, path string, data []byte) (out device.ReadRes) {
	switch {
	case len(data) == 0:
	case path == device.SavedConfig || path == device.BackupConfig:
		out.Data, out.Kept = k.Answer(data)
	case path == device.BootstrapConfig:
		out.Data, out.Kept = k.Bootstrap(data)
	default:
		out.Data = data
	}
	return out
}
