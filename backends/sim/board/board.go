// Package board puts the simulated parts of a device together: a disk, a network, a machine.
package board

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/evetwin/evetwin/backends/operator"
	"github.com/evetwin/evetwin/backends/sim/boot"
	"github.com/evetwin/evetwin/backends/sim/bridge"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/hyper"
	"github.com/evetwin/evetwin/backends/sim/nic"
	"github.com/evetwin/evetwin/backends/sim/store"
	"github.com/evetwin/evetwin/backends/sim/tpm"
	"github.com/evetwin/evetwin/backends/sim/web"
	"github.com/evetwin/evetwin/backends/sim/world"
	deviceweb "github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/eveapi/secret"
	"github.com/evetwin/evetwin/core/host"
)

// Sizes of the simulated disk, in bytes.
const (
	DefaultDisk     = 64 << 30
	DefaultReserved = 4 << 30
)

// Part is a device part that takes the place of a simulated one.
type Part interface{ Wire(k *host.Kernel) }

// Options of a board.
type Options struct {
	Name  string
	Seed  uint64
	World *world.World
	// Interfaces are the device's own; nil makes eth0, eth1, ... of the world's ports.
	Interfaces []nic.Interface
	// Config are the files of /config, by name below it.
	Config map[string][]byte
	// Roots are the system's trusted roots in PEM.
	Roots []string
	// Disk keeps what outlives the power; nil makes an empty one.
	Disk *disk.Disk
	// NoRTC: the device wakes up in 1970 until it asked the network for the time.
	NoRTC bool
	// NoTPM: keys are kept in software.
	NoTPM bool
	// Real carries exchanges with a host out for real; see web.Web.
	Real func(host string) (web.Transport, bool)
	// Tpm and Hyper take the place of the simulated parts; nil keeps them.
	Tpm, Hyper func(b *Board) Part
}

// Board is a device's hardware.
type Board struct {
	Disk   *disk.Disk
	World  *world.World
	Nic    *nic.Nic
	Web    *web.Web
	Store  *store.Store
	Tpm    *tpm.Tpm
	Bridge *bridge.Bridge
	Hyper  *hyper.Hyper
	Boot   *boot.Boot
	// Operator is where people in front of the device ask for something.
	Operator *operator.Part
	// OnCut is called when the power goes, for real parts that stand beside the model; may be nil.
	OnCut func()

	o     Options
	clock func() time.Time
	parts []Part
	key   []byte // of secrets

	keeper *secret.Keeper // of this boot
}

// New makes a board. clock is the time of the world.
func New(o Options, clock func() time.Time) *Board {
	d := o.Disk
	if d == nil {
		d = disk.New(DefaultDisk, DefaultReserved)
	}
	for _, name := range disk.Keys(o.Config) {
		d.Put("/config/"+name, o.Config[name])
	}
	if o.Interfaces == nil {
		o.Interfaces = Ethernets(o.World)
	}
	b := &Board{Disk: d, World: o.World, o: o, clock: clock}
	b.key = b.secretKey()
	b.Nic = &nic.Nic{World: o.World, Interfaces: o.Interfaces, Clock: clock, Keeper: b.Keeper}
	b.Web = &web.Web{World: o.World, Disk: d, From: b.Nic.From, Clock: clock, Roots: b.roots,
		Real: o.Real}
	b.Store = &store.Store{Disk: d, Taken: b.Web.Taken}
	b.Tpm = &tpm.Tpm{Disk: d, Seed: o.Seed, Name: o.Name, Absent: o.NoTPM, Keeper: b.Keeper}
	b.Bridge = &bridge.Bridge{}
	b.Hyper = &hyper.Hyper{Disk: d, Vifs: b.Bridge}
	b.Boot = &boot.Boot{Disk: d, RTC: !o.NoRTC, NTP: b.ntp}
	b.Operator = &operator.Part{}
	b.parts = []Part{b.Nic, b.Web, b.Store, b.Tpm, b.Bridge, b.Hyper, b.Operator}
	if o.Tpm != nil {
		b.parts[3] = o.Tpm(b)
	}
	if o.Hyper != nil {
		b.parts[5] = o.Hyper(b)
	}
	return b
}

// Ethernets names an Ethernet interface for each port of a world.
func Ethernets(w *world.World) []nic.Interface {
	var out []nic.Interface
	for i, p := range w.Ports() {
		out = append(out, nic.Interface{Name: fmt.Sprintf("eth%d", i), Port: p.Label,
			PCIAddr: fmt.Sprintf("0000:%02x:00.0", i+2)})
	}
	return out
}

// secretKey is the key under which references of secrets are made: of this device alone, the same
// in all its boots, and as secret as the key that it onboards with.
func (b *Board) secretKey() []byte {
	h := sha256.New()
	h.Write([]byte("evetwin secrets of " + b.o.Name))
	h.Write(binary.BigEndian.AppendUint64(nil, b.o.Seed))
	h.Write(b.Disk.Files["/config/onboard.key.pem"].Data)
	return h.Sum(nil)
}

// Wire declares the parts of a boot. What the parts know of secrets begins anew.
func (b *Board) Wire(k *host.Kernel, m host.Machine) {
	b.keeper = secret.New(b.key)
	b.Web.Keeper, b.Store.Keeper, b.Bridge.Keeper = b.keeper, b.keeper, b.keeper
	for _, p := range b.parts {
		p.Wire(k)
	}
	b.Boot.Wire(k, m)
}

// Keeper is what the parts know of secrets in this boot. It is for the device's loop, and for parts
// that take the place of simulated ones, when they are wired.
func (b *Board) Keeper() *secret.Keeper { return b.keeper }

// Cut is a power cut.
func (b *Board) Cut(draw func(key string) uint64) {
	b.Operator.Cut()
	b.Disk.Cut(draw)
	if b.OnCut != nil {
		b.OnCut()
	}
}

// Carrier passes a change of a cable on.
func (b *Board) Carrier(port string, _ bool) { b.Nic.Carrier(port) }

// roots are what the device trusts under a policy.
func (b *Board) roots(policy string) []string {
	out := b.o.Roots
	if f, ok := b.Disk.Files["/config/root-certificate.pem"]; ok && policy == deviceweb.TLSController {
		out = append(out[:len(out):len(out)], string(f.Data))
	}
	return out
}

// Addresses that stand for time servers known by name: hosts of the outside.
const (
	namedNTP4 = "198.51.100.123"
	namedNTP6 = "2001:db8:1::7b"
)

// ntp asks time servers from every address of every interface.
func (b *Board) ntp(servers []string) (bool, time.Duration) {
	var took time.Duration
	for _, src := range b.Nic.Sources() {
		from, _ := b.Nic.From(src.IfName, src.Addr)
		for _, s := range servers {
			ip, err := netip.ParseAddr(s)
			switch {
			case err == nil:
			case src.Addr.Is4():
				ip = netip.MustParseAddr(namedNTP4)
			default:
				ip = netip.MustParseAddr(namedNTP6)
			}
			if ip.Is4() != src.Addr.Is4() {
				continue
			}
			p := b.World.Time(b.clock(), from, ip)
			took += p.Latency
			if p.Err == nil {
				return true, took
			}
		}
	}
	return false, max(took, time.Second)
}

var _ host.Hardware = (*Board)(nil)
