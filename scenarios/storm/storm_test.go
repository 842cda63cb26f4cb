package storm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/backends/sim/world"
	"github.com/evetwin/evetwin/controllersim/fleet"
	"github.com/evetwin/evetwin/core/device/web"
	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// Times of a trial: the same is done, and looked for, in three windows, before the fault, while it
// holds and after it.
const (
	before = 7 * time.Minute
	held   = 10 * time.Minute
	after  = 34 * time.Minute
	window = 2 * time.Minute
)

// ended is the end of a run of an op.
type ended struct {
	host.Ran
	at, took time.Duration
	request  string // of web.Send
	code     int    // of its answer
}

func (e *ended) fault() string {
	if e.Fault == nil {
		return ""
	}
	return e.Fault.Code
}

// lab is a device under a fault, and somebody who listens.
type lab struct {
	s    *scenario.S
	d    *scenario.D
	v    scenario.World
	runs []ended
	lag  time.Duration // between the end of a run of tpm.Sign and its agent's next turn
	sign map[string]time.Duration
	n    int           // of this window
	from time.Duration // when it began
}

// Shape listens to runs and turns.
func (l *lab) Shape(v scenario.World, o *twin.DeviceOptions) {
	l.v, l.sign = v, map[string]time.Duration{}
	o.Hooks = o.Hooks.Join(host.Hooks{Ended: func(k *host.Kernel, r host.Ran) {
		e := ended{Ran: r, at: v.Sim.Now(), took: k.Now() - r.Began}
		if q, ok := r.Req.(*web.SendReq); ok {
			e.request = q.URL
		}
		if a, ok := r.Res.(*web.SendRes); ok && a != nil {
			e.code = a.Code
		}
		if r.Op == "tpm.Sign" {
			l.sign[r.Caller] = v.Sim.Now()
		}
		l.runs = append(l.runs, e)
	}})
	o.OnTurn = func(p *host.Proc, _ *host.Input, _ *host.Output) {
		if at, ok := l.sign[p.Name]; ok {
			l.lag = max(l.lag, v.Sim.Now()-at)
			delete(l.sign, p.Name)
		}
	}
}

// Made needs nothing.
func (l *lab) Made(scenario.World, *twin.Device) {}

// trial is how a fault shows.
type trial struct {
	fault.Fault
	// do is done at the beginning of each window; nil changes the configuration.
	do func(l *lab)
	// look is asked every second of a window, run about each run that ends in it: whether either sees
	// the fault.
	look func(l *lab) bool
	run  func(e *ended) bool
	// model replaces that of two ports.
	model *world.Model
}

// change gives the device another configuration.
func change(l *lab) {
	l.d.Set(l.d.Config().Item("timer.metric.interval", fmt.Sprint(60+l.n)))
}

// sees runs one window.
func (x *trial) sees(l *lab, from time.Duration) (yes bool) {
	l.s.WaitUntil(from)
	l.n++
	l.from = from
	l.runs, l.lag = nil, 0
	l.s.Wait(5 * time.Second)
	if x.do != nil {
		x.do(l)
	} else {
		change(l)
	}
	for l.s.Now() < from+window-time.Second {
		l.s.Wait(time.Second)
		yes = yes || x.look != nil && x.look(l)
	}
	for i := range l.runs {
		yes = yes || x.run != nil && x.run(&l.runs[i])
	}
	return yes
}

// live is the life of the device of a trial.
func (x *trial) live(t *testing.T, l *lab) func(*scenario.S) {
	return func(s *scenario.S) {
		l.s = s
		l.d = s.Device("edge", scenario.Options(func(o *twin.DeviceOptions) { o.Model = x.model }))
		d := l.d
		d.Onboard()
		s.Publish("web", "1")
		port := []fleet.PortOption{}
		if x.Kind == fault.ProxyRefuse {
			port = append(port, fleet.Proxy("proxy.sdn", 3128, ""))
		}
		d.Set(d.Config().Item("timer.config.interval", "20").
			MgmtPort("eth0", 0, port...).MgmtPort("eth1", 1).
			Registry("registry", scenario.Registry).
			Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
			Volume(fleet.Volume{Name: "web", Image: "web"}).
			LocalNetwork(fleet.LocalNetwork{Name: "lan", Port: "uplink"}).
			App(fleet.App{Name: "web", Volumes: []string{"web"},
				Interfaces: []fleet.Interface{{Network: "lan"}}}))
		s.WaitUntil(before)
		if d.AppState("web")() != "RUNNING" {
			t.Fatalf("%s: the application is %v before the fault", &x.Fault, d.AppState("web")())
		}
		first, second := x.sees(l, before), x.sees(l, held)
		third := x.sees(l, after)
		if first || !second || third {
			t.Errorf("%s: shows %v before, %v while it holds, %v after", &x.Fault, first, second, third)
		}
		if state := d.AppState("web")(); state != "RUNNING" {
			t.Errorf("%s: afterwards the application is %v", &x.Fault, state)
		}
		if v, want := d.ConfigVersion(), fmt.Sprint(4); v != want {
			t.Errorf("%s: afterwards configuration %q is in force, not %s", &x.Fault, v, want)
		}
	}
}

// try runs a trial and returns the storm.
func (x *trial) try(t *testing.T) *storm.Storm {
	t.Helper()
	p := fault.Plan{Faults: []fault.Fault{x.Fault}}
	if err := p.Check("trial"); err != nil {
		t.Fatal(err)
	}
	st, l := storm.New(p), &lab{}
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: 7}, nil, st, l)
	if err != nil {
		t.Fatal(err)
	}
	if r := scenario.New("trial", x.live(t, l)).Run(h, 7); !r.OK {
		t.Errorf("%s: %s", &x.Fault, r.Error)
	}
	return st
}

func TestEachKindActsAndHeals(t *testing.T) {
	tried := map[fault.Kind]bool{}
	for _, x := range trials() {
		x.At = max(x.At, fault.Seconds(held.Seconds()))
		tried[x.Kind] = true
		name := string(x.Kind)
		if x.Kind == fault.DNSWrong {
			name += fmt.Sprint(x.Value)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := x.try(t).Counts()
			if len(c) != 1 || c[0].Kind != x.Kind || c[0].Acted < 1 || c[0].Missed != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
	for _, k := range fault.Kinds() {
		if !tried[k] {
			t.Errorf("nobody tries %s", k)
		}
	}
}

// What a fault is about may not be there: then it is missed, and nothing else.
func TestFaultsWithoutAnObjectAreMissed(t *testing.T) {
	p := fault.Plan{Faults: []fault.Fault{
		{Kind: fault.PowerCut, At: 60, For: 120},
		{Kind: fault.AgentCrash, At: 61, On: "nim"}, // the device is off
		{Kind: fault.PowerCut, At: 62, For: 5},
		{Kind: fault.AgentCrash, At: 300, On: "no-such-agent"},
		{Kind: fault.LinkDown, At: 300, For: 10, On: "eth9"},
		{Kind: fault.DHCPGone, At: 300, For: 10, On: "network9"},
		{Kind: fault.DNSGone, At: 300, For: 10, On: "nobody"},
		{Kind: fault.BitRot, At: 300, For: 10},
		{Kind: fault.OpFail, At: 300, For: 10, On: "no.Such"},
		{Kind: fault.ControllerEmpty, At: 300, For: 10, On: "no-endpoint"},
	}}
	if err := p.Check("plan"); err != nil {
		t.Fatal(err)
	}
	st := storm.New(p)
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: 7}, nil, st)
	if err != nil {
		t.Fatal(err)
	}
	r := scenario.New("nothing", func(s *scenario.S) {
		d := s.Device("edge")
		d.Boot()
		s.WaitUntil(st.Healed() + 5*time.Minute)
		if n := d.Twin().Boots(); n != 2 {
			t.Errorf("%d boots, want 2", n)
		}
		if s.Healed() != 310*time.Second {
			t.Errorf("healed at %v", s.Healed())
		}
	}).Run(h, 7)
	if !r.OK {
		t.Error(r.Error)
	}
	acted, missed := 0, 0
	for _, c := range st.Counts() {
		acted, missed = acted+c.Acted, missed+c.Missed
	}
	if acted != 1 || missed != 9 || st.Injected() != 1 {
		t.Errorf("%d acted, %d were missed: %+v", acted, missed, st.Counts())
	}
}

// Faults of a plan do not move each other: those that have nothing to act on leave the trace alone,
// and a plan gives one trace.
func TestPlansAreDeterministic(t *testing.T) {
	run := func(p fault.Plan) string {
		h, err := scenario.NewVirtualWorld(sim.Options{Seed: 3}, nil, storm.New(p))
		if err != nil {
			t.Fatal(err)
		}
		return scenario.New("wait", func(s *scenario.S) {
			s.Device("edge").Boot()
			s.Wait(20 * time.Minute)
		}).Run(h, 3).Trace
	}
	brutal, err := fault.Named(fault.Brutal)
	if err != nil {
		t.Fatal(err)
	}
	p := fault.Draw(brutal, 3, storm.Usual(), 15*time.Minute)
	a, b := run(p), run(p)
	if a != b || a == run(fault.Plan{}) {
		t.Errorf("traces %s, %s, without faults %s", a, b, run(fault.Plan{}))
	}
	p.Faults = append(p.Faults, fault.Fault{Kind: fault.LinkDown, At: 10, For: 10, On: "eth9"})
	if c := run(p); c != a {
		t.Errorf("a fault that is missed moved the trace from %s to %s", a, c)
	}
}

// The menu names every op that runs.
func TestMenuHasEveryOp(t *testing.T) {
	menu := storm.Usual()
	l := &lab{}
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: 7}, nil, l)
	if err != nil {
		t.Fatal(err)
	}
	standard, err := scenarios.Find("standard")
	if err != nil {
		t.Fatal(err)
	}
	if r := standard.Run(h, 7); !r.OK {
		t.Error(r.Error)
	}
	names := " " + strings.Join(menu.Ops, " ") + " "
	for _, e := range l.runs {
		if !strings.Contains(names, " "+e.Op+" ") {
			t.Errorf("%s runs and is not on the menu", e.Op)
		}
	}
	if len(l.runs) == 0 {
		t.Error("no op ran")
	}
}

// A container's layers are unpacked, and their hashes compared: rot is noticed then, and not
// before. What is copied as it is keeps its rot.
func TestRotIsNoticedWhereLayersAreUnpacked(t *testing.T) {
	p := fault.Plan{}
	for i := range 8 {
		p.Faults = append(p.Faults, fault.Fault{Kind: fault.BitRot, At: 600, For: 600, Value: int64(i)})
	}
	h, err := scenario.NewVirtualWorld(sim.Options{Seed: 7}, nil, storm.New(p))
	if err != nil {
		t.Fatal(err)
	}
	r := scenario.New("rot", func(s *scenario.S) {
		d := s.Device("edge")
		d.Onboard()
		s.Publish("web", "1")
		sha := s.PublishFile("disk.img", 1<<20)
		d.Set(d.Config().MgmtPort("eth0", 0).Registry("registry", scenario.Registry).
			HTTPStore("files", "http://"+scenario.Files).
			Image(fleet.Image{Name: "web", Store: "registry", URL: "web:1"}).
			Image(fleet.Image{Name: "disk", Store: "files", URL: "disk.img", SHA256: sha,
				MaxSize: 1 << 20}).
			Volume(fleet.Volume{Name: "web", Image: "web"}).
			Volume(fleet.Volume{Name: "disk", Image: "disk", Size: 1 << 20}).
			App(fleet.App{Name: "web", Volumes: []string{"web"}}).
			App(fleet.App{Name: "disk", Volumes: []string{"disk"}}))
		s.WaitUntil(620 * time.Second)
		for _, name := range []string{"web", "disk"} {
			if got := d.AppState(name)(); got != "RUNNING" {
				t.Errorf("%s is %v: rot was noticed where nobody looked", name, got)
			}
		}
		d.Set(d.Config().PurgeApp("web").PurgeApp("disk"))
		s.WaitUntil(1190 * time.Second)
		if got := fmt.Sprint(d.AppError("web")()); !strings.Contains(got, "hash") {
			t.Errorf("web is %v with error %q: rot was not noticed", d.AppState("web")(), got)
		}
		if got := d.AppState("disk")(); got != "RUNNING" ||
			!d.Twin().Board.Disk.Volumes[d.Config().VolumeID("disk")+"#1"].Rotten {
			t.Errorf("disk is %v, rot did not go with the copy", got)
		}
		s.Wait(20 * time.Minute)
		if got := d.AppState("web")(); got != "RUNNING" {
			t.Errorf("without rot web is %v: %v", got, d.AppError("web")())
		}
	}).Run(h, 7)
	if !r.OK {
		t.Error(r.Error)
	}
}
