package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/clock"
)

// Servers of time, by what they do. Each is asked at its address.
const (
	// TimeServer knows the time, which is TimeAhead of the device's clock; so does TimeServerToo, by
	// twice as much, and TimeServer6, which has an address of IPv6.
	TimeServer    = "127.0.9.1"
	TimeServerToo = "127.0.9.2"
	TimeServer6   = "::1"
	// TimeUnset does not know the time, TimeRefuses sends a kiss of death, TimeShort half an answer
	// before its answer, TimeForged one to somebody else's question.
	TimeUnset   = "127.0.9.3"
	TimeRefuses = "127.0.9.4"
	TimeShort   = "127.0.9.5"
	TimeForged  = "127.0.9.6"
	// TimeSilent hears, and never answers. Nobody listens at TimeNobody.
	TimeSilent = "127.0.9.7"
	TimeNobody = "127.0.9.8"
	// TimeNamed is a name of TimeServer; TimeUnknown is no name.
	TimeNamed   = "time.example"
	TimeUnknown = "nowhere.example"
)

// TimeAhead is how far the clock of TimeServer is ahead.
const TimeAhead = 3 * time.Hour

// ClockSetup is a part clock to check, of a device whose clock was not set.
type ClockSetup struct {
	Setup
	// Set tells how often the clock was set so far, and how far it went ahead the last time; for the
	// device's loop.
	Set func() (times int, by time.Duration)
	// Own gives the device a clock that runs without power, or takes it away, for the next boot.
	Own func(has bool)
	// Nail keeps the clock from being set, or lets go; nil: it always can be.
	Nail func(nailed bool)
	// Restart has the next boot be one of the process alone: the kernel runs on. Nil: the backend has
	// no processes.
	Restart func()
}

// What not every backend has.
const (
	NeedsProcess = "a process that ends without its kernel"
	NeedsNail    = "a system that can refuse"
)

// Clock checks a part clock on a backend. mk makes one; it is called more than once and cleans up
// with t.
func Clock(t *testing.T, b Backend, mk func(t *testing.T) ClockSetup) {
	s := suite[*clockBench]{part: "clock", groups: []Group[*clockBench]{{"servers", clockServers()},
		{"wrong servers", clockWrong()}, {"calls", clockCalls()}, {"boots", clockBoots()}}}
	s.run(t, b, func(t *testing.T) *clockBench { return newClockBench(t, mk) })
}

// clockBench is a device with a part clock alone.
type clockBench struct {
	*bench
	s    ClockSetup
	seen *bus.Sub[clock.ClockSeen]
	sync *calls[clock.SyncReq, clock.None]
}

func newClockBench(t *testing.T, mk func(t *testing.T) ClockSetup) *clockBench {
	t.Helper()
	x := &clockBench{s: mk(t), sync: newCalls(clock.Sync)}
	state := func() string { return rows("clock", x.seen) }
	x.bench = newBench(t, x.s.Setup, "waitforaddr", state, func(b *bench, p bus.Port) []looker {
		x.seen = bus.Subscribe(p, clock.Clock)
		x.sync.attach(b, p)
		return []looker{x.sync}
	})
	x.booted(t)
	return x
}

func (x *clockBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "a complete table", func() bool { return x.seen.Complete() })
}

// restart is the next boot.
func (x *clockBench) restart(t *testing.T) {
	t.Helper()
	x.cycle(t)
	x.booted(t)
}

// is wants the row to be so now; for a turn of the desk.
func (x *clockBench) is(t *testing.T, rtc, synced bool) {
	t.Helper()
	want := clock.ClockSeen{RTC: rtc, Synced: synced}
	if row := x.seen.Get("clock"); row == nil || *row != want {
		t.Errorf("the clock is %+v, want %+v", row, want)
	}
}

// now wants the row to be so.
func (x *clockBench) now(t *testing.T, rtc, synced bool) {
	t.Helper()
	x.turn(t, func() { x.is(t, rtc, synced) })
}

// times is how often the clock was set.
func (x *clockBench) times(t *testing.T) (n int, by time.Duration) {
	t.Helper()
	x.outside(t, func() { n, by = x.s.Set() })
	return n, by
}

// sets asks servers, and wants the clock set once, by so much.
func (x *clockBench) sets(t *testing.T, by time.Duration, servers ...string) {
	t.Helper()
	before, _ := x.times(t)
	rtc := false
	x.turn(t, func() { rtc = x.seen.Get("clock").RTC })
	x.sync.does(t, clock.SyncReq{Servers: servers}, func() { x.is(t, rtc, true) })
	n, got := x.times(t)
	if d := got - by; n != before+1 || d.Abs() > 5*time.Second {
		t.Errorf("by %v the clock was set %d times, the last time by %v, want %v", servers, n-before,
			got, by)
	}
}

// fails asks servers, and wants the clock left alone.
func (x *clockBench) fails(t *testing.T, servers ...string) {
	t.Helper()
	var rev uint64
	before, _ := x.times(t)
	x.turn(t, func() { rev = x.seen.Rev("clock") })
	x.sync.refuses(t, clock.SyncReq{Servers: servers}, clock.FaultNoServer, true)
	n, _ := x.times(t)
	x.turn(t, func() {
		if after := x.seen.Rev("clock"); n != before || after != rev {
			t.Errorf("%v: the clock was set %d times, its row went from revision %d to %d", servers,
				n-before, rev, after)
		}
	})
}

// dropped cancels a call to servers that do not answer, and asks another.
func (x *clockBench) dropped(t *testing.T, servers ...string) {
	t.Helper()
	before, _ := x.times(t)
	got := x.sync.cancels(t, clock.SyncReq{Servers: servers},
		clock.SyncReq{Servers: []string{TimeServer}}, nil, func() { x.is(t, false, true) })
	if n, _ := x.times(t); got.Phase != agent.Done || n != before+1 {
		t.Errorf("behind a cancelled call: %+v, set %d times", got, n-before)
	}
}
