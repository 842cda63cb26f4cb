// Package domain has the topics of guests as the hypervisor runs them.
package domain

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
	"github.com/evetwin/evetwin/core/topics/volume"
)

// DiskConfig is a volume as a disk of a guest.
type DiskConfig struct {
	VolumeKey    string
	FileLocation string
	ReadOnly     bool
	Format       content.Format
	MountDir     string
	DisplayName  string
	WWN          string
	Target       volume.Target
	CustomMeta   string
}

// VifConfig is an interface of a guest.
type VifConfig struct {
	network.VifInfo
	MTU          uint16
	IP           string // what DHCP will give it, for images that need to know
	AccessVlanID uint32
}

// DomainConfig is a wished guest. Owner: zedmanager.
type DomainConfig struct {
	entity.UUIDandVersion
	DisplayName       string
	Activate          bool
	AppNum            int
	VmConfig          app.VmConfig
	DiskConfigList    []DiskConfig
	VifList           []VifConfig
	IoAdapterList     []app.IoAdapter
	CloudInitUserData string
	MetaDataType      uint8
	Service           bool
	CloudInitVersion  uint32
	DisableLogs       bool
	PurgeCounter      uint32
	RestartCounter    uint32
}

// Key is the application's UUID.
func (c DomainConfig) Key() string { return c.UUID }

// Configs is zedmanager's topic; complete once every application known at boot was looked at.
var Configs = bus.NewTopic[DomainConfig](bus.Decl{
	Owner: "zedmanager", Name: "DomainConfig", MaxBytes: 256 << 10})

// DomainStatus is what became of a guest. Owner: domainmgr.
type DomainStatus struct {
	entity.UUIDandVersion
	DisplayName    string
	Of             uint64 // revision of the config it answers
	State          entity.SwState
	Activated      bool
	PendingAdd     bool
	PendingModify  bool
	PendingDelete  bool
	DomainName     string    // <uuid>.<version>.<appNum>
	DomainId       int       // 0 exactly when the domain is absent
	BootTime       time.Time // wall
	DiskStatusList []DiskConfig
	VifList        []VifConfig
	IoAdapterList  []app.IoAdapter
	TriedCount     int
	Boots          int // starts wished since boot: which run this is
	ConfigFailed   bool
	BootFailed     bool
	AdaptersFailed bool
	entity.ErrorAndTime
}

// Key is the application's UUID.
func (s DomainStatus) Key() string { return s.UUID }

// Statuses is domainmgr's topic. A guest that is restarted again and again goes through a dozen
// rows each time.
var Statuses = bus.NewTopic[DomainStatus](bus.Decl{
	Owner: "domainmgr", Name: "DomainStatus", MaxBytes: 256 << 10, MaxPuts: 300})

// HostMemory is the machine. Owner: domainmgr.
type HostMemory struct {
	TotalMemoryMB uint64
	FreeMemoryMB  uint64
	UsedEveMB     uint64
	Ncpus         uint32
}

// Key is "global".
func (HostMemory) Key() string { return entity.Global }

// Host is domainmgr's topic. It moves with every guest that begins or ends, and after a boot all of
// them begin at once.
var Host = bus.NewTopic[HostMemory](bus.Decl{
	Owner: "domainmgr", Name: "HostMemory", MaxPuts: 3000})

// Capabilities is what the hypervisor can do. Owner: domainmgr.
type Capabilities struct {
	HWAssistedVirtualization bool
	IOVirtualization         bool
	CPUPinning               bool
	UseVHost                 bool
}

// Key is "global".
func (Capabilities) Key() string { return entity.Global }

// Caps is domainmgr's topic.
var Caps = bus.NewTopic[Capabilities](bus.Decl{Owner: "domainmgr", Name: "Capabilities"})
