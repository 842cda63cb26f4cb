package twin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/backends/sim/real"
	"github.com/evetwin/evetwin/backends/sim/swtpm"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/controllersim"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/live"
	"github.com/lf-edge/eve-api/go/config"
	"google.golang.org/protobuf/proto"
)

// off is how long a reset of a device takes in real time.
const off = time.Second

// machine is what QEMU guests run on; without a kernel there are none.
type machine struct {
	kernel  lab.Kernel
	verdict lab.Verdict
}

func hostOf(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("find the controller: %w", err)
	}
	return u.Host, nil
}

// findQEMU decides whether guests run in QEMU.
func (l *Live) findQEMU(ctx context.Context) error {
	if l.o.Hyper == Model {
		return nil
	}
	_, err := lab.Find(lab.DefaultQEMU)
	if err == nil {
		// Looking at the kernel takes as long as asking for the verdict: they go side by side.
		verdict := make(chan lab.Verdict, 1)
		go func() { verdict <- lab.Prober{Cache: l.o.Cache}.Accel(ctx) }()
		l.machine.kernel, err = lab.FindKernel(l.o.Cache)
		l.machine.verdict = <-verdict
	}
	switch {
	case err == nil:
		l.Hyper = "qemu-" + l.machine.verdict.Accel
		if err := os.MkdirAll(l.guests(), 0o700); err != nil {
			return fmt.Errorf("make a folder for guests: %w", err)
		}
	case l.o.Hyper == QEMU:
		return fmt.Errorf("run guests in QEMU: %w", err)
	default:
		l.note("guests are models: " + err.Error())
	}
	return nil
}

// guests is the folder of what QEMU has of guests.
func (l *Live) guests() string { return filepath.Join(l.o.Dir, "guests") }

// openTPM starts the software TPM of the first device, if there is to be one.
func (l *Live) openTPM(ctx context.Context) error {
	if l.o.Tpm == Model {
		return nil
	}
	sock, err := lab.NewSocketDir()
	if err != nil {
		return err
	}
	t, err := swtpm.Open(ctx, swtpm.Options{Dir: filepath.Join(l.o.Dir, "tpm"), SocketDir: sock.Path})
	if err == nil {
		l.Tpm, l.Chip = SWTPM, t
		l.closing(func() error { return errors.Join(t.Close(), sock.Close()) })
		return nil
	}
	if l.o.Tpm == SWTPM || ctx.Err() != nil {
		return errors.Join(fmt.Errorf("start the software TPM: %w", err), sock.Close())
	}
	l.note("the TPM is a model: " + err.Error())
	return sock.Close()
}

// first makes the device that is shown, with the real parts.
func (l *Live) first() error {
	o := l.o.DeviceOptions
	b, d, err := l.device(o, l.o.Dir, func(b board.Options) board.Options {
		if l.Chip != nil {
			b.Tpm = func(x *board.Board) board.Part {
				part := tpm.New(tpm.Options{TPM: l.Chip.TPM, Kind: SWTPM,
					Files: real.Files{Disk: x.Disk}, Reset: l.Chip.Reset, Keeper: x.Keeper})
				l.closing(func() error { part.Halt(); return nil })
				return part
			}
		}
		if l.Hyper != Model {
			b.Hyper = l.hyper
		}
		return b
	})
	l.Board, l.Device = b, d
	return err
}

// further makes device number n, all of models.
func (l *Live) further(n int) error {
	o := l.o.DeviceOptions
	o.OnTurn, o.OnLine, o.OnBoot, o.Hooks = nil, nil, nil, host.Hooks{}
	o.Name = fmt.Sprintf("%s-%d", l.o.Name, n)
	if l.o.OnOther != nil {
		hooks := l.o.OnOther(o.Name)
		o.OnTurn, o.OnLine, o.OnBoot = hooks.OnTurn, hooks.OnLine, hooks.OnBoot
	}
	o.Seed = bus.Mix(l.o.Seed + uint64(n))
	dir := filepath.Join(l.o.Dir, "devices", o.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make device %s: %w", o.Name, err)
	}
	b, d, err := l.device(o, dir, func(b board.Options) board.Options { return b })
	if err != nil {
		return err
	}
	l.Others = append(l.Others, &Other{o.Name, d, b})
	return nil
}

// device makes a device that keeps its state in dir.
func (l *Live) device(o DeviceOptions, dir string, tune func(board.Options) board.Options,
) (*board.Board, *live.Device, error) {
	if l.o.Shape != nil {
		if err := l.o.Shape(l.Site, &o); err != nil {
			return nil, nil, err
		}
	}
	var k *keeper
	if l.o.Keep {
		var err error
		if k, err = openKeeper(filepath.Join(dir, "disk"), &o); err != nil {
			return nil, nil, err
		}
		l.disks = append(l.disks, k)
	}
	transport := &real.HTTP{Dial: l.dial, Plain: map[string]bool{Registry + ":443": true,
		Registry + ":80": true, Registry + ":5000": true}}
	b, err := l.Site.board(o, time.Now, never, func(b board.Options) board.Options {
		b.Real = func(h string) (web.Transport, bool) {
			_, ok := l.dial[strings.ToLower(h)]
			return transport, ok
		}
		return tune(b)
	})
	if err != nil {
		return nil, nil, err
	}
	b.Boot.Off, b.Hyper.Serial = off, o.Name
	if l.o.Equip != nil {
		l.o.Equip(b)
	}
	if o.Agents == nil {
		o.Agents = roster.Agents()
	}
	if k != nil {
		seen := o.OnTurn
		o.OnTurn = func(p *host.Proc, in *host.Input, out *host.Output) {
			k.touch()
			k.flush(out)
			if seen != nil {
				seen(p, in, out)
			}
		}
	}
	d, err := live.New(live.Options{Name: o.Name, Seed: o.Seed, Agents: o.Agents, Hardware: b,
		Dir: filepath.Join(dir, "device"), OnTurn: o.OnTurn, OnLine: o.OnLine, OnBoot: o.OnBoot,
		Limits: o.Limits, Hooks: o.Hooks})
	if err != nil {
		return nil, nil, err
	}
	if k != nil {
		k.run(b.Disk, d.Post)
	}
	return b, d, nil
}

// hyper makes the part of the first device that runs guests in QEMU.
func (l *Live) hyper(b *board.Board) board.Part {
	nets := real.NewNets()
	nets.OnForward = l.o.OnForward
	accel := qemu.TCG
	if l.machine.verdict.Accel == lab.KVM {
		accel = qemu.KVM
	}
	h := &real.Hyper{Model: b.Hyper, Disk: b.Disk, Vifs: b.Bridge, Nets: nets, Accel: accel,
		Machine: guest.Machine{Cache: l.o.Cache, Kernel: l.machine.kernel}, Why: l.machine.verdict.Why,
		Dir: l.guests(), Console: l.o.Console, OnModel: l.o.OnModel}
	b.Bridge.Changed, b.Store.Removed = nets.Changed, h.Forget
	b.OnCut = func() { h.Close(); nets.Close() }
	l.closing(func() error { b.OnCut(); return nil })
	return h
}

// SetConfig gives a device a configuration by its name, whatever it had; a device that has not
// registered yet finds it when it does. It returns the version.
func (l *Live) SetConfig(name string, cfg *config.EdgeDevConfig) (version string, err error) {
	e := l.Server.Do(func(c *controllersim.Controller) {
		d, ok := c.Fleet().ByName(name)
		if !ok {
			if d, err = c.Fleet().AddDevice(fleet.NewDevice{Name: name, Serial: name}); err != nil {
				return
			}
		}
		if _, _, have := d.ConfigBytes(); have != "" {
			cfg = proto.CloneOf(cfg)
			cfg.Id = nil
		}
		version, err = d.SetConfig(fleet.Change{Config: cfg, At: time.Now()})
	})
	if err = errors.Join(err, e); err != nil {
		return "", fmt.Errorf("set the configuration of %s: %w", name, err)
	}
	return version, nil
}

// Config is what a device has been given, in an earlier run perhaps, and its version, which is
// empty if that is nothing.
func (l *Live) Config(name string) (cfg *config.EdgeDevConfig, version string, err error) {
	e := l.Server.Do(func(c *controllersim.Controller) {
		if d, ok := c.Fleet().ByName(name); ok {
			cfg, version, err = d.Config()
		}
	})
	return cfg, version, errors.Join(err, e)
}
