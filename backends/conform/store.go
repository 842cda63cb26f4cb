package conform

import (
	"crypto/sha256"
	"encoding/hex"
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
}

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

// Store checks a part store. mk makes one; it is called more than once and cleans up with t.
func Store(t *testing.T, mk func(t *testing.T) StoreSetup) {
	t.Run("files", func(t *testing.T) {
		x := newStoreBench(t, mk)
		t.Run("complete after boot", x.complete)
		t.Run("wrong requests", x.wrongFiles)
		t.Run("write, read, remove", x.file)
		t.Run("backup", x.backup)
		t.Run("content by its hash", x.kept)
		t.Run("limits", x.limits)
		t.Run("full disk", x.fullForFiles)
		t.Run("durable after a power cut", x.durableFile)
		t.Run("power cut while a file is written", x.tornFile)
		t.Run("cancelled", x.cancelledWrite)
	})
	t.Run("blobs", func(t *testing.T) {
		x := newStoreBench(t, mk)
		t.Run("wrong requests", x.wrongBlobs)
		t.Run("verify, read, remove", x.blob)
		t.Run("corrupt", x.corrupt)
		t.Run("power cut while a blob is verified", x.tornBlob)
	})
	t.Run("volumes", func(t *testing.T) {
		x := newStoreBench(t, mk)
		t.Run("wrong requests", x.wrongVolumes)
		t.Run("create, remove", x.volume)
		t.Run("full disk", x.fullForVolumes)
		t.Run("power cut while a volume is made", x.tornVolume)
		t.Run("cancelled", x.cancelledVolume)
	})
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

	files   *bus.Sub[store.FileSeen]
	blobs   *bus.Sub[store.BlobSeen]
	volumes *bus.Sub[store.VolumeSeen]
	space   *bus.Sub[store.SpaceSeen]
}

func newStoreBench(t *testing.T, mk func(*testing.T) StoreSetup) *storeBench {
	t.Helper()
	s := mk(t)
	x := &storeBench{StoreSetup: s, read: newCalls(store.Read), write: newCalls(store.Write),
		remove: newCalls(store.Remove), verify: newCalls(store.Verify), get: newCalls(store.ReadBlob),
		drop: newCalls(store.RemoveBlob), create: newCalls(store.CreateVolume),
		delete: newCalls(store.RemoveVolume)}
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
		return []looker{x.read, x.write, x.remove, x.verify, x.get, x.drop, x.create, x.delete}
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
	for path, data := range ConfigFiles() {
		x.holds(t, path, data)
	}
	x.turn(t, func() {
		if s := x.space.Get("persist"); s == nil || s.Total <= 0 || s.Reserved < 0 ||
			s.Reserved >= s.Total {
			t.Errorf("the space is %+v", s)
		}
	})
}
