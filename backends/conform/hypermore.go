package conform

import (
	"slices"
	"testing"

	"github.com/evetwin/evetwin/core/device/hyper"
)

// moreHyperCases are cases about more than one call or guest.
func moreHyperCases() []Case[*hyperBench] {
	return []Case[*hyperBench]{
		{Name: "room for two", Run: (*hyperBench).room,
			Clause: "one guest too many: FaultNoMemory, until another one is gone"},
		{Name: "usage of all", Run: (*hyperBench).usesAll,
			Clause: "Usage lists domains by name, also those that do not run"},
		{Name: "delete what was never started", Run: (*hyperBench).deletesDefined,
			Clause: "created → absent"},
		{Name: "stop of another domain", Run: (*hyperBench).stopsAnother,
			Clause: "a stop that comes late must not end the guest that was made since"},
		{Name: "force behind the button", Run: (*hyperBench).forcesAsked,
			Clause: "a graceful stop is done when the guest is off, whatever ended it"},
		{Name: "delete of a guest that was asked", Run: (*hyperBench).deletesAsked,
			Clause: "Delete ends whatever runs"},
		{Name: "started again after it left", Run: (*hyperBench).startsAgain,
			Clause: "a domain that is off can be started again; only then its reason goes"},
	}
}

// room fills the machine.
func (x *hyperBench) room(t *testing.T) {
	var machine hyper.HostSeen
	x.turn(t, func() { machine = *x.host.Get("host") })
	large := spec(DeafApp, x.Lasting)
	large.MemoryKiB = int(machine.TotalMemoryMB-GuestMemoryKiB>>10) << 10
	x.create.does(t, hyper.CreateReq{Spec: x.lasting()}, nil)
	x.create.does(t, hyper.CreateReq{Spec: large}, nil)
	x.create.refuses(t, hyper.CreateReq{Spec: x.brief()}, hyper.FaultNoMemory, true)
	x.remove.does(t, hyper.NameReq{Name: large.Name}, nil)
	x.create.does(t, hyper.CreateReq{Spec: x.brief()}, nil)
}

// usesAll samples the two domains that room has left, which do not run.
func (x *hyperBench) usesAll(t *testing.T) {
	res := x.usage.does(t, hyper.UsageReq{}, nil)
	var names []string
	for _, u := range res.Domains {
		names = append(names, u.Name)
		if u.CPUTotalNs != 0 || u.UsedMB != 0 || u.AllocatedMB != GuestMemoryKiB>>10 {
			t.Errorf("a domain that was never started uses %+v", u)
		}
	}
	if want := []string{x.lasting().Name, x.brief().Name}; !slices.Equal(names, want) {
		t.Errorf("usage of %v, want %v", names, want)
	}
}

// deletesDefined forgets both.
func (x *hyperBench) deletesDefined(t *testing.T) {
	for _, s := range []hyper.Spec{x.lasting(), x.brief()} {
		x.ends(t, s)
	}
	x.gone(t)
}

// stopsAnother means a domain that is not there any more.
func (x *hyperBench) stopsAnother(t *testing.T) {
	s := x.lasting()
	x.runs(t, s)
	before := x.see(t, s.Name)
	var d domain
	for _, force := range []bool{false, true} {
		x.stop.does(t, hyper.StopReq{Name: s.Name, ID: before.row.ID + 1, Force: force},
			x.into(&d, s.Name))
		d.same(t, before)
	}
}

// forcesAsked pulls the plug of a guest that has been asked to stop; both calls are done.
func (x *hyperBench) forcesAsked(t *testing.T) {
	s := x.lasting()
	x.pressed(t, s)
	done := make(chan struct{})
	x.turn(t, func() {
		x.waits = append(x.waits, wait{func() bool { return x.stop.use.Get("x").Over() }, done})
	})
	var d domain
	got := x.stop.outcome(t, "force", hyper.StopReq{Name: s.Name, Force: true}, x.into(&d, s.Name))
	if got.Fault != nil {
		t.Fatalf("stop by force: %+v", *got.Fault)
	}
	d.is(t, s, hyper.Halted)
	await(t, "the end of the graceful stop", done)
	x.turn(t, func() { x.stop.use.Drop("x") })
	if d.row.Guest {
		t.Error("a guest that was turned off by force turned itself off")
	}
	x.nothingRuns(t)
}

// deletesAsked deletes a guest on its way down.
func (x *hyperBench) deletesAsked(t *testing.T) {
	s := x.lasting()
	x.start.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.pressed(t, s)
	x.turn(t, func() { x.stop.use.Drop("x") })
	x.ends(t, s)
	x.gone(t)
}

// startsAgain starts a guest that turned itself off.
func (x *hyperBench) startsAgain(t *testing.T) {
	s := x.brief()
	x.runs(t, s)
	if x.Leave != nil {
		x.outside(t, func() { x.Leave(s.AppID) })
	}
	first := x.reaches(t, s, hyper.Halted)
	var d domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
	if d.row.ID != first.row.ID || !d.row.BootedAt.After(first.row.BootedAt) {
		t.Errorf("a domain that was %+v is started again as %+v", first.row, d.row)
	}
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}
