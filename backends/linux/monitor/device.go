package monitor

import (
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/node"
)

// nobody is the UUID of a device that is not onboarded.
const nobody = "00000000-0000-0000-0000-000000000000"

// deviceStatus is EVE's DeviceStatus.
type deviceStatus struct {
	Server          string      `json:"server"`
	NodeUUID        string      `json:"nodeUuid"`
	Onboarded       bool        `json:"onboarded"`
	NodeName        string      `json:"nodeName"`
	Serial          string      `json:"serial"`
	HardwareModel   string      `json:"hardwareModel"`
	ConfigStatus    string      `json:"configStatus"`
	DeviceState     string      `json:"deviceState"`
	BootReason      string      `json:"bootReason"`
	RebootReason    string      `json:"rebootReason"`
	MaintenanceMode bool        `json:"maintenanceMode"`
	AttestState     string      `json:"attestState"`
	AttestError     string      `json:"attestError"`
	Vault           vaultStatus `json:"vault"`
}

// vaultStatus is EVE's VaultStatus, of which only "unknown" is told: no agent has a vault yet.
type vaultStatus struct {
	State string `json:"state"`
}

// device is who the device is, and how it does.
func (v *view) device() deviceStatus {
	out := deviceStatus{Server: v.server(), NodeUUID: nobody, ConfigStatus: "fail",
		DeviceState: "unspecified", BootReason: "none", AttestState: "none",
		Vault: vaultStatus{"unknown"}}
	if who := get(v, node.Onboarding, entity.Global); who != nil && who.DeviceUUID != "" {
		out.NodeUUID, out.Onboarded, out.HardwareModel = who.DeviceUUID, true, who.HardwareModel
	}
	if h := get(v, hyper.Host, (hyper.HostSeen{}).Key()); h != nil {
		out.Serial = h.Serial
		if out.HardwareModel == "" {
			out.HardwareModel = h.Product
		}
	}
	if i := get(v, node.Info, entity.Global); i != nil {
		out.NodeName = i.DeviceName
	}
	if z := get(v, node.ZedAgent, "zedagent"); z != nil {
		out.ConfigStatus, out.DeviceState = configStatus(z.ConfigGetStatus), deviceState(z.DeviceState)
		out.MaintenanceMode = z.MaintenanceMode
	}
	if n := get(v, node.NodeAgent, "nodeagent"); n != nil {
		out.BootReason, out.RebootReason = bootReason(n.BootReason), n.RebootReason
	}
	return out
}

// configStatus names how the last request for a configuration ended; there is no name for a device
// that has not asked yet.
func configStatus(s node.ConfigGetStatus) string {
	switch s {
	case node.ConfigGetSuccess:
		return "success"
	case node.ConfigGetTemporaryFail:
		return "temporaryFail"
	case node.ConfigGetReadSaved:
		return "readSaved"
	}
	return "fail"
}

func deviceState(s node.DeviceState) string {
	names := [...]string{"unspecified", "online", "rebooting", "maintenanceMode", "baseOsUpdating",
		"booting", "preparingPowerOff", "poweringOff", "preparedPowerOff"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

// bootReason names why the device booted; reasons that EVE's terminal has no name for are unknown.
func bootReason(r node.BootReason) string {
	names := [...]string{"none", "first", "rebootCmd", "update", "fallback", "disconnect", "fatal",
		"oom", "watchdogHung", "watchdogPid", "kernel", "powerFail", "unknown", "vaultFailure",
		"poweroffCmd"}
	switch {
	case int(r) < len(names):
		return names[r]
	case r == node.BootReasonParseFail:
		return "parseFail"
	}
	return "unknown"
}
