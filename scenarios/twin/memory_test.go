package twin_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// maxDeviceHeap is what a configured device with all agents may keep in memory, with its world and
// what the controller keeps of it. 1,000 of them in real time have 300 KiB each of resident memory.
const maxDeviceHeap = 244 << 10

// heapOf is the heap in use when n more devices have run for three minutes.
func heapOf(t *testing.T, s *twin.Site, w *sim.World, from, n int) uint64 {
	t.Helper()
	for i := range n {
		d, err := s.NewDevice(w, twin.DeviceOptions{Name: fmt.Sprintf("edge%d", from+i),
			Seed: uint64(from + i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Boot(); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(w.Now() + time.Minute)
	configured := 0
	for _, d := range s.Controller.Fleet().Devices() {
		cfg, err := fleet.NewDraft(d.Name()).MgmtPort("eth0", 0).MgmtPort("eth1", 1).Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.SetConfig(fleet.Change{Config: cfg, At: w.Wall()}); err != nil {
			t.Fatal(err)
		}
		configured++
	}
	if configured != from+n {
		t.Fatalf("%d of %d devices have registered", configured, from+n)
	}
	w.Run(w.Now() + 2*time.Minute)
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestADeviceKeepsLittleInMemory(t *testing.T) {
	s, err := twin.NewSite(twin.SiteOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.New(sim.Options{Seed: 1})
	const first, more = 10, 40 // what all devices share is made for the first
	was := heapOf(t, s, w, 0, first)
	each := (int64(heapOf(t, s, w, first, more)) - int64(was)) / more
	t.Logf("%d KiB for each device", each>>10)
	if each > maxDeviceHeap {
		t.Errorf("a device keeps %d KiB, at most %d", each>>10, maxDeviceHeap>>10)
	}
	runtime.KeepAlive(w)
}
