package content

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// DownloaderConfig asks for a blob. Owner: volumemgr.
type DownloaderConfig struct {
	ImageSha256     string
	DatastoreIDList []string
	Name            string // relative URL
	NameIsURL       bool
	Target          string // name of the partial file
	MediaType       string // as the manifest that lists it says; empty: not known before
	Size            uint64 // at most, bytes; 0: no limit
	RefCount        uint   // 0 asks for release
}

// Key is the sha256.
func (d DownloaderConfig) Key() string { return d.ImageSha256 }

// Downloads is volumemgr's topic; complete once every content tree known at boot was looked at.
var Downloads = bus.NewTopic[DownloaderConfig](bus.Decl{
	Owner: "volumemgr", Name: "DownloaderConfig"})

// DownloaderStatus answers a DownloaderConfig. Owner: downloader.
type DownloaderStatus struct {
	ImageSha256 string
	Of          uint64 // revision of the config it answers
	Name        string
	Target      string
	State       entity.SwState // DOWNLOADING, DOWNLOADED
	Expired     bool           // asks the consumer to let go
	TotalSize   int64
	CurrentSize int64
	Progress    uint8
	Port        string // logical label of the port in use
	ContentType string
	RetryCount  int
	OrigError   string
	LastUse     time.Time // wall
	LastRetry   time.Time // wall
	entity.ErrorAndTime
}

// Key is the sha256.
func (d DownloaderStatus) Key() string { return d.ImageSha256 }

// DownloadStatuses is downloader's topic.
var DownloadStatuses = bus.NewTopic[DownloaderStatus](bus.Decl{
	Owner: "downloader", Name: "DownloaderStatus"})

// ResolveConfig asks for the hash of a registry tag. Owner: volumemgr.
type ResolveConfig struct {
	DatastoreID string
	Name        string // name:tag
	Counter     int64
}

// Key names datastore, image and counter with "/" escaped.
func (r ResolveConfig) Key() string { return resolveKey(r.DatastoreID, r.Name, r.Counter) }

// Resolves is volumemgr's topic.
var Resolves = bus.NewTopic[ResolveConfig](bus.Decl{Owner: "volumemgr", Name: "ResolveConfig"})

// ResolveStatus answers a ResolveConfig. Owner: downloader.
type ResolveStatus struct {
	DatastoreID string
	Name        string
	Counter     int64
	Of          uint64 // revision of the config it answers
	ImageSha256 string
	RetryCount  int
	OrigError   string
	entity.ErrorAndTime
}

// Key is the config's.
func (r ResolveStatus) Key() string { return resolveKey(r.DatastoreID, r.Name, r.Counter) }

// ResolveStatuses is downloader's topic.
var ResolveStatuses = bus.NewTopic[ResolveStatus](bus.Decl{
	Owner: "downloader", Name: "ResolveStatus"})

// VerifyImageConfig asks for a downloaded blob to be hashed. Owner: volumemgr.
type VerifyImageConfig struct {
	ImageSha256  string
	Name         string
	MediaType    string
	FileLocation string // name of the partial file
	Size         int64
	RefCount     uint // 0 asks for release
	Expired      bool
}

// Key is the sha256.
func (v VerifyImageConfig) Key() string { return v.ImageSha256 }

// Verifies is volumemgr's topic; complete once every content tree known at boot was looked at.
var Verifies = bus.NewTopic[VerifyImageConfig](bus.Decl{
	Owner: "volumemgr", Name: "VerifyImageConfig"})

// VerifyImageStatus answers a VerifyImageConfig. Owner: verifier.
type VerifyImageStatus struct {
	ImageSha256  string
	Of           uint64 // revision of the config it answers
	Name         string
	MediaType    string
	FileLocation string
	Size         int64
	State        entity.SwState // VERIFYING, VERIFIED
	Expired      bool
	RefCount     uint
	entity.ErrorAndTime
}

// Key is the sha256.
func (v VerifyImageStatus) Key() string { return v.ImageSha256 }

// VerifyStatuses is verifier's topic.
var VerifyStatuses = bus.NewTopic[VerifyImageStatus](bus.Decl{
	Owner: "verifier", Name: "VerifyImageStatus"})
