package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/zfs/zfstest"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	device "github.com/evetwin/evetwin/core/device/store"
)

// pooled is a device whose /persist lies on ZFS, or on what stands in for it.
func pooled(t *testing.T) (*rig, *zfstest.Pool) {
	t.Helper()
	labtest.Program(t, "qemu-img")
	disk := looptest.New(t, looptest.Options{MiB: 64})
	root := filepath.Join(disk.Dir, "root")
	must(t, os.Mkdir(root, 0o700))
	pool, err := zfstest.New(filepath.Join(disk.Dir, "pools"), root, "")
	must(t, err)
	return up(t, Options{Root: root, ZFS: pool.Program}), pool
}

// TestSpaceOfAPool takes space in each way on ZFS: only what is no application's is reserved.
func TestSpaceOfAPool(t *testing.T) {
	r, _ := pooled(t)
	sha, err := r.loads([]byte(strings.Repeat("blob", 2<<20)))
	must(t, err)
	look := func() device.SpaceSeen {
		t.Helper()
		r.mu.Lock()
		defer r.mu.Unlock()
		volumes, err := r.lookAtVolumes()
		must(t, err)
		s, err := r.lookAtSpace(volumes)
		must(t, err)
		return s
	}
	before := look()
	must(t, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Blobs: []string{sha}}),
		r.creates(device.CreateVolumeReq{VolumeKey: "w#0", Format: "iso", Blobs: []string{sha}}))
	after := look()
	if before != after || after.Total < 48<<20 || after.Total > 64<<20 {
		t.Errorf("volumes of 8 MiB each made the space %+v of %+v", after, before)
	}
	volumes, _ := rows(t, r, r.volumes)
	if v := volumes["v#0"]; v.Used < 8<<20 || v.Used > 9<<20 {
		t.Errorf("a zvol of a blob of 8 MiB is %+v", v)
	}
	must(t, os.WriteFile(filepath.Join(r.host("/persist"), "big"), make([]byte, 24<<20), 0o600))
	if s := look(); s.Reserved < 24<<20 || s.Reserved > 28<<20 {
		t.Errorf("with 24 MiB of the system's the space is %+v", s)
	}
}

// TestDeviceThatDoesNotAppear waits for a device in vain until the call is cancelled, and for one
// whose folders come first.
func TestDeviceThatDoesNotAppear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zvol/persist/v")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- appears(ctx, path) }()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, it is %v", err)
	}
	go func() { ended <- appears(t.Context(), path) }()
	for _, dir := range []string{filepath.Dir(filepath.Dir(path)), filepath.Dir(path)} {
		must(t, os.Mkdir(dir, 0o700))
	}
	must(t, os.WriteFile(path, nil, 0o600))
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("a device that is there was not noticed")
	}
}

// TestPoolThatFails has the program fail: what cannot be looked at is not said to be absent.
func TestPoolThatFails(t *testing.T) {
	r, pool := pooled(t)
	must(t, r.creates(device.CreateVolumeReq{VolumeKey: "v#0", Format: "raw", Size: 1}))
	program, err := os.ReadFile(pool.Program)
	must(t, err, os.WriteFile(pool.Program, []byte("#!/bin/sh\necho I/O error >&2\nexit 1\n"), 0o755))
	r.o.OnError = func(error) {}
	r.Lost()
	r.mu.Lock()
	r.showVolume("v#0")
	r.mu.Unlock()
	if volumes, _ := rows(t, r, r.volumes); len(volumes) != 1 {
		t.Errorf("while the pool fails %v are seen", volumes)
	}
	q := &device.CreateVolumeReq{VolumeKey: "w#0", Format: "raw", Size: 1}
	_, f := r.createVolume(t.Context(), q)
	if f == nil || f.Code != device.FaultIO || !f.Retry {
		t.Errorf("while the pool fails a volume is %+v", f)
	}
	must(t, os.WriteFile(pool.Program, program, 0o755))
	must(t, r.creates(*q))
	if volumes, _ := rows(t, r, r.volumes); len(volumes) != 2 {
		t.Errorf("afterwards %v are seen", volumes)
	}
	f = fault("create", r.creates(device.CreateVolumeReq{VolumeKey: "x#0", Format: "raw",
		Size: 1 << 40}))
	if !strings.Contains(f.Text, device.FaultNoSpace) {
		t.Errorf("a volume without room is %+v", f)
	}
	if err := unix.Access(r.host("/dev/zvol/persist/clear/volumes/x.0"), unix.F_OK); err == nil {
		t.Error("it has a device")
	}
}
