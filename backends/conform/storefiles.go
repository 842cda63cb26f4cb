package conform

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/store"
)

// fileName is the file of the suite.
const fileName = "/persist/checkpoint/conform"

// has wants a row to tell of a file with a content, or of none: nil. It runs in a turn.
func (x *storeBench) has(t *testing.T, path string, data []byte) {
	t.Helper()
	f := x.files.Get(store.FileKey(path))
	switch {
	case f == nil && data != nil:
		t.Errorf("%s is not seen", path)
	case f != nil && data == nil:
		t.Errorf("%s is seen as %+v", path, *f)
	case f != nil && *f != store.FileSeen{Path: path, Size: int64(len(data)), Sha256: sum(data)}:
		t.Errorf("%s is seen as %+v, want %d bytes with hash %s", path, *f, len(data), sum(data))
	}
}

// holds wants a file to be seen with a content, and to have it, or not to be there.
func (x *storeBench) holds(t *testing.T, path string, data []byte) {
	t.Helper()
	x.turn(t, func() { x.has(t, path, data) })
	switch {
	case data == nil:
		x.read.refuses(t, store.ReadReq{Path: path}, store.FaultMissing, true)
	case path == keyFile:
		x.read.refuses(t, store.ReadReq{Path: path}, store.FaultRefused, false)
	default:
		for _, hash := range []string{"", sum(data)} {
			got := x.read.does(t, store.ReadReq{Path: path, Sha256: hash}, nil)
			if !bytes.Equal(got.Data, data) {
				t.Errorf("%s holds %.100q, want %.100q", path, got.Data, data)
			}
		}
		x.read.refuses(t, store.ReadReq{Path: path, Sha256: sum([]byte("another"))},
			store.FaultChanged, true)
	}
}

// writes writes a file, which shows by the outcome.
func (x *storeBench) writes(t *testing.T, q store.WriteReq) {
	t.Helper()
	x.write.does(t, q, func() { x.has(t, q.Path, q.Data) })
}

func (x *storeBench) wrongFiles(t *testing.T) {
	for _, path := range []string{plainFile, "/config/new", "/etc/passwd", "relative", "",
		"/persist/", "/persist/../config/server", "/persist/checkpoint/../../config/server",
		"/persist/a//b"} {
		x.write.refuses(t, store.WriteReq{Path: path, Data: []byte("x")}, store.FaultRefused, false)
		x.remove.refuses(t, store.RemoveReq{Path: path}, store.FaultRefused, false)
	}
	x.read.refuses(t, store.ReadReq{Path: "/config/nowhere"}, store.FaultMissing, true)
	x.complete(t)
}

// file writes a file twice with the same content, then with another, and removes it twice.
func (x *storeBench) file(t *testing.T) {
	one, two := []byte("one"), []byte("two, which is longer")
	x.writes(t, store.WriteReq{Path: fileName, Data: one})
	x.holds(t, fileName, one)
	var before, after uint64
	x.turn(t, func() { before = rev(x.files, store.FileKey(fileName)) })
	x.writes(t, store.WriteReq{Path: fileName, Data: one})
	x.turn(t, func() { after = rev(x.files, store.FileKey(fileName)) })
	if before != after {
		t.Errorf("writing what is there changed revision %d to %d", before, after)
	}
	x.writes(t, store.WriteReq{Path: fileName, Data: two})
	x.holds(t, fileName, two)
	x.holds(t, fileName+".bak", nil)
	x.writes(t, store.WriteReq{Path: fileName, Data: []byte{}})
	x.holds(t, fileName, []byte{})
	for range 2 {
		x.remove.does(t, store.RemoveReq{Path: fileName}, func() { x.has(t, fileName, nil) })
		x.holds(t, fileName, nil)
	}
}

// backup has the old content kept beside the new one, and both removed.
func (x *storeBench) backup(t *testing.T) {
	one, two := []byte("one"), []byte("two")
	bak := fileName + ".bak"
	x.writes(t, store.WriteReq{Path: fileName, Data: one, Backup: true})
	x.holds(t, bak, one)
	for range 2 {
		x.writes(t, store.WriteReq{Path: fileName, Data: two, Backup: true})
		x.holds(t, fileName, two)
		x.holds(t, bak, one) // equal content only touches the file
	}
	x.remove.does(t, store.RemoveReq{Path: fileName}, func() {
		x.has(t, fileName, nil)
		x.has(t, bak, nil)
	})
	x.complete(t)
}

// kept writes the content of another file by its hash.
func (x *storeBench) kept(t *testing.T) {
	want := []byte(plainText)
	x.write.does(t, store.WriteReq{Path: fileName, Kept: sum(want)},
		func() { x.has(t, fileName, want) })
	x.holds(t, fileName, want)
	for _, hash := range []string{sum([]byte("nowhere")), sum(ConfigFiles()[keyFile])} {
		x.write.refuses(t, store.WriteReq{Path: fileName, Kept: hash}, store.FaultMissing, false)
	}
	x.holds(t, fileName, want)
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
}

func (x *storeBench) limits(t *testing.T) {
	large := make([]byte, store.MaxFile+1)
	x.write.refuses(t, store.WriteReq{Path: fileName, Data: large}, store.FaultRefused, false)
	x.holds(t, fileName, nil)
	x.writes(t, store.WriteReq{Path: fileName, Data: large[:store.MaxFile]})
	x.holds(t, fileName, large[:store.MaxFile])
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
}

// fullForFiles fills the disk: what does not fit leaves all as it was, and fits later.
func (x *storeBench) fullForFiles(t *testing.T) {
	old, next := bytes.Repeat([]byte("old "), 1<<10), bytes.Repeat([]byte("next"), 2<<10)
	x.writes(t, store.WriteReq{Path: fileName, Data: old})
	x.outside(t, func() { x.Fill(1 << 10) })
	x.write.refuses(t, store.WriteReq{Path: fileName, Data: next}, store.FaultNoSpace, true)
	x.write.refuses(t, store.WriteReq{Path: fileName, Data: bytes.Repeat([]byte("same"), 1<<10),
		Backup: true}, store.FaultNoSpace, true)
	x.holds(t, fileName, old)
	x.holds(t, fileName+".bak", nil)
	x.writes(t, store.WriteReq{Path: fileName, Data: old[:10]})
	x.outside(t, func() { x.Fill(-1) })
	x.writes(t, store.WriteReq{Path: fileName, Data: next, Backup: true})
	x.holds(t, fileName, next)
	x.holds(t, fileName+".bak", old[:10])
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
}

// durableFile cuts the power in the turn that brings the outcome.
func (x *storeBench) durableFile(t *testing.T) {
	want := bytes.Repeat([]byte("durable"), 10_000)
	x.writes(t, store.WriteReq{Path: fileName, Data: want})
	x.cut(t)
	x.holds(t, fileName, want)
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
	x.cut(t)
	x.holds(t, fileName, nil)
	x.complete(t)
}

// tornFile cuts the power on the way of a write: the file has the old content or the new, and
// nothing lies beside it.
func (x *storeBench) tornFile(t *testing.T) {
	old, next := bytes.Repeat([]byte("old "), 10_000), bytes.Repeat([]byte("next"), 20_000)
	x.writes(t, store.WriteReq{Path: fileName, Data: old})
	for range 3 {
		x.turn(t, func() {
			x.write.use.Want("x", store.WriteReq{Path: fileName, Data: next})
			x.create.use.Want("x", store.CreateVolumeReq{VolumeKey: "torn#0", Format: "raw", Size: 1})
		})
		x.cut(t)
		now := old
		x.turn(t, func() {
			if f := x.files.Get(store.FileKey(fileName)); f != nil && f.Sha256 == sum(next) {
				now = next
			}
		})
		x.holds(t, fileName, now)
		x.turn(t, func() {
			if n := len(ConfigFiles()) + 1; x.files.Len() != n {
				t.Errorf("%d files after a power cut, want %d", x.files.Len(), n)
			}
		})
	}
	x.writes(t, store.WriteReq{Path: fileName, Data: next})
	x.holds(t, fileName, next)
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
	x.delete.does(t, store.VolumeReq{VolumeKey: "torn#0"}, nil)
}

// cancelledWrite has a write replaced by another one.
func (x *storeBench) cancelledWrite(t *testing.T) {
	one, two := []byte("one"), []byte("two")
	got := x.write.cancels(t, store.WriteReq{Path: fileName, Data: one},
		store.WriteReq{Path: fileName, Data: two}, nil, func() { x.has(t, fileName, two) })
	if got.Phase != agent.Done {
		t.Fatalf("a cancelled write keeps the next from its end: %+v", *got.Fault)
	}
	x.holds(t, fileName, two)
	x.remove.does(t, store.RemoveReq{Path: fileName}, nil)
	x.complete(t)
}
