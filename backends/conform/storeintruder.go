package conform

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
)

// intruderFile has somebody else make, change and remove a file, and one of /config.
func (x *storeBench) intruderFile(t *testing.T) {
	for _, path := range []string{fileName, "/config/more"} {
		for _, data := range [][]byte{[]byte("from outside"), []byte("again"), nil} {
			x.outside(t, func() {
				if data == nil {
					x.Intruder.Remove(path)
				} else {
					x.Intruder.Put(path, data)
				}
			})
			x.until(t, "what somebody else did to "+path, func() bool {
				f := x.files.Get(store.FileKey(path))
				return (f == nil) == (data == nil) && (f == nil || f.Sha256 == sum(data))
			})
			x.holds(t, path, data)
		}
	}
	x.writes(t, store.WriteReq{Path: fileName, Data: []byte("ours")})
	x.outside(t, func() { x.Intruder.Remove(fileName) })
	x.until(t, "the end of "+fileName, func() bool {
		return x.files.Get(store.FileKey(fileName)) == nil
	})
	x.writes(t, store.WriteReq{Path: fileName, Data: []byte("ours")}) // and it is healed
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
	x.complete(t)
}

// folders has files in folders that come with them, of our own and of somebody else's.
func (x *storeBench) folders(t *testing.T) {
	const dir = "/persist/ingested/a"
	paths := []string{dir + "/b/one", dir + "/b/two", dir + "/three"}
	for range 2 {
		for _, path := range paths {
			x.writes(t, store.WriteReq{Path: path, Data: []byte(path)})
			x.holds(t, path, []byte(path))
		}
		x.cut(t)
		for _, path := range paths {
			x.holds(t, path, []byte(path))
		}
		x.outside(t, func() { x.Intruder.Put(paths[0], []byte("from outside")) })
		x.until(t, "what somebody else wrote", func() bool {
			f := x.files.Get(store.FileKey(paths[0]))
			return f != nil && f.Sha256 == sum([]byte("from outside"))
		})
		x.outside(t, func() { x.Intruder.Remove(dir) })
		x.until(t, "the end of the folder", func() bool { return x.files.Len() == len(ConfigFiles()) })
	}
	x.complete(t)
}

// configuration writes what is no configuration where one belongs: nobody gets it back.
func (x *storeBench) configuration(t *testing.T) {
	data := []byte("a secret that is no configuration")
	for _, path := range []string{store.SavedConfig, store.BackupConfig} {
		x.writes(t, store.WriteReq{Path: path, Data: data})
		got := x.read.does(t, store.ReadReq{Path: path, Sha256: sum(data)}, nil)
		if len(got.Data) > 0 || got.Kept == nil || got.Kept.Sha256 != sum(data) ||
			got.Kept.Refused == nil {
			t.Errorf("%s is handed out as %q, %+v", path, got.Data, got.Kept)
		}
		x.remove.does(t, store.RemoveReq{Path: path}, nil)
	}
	x.complete(t)
}

// intruderBlob has somebody else remove a blob; the download is made a blob anew.
func (x *storeBench) intruderBlob(t *testing.T) {
	data := content()
	for range 2 {
		x.downloads(t, data, true)
		x.verifies(t, data)
		x.outside(t, func() { x.Intruder.RemoveBlob(sum(data)) })
		x.until(t, "the end of the blob", func() bool { return x.blobs.Get(sum(data)) == nil })
		x.get.refuses(t, store.BlobReq{Sha256: sum(data)}, store.FaultMissing, true)
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// rot flips a bit of a blob; it is what it was when it was loaded anew.
func (x *storeBench) rot(t *testing.T) {
	data := content()
	q := store.BlobReq{Sha256: sum(data)}
	x.downloads(t, data, true)
	x.verifies(t, data)
	x.outside(t, func() { x.Intruder.Rot(q.Sha256) })
	x.get.refuses(t, q, store.FaultCorrupt, true)
	x.cut(t)
	x.get.refuses(t, q, store.FaultCorrupt, true)
	for _, remove := range []bool{false, true} {
		if remove {
			x.outside(t, func() { x.Intruder.Rot(q.Sha256) })
			x.drop.does(t, q, nil)
		}
		x.downloads(t, data, true)
		x.verifies(t, data)
		if got := x.get.does(t, q, nil); !bytes.Equal(got.Data, data) {
			t.Errorf("loaded anew it is %d bytes %.50q", len(got.Data), got.Data)
		}
	}
	x.drop.does(t, q, nil)
}

// cancelledVerify has the hashing of a large download replaced by that of a small one.
func (x *storeBench) cancelledVerify(t *testing.T) {
	large, data := make([]byte, 24<<20), content()
	x.downloads(t, large, true)
	x.outside(t, func() { x.Download("download-2", data, true) })
	got := x.verify.cancels(t, store.VerifyReq{Target: target, Sha256: sum(large)},
		store.VerifyReq{Target: "download-2", Sha256: sum(data)}, nil, nil)
	if got.Phase != agent.Done {
		t.Fatalf("a verification that is cancelled keeps the next from its end: %+v", *got.Fault)
	}
	x.verifies(t, large)
	for _, sha := range []string{sum(large), sum(data)} {
		x.drop.does(t, store.BlobReq{Sha256: sha}, nil)
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// intruderVolume has somebody else remove volumes; they are made anew.
func (x *storeBench) intruderVolume(t *testing.T) {
	manifest, _ := x.image(t)
	for _, q := range []store.CreateVolumeReq{
		{VolumeKey: volumeName, Format: "raw", Size: 1 << 20},
		{VolumeKey: volumeName, Format: store.Container, Blobs: manifest},
	} {
		for range 2 {
			x.create.does(t, q, func() { x.volumeIs(t, q, q.Size) })
			x.outside(t, func() { x.Intruder.RemoveVolume(q.VolumeKey) })
			x.until(t, "the end of the volume", func() bool { return x.volumes.Len() == 0 })
		}
	}
	x.drops(t, manifest)
}
