package conform

import (
	"testing"

	"github.com/evetwin/evetwin/core/device/store"
)

// Quotas is what a file system has to be able to do so that containers cannot take any space.
const Quotas = "quotas of folders"

// StoreQuotas checks a part store whose file system limits folders.
func StoreQuotas(t *testing.T, b Backend, mk func(t *testing.T) StoreSetup) {
	runStore(t, b, mk, []Group[*storeBench]{{"quotas", []Case[*storeBench]{
		{Name: "a limit", Run: (*storeBench).limited, Needs: Quotas,
			Clause: "Limit is the size that was asked for, where the file system can keep it"},
		{Name: "without a size", Run: (*storeBench).unlimited, Needs: Quotas,
			Clause: "Limit 0: what it takes is only counted"},
		{Name: "each its own", Run: (*storeBench).limitsApart, Needs: Quotas,
			Clause: "a container that is full leaves others their space"},
	}}})
}

// Containers whose keys have the same CRC-32.
const (
	oneContainer   = "6e8df298-0000-4000-8000-3e8490d14add#0"
	otherContainer = "8d55a4eb-0000-4000-8000-dcfc87cddf69#0"
)

// containerLimit is what containers of the suite may take.
const containerLimit = 1 << 20

// contains makes a container, and wants its limit to be seen, also after a power cut.
func (x *storeBench) contains(t *testing.T, key string, blobs []string, size int64) {
	t.Helper()
	q := store.CreateVolumeReq{VolumeKey: key, Format: store.Container, Size: size, Blobs: blobs}
	is := func() {
		if v := x.volumes.Get(key); v == nil || v.Limit != size {
			t.Errorf("a container of %d bytes is seen as %+v", size, v)
		}
	}
	x.create.does(t, q, is)
	x.cut(t)
	x.turn(t, is)
}

// grows has a guest write to a container, and wants it to be refused or not.
func (x *storeBench) grows(t *testing.T, key string, size int, refused bool) {
	t.Helper()
	var v store.VolumeSeen
	x.turn(t, func() { v = *x.volumes.Get(key) })
	if x.Grow == nil {
		return
	}
	if err := x.Grow(v, size); (err != nil) != refused {
		t.Errorf("%d bytes more in a container with the limit %d: %v", size, v.Limit, err)
	}
}

func (x *storeBench) limited(t *testing.T) {
	blobs, _ := x.image(t)
	for range 2 { // what the first one had is no limit of the next
		x.contains(t, volumeName, blobs, containerLimit)
		x.grows(t, volumeName, containerLimit/2, false)
		x.grows(t, volumeName, containerLimit, true)
		x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	}
	x.drops(t, blobs)
}

func (x *storeBench) unlimited(t *testing.T) {
	blobs, _ := x.image(t)
	x.contains(t, volumeName, blobs, 0)
	x.grows(t, volumeName, 4*containerLimit, false)
	x.delete.does(t, store.VolumeReq{VolumeKey: volumeName}, nil)
	x.drops(t, blobs)
}

func (x *storeBench) limitsApart(t *testing.T) {
	blobs, _ := x.image(t)
	x.contains(t, oneContainer, blobs, containerLimit)
	x.contains(t, otherContainer, blobs, 2*containerLimit)
	x.grows(t, oneContainer, 2*containerLimit, true)
	x.grows(t, otherContainer, containerLimit, false)
	x.grows(t, otherContainer, 2*containerLimit, true)
	for _, key := range []string{oneContainer, otherContainer} {
		x.delete.does(t, store.VolumeReq{VolumeKey: key}, nil)
	}
	x.drops(t, blobs)
}
