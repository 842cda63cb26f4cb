// Package store is the device's disks: small files of /config and /persist, content-addressed
// blobs, volumes, and the space they take.
//
// Durability: an op that writes is done only when what it wrote survives a power cut; half-written
// files are never visible under their final name. After a boot the Seen tables are rebuilt by
// looking at the disk.
package store

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/security"
)

// FileSeen is a small file: everything that is Listed, below /config (read-only) or the other
// Directories. What is Private is listed, and cannot be read. Links to files are no files.
type FileSeen struct {
	Path   string // absolute, as on the device
	Size   int64
	Sha256 string // lower-case hex
}

// Key is the path with "/" as "!".
func (f FileSeen) Key() string { return FileKey(f.Path) }

// FileKey is the key of the file at an absolute path.
func FileKey(path string) string {
	b := []byte(path)
	for i := range b {
		if b[i] == '/' {
			b[i] = '!'
		}
	}
	return string(b)
}

// Files is the topic of small files; complete when all directories were read.
var Files = bus.NewTopic[FileSeen](bus.Decl{Owner: "store", Name: "FileSeen", MaxRows: 10000})

// ReadReq reads a small file; Sha256 names the content that is meant (as FileSeen has it), so that
// an equal request is an equal answer. An empty Sha256 reads what is there.
type ReadReq struct {
	Path   string
	Sha256 string
}

// ReadRes is the content, at most MaxFile bytes. That of SavedConfig, of its backup and of
// BootstrapConfig comes without its secrets, as secret.Keeper leaves it, and with Kept.
type ReadRes struct {
	Data []byte
	Kept *security.Kept
}

// Files that hold a configuration, as it came: no agent is handed their bytes.
const (
	SavedConfig     = "/persist/checkpoint/lastconfig"
	BackupConfig    = SavedConfig + ".bak"
	BootstrapConfig = "/config/bootstrap-config.pb"
)

// WriteReq replaces a file, atomically; with Backup the old content is kept beside it with ".bak",
// or the new where there was none. Equal content only touches it. A path that is not Writable is
// FaultRefused: it is outside the directories of small files, or has "..", "." or "//" in it. There
// has to be room for the new content beside the old.
type WriteReq struct {
	Path string
	Data []byte
	// Kept is the SHA-256, in lower-case hex, of what is to be written in place of Data: bytes that a
	// part kept back (security.Kept), or the content of a file.
	Kept   string
	Backup bool
}

// RemoveReq removes a file and its ".bak".
type RemoveReq struct{ Path string }

// None is an empty result.
type None struct{}

// MaxFile bounds a small file.
const MaxFile = 16 << 20

// Ops on small files.
var (
	Read = agent.NewOp[ReadReq, ReadRes](agent.OpDecl{
		Name: "store.Read", Class: "store.file", Width: 4, Limit: 10 * time.Second, Query: true})
	Write = agent.NewOp[WriteReq, None](agent.OpDecl{
		Name: "store.Write", Class: "store.file", Width: 4, Limit: 30 * time.Second,
		Callers: []string{"zedagent", "zedclient", "nim", "nodeagent", "diag"}})
	Remove = agent.NewOp[RemoveReq, None](agent.OpDecl{
		Name: "store.Remove", Class: "store.file", Width: 4, Limit: 30 * time.Second,
		Callers: []string{"zedagent", "zedclient", "nim", "nodeagent"}})
)

// SetServerReq names the controller, as the file server of ConfigDir has it.
type SetServerReq struct{ Server string }

// SetServer replaces the file server of ConfigDir: first where the device was installed, so that
// the next boot finds it, then the copy that runs. It is the one change that is made to what the
// device was installed with.
var SetServer = agent.NewOp[SetServerReq, None](agent.OpDecl{
	Name: "store.SetServer", Class: "store.file", Width: 4, Limit: 30 * time.Second})

// Fault codes.
const (
	FaultMissing = "missing"  // no such file, blob or volume; nobody has the bytes that were kept
	FaultChanged = "changed"  // the content is another than the one named
	FaultRefused = "refused"  // secret, outside the allowed directories, or too large
	FaultNoSpace = "no-space" // the disk is full; Retry
	FaultIO      = "io"       // the disk failed; Retry
	FaultCorrupt = "corrupt"  // the content does not have the hash it should have
	FaultFormat  = "format"   // not an image of the stated format
)
