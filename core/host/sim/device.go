package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
)

// PublisherSum is the checksum of one publisher over all boots of its device.
type PublisherSum struct {
	Name string
	Sum  uint64
}

// Sums lists the checksums of a device's publishers by name.
func (d *Device) Sums() []PublisherSum {
	all := maps.Clone(d.sums)
	if d.boot != nil {
		d.boot.k.Sums(func(n string, s uint64) { all[n] = bus.Mix(all[n]*3 + s) })
	}
	out := make([]PublisherSum, 0, len(all))
	for _, n := range slices.Sorted(maps.Keys(all)) {
		out = append(out, PublisherSum{n, all[n]})
	}
	return out
}

// DeviceOptions of a device.
type DeviceOptions struct {
	Name   string
	Agents []agent.Entry
	// Hardware is wired at each boot; it keeps what outlives the power.
	Hardware host.Hardware
	Limits   host.Limits
	// Seed of the device's draws; 0 means the world's.
	Seed   uint64
	OnTurn func(p *host.Proc, in *host.Input, out *host.Output)
	// Hooks are the device's for all its boots.
	Hooks host.Hooks
	// Lag is asked how much later than usual an agent's next turn runs; nil: not at all.
	Lag func(agent string, turn uint64) time.Duration
	// Cut is asked, when a record goes to the journal, whether the power goes with it; nil: never.
	Cut func(r *host.Record) Cut
	// Room is how many bytes the disk has left for the journal; nil: enough.
	Room   func() int64
	OnLine func(from string, at time.Duration, l agent.Line)
}

// Device is a device in a world; it is the host.Machine of its parts.
type Device struct {
	w       *World
	o       DeviceOptions
	boot    *boot
	boots   uint64
	turns   uint64
	sums    map[string]uint64
	journal journal
	skew    time.Duration // of its wall clock
	hash    uint64
}

// Device adds a device; it is off until Boot.
func (w *World) Device(o DeviceOptions) *Device {
	if o.Seed == 0 {
		o.Seed = w.o.Seed
	}
	var s bus.Sum
	s.Word(o.Seed)
	s.String(o.Name)
	d := &Device{w: w, o: o, sums: map[string]uint64{}, hash: s.Value()}
	w.devices = append(w.devices, d)
	return d
}

// Name is the device's name.
func (d *Device) Name() string { return d.o.Name }

// World is the world the device is in.
func (d *Device) World() *World { return d.w }

// Kernel is the boot that runs, nil while the device is off.
func (d *Device) Kernel() *host.Kernel {
	if d.boot == nil {
		return nil
	}
	return d.boot.k
}

// Boots counts the boots.
func (d *Device) Boots() uint64 { return d.boots }

// SetClock makes the device's wall clock differ from the true one by skew.
func (d *Device) SetClock(skew time.Duration) { d.skew = skew }

// Time is the time of the world.
func (d *Device) Time() time.Duration { return d.w.now }

// TrueWall is the wall clock of the world.
func (d *Device) TrueWall() time.Time { return d.w.Wall() }

// Boot turns the device on. A device that is on already stays as it is.
func (d *Device) Boot() error {
	if d.boot != nil {
		return nil
	}
	d.boots++
	b := &boot{d: d, at: d.w.now}
	o := &d.w.o
	lim := d.o.Limits
	lim.LateCancel = o.LateCancel
	k, err := host.New(b, host.Options{Device: d.o.Name, Seed: d.o.Seed, Branch: d.w.branch,
		Boot: d.boots, Agents: d.o.Agents,
		Wire:   func(k *host.Kernel) { b.k = k; d.o.Hardware.Wire(k, d) },
		Stored: d.journal.rows(), Rebuild: o.Rebuild, FullTurn: o.FullTurn, Limits: lim,
		Record: o.Record.of(d), Play: o.Play.of(d),
		OnTurn: d.o.OnTurn, OnLine: d.o.OnLine, Hooks: d.o.Hooks})
	if err != nil {
		return fmt.Errorf("boot %s: %w", d.o.Name, err)
	}
	b.k = k
	d.boot = b
	k.Start()
	return nil
}

// Cut takes the power away at this instant.
func (d *Device) Cut() {
	if d.boot == nil {
		return
	}
	k := d.boot.k
	k.Kill()
	d.turns += k.Turns()
	k.Sums(func(n string, s uint64) { d.sums[n] = bus.Mix(d.sums[n]*3 + s) })
	n := d.boots
	draw := func(key string) uint64 {
		var s bus.Sum
		s.Word(d.draws())
		s.Word(n)
		s.String(key)
		return s.Value()
	}
	d.journal.cut(d.w.now, draw)
	d.o.Hardware.Cut(draw)
	d.boot = nil
}

// Reboot cuts the power at the end of this instant and boots again after off.
func (d *Device) Reboot(off time.Duration) {
	d.w.At(d.w.now, func() {
		d.Cut()
		d.w.At(d.w.now+off, func() { must(d.Boot()) })
	})
}

// PowerOff cuts the power at the end of this instant.
func (d *Device) PowerOff() { d.w.At(d.w.now, d.Cut) }

func must(err error) {
	if err != nil {
		panic("sim: " + err.Error())
	}
}

// Crash ends one agent as if its process died; its calls go on or are cancelled, by draw.
func (d *Device) Crash(name string) {
	if d.boot == nil {
		return
	}
	p := d.boot.k.Proc(name)
	if p == nil {
		panic("sim: no agent " + name + " on " + d.o.Name)
	}
	d.boot.k.Crash(p, func(op, key string) bool {
		var s bus.Sum
		s.Word(d.draws())
		s.String(name)
		s.Word(p.Started())
		s.String(op)
		s.String(key)
		return s.Value()%2 == 0
	})
}

var _ host.Machine = (*Device)(nil)
