package conform

import (
	"bytes"
	"strings"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
)

// target is the download of the suite, and content what it brings.
const target = "download-1"

func content() []byte { return bytes.Repeat([]byte("content "), 2000) }

// downloads leaves a download.
func (x *storeBench) downloads(t *testing.T, data []byte, whole bool) {
	t.Helper()
	x.outside(t, func() { x.Download(target, data, whole) })
}

// blobIs wants a blob to be seen with a size, or not to be: -1. It runs in a turn.
func (x *storeBench) blobIs(t *testing.T, sha string, size int) {
	t.Helper()
	b := x.blobs.Get(sha)
	if b == nil != (size < 0) || b != nil && *b != (store.BlobSeen{Sha256: sha, Size: int64(size)}) {
		t.Errorf("blob %s is %+v, want %d bytes", sha, b, size)
	}
}

// verifies makes a blob of the download.
func (x *storeBench) verifies(t *testing.T, data []byte) {
	t.Helper()
	sha := sum(data)
	x.loaded[sha] = data
	res := x.verify.does(t, store.VerifyReq{Target: target, Sha256: sha},
		func() { x.blobIs(t, sha, len(data)) })
	if res.Sha256 != sha || res.Size != int64(len(data)) {
		t.Errorf("verified %+v, want %d bytes with %s", res, len(data), sha)
	}
}

func (x *storeBench) wrongBlobs(t *testing.T) {
	data := content()
	q := store.VerifyReq{Target: target, Sha256: sum(data)}
	x.verify.refuses(t, q, store.FaultMissing, true)
	x.downloads(t, data[:100], false)
	x.verify.refuses(t, q, store.FaultMissing, true)
	x.downloads(t, data, true)
	for _, hash := range []string{"", "abc", strings.ToUpper(sum(data)), sum(data) + "0"} {
		x.verify.refuses(t, store.VerifyReq{Target: target, Sha256: hash}, store.FaultRefused, false)
	}
	x.get.refuses(t, store.BlobReq{Sha256: sum(data)}, store.FaultMissing, true)
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// blob verifies the download that wrongBlobs has left.
func (x *storeBench) blob(t *testing.T) {
	data := content()
	sha := sum(data)
	var before, after uint64
	x.verifies(t, data)
	x.turn(t, func() { before = rev(x.blobs, sha) })
	x.verifies(t, data) // the download is gone, its blob is there
	x.turn(t, func() { after = rev(x.blobs, sha) })
	if before != after {
		t.Errorf("verifying again changed revision %d to %d", before, after)
	}
	if got := x.get.does(t, store.BlobReq{Sha256: sha}, nil); !bytes.Equal(got.Data, data) {
		t.Errorf("the blob holds %d bytes %.50q", len(got.Data), got.Data)
	}
	x.cut(t)
	if got := x.get.does(t, store.BlobReq{Sha256: sha}, nil); !bytes.Equal(got.Data, data) {
		t.Errorf("after a power cut the blob holds %d bytes %.50q", len(got.Data), got.Data)
	}
	large := make([]byte, 4<<20+1)
	x.downloads(t, large, true)
	x.verifies(t, large)
	x.get.refuses(t, store.BlobReq{Sha256: sum(large)}, store.FaultRefused, false)
	for _, sha := range []string{sha, sum(large)} {
		for range 2 {
			x.drop.does(t, store.BlobReq{Sha256: sha}, func() { x.blobIs(t, sha, -1) })
		}
	}
	x.verify.refuses(t, store.VerifyReq{Target: target, Sha256: sha}, store.FaultMissing, true)
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// corrupt verifies a download that is another: it stays, and is what it is.
func (x *storeBench) corrupt(t *testing.T) {
	data := content()
	wrong := store.VerifyReq{Target: target, Sha256: sum([]byte("another"))}
	x.downloads(t, data, true)
	for range 2 {
		got := x.verify.outcome(t, "x", wrong, func() { x.blobIs(t, wrong.Sha256, -1) })
		if f := got.Fault; f == nil || f.Code != store.FaultCorrupt || f.Text != "computed "+sum(data) {
			t.Errorf("a download with another hash: %+v", f)
		}
	}
	x.verifies(t, data)
	x.drop.does(t, store.BlobReq{Sha256: sum(data)}, nil)
}

// tornBlob cuts the power on the way of a verification: download or blob is there, and verifying
// again comes to its end.
func (x *storeBench) tornBlob(t *testing.T) {
	data := content()
	x.downloads(t, data, true)
	x.turn(t, func() {
		x.verify.use.Want("x", store.VerifyReq{Target: target, Sha256: sum(data)})
	})
	x.cut(t)
	x.verifies(t, data)
	if got := x.get.does(t, store.BlobReq{Sha256: sum(data)}, nil); !bytes.Equal(got.Data, data) {
		t.Errorf("the blob holds %d bytes %.50q", len(got.Data), got.Data)
	}
	x.counts(t, len(ConfigFiles()), 1, 0)
}

// volumeName is the volume of the suite.
const volumeName = "d507b2a1-2226-47cc-ac88-dee46077dad1#0"

// volumeIs wants the volume to be seen as it was asked for; it runs in a turn.
func (x *storeBench) volumeIs(t *testing.T, q store.CreateVolumeReq, size int64) {
	t.Helper()
	v := x.volumes.Get(q.VolumeKey)
	q, size = x.seenAs(q, size)
	if v == nil || v.Format != q.Format || v.Encrypted != q.Encrypted || v.Size != size ||
		v.Used < 0 || strings.HasPrefix(v.Path, "/dev/zvol/") != (x.ZFS && store.Zvol(q.Format)) {
		t.Errorf("volume %s is seen as %+v, wanted %+v of %d bytes", q.VolumeKey, v, q, size)
	}
}

// creates makes a volume twice, and has it over a power cut.
func (x *storeBench) creates(t *testing.T, q store.CreateVolumeReq, size int64) {
	t.Helper()
	var before, after uint64
	x.create.does(t, q, func() { x.volumeIs(t, q, size); before = rev(x.volumes, q.VolumeKey) })
	x.create.does(t, q, func() { after = rev(x.volumes, q.VolumeKey) })
	if before != after {
		t.Errorf("making what is there changed revision %d to %d", before, after)
	}
	x.cut(t)
	x.turn(t, func() { x.volumeIs(t, q, size) })
	x.inside(t, q)
	for range 2 {
		x.delete.does(t, store.VolumeReq{VolumeKey: q.VolumeKey}, func() {
			if v := x.volumes.Get(q.VolumeKey); v != nil {
				t.Errorf("a volume that is removed is seen as %+v", *v)
			}
		})
	}
}

// inside wants a volume to hold what it was made of.
func (x *storeBench) inside(t *testing.T, q store.CreateVolumeReq) {
	t.Helper()
	if x.Inside == nil {
		return
	}
	want, files := map[string]string{}, imageFiles
	switch {
	case q.Format == store.Container:
		for _, f := range files {
			want[f[0]] = f[1]
		}
	case q.Format == "raw" && len(q.Blobs) > 0:
		want[""] = string(x.loaded[q.Blobs[0]])
	}
	var v store.VolumeSeen
	x.turn(t, func() { v = *x.volumes.Get(q.VolumeKey) })
	for file, want := range want {
		got, err := x.Inside(v, file)
		if err != nil || !bytes.HasPrefix(got, []byte(want)) || file != "" && string(got) != want {
			t.Errorf("volume %s holds in %q %.50q, %v; want %.50q", q.VolumeKey, file, got, err, want)
		}
	}
	if _, err := x.Inside(v, hiddenFile); q.Format == store.Container && err == nil {
		t.Errorf("volume %s holds a file that an upper layer hides", q.VolumeKey)
	}
}

func (x *storeBench) wrongVolumes(t *testing.T) {
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw"}
	x.create.refuses(t, q, store.FaultRefused, false) // blank and without a size
	q.Blobs = []string{sum(content())}
	x.create.refuses(t, q, store.FaultMissing, true)
	x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// volume makes blank volumes and ones of a blob, whose size is what is asked for at least.
func (x *storeBench) volume(t *testing.T) {
	data := content()
	x.downloads(t, data, true)
	x.verifies(t, data)
	blob := []string{sum(data)}
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw"}
	q.Size = 1 << 20
	x.creates(t, q, 1<<20)
	q.Blobs = blob
	x.creates(t, q, 1<<20)
	q.Size = 10
	x.creates(t, q, int64(len(data)))
	q = store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Blobs: blob}
	x.create.does(t, q, nil)
	x.drop.does(t, store.BlobReq{Sha256: blob[0]}, nil) // a volume does without what it was made of
	x.turn(t, func() { x.volumeIs(t, q, int64(len(data))) })
	x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// fullForVolumes makes a volume of a blob without room for it, and then with.
func (x *storeBench) fullForVolumes(t *testing.T) {
	data := content()
	x.downloads(t, data, true)
	x.verifies(t, data)
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Blobs: []string{sum(data)}}
	x.outside(t, func() { x.Fill(int64(len(data)) / 2) })
	x.create.refuses(t, q, store.FaultNoSpace, true)
	x.counts(t, len(ConfigFiles()), 1, 0)
	x.outside(t, func() { x.Fill(-1) })
	x.creates(t, q, int64(len(data)))
}

// tornVolume cuts the power on the way of a volume: it is there whole or not at all.
func (x *storeBench) tornVolume(t *testing.T) {
	data := content()
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Blobs: []string{sum(data)}}
	x.turn(t, func() { x.create.use.Want("x", q) })
	x.cut(t)
	x.turn(t, func() {
		if x.volumes.Get(volumeName) != nil {
			x.volumeIs(t, q, int64(len(data)))
		}
	})
	x.creates(t, q, int64(len(data)))
}

// cancelledVolume has the making of a volume replaced by that of another one.
func (x *storeBench) cancelledVolume(t *testing.T) {
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Size: 1 << 20}
	other := q
	other.VolumeKey = "d507b2a1-2226-47cc-ac88-dee46077dad2#0"
	got := x.create.cancels(t, q, other, nil, func() { x.volumeIs(t, other, 1<<20) })
	if got.Phase != agent.Done {
		t.Fatalf("a volume that is cancelled keeps the next from its end: %+v", *got.Fault)
	}
	for _, key := range []string{q.VolumeKey, other.VolumeKey} {
		x.delete.does(t, store.VolumeReq{VolumeKey: key}, nil)
	}
	x.counts(t, len(ConfigFiles()), 1, 0)
}
