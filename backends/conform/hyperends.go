package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
)

// runs defines and starts a guest.
func (x *hyperBench) runs(t *testing.T, s hyper.Spec) {
	t.Helper()
	var d domain
	x.create.does(t, hyper.CreateReq{Spec: s}, nil)
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
}

// reaches waits for a guest to reach a state, without an op.
func (x *hyperBench) reaches(t *testing.T, s hyper.Spec, want hyper.State) domain {
	t.Helper()
	x.until(t, "state "+string(want), func() bool { return x.look(s.Name).row.State == want })
	d := x.see(t, s.Name)
	d.is(t, s, want)
	return d
}

// leaves has a guest power itself off: it is halted, and stays so.
func (x *hyperBench) leaves(t *testing.T) {
	s := x.brief()
	x.runs(t, s)
	if x.Leave != nil {
		x.outside(t, func() { x.Leave(s.AppID) })
	}
	halted := x.reaches(t, s, hyper.Halted)
	if !halted.row.Guest {
		t.Error("a guest that turned itself off is seen as turned off by us")
	}
	x.nothingRuns(t)
	var d domain
	for _, force := range []bool{false, true} {
		x.stop.does(t, hyper.StopReq{Name: s.Name, Force: force}, x.into(&d, s.Name))
		d.same(t, halted)
	}
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// killed has what runs a guest die: the domain is broken, stopping it changes nothing, it can be
// started again.
func (x *hyperBench) killed(t *testing.T) {
	s := x.lasting()
	x.runs(t, s)
	x.outside(t, func() { x.Kill(s.AppID) })
	broken := x.reaches(t, s, hyper.Broken)
	if broken.row.Guest {
		t.Error("a guest that was killed turned itself off")
	}
	x.nothingRuns(t)
	var d domain
	for _, force := range []bool{false, true} {
		x.stop.does(t, hyper.StopReq{Name: s.Name, Force: force}, x.into(&d, s.Name))
		d.same(t, broken)
	}
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
	if d.row.Reason != "" {
		t.Errorf("a guest that runs again has reason %q", d.row.Reason)
	}
}

// obeys presses the power button of the guest that killed has left running.
func (x *hyperBench) obeys(t *testing.T) {
	s := x.lasting()
	if x.Up != nil {
		x.Up(t, s.AppID)
	}
	var d domain
	x.pressed(t, s)
	x.stop.does(t, hyper.StopReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Halted)
	if d.row.Guest {
		t.Error("a guest that was asked to stop turned itself off")
	}
	x.nothingRuns(t)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// pressed begins a graceful stop, as the call "x", and waits until that is seen.
func (x *hyperBench) pressed(t *testing.T, s hyper.Spec) {
	t.Helper()
	halting := make(chan struct{})
	x.turn(t, func() {
		x.stop.use.Want("x", hyper.StopReq{Name: s.Name})
		x.waits = append(x.waits, wait{func() bool {
			return x.look(s.Name).row.State == hyper.Halting
		}, halting})
	})
	await(t, "state halting", halting)
}

// obeysLater has the call dropped once the button is pressed: the guest goes down all the same, and
// was asked to.
func (x *hyperBench) obeysLater(t *testing.T) {
	s := x.lasting()
	x.runs(t, s)
	if x.Up != nil {
		x.Up(t, s.AppID)
	}
	x.pressed(t, s)
	x.turn(t, func() { x.stop.use.Drop("x") })
	halted := x.reaches(t, s, hyper.Halted)
	if halted.row.Guest {
		t.Error("a guest that was asked to stop, by a call that was cancelled, turned itself off")
	}
	x.nothingRuns(t)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// asked drops a graceful stop of a guest that does not react: it is left as it is.
func (x *hyperBench) asked(t *testing.T, s hyper.Spec) {
	t.Helper()
	x.pressed(t, s)
	before := x.see(t, s.Name)
	x.turn(t, func() { x.stop.use.Drop("x") })
	x.passes(t, 2*promptly)
	after := x.see(t, s.Name)
	after.is(t, s, hyper.Halting)
	after.same(t, before)
	if x.Left != nil && len(x.Left()) != 1 {
		t.Errorf("after a graceful stop that was cancelled the machine has %v, want the guest", x.Left())
	}
	if own, _ := x.sample(t, s.Name); own.UsedMB == 0 {
		t.Errorf("after a graceful stop that was cancelled the guest uses %+v", own)
	}
}

// longest is how long a guest of a model takes to power itself off.
const longest = 2 * time.Second

// stopsOnce has a guest that is on its way down turned off by force, and starts it again: what it
// was asked before does not end the new run.
func (x *hyperBench) stopsOnce(t *testing.T) {
	s := x.lasting()
	x.runs(t, s)
	x.pressed(t, s)
	x.stop.does(t, hyper.StopReq{Name: s.Name, Force: true}, nil)
	var d domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
	x.passes(t, longest)
	x.see(t, s.Name).same(t, d)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// cancelled drops each kind of call on its way; the next succeeds behind it. The guest is one that
// lets a graceful stop wait.
func (x *hyperBench) cancelled(t *testing.T) {
	s := spec(DeafApp, x.Lasting)
	name := hyper.NameReq{Name: s.Name}
	well := func(what string, phase agent.Phase, f *agent.Fault) {
		t.Helper()
		if phase != agent.Done {
			t.Fatalf("%s after one that was cancelled: fault %+v", what, *f)
		}
	}
	var d domain
	create := hyper.CreateReq{Spec: s}
	c := x.create.cancels(t, create, create, nil, x.into(&d, s.Name))
	well("Create", c.Phase, c.Fault)
	d.is(t, s, hyper.Defined)
	c = x.start.cancels(t, name, name, nil, x.into(&d, s.Name))
	well("Start", c.Phase, c.Fault)
	d.is(t, s, hyper.Running)
	x.asked(t, s)
	force := hyper.StopReq{Name: s.Name, Force: true}
	asked := func() bool { return x.look(s.Name).row.State == hyper.Halting }
	c = x.stop.cancels(t, hyper.StopReq{Name: s.Name}, force, asked, x.into(&d, s.Name))
	well("Stop by force", c.Phase, c.Fault)
	d.is(t, s, hyper.Halted)
	x.nothingRuns(t)
	x.start.does(t, name, nil)
	c = x.remove.cancels(t, name, name, nil, x.into(&d, s.Name))
	well("Delete", c.Phase, c.Fault)
	if d.rev != 0 {
		t.Errorf("a domain that is deleted is seen as %+v", d.row)
	}
	x.gone(t)
}

// goneAfterCut cuts the power: no domain outlives it, and the next boot makes them anew.
func (x *hyperBench) goneAfterCut(t *testing.T) {
	s := x.lasting()
	x.create.does(t, hyper.CreateReq{Spec: x.brief()}, nil)
	x.runs(t, s)
	x.cycle(t)
	x.booted(t)
	x.gone(t)
	x.runs(t, s)
}

// goneWhileStarting cuts the power while one guest runs and another one starts.
func (x *hyperBench) goneWhileStarting(t *testing.T) {
	s := x.brief()
	x.create.does(t, hyper.CreateReq{Spec: s}, nil)
	x.turn(t, func() { x.start.use.Want("cut", hyper.NameReq{Name: s.Name}) })
	x.cycle(t)
	x.booted(t)
	x.gone(t)
}
