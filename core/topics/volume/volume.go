// Package volume has the topics of volumes and of their use by applications.
package volume

import (
	"strconv"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Origin of a volume's content, with EVE's numbers.
type Origin uint8

// Origins of volumes.
const (
	OriginUnknown Origin = iota
	OriginBlank
	OriginDownload
)

// Target says what a volume is to its application, with EVE's numbers.
type Target uint8

// Targets.
const (
	TargetUnknown Target = iota
	TargetDisk
	TargetKernel
	TargetInitrd
	TargetRamDisk
	TargetAppCustom
)

// Key of a volume: UUID and the sum of controller's and local generation.
func Key(id string, generation, local int64) string {
	return id + "#" + strconv.FormatInt(generation+local, 10)
}

// VolumeConfig is a wished volume. Owner: zedagent.
type VolumeConfig struct {
	VolumeID                string
	ContentID               string
	VolumeContentOriginType Origin
	MaxVolSize              uint64 // bytes
	ReadOnly                bool
	GenerationCounter       int64
	LocalGenerationCounter  int64
	Encrypted               bool
	DisplayName             string
	HasNoAppReferences      bool
	Target                  Target
	CustomMeta              string
	ParseError              string // found while parsing; such a volume is never made
}

// Key is "<uuid>#<generation>".
func (v VolumeConfig) Key() string {
	return Key(v.VolumeID, v.GenerationCounter, v.LocalGenerationCounter)
}

// Configs is zedagent's topic; complete once the first configuration was parsed.
var Configs = bus.NewTopic[VolumeConfig](bus.Decl{Owner: "zedagent", Name: "VolumeConfig"})

// VolumeRefConfig asks for a volume on behalf of an application. Owner: zedmanager.
type VolumeRefConfig struct {
	VolumeID               string
	GenerationCounter      int64
	LocalGenerationCounter int64
	AppUUID                string
	MountDir               string
	VerifyOnly             bool // true at first; goes to false once and never back
}

// VolumeKey is the key of the volume it refers to.
func (v VolumeRefConfig) VolumeKey() string {
	return Key(v.VolumeID, v.GenerationCounter, v.LocalGenerationCounter)
}

// Key is "<uuid>#<generation>#<application>".
func (v VolumeRefConfig) Key() string { return v.VolumeKey() + "#" + v.AppUUID }

// Refs is zedmanager's topic; complete once every application known at boot was looked at.
var Refs = bus.NewTopic[VolumeRefConfig](bus.Decl{Owner: "zedmanager", Name: "VolumeRefConfig",
	MaxRows: MaxRefs})

// MaxRefs bounds the references to volumes. It is twice what applications may have, as a purge
// keeps the old volumes until the new ones are there.
const MaxRefs = 10_000

// VolumeRefStatus answers a VolumeRefConfig. Owner: volumemgr.
type VolumeRefStatus struct {
	VolumeID               string
	GenerationCounter      int64
	LocalGenerationCounter int64
	AppUUID                string
	Of                     uint64 // revision of the config it answers
	State                  entity.SwState
	ActiveFileLocation     string
	ContentFormat          content.Format
	ReadOnly               bool
	DisplayName            string
	MaxVolSize             uint64
	PendingAdd             bool
	WWN                    string
	VerifyOnly             bool
	Target                 Target
	CustomMeta             string
	ReferenceName          string
	MountDir               string
	Progress               uint8
	entity.ErrorAndTimeWithSource
}

// VolumeKey is the key of the volume it refers to.
func (v VolumeRefStatus) VolumeKey() string {
	return Key(v.VolumeID, v.GenerationCounter, v.LocalGenerationCounter)
}

// Key is "<uuid>#<generation>#<application>".
func (v VolumeRefStatus) Key() string { return v.VolumeKey() + "#" + v.AppUUID }

// RefStatuses is volumemgr's topic.
var RefStatuses = bus.NewTopic[VolumeRefStatus](bus.Decl{
	Owner: "volumemgr", Name: "VolumeRefStatus", MaxRows: MaxRefs})

// SubState of a volume in creation, with EVE's numbers.
type SubState uint8

// Steps of a volume's life.
const (
	SubInitial SubState = iota
	SubPreparing
	SubPrepareDone
	SubCreated
	SubDeleting
)

// VolumeStatus is what became of a volume. Owner: volumemgr.
type VolumeStatus struct {
	VolumeConfig
	Of                     uint64 // revision of the config it answers; 0 without one
	State                  entity.SwState
	SubState               SubState
	RefCount               uint
	LastRefCountChangeTime time.Time // wall
	Progress               uint8
	TotalSize              int64
	CurrentSize            int64
	FileLocation           string
	ContentFormat          content.Format
	CreateTime             time.Time // wall
	LastUse                time.Time // wall
	ReferenceName          string
	WWN                    string
	entity.ErrorAndTimeWithSource
}

// Statuses is volumemgr's topic.
var Statuses = bus.NewTopic[VolumeStatus](bus.Decl{Owner: "volumemgr", Name: "VolumeStatus"})

// VolumeCreatePending guards a half-made volume over a crash. Owner: volumemgr. Persistent.
type VolumeCreatePending struct{ VolumeKey string }

// Key is the volume's key.
func (v VolumeCreatePending) Key() string { return v.VolumeKey }

// CreatePending is volumemgr's topic.
var CreatePending = bus.NewTopic[VolumeCreatePending](bus.Decl{
	Owner: "volumemgr", Name: "VolumeCreatePending", Life: bus.Persistent})

// VolumeMgrStatus says how much space is left for applications. Owner: volumemgr.
type VolumeMgrStatus struct {
	Name           string // "volumemgr"
	Initialized    bool
	RemainingSpace uint64 // bytes, never negative; whole MiB, exact below one
}

// Key is the agent's name.
func (v VolumeMgrStatus) Key() string { return v.Name }

// Mgr is volumemgr's topic.
var Mgr = bus.NewTopic[VolumeMgrStatus](bus.Decl{Owner: "volumemgr", Name: "VolumeMgrStatus",
	MaxPuts: 3000})
