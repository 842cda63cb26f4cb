package real

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"

	"github.com/evetwin/evetwin/backends/sim/disk"
	simhyper "github.com/evetwin/evetwin/backends/sim/hyper"
	"github.com/evetwin/evetwin/backends/sim/qemu"
	"github.com/evetwin/evetwin/backends/sim/qemu/guest"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// Arch is the architecture of guests in QEMU, and so of a device that runs them.
const Arch = "amd64"

// Vifs is what the hypervisor tells the bridge part about interfaces of guests, and asks it.
type Vifs interface {
	simhyper.Vifs
	Learned(name string, ips []netip.Addr)
}

// Hyper is the part hyper with guests in QEMU, and with models of guests whose images are not real.
type Hyper struct {
	// Model runs what QEMU cannot run, and has the sizes and adapters of the machine.
	Model   *simhyper.Hyper
	Disk    *disk.Disk
	Vifs    Vifs
	Nets    *Nets
	Machine guest.Machine
	// Accel is qemu.TCG or qemu.KVM, Why says why.
	Accel, Why string
	// Dir is where guests' roots and disks lie.
	Dir string
	// Console takes a guest's console, by application.
	Console func(app string) io.Writer
	// OnModel is told of each domain that is a model, and why; may be nil.
	OnModel func(app, why string)

	pt      *host.Part
	domains *bus.Pub[device.DomainSeen]
	guests  map[string]*vm
	slots   *qemu.Slots

	mu   sync.Mutex
	live []*qemu.VM // for Close
	cuts int        // how often Close was called
}

// vm is a domain.
type vm struct {
	row   device.DomainSeen
	root  guest.Root
	disks []guest.DataDisk
	boots int
	qemu  *qemu.VM
	cpu   uint64
	peak  uint64 // of memory, MiB
}

// Wire serves the ops of the part.
func (h *Hyper) Wire(k *host.Kernel) {
	pt := k.Part("hyper")
	h.pt, h.guests = pt, map[string]*vm{}
	h.slots = qemu.NewSlots(0)
	h.sweep()
	h.Model.Beside = h.memory
	h.Nets.OnLease = func(vif string, ip netip.Addr) {
		pt.Post(func() { h.Vifs.Learned(vif, []netip.Addr{ip}) })
	}
	h.domains = h.Model.Publish(pt, device.HostSeen{Hypervisor: "qemu-" + h.Accel, Arch: Arch,
		HWAssistedVirtualization: h.Accel == qemu.KVM, Detail: h.Why})
	host.Serve(pt, device.Create, h.create)
	host.Serve(pt, device.Start, h.start)
	host.Serve(pt, device.Stop, h.stop)
	host.Serve(pt, device.Delete, h.remove)
	host.Serve(pt, device.Bind, h.Model.Bind)
	host.Serve(pt, device.Usages, h.usage)
}

// memory is what the guests in QEMU have, in MiB; one that is off has none.
func (h *Hyper) memory() uint64 {
	var n uint64
	for _, g := range h.guests { //order: a sum
		if g.row.State != device.Halted && g.row.State != device.Broken {
			n += uint64(g.row.MemoryKiB >> 10)
		}
	}
	return n
}

func fault(code string, err error) *agent.Fault {
	return &agent.Fault{Code: code, Text: err.Error(), Retry: true}
}

func (h *Hyper) create(c host.Run[device.CreateReq, device.None]) {
	s := c.Req().Spec
	if g := h.guests[s.Name]; g != nil {
		if !device.Domains.Equal(&device.DomainSeen{Spec: g.row.Spec}, &device.DomainSeen{Spec: s}) {
			c.Fail(device.FaultExists, "create domain "+s.Name+": another one of that name is here", false)
			return
		}
		c.Done(device.None{})
		return
	}
	if why := h.modelled(&s); why != "" {
		if h.OnModel != nil {
			h.OnModel(s.AppID, why)
		}
		h.Model.Create(c)
		return
	}
	if !h.Model.Fits(&s) {
		c.Fail(device.FaultNoMemory, "create domain "+s.Name+": not enough memory", true)
		return
	}
	plan, err := h.plan(&s)
	if err != nil {
		c.Fail(device.FaultMissing, fmt.Sprintf("create domain %s: %v", s.Name, err), true)
		return
	}
	g := &vm{}
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		root, disks, err := plan.make(ctx)
		if err != nil {
			return device.None{}, fault(device.FaultFailed, fmt.Errorf("create domain %s: %w", s.Name, err))
		}
		g.root, g.disks = root, disks
		return device.None{}, nil
	}, func(n device.None, f *agent.Fault) {
		if f == nil {
			g.row = device.DomainSeen{Spec: s, ID: h.Model.NextID(), State: device.Defined}
			h.guests[s.Name] = g
			h.domains.Put(g.row)
		}
		c.Finish(n, f)
	})
}

func (h *Hyper) start(c host.Run[device.NameReq, device.None]) {
	name := c.Req().Name
	g := h.guests[name]
	if g == nil {
		h.Model.Start(c)
		return
	}
	if g.qemu != nil {
		c.Done(device.None{})
		return
	}
	if missing := simhyper.Unbridged(h.Vifs, &g.row.Spec); missing != "" {
		c.Fail(device.FaultMissing, "start domain "+name+": "+missing, true)
		return
	}
	g.boots++
	boots, spec, cuts := g.boots, g.row.Spec, h.power()
	var run *qemu.VM
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		var err error
		run, err = h.launch(ctx, g, &spec, boots, cuts)
		if err != nil {
			return device.None{}, fault(device.FaultFailed, fmt.Errorf("start domain %s: %w", name, err))
		}
		return device.None{}, nil
	}, func(n device.None, f *agent.Fault) {
		if f == nil {
			h.started(g, run)
		}
		c.Finish(n, f)
	})
}

// started publishes a guest that runs and watches it.
func (h *Hyper) started(g *vm, run *qemu.VM) {
	pt := h.pt
	g.qemu = run
	g.row.State, g.row.Reason, g.row.Guest = device.Running, "", false
	g.row.BootedAt = pt.Wall()
	h.domains.Put(g.row)
	for _, v := range g.row.Vifs {
		h.Vifs.Appear(v.Name, v.MAC, false)
	}
	go func() {
		<-run.Done()
		pt.Post(func() { h.ended(g, run) })
	}()
}

// ended publishes that a guest is off, and why.
func (h *Hyper) ended(g *vm, run *qemu.VM) {
	if g.qemu != run {
		return
	}
	g.qemu = nil
	end := run.End()
	g.row.State, g.row.Guest = device.Halted, !end.Requested && end.Err == nil
	g.row.Reason = end.Reason
	if end.Err != nil {
		g.row.State, g.row.Reason = device.Broken, end.Err.Error()
	}
	if h.guests[g.row.Name] == g {
		h.domains.Put(g.row)
	}
	for _, v := range g.row.Vifs {
		h.Vifs.Vanish(v.Name)
	}
}

func (h *Hyper) stop(c host.Run[device.StopReq, device.None]) {
	g := h.guests[c.Req().Name]
	switch {
	case g == nil:
		h.Model.Stop(c)
		return
	case g.qemu == nil, c.Req().ID != 0 && c.Req().ID != g.row.ID:
		c.Done(device.None{})
		return
	}
	run, force := g.qemu, c.Req().Force
	if !force {
		g.row.State = device.Halting
		h.domains.Put(g.row)
	}
	c.Go(func(ctx context.Context) (device.None, *agent.Fault) {
		var err error
		if force {
			err = run.Destroy()
		} else {
			err = run.PowerDown(ctx)
		}
		if err != nil {
			return device.None{}, fault(device.FaultFailed, fmt.Errorf("stop domain: %w", err))
		}
		return device.None{}, nil
	}, func(n device.None, f *agent.Fault) {
		if f == nil {
			h.ended(g, run)
		}
		c.Finish(n, f)
	})
}

func (h *Hyper) remove(c host.Run[device.NameReq, device.None]) {
	g := h.guests[c.Req().Name]
	if g == nil {
		h.Model.Delete(c)
		return
	}
	run := g.qemu
	c.Go(func(context.Context) (device.None, *agent.Fault) {
		if run != nil {
			if err := run.Destroy(); err != nil {
				return device.None{}, fault(device.FaultFailed, fmt.Errorf("delete domain: %w", err))
			}
		}
		return device.None{}, nil
	}, func(n device.None, f *agent.Fault) {
		if f == nil {
			if run != nil {
				h.ended(g, run)
			}
			delete(h.guests, g.row.Name)
			_ = os.Remove(h.initrd(g.row.AppID)) // swept at the next boot, if need be
			h.domains.Delete(g.row.Name)
		}
		c.Finish(n, f)
	})
}
