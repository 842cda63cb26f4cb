package parse

import (
	"time"

	"github.com/lf-edge/eve-api/go/config"

	items "github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/node"
)

// Command is a command to the device: a counter that differs from the stored one asks for it. What
// else a DeviceOpsCmd says is ignored.
type Command struct {
	Present bool
	Counter uint32
}

// Base is what a configuration says of the device as a whole.
type Base struct {
	Version          string // id.version
	Reboot, Shutdown Command
	// Timestamp is when the controller made the configuration; zero if it does not say. An older one
	// than applied before is a replay.
	Timestamp       time.Time
	MaintenanceMode bool
	Epoch           int64
	// CertsHash changes when the controller's certificates do; opaque.
	CertsHash string
	Names     node.EdgeNodeInfo
}

// ReadBase reads what concerns the device as a whole.
func ReadBase(c *config.EdgeDevConfig) Base {
	b := Base{
		Version: clip(c.GetId().GetVersion(), 60), MaintenanceMode: c.GetMaintenanceMode(),
		Epoch: c.GetControllerEpoch(), CertsHash: clip(c.GetControllercertConfighash(), 250),
		Reboot:   Command{c.GetReboot() != nil, c.GetReboot().GetCounter()},
		Shutdown: Command{c.GetShutdown() != nil, c.GetShutdown().GetCounter()},
		Names: node.EdgeNodeInfo{
			DeviceName: clip(c.GetDeviceName(), 250), ProjectName: clip(c.GetProjectName(), 250),
			ProjectID: clip(c.GetProjectId(), 250), EnterpriseName: clip(c.GetEnterpriseName(), 250),
			EnterpriseID: clip(c.GetEnterpriseId(), 250),
		},
	}
	if t := c.GetConfigTimestamp(); t != nil && t.IsValid() && t.AsTime().Unix() != 0 {
		b.Timestamp = t.AsTime()
	}
	return b
}

// Items lists the settings of a configuration as they were sent.
func Items(list []*config.ConfigItem) []items.Value {
	out := make([]items.Value, 0, len(list))
	for _, i := range list {
		out = append(out, items.Value{Key: i.GetKey(), Value: i.GetValue()})
	}
	return out
}
