package conform_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/evetwin/evetwin/backends/conform"
	linuxstore "github.com/evetwin/evetwin/backends/linux/store"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/looptest"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/store/vault"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/store"
)

func TestModelStoreConforms(t *testing.T) {
	conform.Store(t, model, func(*testing.T) conform.StoreSetup {
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
		return conform.StoreSetup{Setup: conform.Setup{Part: &store.Store{Disk: d}, Cut: cutter(d)},
			Download: download, Fill: fill}
	})
}

// realStore is a part on a disk of its own, in the folder "root" of it.
func realStore(t *testing.T) conform.StoreSetup {
	disk := looptest.New(t, looptest.Options{})
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
	must(disk.Sync())
	downloads := partial.New(linuxstore.DownloadDir(root), durable.Disk{})
	var off atomic.Bool // nobody wonders that a disk fails without power
	part := linuxstore.New(linuxstore.Options{Root: root, Downloads: downloads,
		VaultKey: bytes.Repeat([]byte{1}, vault.KeySize), OnError: func(err error) {
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
		off.Store(false)
	}
	fill := func(free int64) { must(disk.Fill(filepath.Join(disk.Dir, "filler"), free)) }
	return conform.StoreSetup{Setup: conform.Setup{Part: part, Cut: cut}, Download: download,
		Fill: fill}
}

func TestLinuxStoreConforms(t *testing.T) {
	conform.Store(t, realPart("linux"), realStore)
}
