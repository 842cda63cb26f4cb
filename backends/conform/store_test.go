package conform_test

import (
	"testing"

	"github.com/evetwin/evetwin/backends/conform"
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
