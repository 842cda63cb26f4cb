package boot_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/evetwin/evetwin/backends/linux/boot"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
)

// hardware is a device of the part alone.
type hardware struct{ p *boot.Part }

// Wire wires the part.
func (h hardware) Wire(k *host.Kernel, _ host.Machine) { h.p.Wire(k) }

// Cut ends the boot.
func (h hardware) Cut(func(string) uint64) { h.p.Halt() }

// reader takes the first row.
type reader struct {
	seen *bus.Sub[device.BootSeen]
	take func(*device.BootSeen)
}

// Step takes it.
func (r reader) Step(*agent.Turn) {
	if x := r.seen.Get(device.BootSeen{}.Key()); x != nil {
		r.take(x)
	}
}

// story is how a boot came about as a process of the device shows it.
func story(t *testing.T, root, told string) (row device.BootSeen) {
	t.Helper()
	p := boot.New(boot.Options{Root: root, Told: told,
		Current: func() (string, error) { return "", errors.New("none") }})
	ctx, stop := context.WithCancel(t.Context())
	d, err := live.New(live.Options{Name: "edge", Hardware: hardware{p}, Agents: []agent.Entry{
		{Name: "reader", New: func(p bus.Port) agent.Agent {
			return reader{bus.Subscribe(p, device.Boot), func(x *device.BootSeen) { row = *x; stop() }}
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return row
}

// A process that is started again in the same boot tells the story of the boot, and neither counts
// another one nor finds that it does not know why.
func TestAProcessThatReturnsIsNoBoot(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "persist/status"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "persist/boot-reason"), []byte("BootReasonFatal"),
		0o600); err != nil {
		t.Fatal(err)
	}
	told := filepath.Join(root, "told.json")
	first, again := story(t, root, told), story(t, root, told)
	if first.Reason != "BootReasonFatal" || first.RestartCounter != 1 || !first.First {
		t.Fatalf("the boot is %+v", first)
	}
	if !device.Boot.Equal(&first, &again) {
		t.Errorf("a process of the same boot shows %+v, not %+v", again, first)
	}
	if err := os.Remove(told); err != nil { // as a reset does
		t.Fatal(err)
	}
	if next := story(t, root, told); next.First || next.RestartCounter != 2 || next.Reason != "" {
		t.Errorf("the next boot is %+v", next)
	}
	if err := os.WriteFile(told, []byte(`{"Boot":"another","Story":{"RestartCounter":9}}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	if next := story(t, root, told); next.RestartCounter != 3 {
		t.Errorf("what was told in another boot of the kernel counts: %+v", next)
	}
}
