// Package hyper is the simulated part hyper: a machine that runs guests which do what a test wants
// them to. Guests by default boot, ask for an address, and react to the power button.
package hyper

import (
	"cmp"
	"sort"
	"time"

	"github.com/evetwin/evetwin/backends/sim/disk"
	"github.com/evetwin/evetwin/core/bus"
	device "github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host"
)

// Vifs is what the hypervisor tells the bridge part about interfaces of guests, and asks it.
type Vifs interface {
	// Has reports whether a bridge exists.
	Has(bridge string) bool
	Appear(name, mac string, asks bool)
	Vanish(name string)
}

// Hyper is the part.
type Hyper struct {
	Disk *disk.Disk
	Vifs Vifs
	// MemoryMB and CPUs are the machine's; 0 means 8 GiB and 4.
	MemoryMB uint64
	// Beside is the memory, in MiB, of running guests that are not the model's; may be nil.
	Beside func() uint64
	CPUs   uint32
	// Arch is the architecture of the machine and its guests, as OCI names it; empty means amd64.
	Arch string
	// IOMMU says that adapters can be passed through.
	IOMMU bool
	// PCI are the addresses of adapters that can be bound away from the host.
	PCI []string
	// Serial is the machine's product serial; empty has none.
	Serial string
	// Deaf guests, by application, do not react to the power button.
	Deaf map[string]bool

	pt       *host.Part
	domains  *bus.Pub[device.DomainSeen]
	adapters *bus.Pub[device.AdapterSeen]
	guests   map[string]*guest
	ids      int
}

type guest struct {
	row   device.DomainSeen
	since time.Duration
	runs  int // counts its starts: what a stop has set going is for one of them
	cpu   uint64
	waits []func() // told when it is off
}

// Wire serves the ops of the part; guests do not outlive the power.
func (h *Hyper) Wire(k *host.Kernel) {
	pt := k.Part("hyper")
	h.Publish(pt, device.HostSeen{Hypervisor: "model", HWAssistedVirtualization: true,
		Detail: "a model, no hypervisor"})
	host.Serve(pt, device.Create, h.Create)
	host.Serve(pt, device.Start, h.Start)
	host.Serve(pt, device.Stop, h.Stop)
	host.Serve(pt, device.Delete, h.Delete)
	host.Serve(pt, device.Bind, h.Bind)
	host.Serve(pt, device.Usages, func(c host.Run[device.UsageReq, device.UsageRes]) {
		c.After(c.Latency(20*time.Microsecond, 300*time.Microsecond), func() {
			c.Done(device.UsageRes{Domains: h.Usages(), Host: device.Usage{
				CPUTotalNs: uint64(h.pt.Now()) / 10, AllocatedMB: h.MemoryMB, UsedMB: 600, MaxUsedMB: 700}})
		})
	})
}

// Publish begins a boot: it publishes the machine, with the sizes of the model and, where seen does
// not say another, its architecture, and its adapters. A part that has some of its guests elsewhere
// calls it instead of Wire, serves the ops itself, hands the calls for all others on, and puts its
// own domains into what Publish returns.
func (h *Hyper) Publish(pt *host.Part, seen device.HostSeen) *bus.Pub[device.DomainSeen] {
	h.pt = pt
	if h.MemoryMB == 0 {
		h.MemoryMB = 8 << 10
	}
	if h.CPUs == 0 {
		h.CPUs = 4
	}
	h.guests, h.ids = map[string]*guest{}, 0
	h.domains, h.adapters = bus.Publish(pt, device.Domains), bus.Publish(pt, device.Adapters)
	machine := bus.Publish(pt, device.Host)
	seen.Arch = cmp.Or(seen.Arch, h.Arch, "amd64")
	seen.TotalMemoryMB, seen.Ncpus, seen.Serial = h.MemoryMB, h.CPUs, h.Serial
	seen.IOVirtualization = h.IOMMU
	machine.Put(seen)
	for _, p := range h.PCI {
		h.adapters.Put(device.AdapterSeen{PciLong: p})
	}
	machine.Complete()
	h.domains.Complete()
	h.adapters.Complete()
	return h.domains
}

// NextID numbers the domains of a boot.
func (h *Hyper) NextID() int {
	h.ids++
	return h.ids
}

// Create makes a domain.
func (h *Hyper) Create(c host.Run[device.CreateReq, device.None]) {
	c.After(c.Latency(50*time.Millisecond, 300*time.Millisecond), func() {
		s := &c.Req().Spec
		if g := h.guests[s.Name]; g != nil {
			if !sameSpec(&g.row.Spec, s) {
				c.Fail(device.FaultExists, "create domain "+s.Name+": another one of that name is here", false)
				return
			}
			c.Done(device.None{})
			return
		}
		for _, d := range s.Disks {
			if d.VolumeKey != "" && h.Disk.Volumes[d.VolumeKey] == nil {
				c.Fail(device.FaultMissing,
					"create domain "+s.Name+": volume "+d.VolumeKey+" is not here", true)
				return
			}
		}
		if !h.Fits(s) {
			c.Fail(device.FaultNoMemory, "create domain "+s.Name+": not enough memory", true)
			return
		}
		g := &guest{row: device.DomainSeen{Spec: *s, ID: h.NextID(), State: device.Defined}}
		h.guests[s.Name] = g
		h.domains.Put(g.row)
		c.Done(device.None{})
	})
}

func sameSpec(a, b *device.Spec) bool {
	return device.Domains.Equal(&device.DomainSeen{Spec: *a}, &device.DomainSeen{Spec: *b})
}

// Fits reports whether the machine has memory for one more domain.
func (h *Hyper) Fits(s *device.Spec) bool {
	return h.used()+uint64(s.MemoryKiB>>10) <= h.MemoryMB
}

func (h *Hyper) used() uint64 {
	var n uint64
	if h.Beside != nil {
		n = h.Beside()
	}
	for _, g := range h.guests { //order: a sum
		if g.row.State != device.Halted && g.row.State != device.Broken {
			n += uint64(g.row.MemoryKiB >> 10)
		}
	}
	return n
}

// Start runs a domain.
func (h *Hyper) Start(c host.Run[device.NameReq, device.None]) {
	c.After(c.Latency(100*time.Millisecond, 800*time.Millisecond), func() {
		g := h.guests[c.Req().Name]
		if g == nil {
			c.Fail(device.FaultMissing, "start domain "+c.Req().Name+": no such domain", true)
			return
		}
		if g.row.State != device.Running && g.row.State != device.Halting {
			if missing := Unbridged(h.Vifs, &g.row.Spec); missing != "" {
				c.Fail(device.FaultMissing, "start domain "+g.row.Name+": "+missing, true)
				return
			}
			g.row.State, g.row.Reason, g.row.Guest = device.Running, "", false
			g.row.BootedAt = h.pt.Wall()
			g.since = h.pt.Now()
			g.runs++
			h.domains.Put(g.row)
			for _, v := range g.row.Vifs {
				h.Vifs.Appear(v.Name, v.MAC, true)
			}
		}
		c.Done(device.None{})
	})
}

// Unbridged says which bridge of a domain's interfaces is not there; empty if all are.
func Unbridged(vifs Vifs, s *device.Spec) string {
	for _, v := range s.Vifs {
		if !vifs.Has(v.Bridge) {
			return "bridge " + v.Bridge + " of interface " + v.Name + " is not here"
		}
	}
	return ""
}

// off turns a running guest off.
func (h *Hyper) off(g *guest, s device.State, reason string, byGuest bool) {
	if g.row.State != device.Running && g.row.State != device.Halting && g.row.State != device.Paused {
		return
	}
	g.cpu += uint64(h.pt.Now() - g.since)
	g.row.State, g.row.Reason, g.row.Guest = s, reason, byGuest
	h.domains.Put(g.row)
	for _, v := range g.row.Vifs {
		h.Vifs.Vanish(v.Name)
	}
	for _, f := range g.waits {
		f()
	}
	g.waits = nil
}

// Stop presses the power button of a guest, or pulls its plug.
func (h *Hyper) Stop(c host.Run[device.StopReq, device.None]) {
	q := *c.Req()
	c.After(c.Latency(20*time.Millisecond, 100*time.Millisecond), func() {
		g := h.guests[q.Name]
		if g == nil || q.ID != 0 && q.ID != g.row.ID || g.row.State == device.Defined ||
			g.row.State == device.Halted || g.row.State == device.Broken {
			c.Done(device.None{})
			return
		}
		if q.Force {
			h.off(g, device.Halted, "turned off by force", false)
			c.Done(device.None{})
			return
		}
		g.waits = append(g.waits, func() {
			if c.Live() {
				c.Done(device.None{})
			}
		})
		if g.row.State == device.Halting {
			return
		}
		g.row.State = device.Halting
		h.domains.Put(g.row)
		if h.Deaf[g.row.AppID] {
			return
		}
		asked := g.runs
		h.pt.After(c.Latency(200*time.Millisecond, 2*time.Second), func() {
			if g.runs == asked {
				h.off(g, device.Halted, "the guest powered off as it was asked", false)
			}
		})
	})
}

// Delete removes a domain.
func (h *Hyper) Delete(c host.Run[device.NameReq, device.None]) {
	c.After(c.Latency(50*time.Millisecond, 300*time.Millisecond), func() {
		if g := h.guests[c.Req().Name]; g != nil {
			h.off(g, device.Halted, "deleted", false)
			delete(h.guests, c.Req().Name)
			h.domains.Delete(c.Req().Name)
		}
		c.Done(device.None{})
	})
}

// Bind takes an adapter from the host, or gives it back.
func (h *Hyper) Bind(c host.Run[device.BindReq, device.None]) {
	c.After(c.Latency(10*time.Millisecond, 100*time.Millisecond), func() {
		q := c.Req()
		if q.Bound && !h.IOMMU {
			c.Fail(device.FaultNoIOMMU, "assign "+q.PciLong+": no I/O virtualization", false)
			return
		}
		if h.adapters.Get(q.PciLong) != nil {
			h.adapters.Put(device.AdapterSeen{PciLong: q.PciLong, Bound: q.Bound})
		} else if q.Bound {
			c.Fail(device.FaultMissing, "assign "+q.PciLong+": there is no such adapter", true)
			return
		}
		c.Done(device.None{})
	})
}

// Usages is what the domains use, by name.
func (h *Hyper) Usages() []device.Usage {
	var out []device.Usage
	for _, n := range h.names() {
		g := h.guests[n]
		cpu, mb, used := g.cpu, uint64(g.row.MemoryKiB>>10), uint64(0)
		if g.row.State == device.Running || g.row.State == device.Halting {
			cpu += uint64(h.pt.Now() - g.since)
			used = mb / 2
		}
		u := device.Usage{Name: n, AppID: g.row.AppID, CPUTotalNs: cpu / 20, AllocatedMB: mb,
			UsedMB: used, MaxUsedMB: used}
		if !g.row.BootedAt.IsZero() {
			u.MaxUsedMB = mb / 2
		}
		out = append(out, u)
	}
	return out
}

// PowerOff has the guest of an application turn itself off.
func (h *Hyper) PowerOff(app string) {
	h.end(app, device.Halted, "the guest turned itself off", true)
}

// Break has the guest of an application die.
func (h *Hyper) Break(app string) { h.end(app, device.Broken, "the guest crashed", false) }

func (h *Hyper) end(app string, s device.State, reason string, byGuest bool) {
	h.pt.Do(func() {
		for _, n := range h.names() {
			if g := h.guests[n]; g.row.AppID == app {
				h.off(g, s, reason, byGuest)
			}
		}
	})
}

func (h *Hyper) names() []string {
	out := make([]string, 0, len(h.guests))
	for n := range h.guests { //order: sorted below
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Running counts the guests that run, by application: two of one would be a defect.
func (h *Hyper) Running() map[string]int {
	out := map[string]int{}
	for _, g := range h.guests { //order: counts
		if g.row.State == device.Running {
			out[g.row.AppID]++
		}
	}
	return out
}
