package board

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/evetwin/evetwin/backends/linux/boot"
	"github.com/evetwin/evetwin/backends/linux/bridge"
	"github.com/evetwin/evetwin/backends/linux/clock"
	"github.com/evetwin/evetwin/backends/linux/hyper"
	"github.com/evetwin/evetwin/backends/linux/hyper/domxml"
	"github.com/evetwin/evetwin/backends/linux/led"
	"github.com/evetwin/evetwin/backends/linux/nic"
	"github.com/evetwin/evetwin/backends/linux/spool"
	"github.com/evetwin/evetwin/backends/linux/store"
	"github.com/evetwin/evetwin/backends/linux/store/durable"
	"github.com/evetwin/evetwin/backends/linux/store/partial"
	"github.com/evetwin/evetwin/backends/linux/tpm"
	"github.com/evetwin/evetwin/backends/linux/web"
	"github.com/evetwin/evetwin/backends/operator"
	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Board is the hardware of a device. It is a host.Hardware.
type Board struct {
	o      Options
	guests *guests
	module *tpm.TPM // nil: there is none
	under  hyper.Under
	why    string // it is under that
	parts  []On

	nic    *nic.Nic
	bridge *bridge.Bridge
	web    *web.Web
	store  *store.Store
	tpm    *tpm.Part
	hyper  *hyper.Hyper
	boot   *boot.Part
	led    *led.Led
	people *operator.Part
	clock  *clock.Clock
	log    *spool.Part

	key    []byte // of references to secrets
	keeper *secret.Keeper
	off    func(off bool) error // in a lab

	mu   sync.Mutex
	post func(f func()) // onto the loop of the boot
}

var _ host.Hardware = (*Board)(nil)

// New finds what the device stands on. Nothing of it is changed before a boot is wired, but that
// the device's inputs are copied into memory.
func New(o Options) (*Board, error) {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.OnError == nil {
		o.OnError = func(string, error) {}
	}
	b := &Board{o: o}
	err := copyConfig(o.ConfigFrom, filepath.Join(o.Root, "/config"))
	if err != nil {
		return nil, fmt.Errorf("make device %s: %w", o.Name, err)
	}
	if b.key, err = secretKey(filepath.Join(o.Root, "/persist/secrets")); err != nil {
		return nil, fmt.Errorf("make device %s: %w", o.Name, err)
	}
	if o.TPM != "" {
		if b.module, err = tpm.Open(o.TPM); err != nil {
			return nil, fmt.Errorf("make device %s: open its TPM: %w", o.Name, err)
		}
	}
	if b.under, b.why, err = hyper.Choose(o.Hyper, o.Run); err != nil {
		return nil, fmt.Errorf("make device %s: %w", o.Name, err)
	}
	if b.guests, err = newGuests(&b.o, b.under); err != nil {
		return nil, fmt.Errorf("make device %s: %w", o.Name, err)
	}
	b.guests.reveal = b.reveal
	b.make()
	b.tell()
	return b, nil
}

// in is a path below the root.
func (b *Board) in(path string) string { return filepath.Join(b.o.Root, path) }

// make makes the parts.
func (b *Board) make() {
	o := &b.o
	b.log = spool.New(spool.Options{Root: o.Root, Device: b.bundle,
		OnError: func(err error) { o.OnError("log", err) }})
	wrong := b.wrong
	keeper := func() *secret.Keeper { return b.keeper }
	disk := durable.Disk{Writing: &sync.RWMutex{}}
	downloads := partial.New(store.DownloadDir(o.Root), disk)
	b.nic = nic.New(nic.Options{Space: o.Space, Ports: o.Ports, State: filepath.Join(o.Run, "nic"),
		ResolvConf: o.ResolvConf, Keeper: keeper, OnError: wrong("nic")})
	b.bridge = bridge.New(bridge.Options{Space: o.Space, State: filepath.Join(o.Run, "bridge"),
		Keeper: keeper, OnError: wrong("bridge")})
	b.web = web.New(web.Options{Space: o.Space, Downloads: downloads, System: o.Roots,
		RootFile: b.in("/config/root-certificate.pem"), Keeper: keeper, OnError: wrong("web")})
	b.store = store.New(store.Options{Root: o.Root, ConfigFrom: o.ConfigFrom, Keeper: keeper,
		Downloads: downloads,
		Disk:      disk, Removed: b.guests.forget, OnError: wrong("store")})
	b.tpm = tpm.New(tpm.Options{TPM: b.module, Kind: o.TPMKind, Keeper: keeper,
		Files:    tpm.Dir{Root: o.Root, Disk: disk},
		Firmware: "/sys/kernel/security/tpm0/binary_bios_measurements",
		Log:      filepath.Join(o.Run, "measured")})
	accel := domxml.QEMU
	if o.Accel == lab.KVM {
		accel = domxml.KVM
	}
	b.hyper = hyper.New(hyper.Options{Type: accel, Why: o.Why, MemoryMB: o.MemoryMB, Root: o.Root,
		Sys: o.Sys, Under: b.under, Dir: b.guests.dir, Space: o.Space,
		Cache: filepath.Join(o.Cache.Dir, "libvirt"), Boot: b.guests.boot, Console: b.console,
		OnError: wrong("hyper")})
	b.people = &operator.Part{}
	b.led = led.New(led.Options{Dir: o.Lights, Console: o.Console})
	b.clock = clock.New(clock.Options{Space: o.Space, ResolvConf: o.ResolvConf, Sys: o.Sys,
		State: filepath.Join(o.Run, "clock"), Set: o.SetClock, OnError: wrong("clock")})
	b.boot = boot.New(boot.Options{Disk: o.Disk, Root: o.Root, Durable: disk, Current: b.current,
		Told:     filepath.Join(o.Run, "boot.json"),
		Watchdog: b.watchdog("dev/watchdog"), Reset: b.reset(), OnError: wrong("boot")})
}

// watchdog is the path of the hardware watchdog; in a lab there is none.
func (b *Board) watchdog(name string) string {
	if b.o.Exit {
		return ""
	}
	return "/" + name
}

// current tells the label of the partition that runs.
func (b *Board) current() (string, error) {
	switch {
	case b.o.Disk == "":
		return "", errors.New("the machine has no disk with partitions for two systems")
	case b.o.Current != "":
		return b.o.Current, nil
	}
	return boot.FromCommandLine("/proc/cmdline")
}

// Operator is the part operator, for those who serve people in front of the device.
func (b *Board) Operator() *operator.Part { return b.people }

// reset is how the device is reset: nil is reboot(2).
func (b *Board) reset() func(off bool) error {
	if !b.o.Exit {
		return nil
	}
	return func(off bool) error { return b.off(off) }
}

// Wire declares the parts of a boot. What the parts know of secrets begins anew. Downloads that an
// earlier boot was at have ended before the store looks at their folder.
func (b *Board) Wire(k *host.Kernel, m host.Machine) {
	b.keeper = secret.New(b.key)
	end := k.Part("board")
	b.mu.Lock()
	b.post = end.Post
	b.mu.Unlock()
	b.off = func(off bool) error {
		if b.o.Exited != nil {
			if err := b.o.Exited(off); err != nil {
				return err
			}
		}
		end.Post(m.PowerOff)
		return nil
	}
	b.web.Close()
	b.nic.Wire(k)
	b.store.Wire(k)
	b.web.Wire(k)
	b.tpm.Wire(k)
	b.bridge.Wire(k)
	b.hyper.Wire(k)
	b.boot.Wire(k)
	b.led.Wire(k)
	b.clock.Wire(k)
	b.people.Wire(k)
	b.log.Wire(k)
}

// reveal is the value behind a reference of a secret; the keeper belongs to the loop.
func (b *Board) reveal(ctx context.Context, ref string) (string, error) {
	b.mu.Lock()
	post := b.post
	b.mu.Unlock()
	found := make(chan bool, 1)
	var text string
	post(func() {
		v, ok := b.keeper.Value(ref)
		text = v
		found <- ok
	})
	select {
	case ok := <-found:
		if !ok {
			return "", fmt.Errorf("secret %s is not here", secret.Place(ref))
		}
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Cut ends a boot: nothing of its work goes on. What runs and is configured stays, until the reset
// of the machine ends it.
func (b *Board) Cut(func(key string) uint64) {
	b.people.Cut()
	b.halt()
}

func (b *Board) halt() {
	b.web.Close()
	b.store.Halt()
	b.tpm.Halt()
	b.boot.Halt()
	b.led.Close()
	b.log.Flush()
}

// Close ends the parts of this process. Guests run on, and what is configured stays: a board that
// is made next finds it.
func (b *Board) Close() error {
	b.halt()
	b.hyper.Close()
	b.bridge.Close()
	b.nic.Close()
	b.log.Close()
	if b.module != nil {
		return b.module.Close()
	}
	return nil
}

// Seed is what the device's draws derive from: of this device alone, and the same in all its boots.
func (b *Board) Seed() uint64 {
	sum := sha256.Sum256(append([]byte("draws"), b.key...))
	return binary.BigEndian.Uint64(sum[:])
}

// Parts are the parts, and what they stand on.
func (b *Board) Parts() []On { return b.parts }

// tell says what the parts stand on.
func (b *Board) tell() {
	o := &b.o
	space := "this network"
	if o.Space != "" {
		space = "network namespace " + o.Space
	}
	for _, name := range []string{"nic", "bridge", "web", "clock"} {
		b.parts = append(b.parts, On{name, "linux", space})
	}
	keys := "keys in files: there is no TPM"
	if o.TPM != "" {
		keys = o.TPMKind + " " + o.TPM
	}
	disk := On{"boot", "linux", o.Disk}
	if o.Disk == "" {
		disk = On{"boot", "none", "no disk with partitions for two systems"}
	}
	b.parts = append(b.parts, On{"store", "linux", b.in("/persist") + ", not encrypted"},
		On{"tpm", "linux", keys}, b.hypervisor(), disk,
		On{"power", "linux", b.power()}, On{"led", "linux", "a light of the kernel, or the console"},
		On{"log", "linux", b.in(spool.Dir)})
}

// hypervisor says what runs guests.
func (b *Board) hypervisor() On {
	under := "libvirt"
	if b.under == hyper.QEMU {
		under = "QEMU without libvirt"
	}
	return On{"hyper", "linux", fmt.Sprintf("%s (%s), %s: %s", under, b.why, b.o.Accel, b.o.Why)}
}

func (b *Board) power() string {
	if b.o.Exit {
		return "a reset is the end of the process"
	}
	return "reboot(2)"
}
