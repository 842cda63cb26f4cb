package domainmgr

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/config"
	"github.com/evetwin/evetwin/core/topics/content"
	"github.com/evetwin/evetwin/core/topics/domain"
	"github.com/evetwin/evetwin/core/topics/entity"
	"github.com/evetwin/evetwin/core/topics/network"
)

const (
	app1 = "00000000-0000-4000-8000-0000000000a1"
	app2 = "00000000-0000-4000-8000-0000000000a2"
)

// bench is domainmgr with a hypervisor that does what it is told, one call at a time.
type bench struct {
	*rig.Rig
	t     *testing.T
	ids   int
	crash bool // kill the agent after every step of the hypervisor
	fail  map[string]agent.Fault
	deaf  bool // guests do not react to the power button
	stuck bool // domains cannot be deleted
	made  []string
}

func newBench(t *testing.T) *bench {
	b := &bench{Rig: rig.New(t, "domainmgr", New), t: t, fail: map[string]agent.Fault{}}
	rig.Complete(b.Rig, hyper.Domains)
	b.machine(true)
	b.boot()
	return b
}

func (b *bench) machine(iommu bool) {
	rig.Put(b.Rig, hyper.Host, hyper.HostSeen{Hypervisor: "model", TotalMemoryMB: 8192, Ncpus: 4,
		HWAssistedVirtualization: true, IOVirtualization: iommu})
}

// boot publishes what other agents know after a boot.
func (b *bench) boot() {
	rig.Put(b.Rig, config.Items, config.ConfigItemValueMap{FromController: true})
	rig.Put(b.Rig, network.DNS, network.DeviceNetworkStatus{DPCKey: "zedagent"})
	b.model()
	b.complete()
}

func (b *bench) complete() {
	rig.Complete(b.Rig, domain.Configs)
	rig.Complete(b.Rig, app.Configs)
}

func (b *bench) model(list ...network.PhysicalIOAdapter) {
	rig.Put(b.Rig, network.PhysicalIO, network.PhysicalIOAdapterList{Initialized: true,
		AdapterList: list})
}

// guest is an active virtual machine of mode HVM with one disk and one interface.
func guest(id string) domain.DomainConfig {
	return domain.DomainConfig{UUIDandVersion: entity.UUIDandVersion{UUID: id, Version: "3"},
		DisplayName: "app-" + id[len(id)-2:], Activate: true, AppNum: 7,
		VmConfig: app.VmConfig{Memory: 512 << 10, VCpus: 1, VirtualizationMode: app.HVM},
		DiskConfigList: []domain.DiskConfig{{VolumeKey: "v#0", FileLocation: "/persist/v",
			Format: content.QCOW2}},
		VifList: []domain.VifConfig{{VifInfo: network.VifInfo{Bridge: "bn1", Vif: "nbu1x7",
			Mac: "02:00:00:00:00:01"}, MTU: 1500, IP: "10.1.0.2"}}}
}

func container(id string) domain.DomainConfig {
	c := guest(id)
	c.DiskConfigList[0].Format = content.CONTAINER
	return c
}

func idle(c domain.DomainConfig) domain.DomainConfig { c.Activate = false; return c }

func (b *bench) wish(c domain.DomainConfig) {
	rig.Put(b.Rig, domain.Configs, c)
	rig.Put(b.Rig, app.Configs, app.AppInstanceConfig{UUIDandVersion: c.UUIDandVersion})
}

func (b *bench) unwish(id string) {
	rig.Delete(b.Rig, domain.Configs, id)
	rig.Delete(b.Rig, app.Configs, id)
}

// run carries out every call that ends by itself, and returns what was done.
func (b *bench) run() []string {
	b.t.Helper()
	b.made = nil
	b.Step()
	for range 500 {
		if !b.one() {
			return b.made
		}
		if b.crash {
			b.Crash()
		}
		b.Step()
	}
	b.t.Fatalf("no end of it: %v", b.made[len(b.made)-10:])
	return nil
}

func (b *bench) domain(id string) *hyper.DomainSeen {
	for _, d := range rig.Rows(b.Rig, hyper.Domains) {
		if d.AppID == id {
			return &d
		}
	}
	return nil
}

func (b *bench) byName(name string) *hyper.DomainSeen {
	return rig.Get(b.Rig, hyper.Domains, name)
}

// one carries out one call, as the hypervisor would.
func (b *bench) one() bool {
	for _, c := range rig.Calls(b.Rig, hyper.Bind) {
		b.note("bind", c.Key)
		if f, bad := b.fail["bind"]; bad {
			rig.Fail(b.Rig, hyper.Bind, c.Key, f)
			return true
		}
		rig.Put(b.Rig, hyper.Adapters, hyper.AdapterSeen{PciLong: c.Req.PciLong, Bound: c.Req.Bound})
		rig.Done(b.Rig, hyper.Bind, c.Key, hyper.None{})
		return true
	}
	for _, c := range rig.Calls(b.Rig, hyper.Create) {
		b.note("create", c.Req.Spec.Name)
		b.create(c.Key, c.Req.Spec)
		return true
	}
	for _, c := range rig.Calls(b.Rig, hyper.Start) {
		b.note("start", c.Req.Name)
		if f, bad := b.fail["start"]; bad {
			rig.Fail(b.Rig, hyper.Start, c.Key, f)
			return true
		}
		if d := b.byName(c.Req.Name); d != nil && d.State != hyper.Running {
			d.State, d.BootedAt = hyper.Running, b.Wall()
			b.show(*d)
		}
		rig.Done(b.Rig, hyper.Start, c.Key, hyper.None{})
		return true
	}
	for _, c := range rig.Calls(b.Rig, hyper.Stop) {
		if b.stop(c.Key, c.Req) {
			return true
		}
	}
	for _, c := range rig.Calls(b.Rig, hyper.Delete) {
		if !b.stuck {
			b.note("delete", c.Req.Name)
			rig.Delete(b.Rig, hyper.Domains, c.Req.Name)
			rig.Done(b.Rig, hyper.Delete, c.Key, hyper.None{})
			return true
		}
	}
	return false
}

func (b *bench) note(verb, what string) { b.made = append(b.made, verb+" "+what) }

func (b *bench) show(d hyper.DomainSeen) { rig.Put(b.Rig, hyper.Domains, d) }

func (b *bench) create(key string, s hyper.Spec) {
	if f, bad := b.fail["create"]; bad {
		rig.Fail(b.Rig, hyper.Create, key, f)
		return
	}
	if d := b.byName(s.Name); d != nil && !sameSpec(&d.Spec, &s) {
		rig.Fail(b.Rig, hyper.Create, key, agent.Fault{Code: hyper.FaultExists, Text: "exists"})
		return
	} else if d == nil {
		if b.domain(s.AppID) != nil {
			b.t.Fatalf("a second domain of %s is made\n%s", s.AppID, b.Dump())
		}
		b.ids++
		b.show(hyper.DomainSeen{Spec: s, ID: b.ids, State: hyper.Defined})
	}
	rig.Done(b.Rig, hyper.Create, key, hyper.None{})
}

// stop reports whether the call has ended; a deaf guest lets it run.
func (b *bench) stop(key string, q hyper.StopReq) bool {
	d := b.byName(q.Name)
	switch {
	case d == nil || off(d):
	case q.ID != d.ID:
		b.t.Fatalf("domain %d is told to stop, it is %d", q.ID, d.ID)
	case b.deaf && !q.Force:
		if d.State != hyper.Halting {
			d.State = hyper.Halting
			b.show(*d)
			b.Step()
		}
		return false
	default:
		d.State = hyper.Halted
		b.show(*d)
	}
	if q.Force {
		b.note("force", q.Name)
	} else {
		b.note("stop", q.Name)
	}
	rig.Done(b.Rig, hyper.Stop, key, hyper.None{})
	return true
}

// ends has the guest of an application end by itself.
func (b *bench) ends(id string, state hyper.State, reason string) {
	d := b.domain(id)
	d.State, d.Reason, d.Guest = state, reason, state == hyper.Halted
	b.show(*d)
}

func (b *bench) st(id string) *domain.DomainStatus {
	b.t.Helper()
	st := rig.Get(b.Rig, domain.Statuses, id)
	if st == nil {
		b.t.Fatalf("no status of %s\n%s", id, b.Dump())
	}
	if d := b.domain(id); (st.DomainId == 0) != (d == nil) {
		b.t.Fatalf("DomainId %d, domain %+v", st.DomainId, d)
	}
	return st
}

// is wants a state and, with it, whether the guest counts as active.
func (b *bench) is(id string, want entity.SwState) *domain.DomainStatus {
	b.t.Helper()
	st := b.st(id)
	active := want == entity.RUNNING || want == entity.HALTING
	if st.State != want || st.Activated != active || st.Of != rig.Rev(b.Rig, domain.Configs, id) {
		b.t.Fatalf("status %+v, want %v", st, want)
	}
	return st
}

func (b *bench) sleep(d time.Duration) { b.t.Helper(); b.Advance(d); b.run() }
