package conform

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/store"
)

// StoreSetup is a part store to check. /config holds ConfigFiles, all else is empty.
type StoreSetup struct {
	Setup
	// Download leaves a partial download as part web does, whole or not, on the device's loop.
	Download func(target string, data []byte, whole bool)
	// Fill leaves so many bytes free, or, with a negative number, what there was at first; on the
	// device's loop.
	Fill func(free int64)
	// Inside reads what a volume holds, or a file in one that is a container; nil: volumes of this
	// backend hold nothing.
	Inside func(v store.VolumeSeen, file string) ([]byte, error)
	// ZFS says that /persist lies on ZFS, so that disks are zvols.
	ZFS bool
	// Grow has a guest without privileges write so many bytes to a file in a container. Nil: guests of
	// this backend write nothing.
	Grow func(v store.VolumeSeen, bytes int) error
	// Intruder changes the disk without the part, on the device's loop.
	Intruder Intruder
}

// Intruder is somebody else who has a hand in the disk.
type Intruder struct {
	// Put gives a small file another content, at once.
	Put func(path string, data []byte)
	// Remove removes a small file, or a folder of them.
	Remove func(path string)
	// RemoveBlob and RemoveVolume remove what has that hash or key.
	RemoveBlob, RemoveVolume func(name string)
	// Rot flips a bit of a blob.
	Rot func(sha string)
}

// Encryption is what a machine has to be able to do so that volumes in the vault are encrypted.
const Encryption = "encryption"

// ZFS is what a machine has to have for cases on zvols: a /persist on ZFS.
const ZFS = "ZFS"

// Files of /config in the suite.
const (
	plainFile = "/config/server"
	keyFile   = "/config/onboard.key.pem"
	plainText = "conform.example.com\n"
)

// ConfigFiles are what stands in /config, by path.
func ConfigFiles() map[string][]byte {
	return map[string][]byte{plainFile: []byte(plainText), keyFile: []byte("a secret\n")}
}

// Store checks a part store on a backend. mk makes one; it is called more than once and cleans up
// with t.
func Store(t *testing.T, b Backend, mk func(t *testing.T) StoreSetup) {
	runStore(t, b, mk, storeCases())
}

func runStore(t *testing.T, b Backend, mk func(t *testing.T) StoreSetup,
	groups []Group[*storeBench],
) {
	s := suite[*storeBench]{part: "store", groups: groups, show: map[string]func(any) string{
		store.Volumes.String(): showVolume, store.Space.String(): nothing}}
	s.run(t, b, func(t *testing.T) *storeBench { return newStoreBench(t, mk) })
}

// nothing leaves rows out of a transcript.
func nothing(any) string { return "" }

// showVolume leaves out how much of a volume is on the disk: formats and file systems differ.
func showVolume(row any) string {
	v := *row.(*store.VolumeSeen)
	v.Used = 0
	return fmt.Sprintf("%+v", v)
}

// chance is why a case with a power cut amid an op is loose.
const chance = "how far the op was when the power went is chance"

func storeCases() []Group[*storeBench] {
	return []Group[*storeBench]{{"files", storeFiles()}, {"blobs", storeBlobs()},
		{"volumes", storeVolumes()}, {"zvols", storeZvols()}, {"server", storeServer()}}
}

// StoreVolumes is Store without the cases that have nothing to do with volumes, for a part that
// differs in these only.
func StoreVolumes(t *testing.T, b Backend, mk func(t *testing.T) StoreSetup) {
	runStore(t, b, mk, []Group[*storeBench]{{"volumes", storeVolumes()}, {"zvols", storeZvols()}})
}

func storeFiles() []Case[*storeBench] {
	return []Case[*storeBench]{
		{Name: "complete after boot", Run: (*storeBench).complete,
			Clause: "a table is Complete when the part has looked at everything once since boot"},
		{Name: "wrong requests", Run: (*storeBench).wrongFiles,
			Clause: "the path is clean: one with .. or // in it, or outside /persist, is refused"},
		{Name: "write, read, remove", Run: (*storeBench).file,
			Clause: "Write replaces a file; equal content only touches it; undoing what is undone is well"},
		{Name: "backup", Run: (*storeBench).backup,
			Clause: "with Backup the old content is kept beside it, or the new where there was none"},
		{Name: "content by its hash", Run: (*storeBench).kept,
			Clause: "Kept names what is to be written; nobody has it: FaultMissing; secrets are never it"},
		{Name: "limits", Run: (*storeBench).limits, Clause: "MaxFile bounds a small file"},
		{Name: "full disk", Run: (*storeBench).fullForFiles,
			Clause: "FaultNoSpace: the disk is full; Retry; and all is as it was"},
		{Name: "changed by somebody else", Run: (*storeBench).intruderFile,
			Clause: "observations change without ops, too: a file is what it is now"},
		{Name: "folders", Run: (*storeBench).folders,
			Clause: "everything below the directories is a small file, at any depth"},
		{Name: "configuration", Run: (*storeBench).configuration,
			Clause: "files that hold a configuration: no agent is handed their bytes"},
		{Name: "durable after a power cut", Run: (*storeBench).durableFile,
			Clause: "an op that writes is done only when what it wrote survives a power cut"},
		{Name: "power cut while a file is written", Run: (*storeBench).tornFile, Loose: chance,
			Clause: "half-written files are never visible under their final name"},
		{Name: "cancelled", Run: (*storeBench).cancelledWrite,
			Loose:  "a cancelled write may still take effect",
			Clause: "a call that is cancelled ends within a second"},
	}
}

func storeBlobs() []Case[*storeBench] {
	return []Case[*storeBench]{
		{Name: "wrong requests", Run: (*storeBench).wrongBlobs,
			Clause: "only a whole download is verified, against a hash of 64 digits of hex"},
		{Name: "verify, read, remove", Run: (*storeBench).blob,
			Clause: "Verify moves a download into the content store, durably; ReadBlob is for small blobs"},
		{Name: "corrupt", Run: (*storeBench).corrupt,
			Clause: "another hash than expected: FaultCorrupt with the computed one, the partial stays"},
		{Name: "removed by somebody else", Run: (*storeBench).intruderBlob,
			Clause: "observations change without ops, too: a blob is gone"},
		{Name: "bit rot", Run: (*storeBench).rot,
			Clause: "ReadBlob of bytes that do not have the hash any more: FaultCorrupt; Retry"},
		{Name: "cancelled", Run: (*storeBench).cancelledVerify,
			Loose:  "a cancelled verification may still take effect",
			Clause: "a call that is cancelled ends within a second"},
		{Name: "power cut while a blob is verified", Run: (*storeBench).tornBlob, Loose: chance,
			Clause: "the partial is gone and the blob is there, both at once and durable"},
	}
}

func storeVolumes() []Case[*storeBench] {
	return []Case[*storeBench]{
		{Name: "wrong requests", Run: (*storeBench).wrongVolumes,
			Clause: "a blank volume needs a size; blobs that are not here: FaultMissing"},
		{Name: "create, remove", Run: (*storeBench).volume,
			Clause: "Create of one that exists does nothing; Size is a minimum"},
		{Name: "encrypted", Run: (*storeBench).encrypted, Needs: Encryption,
			Clause: "Encrypted says that it lies in the vault, and that the vault encrypts"},
		{Name: "blank in each format", Run: (*storeBench).formats,
			Clause: "a volume has the format that was asked for, and exactly the size if it is blank"},
		{Name: "wrong names and formats", Run: (*storeBench).wrongNames,
			Clause: "no key of a volume is refused; no format is FaultFormat"},
		{Name: "image of a format", Run: (*storeBench).qcow2,
			Clause: "a disk must be of its format and stand alone; it grows, and is not shrunk"},
		{Name: "container", Run: (*storeBench).container,
			Clause: "for a container the blobs are manifest, image config and layers, in this order"},
		{Name: "wrong containers", Run: (*storeBench).wrongContainers,
			Clause: "an image that does not name its layers is FaultFormat"},
		{Name: "container of rotten layers", Run: (*storeBench).rottenContainer,
			Clause: "layers that do not have the hash that the image names are FaultCorrupt; Retry"},
		{Name: "removed by somebody else", Run: (*storeBench).intruderVolume,
			Clause: "observations change without ops, too: a volume is gone"},
		{Name: "many at once", Run: (*storeBench).manyVolumes, Loose: "they end in any order",
			Clause: "calls of one class run side by side"},
		{Name: "full disk", Run: (*storeBench).fullForVolumes,
			Clause: "FaultNoSpace leaves no volume, and what does not fit now may fit later"},
		{Name: "power cut while a volume is made", Run: (*storeBench).tornVolume, Loose: chance,
			Clause: "a volume under construction is not seen"},
		{Name: "cancelled", Run: (*storeBench).cancelledVolume,
			Loose:  "a cancelled Create may still take effect",
			Clause: "a call that is cancelled ends within a second"},
	}
}

// storeBench is a bench with a part store.
type storeBench struct {
	*bench
	StoreSetup
	read   *calls[store.ReadReq, store.ReadRes]
	write  *calls[store.WriteReq, store.None]
	remove *calls[store.RemoveReq, store.None]
	verify *calls[store.VerifyReq, store.VerifyRes]
	get    *calls[store.BlobReq, store.BlobRes]
	drop   *calls[store.BlobReq, store.None]
	create *calls[store.CreateVolumeReq, store.None]
	delete *calls[store.VolumeReq, store.None]
	server *calls[store.SetServerReq, store.None]

	files   *bus.Sub[store.FileSeen]
	blobs   *bus.Sub[store.BlobSeen]
	volumes *bus.Sub[store.VolumeSeen]
	space   *bus.Sub[store.SpaceSeen]

	loaded map[string][]byte // by hash
}

func newStoreBench(t *testing.T, mk func(*testing.T) StoreSetup) *storeBench {
	t.Helper()
	s := mk(t)
	x := &storeBench{StoreSetup: s, read: newCalls(store.Read), write: newCalls(store.Write),
		remove: newCalls(store.Remove), verify: newCalls(store.Verify), get: newCalls(store.ReadBlob),
		drop: newCalls(store.RemoveBlob), create: newCalls(store.CreateVolume),
		delete: newCalls(store.RemoveVolume), server: newCalls(store.SetServer),
		loaded: map[string][]byte{}}
	state := func() string {
		return rows("files", x.files) + rows("blobs", x.blobs) + rows("volumes", x.volumes) +
			rows("space", x.space)
	}
	x.bench = newBench(t, s.Setup, "zedagent", state, func(b *bench, p bus.Port) []looker {
		x.files, x.blobs = bus.Subscribe(p, store.Files), bus.Subscribe(p, store.Blobs)
		x.volumes, x.space = bus.Subscribe(p, store.Volumes), bus.Subscribe(p, store.Space)
		x.read.attach(b, p)
		x.write.attach(b, p)
		x.remove.attach(b, p)
		x.verify.attach(b, p)
		x.get.attach(b, p)
		x.drop.attach(b, p)
		x.create.attach(b, p)
		x.delete.attach(b, p)
		x.server.attach(b, p)
		return []looker{x.read, x.write, x.remove, x.verify, x.get, x.drop, x.create, x.delete, x.server}
	})
	x.booted(t)
	return x
}

// booted waits until the part has looked at everything.
func (x *storeBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "complete tables", func() bool {
		return x.files.Complete() && x.blobs.Complete() && x.volumes.Complete() && x.space.Complete()
	})
}

// cut cuts the power and waits until the next boot has looked at the disk.
func (x *storeBench) cut(t *testing.T) {
	t.Helper()
	x.cycle(t)
	x.booted(t)
}

// sum is a hash as rows have it.
func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// rev is at which revision a row is, 0 if it is not there.
func rev[V bus.Row](s *bus.Sub[V], key string) uint64 {
	if s.Get(key) == nil {
		return 0
	}
	return s.Rev(key)
}

// counts wants so many rows of each kind.
func (x *storeBench) counts(t *testing.T, files, blobs, volumes int) {
	t.Helper()
	x.turn(t, func() {
		if x.files.Len() != files || x.blobs.Len() != blobs || x.volumes.Len() != volumes {
			t.Errorf("%d files, %d blobs, %d volumes, want %d, %d, %d", x.files.Len(), x.blobs.Len(),
				x.volumes.Len(), files, blobs, volumes)
		}
	})
}

func (x *storeBench) complete(t *testing.T) {
	x.counts(t, len(ConfigFiles()), 0, 0)
	config := ConfigFiles()
	for _, path := range slices.Sorted(maps.Keys(config)) {
		x.holds(t, path, config[path])
	}
	x.turn(t, func() {
		if s := x.space.Get("persist"); s == nil || s.Total <= 0 || s.Reserved < 0 ||
			s.Reserved >= s.Total {
			t.Errorf("the space is %+v", s)
		}
	})
}
