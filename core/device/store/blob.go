package store

import (
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
)

// BlobSeen is a verified blob in the content store. Only what has the hash it is named by is here.
type BlobSeen struct {
	Sha256 string
	Size   int64
}

// Key is the sha256.
func (b BlobSeen) Key() string { return b.Sha256 }

// Blobs is the topic of blobs; complete when the content store was read.
var Blobs = bus.NewTopic[BlobSeen](bus.Decl{Owner: "store", Name: "BlobSeen", MaxRows: 10000})

// VerifyReq hashes a partial file (web.PartialSeen) and, if it has the hash it should have, moves
// it into the content store: the partial is gone and the blob is there, both at once and durable.
type VerifyReq struct {
	Target string // name of the partial
	Sha256 string // expected
}

// VerifyRes tells the computed hash.
type VerifyRes struct {
	Sha256 string
	Size   int64
}

// BlobReq names a blob.
type BlobReq struct{ Sha256 string }

// BlobRes is the content of a small blob (a manifest or image config), at most 4 MiB.
type BlobRes struct{ Data []byte }

// Ops on blobs. Verify with another hash than expected: FaultCorrupt with the text "computed
// <hash>", the partial stays. Its caller is verifier; RemoveBlob's is volumemgr. ReadBlob of bytes
// that do not have the hash any more: FaultCorrupt; Retry, for the blob may be loaded anew.
//
// EVE: containerd's content store gives out what is there.
var (
	Verify = agent.NewOp[VerifyReq, VerifyRes](agent.OpDecl{
		Name: "store.Verify", Class: "store.hash", Width: 2, Limit: 6 * time.Hour})
	ReadBlob = agent.NewOp[BlobReq, BlobRes](agent.OpDecl{
		Name: "store.ReadBlob", Class: "store.file", Width: 4, Limit: 10 * time.Second, Query: true})
	RemoveBlob = agent.NewOp[BlobReq, None](agent.OpDecl{
		Name: "store.RemoveBlob", Class: "store.blob", Width: 4, Limit: time.Minute})
)

// VolumeSeen is a volume on the disk. A volume under construction is not seen.
type VolumeSeen struct {
	VolumeKey string // "<uuid>#<generation>"
	Path      string
	Format    string // "raw", "qcow2", "container", ...; that of a zvol is "raw"
	Size      int64  // virtual size, bytes; 0 for a container
	Used      int64  // bytes on the disk, as du counts them, when it was last looked at
	// Limit is how many bytes a container can take; 0: what it takes is only counted. It is the size
	// that was asked for, or what its image takes if that is more, where the file system can keep
	// folders from growing.
	Limit int64
	// Encrypted says that it lies in the vault, and that the vault encrypts: there are kernels and
	// disks that cannot, on which what was to be encrypted is in the clear, and seen to be.
	Encrypted bool
}

// Key is the volume's key.
func (v VolumeSeen) Key() string { return v.VolumeKey }

// Volumes is the topic of volumes; complete when the volume directories were read.
var Volumes = bus.NewTopic[VolumeSeen](bus.Decl{Owner: "store", Name: "VolumeSeen"})

// CreateVolumeReq makes a volume from blobs, or a blank one. Size is a minimum: a larger image is
// not shrunk. For a container the blobs are manifest, image config and layers, in this order; for
// a disk there is one. A disk keeps its format; it must be of it and stand alone: one that refers
// to other files is FaultFormat. Where /persist lies on ZFS most disks become zvols: see Zvol.
type CreateVolumeReq struct {
	VolumeKey string
	Format    string
	Size      int64
	Encrypted bool
	Blobs     []string
}

// VolumeReq names a volume.
type VolumeReq struct{ VolumeKey string }

// Ops on volumes; their caller is volumemgr. Create of one that exists does nothing. What a
// container is made of is checked on the way: layers that do not have the hash that the image
// names, packed or unpacked, are FaultCorrupt; Retry. The blob of a disk is taken as it is.
var (
	CreateVolume = agent.NewOp[CreateVolumeReq, None](agent.OpDecl{
		Name: "store.CreateVolume", Class: "store.volume", Width: 20, Limit: 120 * time.Hour})
	RemoveVolume = agent.NewOp[VolumeReq, None](agent.OpDecl{
		Name: "store.RemoveVolume", Class: "store.volume", Width: 20, Limit: 10 * time.Minute})
)

// SpaceSeen is the space of /persist.
type SpaceSeen struct {
	Total int64 // bytes
	// Reserved is what the system itself uses or may use: not for applications.
	Reserved int64
}

// Key is "persist".
func (SpaceSeen) Key() string { return "persist" }

// Space is the topic of space.
var Space = bus.NewTopic[SpaceSeen](bus.Decl{Owner: "store", Name: "SpaceSeen"})
