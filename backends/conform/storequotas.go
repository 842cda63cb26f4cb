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
	other := "d507b2a1-2226-47cc-ac88-dee46077dad2#0"
	x.contains(t, volumeName, blobs, containerLimit)
	x.contains(t, other, blobs, 2*containerLimit)
	x.grows(t, volumeName, 2*containerLimit, true)
	x.grows(t, other, containerLimit, false)
	x.grows(t, other, 2*containerLimit, true)
	for _, key := range []string{volumeName, other} {
		x.delete.does(t, store.VolumeReq{VolumeKey: key}, nil)
	}
	x.drops(t, blobs)
}
