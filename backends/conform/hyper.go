package conform

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/device/hyper"
)

// HyperSetup is a part hyper to check, with what its guests are made of. It has room for two
// guests of GuestMemoryKiB.
type HyperSetup struct {
	Setup
	// Lasting are the disks of a guest that runs until it is stopped and obeys the power button.
	Lasting []hyper.Disk
	// Brief are the disks of a guest that powers itself off, by itself or when Leave says so.
	Brief []hyper.Disk
	// Up waits until the Lasting guest of an application obeys the power button; nil: at once.
	Up func(t *testing.T, app string)
	// Leave has the Brief guest of an application power itself off, on the device's loop; nil: it
	// does so by itself.
	Leave func(app string)
	// Kill ends what runs the guest of an application, as a crash would, on the device's loop.
	Kill func(app string)
	// Left lists what the machine has of guests: processes, for people; nil: they cannot be seen.
	Left func() []string
	// PCI is an adapter of the machine.
	PCI string
	// Networking belongs to the part bridge, which Part wires too.
	Networking Networking
}

// GuestMemoryKiB is the memory of the suite's guests.
const GuestMemoryKiB = 128 << 10

// Applications of the suite's guests.
const (
	lastingApp = "5b1a5b1a-0000-4000-8000-0000000000c1"
	briefApp   = "5b1a5b1a-0000-4000-8000-0000000000c2"
	// DeafApp is an application of a Lasting guest that is asked to stop as soon as it is started
	// and must not be off at once: a machine's guest still boots then, a model's has to be deaf.
	DeafApp = "5b1a5b1a-0000-4000-8000-0000000000c3"
)

// Hyper checks a part hyper on a backend. mk makes one without domains; it is called more than once
// and cleans up with t.
func Hyper(t *testing.T, b Backend, mk func(t *testing.T) HyperSetup) {
	s := suite[*hyperBench]{part: "hyper", groups: hyperCases(), show: map[string]func(any) string{
		hyper.Domains.String(): showDomain, hyper.Host.String(): nothing,
		bridge.Records.String(): nothing}} // of the part that networks need, which is not on all benches
	s.run(t, b, func(t *testing.T) *hyperBench { return newHyperBench(t, mk, nil) })
}

// HyperNetworks checks a part hyper together with a part bridge.
func HyperNetworks(t *testing.T, mk func(t *testing.T) HyperSetup) {
	t.Run("networks", func(t *testing.T) { newNetBench(t, mk).networks(t) })
}

// showDomain leaves out what a machine gives a domain, and the words of a reason.
func showDomain(row any) string {
	d := row.(*hyper.DomainSeen)
	return fmt.Sprintf("%s %s, started %v, reason %v, by itself %v", d.Name, d.State,
		!d.BootedAt.IsZero(), d.Reason != "", d.Guest)
}

func hyperCases() []Group[*hyperBench] {
	return []Group[*hyperBench]{
		{Name: "domains", Cases: []Case[*hyperBench]{
			{Name: "complete after boot", Run: (*hyperBench).complete,
				Clause: "Domains is what exists; Host is the machine and what its hypervisor can do"},
			{Name: "wrong requests", Run: (*hyperBench).wrong,
				Clause: "a domain or volume that is not there: FaultMissing; too large: FaultNoMemory"},
			{Name: "undoing what is not there", Run: (*hyperBench).undo,
				Clause: "undoing what is not there is a success"},
			{Name: "adapters", Run: (*hyperBench).binds,
				Loose:  "machines differ in whether they have an IOMMU",
				Clause: "Bind moves an adapter away from the host and back; no IOMMU: FaultNoIOMMU"},
			{Name: "define", Run: (*hyperBench).defines,
				Clause: "absent → created; its spec comes back in DomainSeen"},
			{Name: "another spec of the same name", Run: (*hyperBench).another,
				Clause: "a domain with another spec of the same name: FaultExists, and it stays as it is"},
			{Name: "start", Run: (*hyperBench).starts, Clause: "created → running"},
			{Name: "usage", Run: (*hyperBench).uses,
				Clause: "Usage samples memory and processor time; counters never go back"},
			{Name: "stop by force", Run: (*hyperBench).forced,
				Clause: "running → halted; a halted domain can be started again and is the same domain"},
			{Name: "delete", Run: (*hyperBench).deletes, Clause: "Delete ends what runs; halted → absent"},
		}},
		{Name: "ends", Cases: []Case[*hyperBench]{
			{Name: "guest powers itself off", Run: (*hyperBench).leaves,
				Clause: "halted by itself says so; the part never restarts a guest"},
			{Name: "guest is killed from outside", Run: (*hyperBench).killed,
				Clause: "broken: the virtual machine monitor is gone or the guest crashed"},
			{Name: "guest obeys the power button", Run: (*hyperBench).obeys,
				Clause: "a graceful stop goes over halting to halted"},
			{Name: "guest obeys behind a cancelled stop", Run: (*hyperBench).obeysLater,
				Clause: "what a cancelled call had done stays and shows in Seen rows"},
			{Name: "a stop is for one run", Run: (*hyperBench).stopsOnce,
				Clause: "what a guest was asked before does not end its new run"},
		}},
		{Name: "more", Cases: moreHyperCases()},
		{Name: "cancelled", Cases: []Case[*hyperBench]{
			{Name: "each kind of call", Run: (*hyperBench).cancelled,
				Loose:  "a cancelled call may still take effect",
				Clause: "a call that is cancelled ends within a second"}}},
		{Name: "power cut", Cases: []Case[*hyperBench]{
			{Name: "guests are gone", Run: (*hyperBench).goneAfterCut,
				Clause: "no domain outlives the power"},
			{Name: "while a guest starts", Loose: chance, Run: (*hyperBench).goneWhileStarting,
				Clause: "no domain outlives the power, nor its start"}}},
	}
}

// hyperBench is a bench with a part hyper.
type hyperBench struct {
	*bench
	HyperSetup
	create  *calls[hyper.CreateReq, hyper.None]
	start   *calls[hyper.NameReq, hyper.None]
	stop    *calls[hyper.StopReq, hyper.None]
	remove  *calls[hyper.NameReq, hyper.None]
	binding *calls[hyper.BindReq, hyper.None]
	usage   *calls[hyper.UsageReq, hyper.UsageRes]

	domains  *bus.Sub[hyper.DomainSeen]
	host     *bus.Sub[hyper.HostSeen]
	adapters *bus.Sub[hyper.AdapterSeen]
}

// newHyperBench boots a part hyper. more attaches what else a test needs at each boot; may be nil.
func newHyperBench(t *testing.T, mk func(*testing.T) HyperSetup,
	more func(b *bench, p bus.Port) []looker,
) *hyperBench {
	t.Helper()
	s := mk(t)
	x := &hyperBench{HyperSetup: s, create: newCalls(hyper.Create), start: newCalls(hyper.Start),
		stop: newCalls(hyper.Stop), remove: newCalls(hyper.Delete), binding: newCalls(hyper.Bind),
		usage: newCalls(hyper.Usages)}
	state := func() string {
		return rows("domains", x.domains) + rows("adapters", x.adapters) + rows("host", x.host)
	}
	x.bench = newBench(t, s.Setup, "desk", state, func(b *bench, p bus.Port) []looker {
		x.domains, x.host = bus.Subscribe(p, hyper.Domains), bus.Subscribe(p, hyper.Host)
		x.adapters = bus.Subscribe(p, hyper.Adapters)
		x.create.attach(b, p)
		x.start.attach(b, p)
		x.stop.attach(b, p)
		x.remove.attach(b, p)
		x.binding.attach(b, p)
		x.usage.attach(b, p)
		list := []looker{x.create, x.start, x.stop, x.remove, x.binding, x.usage}
		if more != nil {
			list = append(list, more(b, p)...)
		}
		return list
	})
	x.booted(t)
	return x
}

// booted waits until the part has looked at everything.
func (x *hyperBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "complete tables", func() bool {
		return x.domains.Complete() && x.host.Complete() && x.adapters.Complete()
	})
}

// lasting and brief are guests.
func (x *hyperBench) lasting() hyper.Spec { return spec(lastingApp, x.Lasting) }

func (x *hyperBench) brief() hyper.Spec { return spec(briefApp, x.Brief) }

func spec(app string, disks []hyper.Disk) hyper.Spec {
	return hyper.Spec{Name: app + ".1.1", AppID: app, MemoryKiB: GuestMemoryKiB, VCPUs: 1,
		Disks: disks, UserData: "Y29uZm9ybQ==", Instance: app + "/1", Boots: 1}
}

// domain is a domain's row and its revision; revision 0: it is not there.
type domain struct {
	row hyper.DomainSeen
	rev uint64
}

// look reads a row in a turn of the desk.
func (x *hyperBench) look(name string) (d domain) {
	if r := x.domains.Get(name); r != nil {
		d = domain{*r, x.domains.Rev(name)}
	}
	return d
}

// see reads a row in a turn of its own.
func (x *hyperBench) see(t *testing.T, name string) (d domain) {
	t.Helper()
	x.turn(t, func() { d = x.look(name) })
	return d
}

// into reads a row in the turn of an outcome.
func (x *hyperBench) into(d *domain, name string) func() {
	return func() { *d = x.look(name) }
}

// is wants a state, and a row that holds together.
func (d domain) is(t *testing.T, s hyper.Spec, want hyper.State) {
	t.Helper()
	if d.rev == 0 {
		t.Fatalf("domain %s is not seen, want it %s", s.Name, want)
	}
	if d.row.State != want {
		t.Fatalf("domain %s is %s (%s), want %s", s.Name, d.row.State, d.row.Reason, want)
	}
	if !hyper.Domains.Equal(&hyper.DomainSeen{Spec: s}, &hyper.DomainSeen{Spec: d.row.Spec}) {
		t.Errorf("the spec comes back as %+v, was %+v", d.row.Spec, s)
	}
	if d.row.ID <= 0 {
		t.Errorf("domain %s has ID %d", s.Name, d.row.ID)
	}
	if d.row.BootedAt.IsZero() != (want == hyper.Defined) {
		t.Errorf("domain %s is %s and was started at %v", s.Name, want, d.row.BootedAt)
	}
	if off := want == hyper.Halted || want == hyper.Broken; (d.row.Reason != "") != off {
		t.Errorf("domain %s is %s, its reason is %q", s.Name, want, d.row.Reason)
	}
	if d.row.Guest && (want == hyper.Defined || want == hyper.Running) {
		t.Errorf("domain %s is %s, and the guest turned itself off", s.Name, want)
	}
}

// same wants nothing to have changed.
func (d domain) same(t *testing.T, before domain) {
	t.Helper()
	if d.rev != before.rev {
		t.Errorf("doing what is done changed %+v at revision %d to %+v at %d", before.row, before.rev,
			d.row, d.rev)
	}
}

// gone wants nothing to be left of any guest.
func (x *hyperBench) gone(t *testing.T) {
	t.Helper()
	x.turn(t, func() {
		for name, d := range x.domains.All() {
			t.Errorf("domain %s is seen, %s", name, d.State)
		}
	})
	x.nothingRuns(t)
}

// nothingRuns wants the machine to run no guest.
func (x *hyperBench) nothingRuns(t *testing.T) {
	t.Helper()
	if x.Left == nil {
		return
	}
	if left := x.Left(); len(left) > 0 {
		t.Errorf("the machine still has %v", left)
	}
}

// near wants a start to have been between a time and now, by a clock that may be a second off.
func near(t *testing.T, what string, at, from time.Time) {
	t.Helper()
	if at.Before(from.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("%s was at %v, want it between %v and now", what, at, from)
	}
}
