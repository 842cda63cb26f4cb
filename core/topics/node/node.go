// Package node has the topics about the device as a whole: identity, life cycle, LED.
package node

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// OnboardingStatus is who the controller says this device is. Owner: zedclient. Persistent.
type OnboardingStatus struct {
	DeviceUUID    string // empty until onboarded
	HardwareModel string
}

// Key is "global".
func (OnboardingStatus) Key() string { return entity.Global }

// Onboarding is zedclient's topic.
var Onboarding = bus.NewTopic[OnboardingStatus](bus.Decl{
	Owner: "zedclient", Name: "OnboardingStatus", Life: bus.Persistent})

// ClientStatus is what the onboarding client is at: shown in the terminal, not in EVE.
// Owner: zedclient.
type ClientStatus struct {
	Step  string // "waiting for network", "certs", "register", "uuid", "done"
	Tries int
	entity.ErrorAndTime
}

// Key is "global".
func (ClientStatus) Key() string { return entity.Global }

// Client is zedclient's topic.
var Client = bus.NewTopic[ClientStatus](bus.Decl{Owner: "zedclient", Name: "ClientStatus"})

// UUIDCheck asks zedclient to ask the controller for the device's UUID again, because the
// controller says that it does not know the device. Owner: zedagent.
type UUIDCheck struct {
	Count int // raised for each time it is asked, at most once in 10 minutes
}

// Key is "global".
func (UUIDCheck) Key() string { return entity.Global }

// UUIDChecks is zedagent's topic.
var UUIDChecks = bus.NewTopic[UUIDCheck](bus.Decl{Owner: "zedagent", Name: "UUIDCheck"})

// ConfigGetStatus says how the last request for a configuration ended, with EVE's numbers.
type ConfigGetStatus uint8

// Outcomes of a configuration request.
const (
	ConfigGetSuccess ConfigGetStatus = iota + 1
	ConfigGetFail
	ConfigGetTemporaryFail
	ConfigGetReadSaved
)

// DeviceState as the controller is told, with EVE's numbers.
type DeviceState uint8

// Device states.
const (
	StateUnspecified DeviceState = iota
	StateOnline
	StateRebooting
	StateMaintenance
	StateBaseOSUpdating
	StateBooting
	StatePreparingPoweroff
	StatePoweringOff
	StatePreparedPoweroff
)

// String is EVE's name of the state.
func (s DeviceState) String() string {
	names := [...]string{"UNSPECIFIED", "ONLINE", "REBOOTING", "MAINTENANCE_MODE", "BASEOS_UPDATING",
		"BOOTING", "PREPARING_POWEROFF", "POWERING_OFF", "PREPARED_POWEROFF"}
	if int(s) >= len(names) {
		return "INVALID"
	}
	return names[s]
}

// BootReason is why the device booted, with EVE's numbers.
type BootReason uint8

// Boot reasons.
const (
	BootReasonNone BootReason = iota
	BootReasonFirst
	BootReasonRebootCmd
	BootReasonUpdate
	BootReasonFallback
	BootReasonDisconnect
	BootReasonFatal
	BootReasonOOM
	BootReasonWatchdogHung
	BootReasonWatchdogPid
	BootReasonKernel
	BootReasonPowerFail
	BootReasonUnknown
	BootReasonVaultFailure
	BootReasonPoweroffCmd
	BootReasonKubeTransition
	BootReasonHWWatchdog
	BootReasonParseFail BootReason = 255
)

// StartsFromSaved reports whether applications may start from the saved configuration after a boot
// for this reason; "no" keeps a bad configuration from rebooting the device for ever.
func (b BootReason) StartsFromSaved() bool {
	switch b {
	case BootReasonRebootCmd, BootReasonUpdate, BootReasonDisconnect, BootReasonKernel,
		BootReasonPowerFail, BootReasonUnknown, BootReasonPoweroffCmd, BootReasonKubeTransition:
		return true
	}
	return false
}

// String is EVE's name of the reason, as it stands in /persist/boot-reason.
func (b BootReason) String() string {
	names := [...]string{"BootReasonNone", "BootReasonFirst", "BootReasonRebootCmd",
		"BootReasonUpdate", "BootReasonFallback", "BootReasonDisconnect", "BootReasonFatal",
		"BootReasonOOM", "BootReasonWatchdogHung", "BootReasonWatchdogPid", "BootReasonKernel",
		"BootReasonPowerFail", "BootReasonUnknown", "BootReasonVaultFailure",
		"BootReasonPoweroffCmd", "BootReasonKubeTransition", "BootReasonHWWatchdog"}
	if int(b) >= len(names) {
		return "BootReasonParseFail"
	}
	return names[b]
}

// ZedAgentStatus is what the agent of the controller's configuration is at and asks of the others.
// Owner: zedagent.
type ZedAgentStatus struct {
	Name                   string // "zedagent"
	ConfigGetStatus        ConfigGetStatus
	RebootCmd              bool
	ShutdownCmd            bool
	PoweroffCmd            bool
	RequestedRebootReason  string
	RequestedBootReason    BootReason
	MaintenanceMode        bool
	MaintenanceModeReasons []uint8 // EVE's numbers, sorted
	ForceFallbackCounter   uint32
	CurrentProfile         string
	DeviceState            DeviceState
	AirgapMode             bool
	LOCUrl                 string
	// The counters of the commands that were carried out or stored last.
	RebootConfigCounter   uint32
	ShutdownConfigCounter uint32
	// LastReceivedConfig and LastProcessedConfig are wall times; zero before the first.
	LastReceivedConfig  time.Time
	LastProcessedConfig time.Time
	// ConfigVersion is the id.version of the configuration in force, ControllerEpoch its epoch.
	ConfigVersion   string
	ControllerEpoch int64
	// The error is why the last request for a configuration went wrong, or what of the configuration
	// in force was not taken and has no row of its own to show it.
	entity.ErrorAndTime
}

// Key is the agent's name.
func (z ZedAgentStatus) Key() string { return z.Name }

// ZedAgent is zedagent's topic.
var ZedAgent = bus.NewTopic[ZedAgentStatus](bus.Decl{Owner: "zedagent", Name: "ZedAgentStatus"})

// NodeAgentStatus is the life cycle of the node. Owner: nodeagent.
type NodeAgentStatus struct {
	Name                        string // "nodeagent"
	CurPart                     string
	UpdateInprogress            bool
	RemainingTestTime           time.Duration
	DeviceReboot                bool
	DeviceShutdown              bool
	DevicePoweroff              bool
	AllDomainsHalted            bool
	RebootReason                string // free text of the last reboot
	BootReason                  BootReason
	RebootStack                 string
	RebootTime                  time.Time
	RestartCounter              uint32
	RebootImage                 string
	LocalMaintenanceMode        bool
	LocalMaintenanceModeReasons []uint8
}

// Key is the agent's name.
func (n NodeAgentStatus) Key() string { return n.Name }

// NodeAgent is nodeagent's topic.
var NodeAgent = bus.NewTopic[NodeAgentStatus](bus.Decl{
	Owner: "nodeagent", Name: "NodeAgentStatus"})

// EdgeNodeInfo is the device's names as the controller gives them. Owner: zedagent.
type EdgeNodeInfo struct {
	DeviceName     string
	ProjectName    string
	ProjectID      string
	EnterpriseName string
	EnterpriseID   string
}

// Key is "global".
func (EdgeNodeInfo) Key() string { return entity.Global }

// Info is zedagent's topic.
var Info = bus.NewTopic[EdgeNodeInfo](bus.Decl{Owner: "zedagent", Name: "EdgeNodeInfo"})
