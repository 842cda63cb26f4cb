package conform_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/evetwin/evetwin/backends/conform"
	linuxstore "github.com/evetwin/evetwin/backends/linux/store"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	"github.com/evetwin/evetwin/backends/linux/store/zfs/zfstest"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/store"
	device "github.com/evetwin/evetwin/core/device/store"
)

func TestModelStoreConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	b := model
	b.Lacks = lacksZFS
	conform.Store(t, b, modelStore(storeAbilities{}))
}

// TestModelStoreOnZFSConforms is the model of a device whose /persist lies on ZFS.
func TestModelStoreOnZFSConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	conform.StoreVolumes(t, conform.Backend{Name: "model on ZFS", Report: report},
		modelStore(storeAbilities{ZFS: true}))
}

// lacksZFS says of a /persist on ext4 what it lacks.
func lacksZFS(need string) string {
	if need == conform.ZFS {
		return "/persist lies on ext4"
	}
	return ""
}

// storeAbilities are what a model can do beside what all can.
type storeAbilities struct{ ZFS, Quotas bool }

// modelStore makes models of a part store.
func modelStore(can storeAbilities) func(t *testing.T) conform.StoreSetup {
	return func(*testing.T) conform.StoreSetup {
		const total = 1 << 30
		d := disk.New(total, 1<<20)
		for path, data := range conform.ConfigFiles() {
			d.Put(path, data)
		}
		download := func(target string, data []byte, whole bool) {
			d.Partials[target] = &disk.Partial{Content: disk.Bytes(data), Whole: int64(len(data)),
				Durable: int64(len(data)), Done: whole}
		}
		fill := func(free int64) {
			d.Total = total
			if free >= 0 {
				d.Total = d.Used() + free
			}
		}
		part := &store.Store{Disk: d, ZFS: can.ZFS, Quotas: can.Quotas}
		return conform.StoreSetup{Setup: conform.Setup{Part: part, Cut: cutter(d)},
			Download: download, Fill: fill, Intruder: modelIntruder(part), ZFS: can.ZFS}
	}
}

// modelIntruder has a hand in a simulated disk.
func modelIntruder(s *store.Store) conform.Intruder {
	return conform.Intruder{
		Put: func(path string, data []byte) {
			s.Outside(func(d *disk.Disk) { d.Put(path, data) })
		},
		Remove: func(path string) {
			s.Outside(func(d *disk.Disk) {
				maps.DeleteFunc(d.Files, func(p string, _ disk.File) bool {
					return p == path || strings.HasPrefix(p, path+"/")
				})
			})
		},
		RemoveBlob: func(sha string) { s.Outside(func(d *disk.Disk) { delete(d.Blobs, sha) }) },
		RemoveVolume: func(key string) {
			s.Outside(func(d *disk.Disk) { delete(d.Volumes, key) })
		},
		Rot: func(sha string) { s.Outside(func(d *disk.Disk) { d.Rot(sha) }) },
	}
}

// intruder has a hand in a disk below a folder.
func intruder(must func(error), root string) conform.Intruder {
	blob := func(sha string) string { return filepath.Join(root, "persist/vault/blobs", sha) }
	remove := func(path string) { // at once, which os.RemoveAll of a folder is not
		where := filepath.Join(root, "persist")
		if vaulted := filepath.Join(where, "vault"); strings.HasPrefix(path, vaulted) {
			where = vaulted
		}
		temp, err := os.MkdirTemp(where, "going-")
		must(err)
		must(os.Rename(path, filepath.Join(temp, "x")))
		must(os.RemoveAll(temp))
	}
	return conform.Intruder{
		Put: func(path string, data []byte) {
			temp := filepath.Join(root, "temp")
			must(os.WriteFile(temp, data, 0o600))
			must(os.Rename(temp, filepath.Join(root, path)))
		},
		Remove:     func(path string) { remove(filepath.Join(root, path)) },
		RemoveBlob: func(sha string) { must(os.Remove(blob(sha))) },
		RemoveVolume: func(key string) {
			found, err := filepath.Glob(filepath.Join(root, "persist/*/volumes", key+".*"))
			must(err)
			for _, path := range found {
				remove(path)
			}
		},
		Rot: func(sha string) {
			f, err := os.OpenFile(blob(sha), os.O_RDWR, 0)
			must(err)
			i, err := f.Stat()
			must(err)
			b := make([]byte, 1)
			_, err = f.ReadAt(b, i.Size()/2)
			b[0] ^= 8
			if err == nil {
				_, err = f.WriteAt(b, i.Size()/2)
			}
			must(errors.Join(err, f.Sync(), f.Close()))
		},
	}
}

// lacksForStore says what this kernel cannot do for a part store.
func lacksForStore(t *testing.T) func(need string) string {
	disk := looptest.New(t, looptest.Options{MiB: 16})
	return func(need string) string {
		if why := lacksZFS(need); why != "" {
			return why
		}
		if need == conform.Encryption {
			if err := vault.Probe(disk.Dir); err != nil {
				return err.Error()
			}
		}
		return ""
	}
}

// realStore is a part on a disk of its own, in the folder "root" of it.
func realStore(t *testing.T) conform.StoreSetup {
	return newStoreLab(t, looptest.Options{}, false)
}

// newStoreLab is realStore for a disk, with a /persist that lies on ZFS or does not.
func newStoreLab(t *testing.T, o looptest.Options, zfs bool) conform.StoreSetup {
	disk := looptest.New(t, o)
	root := filepath.Join(disk.Dir, "root")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, data := range conform.ConfigFiles() {
		must(os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o700))
		must(os.WriteFile(filepath.Join(root, path), data, 0o600))
	}
	pool := newPool(t, disk, root, zfs)
	must(disk.Sync())
	downloads := partial.New(linuxstore.DownloadDir(root), durable.Disk{})
	var off atomic.Bool // nobody wonders that a disk fails without power
	part := linuxstore.New(linuxstore.Options{Root: root, Downloads: downloads,
		ZFS: pool.Program, VaultKey: bytes.Repeat([]byte{1}, vault.KeySize), OnError: func(err error) {
			if !off.Load() {
				t.Error(err)
			}
		}})
	t.Cleanup(part.Halt)
	download := func(target string, data []byte, whole bool) {
		must(downloads.Remove(target))
		w, err := downloads.Resume(target)
		must(err)
		_, err = w.Write(data)
		if err == nil && whole {
			err = w.Finish()
		}
		must(errors.Join(err, w.Close()))
	}
	cut := func() {
		off.Store(true)
		must(disk.Stop())
		part.Halt()
		must(disk.Start())
		must(pool.Import())
		off.Store(false)
	}
	fill := func(free int64) { must(disk.Fill(filepath.Join(disk.Dir, "filler"), free)) }
	return conform.StoreSetup{Setup: conform.Setup{Part: part, Cut: cut}, Download: download,
		Fill: fill, ZFS: zfs, Grow: grower(root), Intruder: destroyer(intruder(must, root), pool),
		Inside: func(v device.VolumeSeen, file string) ([]byte, error) {
			path := filepath.Join(root, v.Path)
			if file != "" {
				path = filepath.Join(path, "rootfs", file)
			}
			return os.ReadFile(path)
		}}
}

// newPool is a pool of ZFS on a disk of its own; one that nobody finds, if zfs is false.
func newPool(t *testing.T, disk *looptest.Disk, root string, zfs bool) *zfstest.Pool {
	t.Helper()
	p, err := zfstest.New(filepath.Join(disk.Dir, "pools"), root, "persist/vault")
	if err != nil {
		t.Fatal(err)
	}
	if !zfs {
		p.Program = "no-zfs"
	}
	return p
}

// destroyer is an intruder who destroys zvols, too.
func destroyer(i conform.Intruder, pool *zfstest.Pool) conform.Intruder {
	remove := i.RemoveVolume
	i.RemoveVolume = func(key string) {
		name, _ := device.ZvolName(key)
		if !pool.Destroy("persist/clear/volumes/" + name) {
			remove(key)
		}
	}
	return i
}

// TestLinuxStoreOnZFSConforms runs the suite on a pool of a program that stands in for zfs.
func TestLinuxStoreOnZFSConforms(t *testing.T) {
	labtest.Program(t, "qemu-img")
	b := realPart("linux with a stand-in for zfs")
	b.Model, b.StandIn = "model on ZFS", true
	conform.StoreVolumes(t, b, func(t *testing.T) conform.StoreSetup {
		return newStoreLab(t, looptest.Options{}, true)
	})
}

func TestLinuxStoreConforms(t *testing.T) {
	labtest.Program(t, "qemu-img")
	b := realPart("linux")
	b.Lacks = lacksForStore(t)
	conform.Store(t, b, realStore)
}
