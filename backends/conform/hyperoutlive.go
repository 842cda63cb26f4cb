package conform

import (
	"slices"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/hyper"
)

// Outliving is a machine whose guests outlive the process of the device, and the daemon between, if
// there is one.
type Outliving struct {
	HyperSetup
	// Keep makes the next Cut, of Setup, the end of nothing but the process: what it started runs on
	// and the folders stay. meanwhile happens before the next process starts; it may be nil.
	Keep func(meanwhile func())
	// KillDaemon ends the daemon as a crash would. It is not called on the device's loop. Nil: there
	// is none.
	KillDaemon func()
	// Suspend stops the processors of an application's guest, or lets them go on; TurnOff pulls its
	// plug; Undefine removes the domain, which is off. All are somebody at a shell of the device.
	Suspend  func(app string, on bool)
	TurnOff  func(app string)
	Undefine func(app string)
}

// HyperOutlives checks a part hyper whose guests outlive the device's process.
func HyperOutlives(t *testing.T, mk func(t *testing.T) Outliving) {
	t.Run("outlive", func(t *testing.T) {
		var o Outliving
		x := newHyperBench(t, func(t *testing.T) HyperSetup { o = mk(t); return o.HyperSetup }, nil)
		t.Run("guest is adopted", func(t *testing.T) { x.adopted(t, o) })
		if o.KillDaemon != nil {
			t.Run("daemon is killed", func(t *testing.T) { x.daemonKilled(t, o) })
		}
		t.Run("guest is suspended from outside", func(t *testing.T) { x.suspended(t, o) })
		t.Run("adopted guest obeys", x.obeys)
		t.Run("guest is turned off from outside", func(t *testing.T) { x.turnedOff(t, o) })
		t.Run("guest died while nobody looked", func(t *testing.T) { x.died(t, o) })
		t.Run("domain is removed from outside", func(t *testing.T) { x.removed(t, o) })
		if o.KillDaemon == nil {
			return
		}
		for _, after := range startMoments {
			t.Run("daemon is killed "+after.String()+" into a start", func(t *testing.T) {
				x.killedUnder(t, o, after)
			})
		}
	})
}

// startMoments are when killedUnder kills: a start has made its files by the first and is over by
// the last, unless the machine is busy.
var startMoments = []time.Duration{5 * time.Millisecond, 20 * time.Millisecond,
	60 * time.Millisecond, 120 * time.Millisecond, 250 * time.Millisecond, 400 * time.Millisecond}

// restart ends the process and starts another one.
func (x *hyperBench) restart(t *testing.T, keep func(func()), meanwhile func()) {
	t.Helper()
	keep(meanwhile)
	x.cycle(t)
	x.booted(t)
}

// unbroken wants a domain and its process to be what they were.
func (x *hyperBench) unbroken(t *testing.T, s hyper.Spec, was domain, left []string) {
	t.Helper()
	d := x.see(t, s.Name)
	if d.rev == 0 || !hyper.Domains.Equal(&d.row, &was.row) {
		t.Errorf("domain %s was %+v and is %+v", s.Name, was.row, d.row)
	}
	if now := x.Left(); !slices.Equal(now, left) || len(now) != 1 {
		t.Errorf("the machine had %v and has %v, want the same one guest", left, now)
	}
}

// adopted restarts the process twice over a guest that runs, beside a domain that does not.
func (x *hyperBench) adopted(t *testing.T, o Outliving) {
	s, other := x.lasting(), x.brief()
	x.create.does(t, hyper.CreateReq{Spec: other}, nil)
	x.runs(t, s)
	if x.Up != nil {
		x.Up(t, s.AppID)
	}
	was, left := x.see(t, s.Name), x.Left()
	for range 2 {
		x.restart(t, o.Keep, nil)
		x.unbroken(t, s, was, left)
		x.see(t, other.Name).is(t, other, hyper.Defined)
	}
	x.create.does(t, hyper.CreateReq{Spec: s}, nil)
	x.start.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.unbroken(t, s, was, left)
	changed := s
	changed.VCPUs++
	x.create.refuses(t, hyper.CreateReq{Spec: changed}, hyper.FaultExists, false)
	x.remove.does(t, hyper.NameReq{Name: other.Name}, nil)
}

// daemonKilled kills the daemon over the guest that adopted has left: the machine's row says so,
// then all is as it was, and a call that came in between is done.
func (x *hyperBench) daemonKilled(t *testing.T, o Outliving) {
	s, other := x.lasting(), x.brief()
	was, left := x.see(t, s.Name), x.Left()
	shown, healed := x.killDaemon(t, o)
	await(t, "an error row of the machine", shown)
	x.create.does(t, hyper.CreateReq{Spec: other}, nil)
	healed()
	x.unbroken(t, s, was, left)
	x.remove.does(t, hyper.NameReq{Name: other.Name}, nil)
}

// killDaemon kills the daemon. shown is closed when the machine's row says so, and healed waits
// until the row is again what it was.
func (x *hyperBench) killDaemon(t *testing.T, o Outliving) (shown <-chan struct{}, healed func()) {
	t.Helper()
	ill, again := make(chan struct{}), make(chan struct{})
	var well hyper.HostSeen
	var sick bool
	var from, to time.Duration
	x.turn(t, func() {
		well, from = *x.host.Get("host"), x.now
		x.waits = append(x.waits, wait{func() bool {
			sick = *x.host.Get("host") != well
			return sick
		}, ill}, wait{func() bool {
			to = x.now
			return sick && *x.host.Get("host") == well
		}, again})
	})
	o.KillDaemon()
	return ill, func() {
		t.Helper()
		await(t, "the machine without an error", again)
		t.Logf("another daemon serves %v after one was killed", to-from)
	}
}

// suspended stops the guest's processors and lets them go on.
func (x *hyperBench) suspended(t *testing.T, o Outliving) {
	s := x.lasting()
	was := x.see(t, s.Name)
	o.Suspend(s.AppID, true)
	x.reaches(t, s, hyper.Paused)
	o.Suspend(s.AppID, false)
	x.reaches(t, s, hyper.Running)
	if d := x.see(t, s.Name); !hyper.Domains.Equal(&d.row, &was.row) {
		t.Errorf("a guest that was suspended was %+v and is %+v", was.row, d.row)
	}
}

// turnedOff pulls the plug of a guest, which is neither its own doing nor a crash.
func (x *hyperBench) turnedOff(t *testing.T, o Outliving) {
	s := x.lasting()
	x.runs(t, s)
	o.TurnOff(s.AppID)
	if d := x.reaches(t, s, hyper.Halted); d.row.Guest {
		t.Error("a guest that somebody turned off turned itself off")
	}
	x.nothingRuns(t)
	halted := x.see(t, s.Name)
	x.restart(t, o.Keep, nil)
	if d := x.see(t, s.Name); !hyper.Domains.Equal(&d.row, &halted.row) {
		t.Errorf("a domain that was %+v is after a restart %+v", halted.row, d.row)
	}
}

// died has a guest crash while no process of ours and no daemon runs.
func (x *hyperBench) died(t *testing.T, o Outliving) {
	s := x.lasting()
	x.start.does(t, hyper.NameReq{Name: s.Name}, nil)
	was := x.see(t, s.Name)
	x.restart(t, o.Keep, func() { x.Kill(s.AppID) })
	d := x.see(t, s.Name)
	d.is(t, s, hyper.Broken)
	if !d.row.BootedAt.Equal(was.row.BootedAt) || d.row.ID != was.row.ID {
		t.Errorf("a domain that was %+v is after its guest's death %+v", was.row, d.row)
	}
	x.nothingRuns(t)
}

// removed has somebody remove the domain that died has left, and makes it anew.
func (x *hyperBench) removed(t *testing.T, o Outliving) {
	s := x.lasting()
	o.Undefine(s.AppID)
	x.until(t, "no domain", func() bool { return x.look(s.Name).rev == 0 })
	var d domain
	x.create.does(t, hyper.CreateReq{Spec: s}, x.into(&d, s.Name))
	d.is(t, s, hyper.Defined)
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}

// killedUnder kills the daemon at a moment of a start. Whatever became of that start, its fault
// says that it can be repeated, the next one leaves one guest that runs, and Delete none.
func (x *hyperBench) killedUnder(t *testing.T, o Outliving, after time.Duration) {
	s := x.lasting()
	x.create.does(t, hyper.CreateReq{Spec: s}, nil)
	over := make(chan struct{})
	x.turn(t, func() {
		x.start.use.Want("x", hyper.NameReq{Name: s.Name})
		x.waits = append(x.waits, wait{func() bool { return x.start.use.Get("x").Over() }, over})
	})
	x.passes(t, after)
	_, healed := x.killDaemon(t, o)
	await(t, "the end of a start", over)
	var f *agent.Fault
	x.turn(t, func() {
		f = x.start.use.Get("x").Fault
		x.start.use.Drop("x")
	})
	t.Logf("the start that was interrupted failed: %v", f != nil)
	if f != nil { // so the part knows, and what comes next is for the next daemon
		if !f.Retry || f.Code != hyper.FaultFailed {
			t.Errorf("a start under which the daemon was killed: %+v", *f)
		}
		x.create.does(t, hyper.CreateReq{Spec: x.brief()}, nil)
		x.remove.does(t, hyper.NameReq{Name: x.brief().Name}, nil)
	}
	var d domain
	x.start.does(t, hyper.NameReq{Name: s.Name}, x.into(&d, s.Name))
	d.is(t, s, hyper.Running)
	healed()
	if left := x.Left(); len(left) != 1 {
		t.Errorf("a guest that was started twice runs as %v", left)
	}
	x.remove.does(t, hyper.NameReq{Name: s.Name}, nil)
	x.gone(t)
}
