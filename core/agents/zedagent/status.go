package zedagent

import (
	"strings"

	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// maintenanceAsked is EVE's number of the reason that a user asked for maintenance.
const maintenanceAsked = 1

// retryCondition says when the device tries again.
const retryCondition = "tried again at timer.config.interval, and when the network changes"

// fault notes why the newest request went wrong; an empty text clears it.
func (x *turn) fault(text string) {
	x.s.Error.Set(entity.ErrorDescription{Error: text, ErrorRetryCondition: retryCondition}, x.t.Wall)
}

// tell publishes what the agent is at and asks of others.
func (x *turn) tell() {
	n := x.nodeStatus()
	z := node.ZedAgentStatus{
		Name: "zedagent", ConfigGetStatus: x.s.GetStatus, RebootCmd: x.s.Reboot,
		ShutdownCmd: x.s.Shutdown, MaintenanceMode: x.s.Maintenance,
		AirgapMode:         x.settings().Bool(config.AirgapMode),
		LastReceivedConfig: x.s.Received, LastProcessedConfig: x.s.Processed,
		ConfigVersion: x.s.Version, ControllerEpoch: x.s.Epoch,
		ForceFallbackCounter: x.settings().Uint(config.ForceFallbackCounter),
		DeviceState:          x.deviceState(&n),
	}
	z.MaintenanceModeReasons = x.maintenanceReasons(&n)
	switch {
	case z.RebootCmd:
		z.RequestedRebootReason, z.RequestedBootReason = rebootReason, node.BootReasonRebootCmd
	case z.ShutdownCmd:
		z.RequestedRebootReason = shutdownReason
	}
	if c := x.a.counters.Get(rebootCommand); c != nil {
		z.RebootConfigCounter = c.Counter
	}
	if c := x.a.counters.Get(shutdownCommand); c != nil {
		z.ShutdownConfigCounter = c.Counter
	}
	if old := x.a.status.Get(z.Name); old != nil {
		z.ErrorAndTime = old.ErrorAndTime
	}
	z.ErrorDescription.Set(x.problem(), x.t.Wall)
	x.a.status.Put(z)
}

// problem joins the fault of the newest request with what was wrong in the configuration, and in
// the files of the installer.
func (x *turn) problem() entity.ErrorDescription {
	d := x.s.Error
	if x.s.Spoiled != "" {
		d = entity.Join(d, entity.ErrorDescription{Error: x.s.Spoiled,
			ErrorRetryCondition: "read again when the device boots without a saved configuration"})
	}
	var texts []string
	for _, s := range x.a.out.sections.All() {
		texts = append(texts, s.Errors...)
	}
	if len(texts) == 0 {
		return d
	}
	text := strings.Join(texts, "\n")
	if len(text) > 4000 {
		text = strings.ToValidUTF8(text[:4000], "") + "..."
	}
	return entity.Join(d, entity.ErrorDescription{Error: text,
		ErrorRetryCondition: "corrected by another configuration"})
}

// maintenanceReasons says why the device is in maintenance.
func (x *turn) maintenanceReasons(n *node.NodeAgentStatus) []uint8 {
	switch {
	case !x.s.Maintenance:
		return nil
	case x.s.AskedMaintenance ||
		x.settings().Text(config.MaintenanceMode) == config.TristateEnabled:
		return []uint8{maintenanceAsked}
	}
	return n.LocalMaintenanceModeReasons
}

// deviceState is what the controller is told the device is doing; the first that fits.
func (x *turn) deviceState(n *node.NodeAgentStatus) node.DeviceState {
	switch {
	case x.s.Maintenance:
		return node.StateMaintenance
	case n.UpdateInprogress:
		return node.StateBaseOSUpdating
	case x.s.Reboot || n.DeviceReboot:
		return node.StateRebooting
	case (x.s.Shutdown || n.DeviceShutdown) && n.AllDomainsHalted:
		return node.StatePreparedPoweroff
	case x.s.Shutdown || n.DeviceShutdown:
		return node.StatePreparingPoweroff
	case n.DevicePoweroff:
		return node.StatePoweringOff
	case x.s.Got || x.s.GotSaved:
		return node.StateOnline
	}
	return node.StateBooting
}

// light makes the LED say something, unless it says so already.
func (x *turn) light(code node.LedBlinkCount) {
	if l := x.a.led.Get(node.LedBlinkCounter{}.Key()); l == nil || l.BlinkCounter != code {
		x.a.led.Put(node.LedBlinkCounter{BlinkCounter: code, Since: int64(x.t.Now)})
	}
}

// dim takes back the word that all is well; a more exact complaint stays.
func (x *turn) dim(code node.LedBlinkCount) {
	l := x.a.led.Get(node.LedBlinkCounter{}.Key())
	if l == nil || l.BlinkCounter == node.LedOnboarded || l.BlinkCounter == node.LedConnecting {
		x.light(code)
	}
}
