package conform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/evetwin/evetwin/backends/conform"
	"github.com/evetwin/evetwin/backends/sim/bridge"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/hyper"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/backends/sim/real"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// Volumes of the guests, and the adapter of the machine.
const (
	lasting = "volume-a#0"
	brief   = "volume-b#0"
	adapter = "0000:01:00.0"
)

// boots is the disks of a guest that boots from a volume.
func boots(volume string) []device.Disk {
	return []device.Disk{{VolumeKey: volume, Path: "/persist/vault/volumes/" + volume,
		Format: "container"}}
}

// both wires two parts.
type both [2]conform.Part

// Wire wires them.
func (b both) Wire(k *host.Kernel) {
	for _, p := range b {
		p.Wire(k)
	}
}

// mapped asks a model whether a port leads to a guest that would answer.
func mapped(b *bridge.Bridge) conform.Networking {
	return conform.Networking{IPv6: true, Reach: func(app, proto string, port uint16) error {
		to, at, ok := b.Mapped("eth0", proto, port, netip.MustParseAddr("192.0.2.1"))
		if !ok || to != app || at != conform.ServedPort {
			return fmt.Errorf("port %d leads to port %d of %q", port, at, to)
		}
		return nil
	}}
}

func TestModelHyperConforms(t *testing.T) {
	t.Parallel() // a model shares nothing with the machine
	for _, iommu := range []bool{false, true} {
		t.Run(fmt.Sprintf("IOMMU=%v", iommu), func(t *testing.T) {
			t.Parallel() // it is idle most of the time
			backend := model
			if iommu {
				backend.Name = "model with an IOMMU"
			}
			mk := func(*testing.T) conform.HyperSetup {
				d := disk.New(1<<30, 1<<20)
				for _, v := range []string{lasting, brief} {
					d.Volumes[v] = &disk.Volume{Format: "container"}
				}
				nets := &bridge.Bridge{}
				h := &hyper.Hyper{Disk: d, MemoryMB: 1024, IOMMU: iommu, PCI: []string{adapter},
					Vifs: nets, Deaf: map[string]bool{conform.DeafApp: true}}
				return conform.HyperSetup{Setup: conform.Setup{Part: both{nets, h}, Cut: cutter(d)},
					PCI: adapter, Networking: mapped(nets),
					Lasting: boots(lasting), Brief: boots(brief), Leave: h.PowerOff, Kill: h.Break}
			}
			conform.Hyper(t, backend, mk)
			conform.HyperNetworks(t, mk)
		})
	}
}

// consoles tell when an application has listened on its console.
type consoles struct {
	mu    sync.Mutex
	texts map[string]*bytes.Buffer
	heard chan struct{}
}

// console is what a guest writes on; the application stays the same over its guests.
type console struct {
	all *consoles
	app string
}

// Write keeps what a guest says.
func (c console) Write(p []byte) (int, error) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.texts[c.app].Write(p)
	select {
	case c.all.heard <- struct{}{}:
	default:
	}
	return len(p), nil
}

// of is the console of the next guest of an application.
func (c *consoles) of(app string) io.Writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts[app] = &bytes.Buffer{}
	return console{c, app}
}

// up waits until the demo application listens: the power button has been found by then.
func (c *consoles) up(t *testing.T, app string) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		c.mu.Lock()
		text := c.texts[app].String()
		c.mu.Unlock()
		if strings.Contains(text, "demo: listening") {
			return
		}
		select {
		case <-c.heard:
		case <-limit.C:
			t.Fatalf("the guest is not up; its console says:\n%s", text)
		}
	}
}

// image puts an image on a disk as a volume: manifest, configuration, layers.
func image(t *testing.T, d *disk.Disk, from v1.Image, volume string, env ...string) {
	t.Helper()
	cfg, err := from.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.Config.Env = append(cfg.Config.Env, env...)
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := from.Layers()
	if err != nil {
		t.Fatal(err)
	}
	v := &disk.Volume{Format: "container"}
	put := func(b []byte) {
		c := disk.Bytes(b)
		sha := c.Sha256()
		d.Blobs[sha] = c
		v.Blobs = append(v.Blobs, sha)
	}
	put([]byte("the manifest of " + volume))
	put(text)
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		put(b)
	}
	d.Volumes[volume] = v
}

// guests are the QEMU processes of this test, by an argument they have; empty: all.
func guests(part string) []string {
	return slices.DeleteFunc(labtest.Offspring(), func(line string) bool {
		return !strings.Contains(line, qemu.DefaultProgram) || !strings.Contains(line, part)
	})
}

func TestQEMUConforms(t *testing.T) {
	labtest.Program(t, qemu.DefaultProgram)
	kernel := labtest.Kernel(t)
	demo, err := guest.DemoImage(t.Context(), labtest.Cache())
	if err != nil {
		t.Fatal(err)
	}
	mk := func(t *testing.T) conform.HyperSetup {
		d := disk.New(1<<30, 1<<20)
		image(t, d, demo, lasting)
		image(t, d, demo, brief, "DEMO_PORT=none") // it ends when it cannot listen
		out := &consoles{texts: map[string]*bytes.Buffer{}, heard: make(chan struct{}, 1)}
		nets, items, at := real.NewNets(), &bridge.Bridge{}, &forwards{}
		nets.OnForward, items.Changed = at.note, nets.Changed
		h := &real.Hyper{Model: &hyper.Hyper{Disk: d, MemoryMB: 1024, PCI: []string{adapter}},
			Disk: d, Vifs: items, Nets: nets, Accel: qemu.TCG, Dir: t.TempDir(), Console: out.of,
			Machine: guest.Machine{Cache: labtest.Cache(), Kernel: kernel},
			OnModel: func(app, why string) { t.Errorf("guest %s is a model: %s", app, why) }}
		t.Cleanup(func() {
			h.Close()
			nets.Close()
			if left := labtest.Offspring(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
		kill := func(app string) {
			for _, line := range guests(app) {
				var pid int
				if _, err := fmt.Sscan(line, &pid); err != nil {
					t.Error(err)
				} else if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Error(err)
				}
			}
		}
		cut := func() { cutter(d)(); h.Close(); nets.Close() }
		return conform.HyperSetup{Setup: conform.Setup{Part: both{items, h}, Cut: cut}, PCI: adapter,
			Networking: conform.Networking{Reach: at.reach},
			Lasting:    boots(lasting), Brief: boots(brief), Up: out.up,
			Kill: kill, Left: func() []string { return guests("") }}
	}
	conform.Hyper(t, realPart("qemu"), mk)
	conform.HyperNetworks(t, mk)
}
