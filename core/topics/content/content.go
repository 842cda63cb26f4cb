// Package content has the topics of content: datastores, content trees, blobs, their download and
// their verification.
package content

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// Format of an image, with EVE's numbers.
type Format uint8

// Formats.
const (
	FmtUnknown Format = iota
	RAW
	QCOW
	QCOW2
	VHD
	VMDK
	OVA
	VHDX
	CONTAINER
	ISO
	PVC
)

// String is the format's name in lower case, as volume files end with it.
func (f Format) String() string {
	names := [...]string{"unknown", "raw", "qcow", "qcow2", "vhd", "vmdk", "ova", "vhdx",
		"container", "iso", "pvc"}
	return names[min(int(f), len(names)-1)]
}

// Names of datastore types, as EVE publishes them.
const (
	DsHTTP              = "DsHttp"
	DsHTTPS             = "DsHttps"
	DsS3                = "DsS3"
	DsSFTP              = "DsSFTP"
	DsContainerRegistry = "DsContainerRegistry"
	DsAzureBlob         = "DsAzureBlob"
	DsGoogleStorage     = "DsGoogleStorage"
)

// DatastoreConfig is where content comes from. Owner: zedagent. It holds no secrets: a password or
// key in the clear stays in the configuration and is named here by reference.
type DatastoreConfig struct {
	UUID   string
	DsType string
	Fqdn   string
	// ApiKey (user name, or a key's name) and Password are references (package eveapi/secret), empty
	// where there is no secret: a part (device/web) finds what they stand for. A reference is another
	// when the secret is.
	ApiKey    string
	Password  string
	Dpath     string
	Region    string
	DsCertPEM []string
	Error     string // found while parsing
}

// Key is the UUID.
func (d DatastoreConfig) Key() string { return d.UUID }

// Datastores is zedagent's topic; complete once the first configuration was parsed.
var Datastores = bus.NewTopic[DatastoreConfig](bus.Decl{
	Owner: "zedagent", Name: "DatastoreConfig"})

// ContentTreeConfig is wished content. Owner: zedagent.
type ContentTreeConfig struct {
	ContentID         string
	DatastoreIDList   []string
	RelativeURL       string
	Format            Format
	ContentSha256     string // lower case hex; empty for a registry tag
	MaxDownloadSize   uint64 // bytes; 0: no limit
	GenerationCounter int64
	DisplayName       string
	CustomMeta        string
	// ParseError was found while parsing. It is not named Error, which it would hide in the status.
	ParseError string
}

// Key is the UUID.
func (c ContentTreeConfig) Key() string { return c.ContentID }

// Trees is zedagent's topic; complete once the first configuration was parsed.
var Trees = bus.NewTopic[ContentTreeConfig](bus.Decl{
	Owner: "zedagent", Name: "ContentTreeConfig"})

// ContentTreeStatus is what became of content. Owner: volumemgr.
type ContentTreeStatus struct {
	ContentTreeConfig
	Of                    uint64 // revision of the config it answers
	DatastoreTypesList    []string
	AllDatastoresResolved bool
	IsOCIRegistry         bool
	HasResolverRef        bool
	State                 entity.SwState
	TotalSize             int64
	CurrentSize           int64
	Progress              uint8
	Blobs                 []string // sha256 of root first, then its parts
	FileLocation          string
	CreateTime            time.Time // wall
	entity.ErrorAndTimeWithSource
}

// TreeStatuses is volumemgr's topic.
var TreeStatuses = bus.NewTopic[ContentTreeStatus](bus.Decl{
	Owner: "volumemgr", Name: "ContentTreeStatus"})

// BlobStatus is one blob: part of content trees. Owner: volumemgr.
type BlobStatus struct {
	Sha256           string
	DatastoreIDList  []string
	RelativeURL      string
	Size             uint64
	Path             string
	State            entity.SwState
	MediaType        string
	HasDownloaderRef bool
	HasVerifierRef   bool
	RefCount         uint
	TotalSize        int64
	CurrentSize      int64
	Progress         uint8
	RetryCount       int // how often it was thrown away because its hash was wrong
	// Discarding: what was downloaded is wrong and is being thrown away, before it is tried again or
	// given up.
	Discarding bool
	CreateTime time.Time // wall
	entity.ErrorAndTimeWithSource
}

// Key is the sha256.
func (b BlobStatus) Key() string { return b.Sha256 }

// Blobs is volumemgr's topic.
var Blobs = bus.NewTopic[BlobStatus](bus.Decl{
	Owner: "volumemgr", Name: "BlobStatus", MaxRows: MaxBlobs})

// MaxBlobs bounds the blobs that a device knows, wanted or left over.
const MaxBlobs = 10000

// AppAndImageToHash is a registry tag resolved once and latched. Owner: volumemgr. Persistent.
type AppAndImageToHash struct {
	ContentID  string
	Generation int64
	Hash       string
	Name       string // the name and tag it was resolved from
}

// Key is the content tree's UUID; a new generation replaces the row.
func (a AppAndImageToHash) Key() string { return a.ContentID }

// Latched is volumemgr's topic.
var Latched = bus.NewTopic[AppAndImageToHash](bus.Decl{
	Owner: "volumemgr", Name: "AppAndImageToHash", Life: bus.Persistent})
