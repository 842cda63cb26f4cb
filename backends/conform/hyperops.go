package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/device/hyper"
)

func (x *hyperBench) complete(t *testing.T) {
	x.turn(t, func() {
		h := x.host.Get("host")
		if h == nil {
			t.Error("the machine is not seen")
			return
		}
		if h.Hypervisor == "" || h.TotalMemoryMB == 0 || h.Ncpus == 0 {
			t.Errorf("the machine is %+v", *h)
		}
		if a := x.adapters.Get(x.PCI); a == nil || a.Bound {
			t.Errorf("adapter %s is %+v after boot, want it with the host", x.PCI, a)
		}
	})
	x.gone(t)
}

func (x *hyperBench) wrong(t *testing.T) {
	s := x.lasting()
	x.start.refuses(t, hyper.NameReq{Name: s.Name}, hyper.FaultMissing, true)
	s.Disks = []hyper.Disk{{VolumeKey: "nowhere#0", Path: "/nowhere", Format: "container"}}
	x.create.refuses(t, hyper.CreateReq{Spec: s}, hyper.FaultMissing, true)
	s = x.lasting()
	s.MemoryKiB = 1 << 40
	x.create.refuses(t, hyper.CreateReq{Spec: s}, hyper.FaultNoMemory, true)
	x.gone(t)
}

func (x *hyperBench) undo(t *testing.T) {
	name := x.lasting().Name
	x.stop.does(t, hyper.StopReq{Name: name}, nil)
	x.stop.does(t, hyper.StopReq{Name: name, Force: true}, nil)
	x.remove.does(t, hyper.NameReq{Name: name}, nil)
	x.gone(t)
}

// binds moves an adapter away and back, where the machine can.
func (x *hyperBench) binds(t *testing.T) {
	type seen struct {
		row hyper.AdapterSeen
		rev uint64
	}
	var can bool
	var n int
	look := func(to *seen) func() {
		return func() {
			can, n = x.host.Get("host").IOVirtualization, x.adapters.Len()
			if a := x.adapters.Get(x.PCI); a != nil {
				*to = seen{*a, x.adapters.Rev(x.PCI)}
			}
		}
	}
	var before, after seen
	x.turn(t, look(&before))
	most := n
	x.binding.does(t, hyper.BindReq{PciLong: x.PCI}, look(&after))
	if after != before {
		t.Errorf("giving back what the host has changed %+v to %+v", before, after)
	}
	away := hyper.BindReq{PciLong: x.PCI, Bound: true}
	if !can {
		x.binding.refuses(t, away, hyper.FaultNoIOMMU, false)
		return
	}
	x.binding.does(t, away, look(&before))
	if !before.row.Bound {
		t.Errorf("adapter %s is bound and seen as %+v", x.PCI, before.row)
	}
	x.binding.does(t, away, look(&after))
	if after != before {
		t.Errorf("binding again changed %+v to %+v", before, after)
	}
	x.binding.does(t, hyper.BindReq{PciLong: x.PCI}, look(&after))
	if after.row.Bound {
		t.Errorf("adapter %s is given back and seen as %+v", x.PCI, after.row)
	}
	const none = "0000:99:00.0"
	x.binding.does(t, hyper.BindReq{PciLong: none}, look(&after))
	x.binding.refuses(t, hyper.BindReq{PciLong: none, Bound: true}, hyper.FaultMissing, true)
	x.turn(t, look(&after))
	if n != most {
		t.Errorf("%d adapters, were %d: one that is not there is seen", n, most)
	}
}

func (x *hyperBench) defines(t *testing.T) {
	s := x.lasting()
	var first, again domain
	x.create.does(t, hyper.CreateReq{Spec: s}, x.into(&first, s.Name))
	first.is(t, s, hyper.Defined)
	x.create.does(t, hyper.CreateReq{Spec: s}, x.into(&again, s.Name))
	again.same(t, first)
	x.stop.does(t, hyper.StopReq{Name: s.Name}, x.into(&again, s.Name))
	again.same(t, first)
	x.nothingRuns(t)
}

// another defines two domains with one name; the first stays as it is.
func (x *hyperBench) another(t *testing.T) {
	s := x.lasting()
	before := x.see(t, s.Name)
	for _, change := range []func(s *hyper.Spec){
		func(s *hyper.Spec) { s.MemoryKiB *= 2 },
		func(s *hyper.Spec) { s.Boots++ },
		func(s *hyper.Spec) { s.Disks = append([]hyper.Disk{}, x.Brief...) },
	} {
		other := s
		change(&other)
		x.create.refuses(t, hyper.CreateReq{Spec: other}, hyper.FaultExists, false)
	}
	x.see(t, s.Name).same(t, before)
}

func (x *hyperBench) starts(t *testing.T) {
	s := x.lasting()
	began := time.Now()
	var first, again domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&first, s.Name))
	first.is(t, s, hyper.Running)
	near(t, "the start", first.row.BootedAt, began)
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&again, s.Name))
	again.same(t, first)
	x.create.does(t, hyper.CreateReq{Spec: s}, x.into(&again, s.Name))
	again.same(t, first)
}

// sample is what the domain of the suite uses, and the machine.
func (x *hyperBench) sample(t *testing.T, name string) (own, machine hyper.Usage) {
	t.Helper()
	res := x.usage.does(t, hyper.UsageReq{}, nil)
	for _, u := range res.Domains {
		if u.Name == name {
			own = u
		}
	}
	return own, res.Host
}

func (x *hyperBench) uses(t *testing.T) {
	s := x.lasting()
	before := x.see(t, s.Name)
	u, machine := x.sample(t, s.Name)
	if u.AppID != s.AppID || u.AllocatedMB != GuestMemoryKiB>>10 || u.UsedMB == 0 ||
		u.MaxUsedMB < u.UsedMB {
		t.Errorf("a guest of %d MB that runs uses %+v", GuestMemoryKiB>>10, u)
	}
	if machine.Name != "" || machine.AllocatedMB == 0 {
		t.Errorf("the machine uses %+v", machine)
	}
	if v, _ := x.sample(t, s.Name); v.CPUTotalNs < u.CPUTotalNs {
		t.Errorf("the counters of a guest went from %+v to %+v", u, v)
	}
	x.see(t, s.Name).same(t, before)
}

// forced pulls the plug of a guest that boots, and starts it again.
func (x *hyperBench) forced(t *testing.T) {
	s := x.lasting()
	used, _ := x.sample(t, s.Name)
	off := hyper.StopReq{Name: s.Name, Force: true}
	var first, again domain
	x.stop.does(t, off, x.into(&first, s.Name))
	first.is(t, s, hyper.Halted)
	if first.row.Guest {
		t.Error("a guest whose plug was pulled turned itself off")
	}
	x.nothingRuns(t)
	x.stop.does(t, off, x.into(&again, s.Name))
	again.same(t, first)
	x.stop.does(t, hyper.StopReq{Name: s.Name}, x.into(&again, s.Name))
	again.same(t, first)
	if u, _ := x.sample(t, s.Name); u.CPUTotalNs < used.CPUTotalNs || u.UsedMB != 0 {
		t.Errorf("a guest that is off uses %+v, used %+v", u, used)
	}
	began := time.Now()
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&again, s.Name))
	again.is(t, s, hyper.Running)
	other := hyper.StopReq{Name: s.Name, ID: again.row.ID + 1, Force: true}
	x.stop.does(t, other, x.into(&again, s.Name))
	again.is(t, s, hyper.Running)
	near(t, "the second start", again.row.BootedAt, began)
	if again.row.ID != first.row.ID {
		t.Errorf("a domain that is started again has ID %d, had %d", again.row.ID, first.row.ID)
	}
}

// ends deletes a domain and wants it gone in the turn that brings the outcome.
func (x *hyperBench) ends(t *testing.T, s hyper.Spec) {
	t.Helper()
	var d domain
	x.remove.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	if d.rev != 0 {
		t.Errorf("a domain that is deleted is seen as %+v", d.row)
	}
}

// deletes ends what runs.
func (x *hyperBench) deletes(t *testing.T) {
	s := x.lasting()
	x.ends(t, s)
	x.gone(t)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}
