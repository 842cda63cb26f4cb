package board

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/eveapi/secret"
)

// writableMiB is what a container may write to its root, and keep over restarts.
const writableMiB = 256

// rootsDir is where roots of containers lie that are ready to boot, by their volumes.
const rootsDir = "/persist/vault/roots"

// guests makes what guests boot from.
type guests struct {
	root    string
	dir     string // of what runs guests
	machine guest.Machine
	// reveal is the value behind a reference of a secret.
	reveal func(ctx context.Context, ref string) (string, error)
}

func newGuests(o *Options, under hyper.Under) (*guests, error) {
	kernel, err := lab.FindKernel(o.Cache)
	if err != nil {
		return nil, fmt.Errorf("find the kernel of containers: %w", err)
	}
	return &guests{root: o.Root, dir: under.Dir(o.Run),
		machine: guest.Machine{Cache: o.Cache, Kernel: kernel}}, nil
}

// boot makes the parts for a start of a guest. A container as the first disk is its root; a guest
// without one boots its first disk by firmware.
func (g *guests) boot(ctx context.Context, s *device.Spec, n int) (guest.Parts, error) {
	disks, err := g.disks(ctx, s)
	if err != nil {
		return guest.Parts{}, err
	}
	if len(s.Disks) == 0 || s.Disks[0].Format != "container" {
		var p guest.Parts
		for _, d := range disks {
			p.Disks = append(p.Disks, d.Disk)
		}
		if len(p.Disks) == 0 {
			return p, errors.New("there is no volume to boot from")
		}
		return p, nil
	}
	root, err := g.container(ctx, &s.Disks[0])
	if err != nil {
		return guest.Parts{}, err
	}
	env, err := g.environment(ctx, s.UserData)
	if err != nil {
		return guest.Parts{}, err
	}
	return g.machine.Boot(ctx, root, guest.Start{UUID: s.AppID, Boot: n, Env: env, Disks: disks},
		filepath.Join(g.dir, s.AppID+".initrd"))
}

// disks are the volumes but a container.
func (g *guests) disks(ctx context.Context, s *device.Spec) (out []guest.DataDisk, err error) {
	for i, d := range s.Disks {
		if d.Format == "container" {
			if i > 0 {
				return nil, fmt.Errorf("volume %s: only the first volume can be a container", d.VolumeKey)
			}
			continue
		}
		x := guest.DataDisk{Dir: d.MountDir, Disk: qemu.Disk{Path: filepath.Join(g.root, d.Path),
			Format: d.Format, ReadOnly: d.ReadOnly, Serial: fmt.Sprintf("volume%d", i)}}
		if d.Format == "iso" {
			x.Disk.Format, x.Disk.ReadOnly = "raw", true
		}
		if x.Dir != "" && d.Format == "raw" && !d.ReadOnly {
			if _, err := guest.FormatBlank(ctx, x.Disk.Path); err != nil {
				return nil, fmt.Errorf("volume %s: %w", d.VolumeKey, err)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// container is the root of a container, made when it is first needed.
func (g *guests) container(ctx context.Context, d *device.Disk) (guest.Root, error) {
	dir := filepath.Join(g.root, rootsDir, d.VolumeKey)
	if root, err := guest.Open(dir); err == nil {
		return root, nil
	}
	volume := filepath.Join(g.root, d.Path)
	img, err := guest.FromFolder(filepath.Join(volume, "rootfs"),
		filepath.Join(volume, "image-config.json"))
	if err != nil {
		return guest.Root{}, fmt.Errorf("volume %s: %w", d.VolumeKey, err)
	}
	root, err := guest.Prepare(ctx, img, guest.RootOptions{Dir: dir, WritableMiB: writableMiB})
	if err != nil {
		return root, fmt.Errorf("volume %s: %w", d.VolumeKey, err)
	}
	return root, nil
}

// forget removes the root of a volume that was removed.
func (g *guests) forget(volumeKey string) {
	// What is left of it is replaced when a volume of the key is made again.
	_ = os.RemoveAll(filepath.Join(g.root, rootsDir, volumeKey))
}

// environment is what the user data of a container sets: lines "K=V", in base64, which may be a
// secret.
func (g *guests) environment(ctx context.Context, userData string) (env []string, err error) {
	if secret.Is(userData) {
		if userData, err = g.reveal(ctx, userData); err != nil {
			return nil, fmt.Errorf("read the user data: %w", err)
		}
	}
	text, err := base64.StdEncoding.DecodeString(userData)
	if err != nil {
		return nil, fmt.Errorf("read the user data: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, _, ok := strings.Cut(line, "="); ok && name != "" && !strings.HasPrefix(line, "#") {
			env = append(env, line)
		}
	}
	return env, nil
}
