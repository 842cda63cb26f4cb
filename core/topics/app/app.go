// Package app has the topics of application instances.
package app

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// VmMode is how a guest is virtualized, with EVE's numbers.
type VmMode uint8

// Modes of virtualization.
const (
	PV VmMode = iota
	HVM
	Filler
	FML
	NOHYPER
	LEGACY
)

// VmConfig is the resources of a guest.
type VmConfig struct {
	Kernel                       string
	Ramdisk                      string
	Memory                       int // KiB
	MaxMem                       int // KiB
	VCpus                        int
	MaxCpus                      int
	RootDev                      string
	ExtraArgs                    string
	BootLoader                   string
	VirtualizationMode           VmMode
	EnableVnc                    bool
	VncDisplay                   uint32
	VncPasswd                    string // reference (package eveapi/secret)
	CPUsPinned                   bool
	VMMMaxMem                    int // KiB
	EnableVncShimVM              bool
	EnforceNetworkInterfaceOrder bool
	DisableVirtualTPM            bool
	BootOrder                    uint8
}

// InstanceOpsCmd is a command with a counter: a changed counter asks for it.
type InstanceOpsCmd struct {
	Counter   uint32
	ApplyTime string
}

// IoAdapter is an adapter that an application asks for: a member or a group.
type IoAdapter struct {
	Type network.IoType
	Name string
}

// AppInstanceConfig is a wished application. Owner: zedagent.
type AppInstanceConfig struct {
	entity.UUIDandVersion
	DisplayName         string
	Errors              []string // found while parsing
	FixedResources      VmConfig
	DisableLogs         bool
	VolumeRefConfigList []volume.VolumeRefConfig
	Activate            bool
	AppNetAdapterList   []network.AppNetAdapterConfig
	IoAdapterList       []IoAdapter
	RestartCmd          InstanceOpsCmd
	PurgeCmd            InstanceOpsCmd
	LocalRestartCmd     InstanceOpsCmd
	LocalPurgeCmd       InstanceOpsCmd
	CloudInitUserData   string // reference of base64 (package eveapi/secret)
	RemoteConsole       bool
	CollectStatsIPAddr  string
	MetaDataType        uint8
	ProfileList         []string
	Delay               time.Duration
	Service             bool
	CloudInitVersion    uint32
	BootOrderSource     uint8
}

// Key is the application's UUID.
func (c AppInstanceConfig) Key() string { return c.UUID }

// Configs is zedagent's topic; complete once the first configuration was parsed.
var Configs = bus.NewTopic[AppInstanceConfig](bus.Decl{
	Owner: "zedagent", Name: "AppInstanceConfig", MaxBytes: 256 << 10})

// Inprogress is the step of a restart or purge, with EVE's numbers.
type Inprogress uint8

// Steps of a restart or purge.
const (
	NotInprogress Inprogress = iota
	DownloadAndVerify
	BringDown
	RecreateVolumes
	BringUp
)

// String is the step in words.
func (i Inprogress) String() string {
	names := [...]string{"none", "download and verify", "bring down", "recreate volumes", "bring up"}
	return names[min(int(i), len(names)-1)]
}

// AppInstanceStatus is what became of an application. Owner: zedmanager.
type AppInstanceStatus struct {
	entity.UUIDandVersion
	DisplayName         string
	DomainName          string
	Of                  uint64 // revision of the config it answers
	Activated           bool
	ActivateInprogress  bool
	FixedResources      VmConfig
	VolumeRefStatusList []volume.VolumeRefStatus
	AppNetAdapters      []network.AppNetAdapterStatus
	BootTime            time.Time // wall
	IoAdapterList       []IoAdapter
	RestartInprogress   Inprogress
	RestartStartedAt    time.Time // wall
	PurgeInprogress     Inprogress
	PurgeStartedAt      time.Time // wall
	State               entity.SwState
	MissingNetwork      bool
	MissingMemory       bool
	NoBootPriority      bool
	StartTime           time.Time // wall; zero unless a start delay counts
	MemOverhead         uint64    // bytes
	Progress            uint8     // percent of all volumes, for people
	entity.ErrorAndTimeWithSource
}

// Key is the application's UUID.
func (s AppInstanceStatus) Key() string { return s.UUID }

// Statuses is zedmanager's topic.
var Statuses = bus.NewTopic[AppInstanceStatus](bus.Decl{
	Owner: "zedmanager", Name: "AppInstanceStatus", MaxBytes: 256 << 10})

// AppInstanceSummary counts applications by what they are at. Owner: zedmanager.
type AppInstanceSummary struct {
	TotalStarting uint8
	TotalRunning  uint8
	TotalStopping uint8
	TotalError    uint8
}

// Key is "global".
func (AppInstanceSummary) Key() string { return entity.Global }

// Summary is zedmanager's topic. Its row moves with every application, in bursts.
var Summary = bus.NewTopic[AppInstanceSummary](bus.Decl{
	Owner: "zedmanager", Name: "AppInstanceSummary", MaxPuts: 3000})

// PurgeCounter is the purge counter an application was created or purged with, so that a purge
// asked for while the device was off still happens. Owner: zedmanager. Persistent.
type PurgeCounter struct {
	AppID   string
	Counter uint32
}

// Key is the application's UUID.
func (p PurgeCounter) Key() string { return p.AppID }

// PurgeCounters is zedmanager's topic.
var PurgeCounters = bus.NewTopic[PurgeCounter](bus.Decl{
	Owner: "zedmanager", Name: "UuidToNum", Life: bus.Persistent})
