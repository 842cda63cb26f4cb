package twin

import (
	"fmt"
	"time"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/backends/sim/nic"
	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
)

// DeviceOptions of a device.
type DeviceOptions struct {
	Name string
	Seed uint64
	// Model is the network around it; nil is the default with NICs ports (0: two).
	Model *world.Model
	NICs  int
	// Interfaces are its own; nil names them eth0, eth1, ... in the order of the ports.
	Interfaces []nic.Interface
	// Config are further files of /config, by name below it; they replace the site's.
	Config map[string][]byte
	// Disk keeps what outlives the power; nil is an empty one.
	Disk         *disk.Disk
	NoRTC, NoTPM bool
	OnTurn       func(p *host.Proc, in *host.Input, out *host.Output)
	// Hooks, Lag and Cut are for faults and rules, in virtual time but for the hooks.
	Hooks  host.Hooks
	Lag    func(agent string, turn uint64) time.Duration
	Cut    func(r *host.Record) sim.Cut
	OnLine func(from string, at time.Duration, l agent.Line)
	// OnBoot is told of each boot in real time, on the device's loop.
	OnBoot func(k *host.Kernel)
	Limits host.Limits
	// Agents replace those of the roster.
	Agents []agent.Entry
}

// Device is a device in a virtual world.
type Device struct {
	*sim.Device
	Site  *Site
	World *world.World
	Board *board.Board
}

// NewDevice makes a device of the site in a world; it is off until Boot.
func (s *Site) NewDevice(w *sim.World, o DeviceOptions) (*Device, error) {
	if o.Name == "" {
		o.Name = "edge"
	}
	if o.Seed == 0 {
		o.Seed = w.Seed()
	}
	d := &Device{Site: s}
	b, err := s.board(o, w.Wall, w.Branch, func(b board.Options) board.Options { return b })
	if err != nil {
		return nil, err
	}
	d.Board, d.World = b, b.World
	b.Tpm.Sign = s.memory.signer()
	if o.Agents == nil {
		o.Agents = roster.Agents()
	}
	d.Device = w.Device(sim.DeviceOptions{Name: o.Name, Seed: o.Seed, Agents: o.Agents, Hardware: b,
		OnTurn: o.OnTurn, OnLine: o.OnLine, Limits: o.Limits, Hooks: o.Hooks, Lag: o.Lag, Cut: o.Cut,
		Room: b.Disk.Free})
	return d, nil
}

// never is the branch of devices of real time.
func never() uint64 { return 0 }

// board makes the hardware of a device and the network around it, whose draws change with branch.
func (s *Site) board(o DeviceOptions, clock func() time.Time, branch func() uint64,
	tune func(board.Options) board.Options,
) (*board.Board, error) {
	m := o.Model
	if m == nil {
		m = world.Default(max(o.NICs, 2))
		if o.NICs == 1 {
			m = world.Default(1)
		}
	}
	files, err := s.ConfigFiles(o.Name)
	if err != nil {
		return nil, fmt.Errorf("make device %s: %w", o.Name, err)
	}
	for name, content := range o.Config { //order: each goes to its own key
		files[name] = content
	}
	var b *board.Board
	seed := bus.Mix(o.Seed ^ 0x6e6574)
	net := world.New(m, world.Options{Controller: s.Origin(), Outside: s.Outside, PublicCA: s.public,
		Draw: func(key string, n uint64) uint64 {
			var sum bus.Sum
			sum.Word(seed ^ branch())
			sum.String(o.Name)
			sum.String(key)
			sum.Word(n)
			return sum.Value()
		},
		OnCarrier: func(port string, up bool) { b.Carrier(port, up) }})
	b = board.New(tune(board.Options{Name: o.Name, Seed: o.Seed, World: net, Interfaces: o.Interfaces,
		Config: files, Roots: s.Roots(), Disk: o.Disk, NoRTC: o.NoRTC, NoTPM: o.NoTPM}), clock)
	return b, nil
}

// Row is a row of the device at this instant, nil if there is none or the device is off.
func Row[V bus.Row](k *host.Kernel, t bus.Topic[V], key string) *V {
	if k == nil {
		return nil
	}
	h, ok := k.Head(t.Decl)
	if !ok {
		return nil
	}
	v, _ := h.Get(key)
	p, _ := v.(*V)
	return p
}

// Rows are all rows of a topic at this instant, by key.
func Rows[V bus.Row](k *host.Kernel, t bus.Topic[V]) []*V {
	if k == nil {
		return nil
	}
	h, ok := k.Head(t.Decl)
	if !ok {
		return nil
	}
	var out []*V
	for _, v := range h.All() {
		out = append(out, v.(*V))
	}
	return out
}

// Cable pulls the cable of an interface or puts it in.
func (d *Device) Cable(ifname string, in bool) error {
	for _, f := range d.Board.Nic.Interfaces {
		if f.Name != ifname {
			continue
		}
		ok := false
		if in {
			ok = d.World.Plug(f.Port)
		} else {
			ok = d.World.Cut(f.Port)
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("the device has no cable at %s", ifname)
}
