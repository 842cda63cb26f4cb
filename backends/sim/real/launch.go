package real

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sort"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// plan is what must be made of a domain's volumes before it can start; all bytes are taken from the
// simulated disk beforehand, on the device's loop.
type plan struct {
	dir   string
	image guest.Image
	boot  bool // image holds the root
	disks []planned
}

type planned struct {
	device.Disk
	data []byte
	size int64
}

func (h *Hyper) plan(s *device.Spec) (*plan, error) {
	p := &plan{dir: h.Dir}
	for i, d := range s.Disks {
		v := h.Disk.Volumes[d.VolumeKey]
		if v == nil {
			return nil, fmt.Errorf("volume %s is not here", d.VolumeKey)
		}
		if v.Format == "container" {
			if i > 0 || p.boot {
				return nil, fmt.Errorf("volume %s: only the first volume can be a container", d.VolumeKey)
			}
			img, err := h.image(v)
			if err != nil {
				return nil, fmt.Errorf("volume %s: %w", d.VolumeKey, err)
			}
			p.image, p.boot = img, true
			p.dir = filepath.Join(h.Dir, file(d.VolumeKey))
			continue
		}
		x := planned{Disk: d, size: v.Size}
		for _, sha := range v.Blobs {
			x.data = h.Disk.Blobs[sha].Data
		}
		p.disks = append(p.disks, x)
	}
	if !p.boot {
		return nil, errors.New("the first volume is no container image")
	}
	return p, nil
}

// modelled says why QEMU does not run a domain; empty if it does.
func (h *Hyper) modelled(s *device.Spec) string {
	for _, d := range s.Disks {
		v := h.Disk.Volumes[d.VolumeKey]
		if v == nil {
			return "" // told by plan
		}
		for _, sha := range v.Blobs {
			if h.Disk.Blobs[sha].Modelled {
				return "its image comes from a datastore of the simulated network, which made it up"
			}
		}
	}
	if len(s.Disks) == 0 {
		return "it has no volume to boot from"
	}
	v := h.Disk.Volumes[s.Disks[0].VolumeKey]
	if v.Format != "container" {
		return "its first volume is no container image, and only those boot in QEMU here"
	}
	if cfg, err := h.configuration(v); err == nil && cfg.Architecture != "" &&
		cfg.Architecture != Arch {
		return "its image is for " + cfg.Architecture + ", and guests in QEMU are " + Arch + " here"
	}
	return ""
}

// configuration reads the configuration of a container image.
func (h *Hyper) configuration(v *disk.Volume) (cfg v1.ConfigFile, err error) {
	if len(v.Blobs) < 2 {
		return cfg, errors.New("no manifest and configuration")
	}
	if err := json.Unmarshal(h.Disk.Blobs[v.Blobs[1]].Data, &cfg); err != nil {
		return cfg, fmt.Errorf("read the image's configuration: %w", err)
	}
	return cfg, nil
}

// image reads a container image from the blobs of a volume: manifest, config, layers.
func (h *Hyper) image(v *disk.Volume) (guest.Image, error) {
	var img guest.Image
	cfg, err := h.configuration(v)
	if err != nil {
		return img, err
	}
	img.Config = cfg.Config
	for _, sha := range v.Blobs[2:] {
		data := h.Disk.Blobs[sha].Data
		img.Layers = append(img.Layers, func() (io.ReadCloser, error) {
			if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
				return gzip.NewReader(bytes.NewReader(data))
			}
			return io.NopCloser(bytes.NewReader(data)), nil
		})
	}
	return img, nil
}

// writableMiB is what a container may write to its root, and keep over restarts.
const writableMiB = 256

// make prepares root and disks.
func (p *plan) make(ctx context.Context) (guest.Root, []guest.DataDisk, error) {
	root, err := guest.Open(p.dir)
	if err != nil {
		if root, err = guest.Prepare(ctx, p.image, guest.RootOptions{Dir: p.dir,
			WritableMiB: writableMiB}); err != nil {
			return root, nil, err
		}
	}
	var disks []guest.DataDisk
	for i, d := range p.disks {
		path := filepath.Join(filepath.Dir(p.dir), file(d.VolumeKey)+"."+d.Format)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			if err := writeDisk(path, d.data, d.size); err != nil {
				return root, nil, err
			}
		}
		x := guest.DataDisk{Dir: d.MountDir, Disk: qemu.Disk{Path: path, Format: d.Format,
			ReadOnly: d.ReadOnly, Serial: fmt.Sprintf("volume%d", i)}}
		if x.Dir != "" && d.Format == "raw" && len(d.data) == 0 {
			if _, err := guest.FormatBlank(ctx, path); err != nil {
				return root, nil, err
			}
		}
		disks = append(disks, x)
	}
	return root, disks, nil
}

func writeDisk(path string, data []byte, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, werr := f.Write(data)
	if werr == nil && size > int64(len(data)) {
		werr = f.Truncate(size)
	}
	return errors.Join(werr, f.Close())
}

// launch starts QEMU for a domain and lets it run.
func (h *Hyper) launch(ctx context.Context, g *vm, s *device.Spec, boots, cuts int,
) (*qemu.VM, error) {
	parts, err := h.Machine.Boot(ctx, g.root, guest.Start{UUID: s.AppID, Boot: boots, Disks: g.disks},
		h.initrd(s.AppID))
	if err != nil {
		return nil, err
	}
	spec := qemu.Spec{Name: s.Name, UUID: s.AppID, Accel: h.Accel,
		MemoryMiB: max(128, s.MemoryKiB>>10), VCPUs: 1, NoReboot: true}
	parts.Fill(&spec)
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, v := range s.Vifs {
		mac, err := net.ParseMAC(v.MAC)
		if err != nil {
			return nil, err
		}
		f, err := h.Nets.Attach(v.Name, v.MAC, v.Bridge)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		spec.NICs = append(spec.NICs, qemu.NIC{MAC: mac, Stream: qemu.Socket{File: f}})
	}
	var console io.Writer
	if h.Console != nil {
		console = h.Console(s.AppID)
	}
	run, err := qemu.Launch(ctx, qemu.Options{Spec: spec, Console: console, Booted: guest.Banner,
		Slots: h.slots})
	if err != nil {
		return nil, err
	}
	if !h.admit(run, cuts) {
		return nil, errors.Join(errors.New("the power is gone"), run.Destroy())
	}
	if err := run.Resume(ctx); err != nil {
		return nil, errors.Join(err, run.Destroy())
	}
	return run, nil
}

// initrd is the initramfs of the next boot of an application's guest.
func (h *Hyper) initrd(app string) string { return filepath.Join(h.Dir, app+".initrd") }

func (h *Hyper) usage(c host.Run[device.UsageReq, device.UsageRes]) {
	var res device.UsageRes
	var names []string
	for n := range h.guests { //order: sorted below
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		g := h.guests[n]
		u := device.Usage{Name: n, AppID: g.row.AppID, AllocatedMB: uint64(g.row.MemoryKiB >> 10)}
		if g.qemu != nil {
			if x, err := g.qemu.Usage(); err == nil {
				u.UsedMB = x.RSSBytes >> 20
				g.cpu, g.peak = max(g.cpu, uint64(x.CPU)), max(g.peak, u.UsedMB)
			}
		}
		u.CPUTotalNs, u.MaxUsedMB = g.cpu, g.peak
		res.Domains = append(res.Domains, u)
	}
	res.Domains = append(res.Domains, h.Model.Usages()...)
	res.Host = device.Usage{CPUTotalNs: uint64(h.pt.Now()) / 10, AllocatedMB: h.Model.MemoryMB}
	c.Done(res)
}
