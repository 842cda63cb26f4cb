package nim

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/topics/network"
)

// While nothing works, the one that worked last is kept beside a newer one that never did.
func TestCompressKeepsWhatWorkedLast(t *testing.T) {
	made := func(at, succeeded, failed int64) network.DevicePortConfig {
		d := network.DevicePortConfig{DPCKey: keyController, TimePriority: time.Unix(at, 0)}
		if succeeded > 0 {
			d.LastSucceeded = time.Unix(succeeded, 0)
		}
		if failed > 0 {
			d.LastFailed = time.Unix(failed, 0)
		}
		return d
	}
	list := []network.DevicePortConfig{made(30, 0, 100), made(20, 50, 90), made(10, 60, 80),
		made(5, 0, 0)}
	got, at := compress(list, 0, false)
	if len(got) != 2 || at != 0 || !got[1].TimePriority.Equal(time.Unix(10, 0)) {
		t.Errorf("kept %d, current %d: %+v", len(got), at, got)
	}
	list[0] = made(30, 110, 100)
	if got, _ = compress(list, 0, false); len(got) != 1 {
		t.Errorf("kept %d beside one that works", len(got)-1)
	}
}
