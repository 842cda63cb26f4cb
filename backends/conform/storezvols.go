package conform

import (
	"bytes"
	"testing"

	"github.com/evetwin/evetwin/core/device/store"
)

// storeZvols are cases on disks where /persist lies on ZFS.
func storeZvols() []Case[*storeBench] {
	return []Case[*storeBench]{
		{Name: "a disk is a zvol", Run: (*storeBench).zvol, Needs: ZFS,
			Clause: "where /persist lies on ZFS most disks become zvols, and are seen as raw"},
		{Name: "whole blocks", Run: (*storeBench).zvolSizes, Needs: ZFS,
			Clause: "a zvol has a whole number of blocks of ZvolBlock bytes"},
		{Name: "use", Run: (*storeBench).zvolUse, Needs: ZFS,
			Clause: "Used is how many bytes it has on the disk"},
		{Name: "wrong names", Run: (*storeBench).zvolNames, Needs: ZFS,
			Clause: "ZvolName: no dataset can have some keys, which is refused"},
		{Name: "what is a file there, too", Run: (*storeBench).zvolFiles, Needs: ZFS,
			Clause: "containers, and disks that never grow, are no zvols"},
		{Name: "power cut while a zvol is made", Run: (*storeBench).tornZvol, Needs: ZFS, Loose: chance,
			Clause: "an unfinished volume is not seen, and goes with the next boot"},
	}
}

// seenAs is how a volume that is asked for is seen, with a size.
func (x *storeBench) seenAs(q store.CreateVolumeReq, size int64) (store.CreateVolumeReq, int64) {
	if x.ZFS && store.Zvol(q.Format) {
		q.Format, size = "raw", store.ZvolSize(size)
	}
	return q, size
}

// zvolPath is the device of the suite's volume.
const zvolPath = "/dev/zvol/persist/clear/volumes/d507b2a1-2226-47cc-ac88-dee46077dad1.0"

// volumeRow is the suite's volume as it is seen now.
func (x *storeBench) volumeRow(t *testing.T) (v store.VolumeSeen) {
	t.Helper()
	x.turn(t, func() {
		if row := x.volumes.Get(volumeName); row != nil {
			v = *row
		}
	})
	return v
}

// zvol makes zvols of an image in each of two formats, and of none.
func (x *storeBench) zvol(t *testing.T) {
	disk, text := x.loads(t, unpackedDisk(t, "")), x.loads(t, content())
	for _, q := range []store.CreateVolumeReq{
		{Format: "qcow2", Blobs: []string{disk}, Size: 2 * qcow2Size},
		{Format: "raw", Blobs: []string{text}, Size: 1 << 20},
		{Format: "vmdk", Size: 1 << 20},
	} {
		q.VolumeKey = volumeName
		x.create.does(t, q, func() { x.volumeIs(t, q, q.Size) })
		v := x.volumeRow(t)
		if v.Path != zvolPath {
			t.Errorf("a zvol of format %s is seen as %+v", q.Format, v)
		}
		if x.Inside != nil {
			want := map[string][]byte{"raw": content()}[q.Format]
			got, err := x.Inside(v, "")
			if err != nil || int64(len(got)) != q.Size || !bytes.HasPrefix(got, want) ||
				len(bytes.Trim(got[len(want):], "\x00")) > 0 {
				t.Errorf("a zvol of format %s holds %d bytes %.50q: %v", q.Format, len(got), got, err)
			}
		}
		x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	}
	x.drops(t, []string{disk, text})
}

// zvolSizes makes zvols of sizes around that of a block.
func (x *storeBench) zvolSizes(t *testing.T) {
	for _, sizes := range [][2]int64{{1, 16384}, {16384, 16384}, {16385, 32768}} {
		size, want := sizes[0], sizes[1]
		q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Size: size}
		x.create.does(t, q, func() {
			if v := x.volumes.Get(volumeName); v == nil || v.Size != want {
				t.Errorf("a zvol of %d bytes is seen as %+v", size, v)
			}
		})
		x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	}
}

// zvolUse compares a blank zvol with one that has content.
func (x *storeBench) zvolUse(t *testing.T) {
	blob := x.loads(t, bytes.Repeat([]byte("used "), 100_000))
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Size: 4 << 20}
	for _, q.Blobs = range [][]string{nil, {blob}} {
		x.create.does(t, q, nil)
		least, most := int64(0), int64(64<<10)
		if len(q.Blobs) > 0 {
			least, most = 450_000, 600_000
		}
		if v := x.volumeRow(t); v.Used < least || v.Used > most {
			t.Errorf("with blobs %v: %+v", q.Blobs, v)
		}
		x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	}
	x.drops(t, []string{blob})
}

// zvolNames asks for zvols whose datasets could not be named.
func (x *storeBench) zvolNames(t *testing.T) {
	q := store.CreateVolumeReq{Format: "raw", Size: 1}
	for _, q.VolumeKey = range []string{"none", "#0", "v#", "v.1#0", "v#0.1", "v#0#1",
		"unfinished:v#0", "v w#0", "v@w#0"} {
		x.create.refuses(t, q, store.FaultRefused, false)
		x.delete.does(t, store.VolumeReq{VolumeKey: q.VolumeKey}, nil)
	}
	x.counts(t, len(ConfigFiles()), 0, 0)
}

// zvolFiles makes volumes that are files and folders.
func (x *storeBench) zvolFiles(t *testing.T) {
	image, _ := x.image(t)
	for _, q := range []store.CreateVolumeReq{{Format: "iso", Size: 1 << 20},
		{Format: store.Container, Blobs: image}} {
		q.VolumeKey = volumeName
		x.creates(t, q, q.Size)
	}
	x.drops(t, image)
}

// tornZvol cuts the power on the way of a zvol of an image.
func (x *storeBench) tornZvol(t *testing.T) {
	blob := x.loads(t, content())
	q := store.CreateVolumeReq{VolumeKey: volumeName, Format: "raw", Size: 1 << 20,
		Blobs: []string{blob}}
	for range 3 {
		x.turn(t, func() { x.create.use.Want("x", q) })
		x.cut(t)
		x.turn(t, func() {
			if x.volumes.Get(volumeName) != nil {
				x.volumeIs(t, q, q.Size)
			}
		})
		x.creates(t, q, q.Size)
	}
	x.drops(t, []string{blob})
}
