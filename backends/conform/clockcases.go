package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/clock"
)

const (
	clauseSets = "Sync sets the wall clock by the first server that answers"
	clauseNone = "FaultNoServer: no server answered with a time; Retry; the clock is left alone"
)

// by is a case that asks servers and has the clock set by one.
func by(name, clause string, ahead int, servers ...string) Case[*clockBench] {
	return Case[*clockBench]{Name: name, Clause: clause, Run: func(x *clockBench, t *testing.T) {
		x.sets(t, time.Duration(ahead)*TimeAhead, servers...)
	}}
}

// none is a case that asks servers of which none has the time.
func none(name string, servers ...string) Case[*clockBench] {
	return Case[*clockBench]{Name: name, Clause: clauseNone, Run: func(x *clockBench, t *testing.T) {
		x.fails(t, servers...)
	}}
}

func clockServers() []Case[*clockBench] {
	const again = "doing what is done already is a success that changes nothing that is seen"
	return []Case[*clockBench]{
		{Name: "after boot", Run: func(x *clockBench, t *testing.T) { x.now(t, false, false) },
			Clause: "Synced: set from the network or from a trusted RTC since boot"},
		by("a server", clauseSets, 1, TimeServer),
		{Name: "again", Clause: again, Run: (*clockBench).again},
		by("another server", clauseSets, 2, TimeServerToo),
		by("two servers", clauseSets, 1, TimeServer, TimeServerToo),
		by("the other way round", clauseSets, 2, TimeServerToo, TimeServer),
		by("IPv6", clauseSets, 1, TimeServer6),
		by("a name", clauseSets, 1, TimeNamed),
	}
}

func clockWrong() []Case[*clockBench] {
	return []Case[*clockBench]{
		none("no server is named"),
		none("nobody listens", TimeNobody),
		none("it does not know the time", TimeUnset),
		none("it refuses", TimeRefuses),
		none("no such name", TimeUnknown),
		none("several, none of use", TimeNobody, TimeUnset, TimeRefuses, TimeUnknown),
		{Name: "still not set", Run: func(x *clockBench, t *testing.T) { x.now(t, false, false) },
			Clause: clauseNone},
		by("half an answer first", "what is no answer is not taken for one", 1, TimeShort),
		by("somebody else's answer first", "what is no answer is not taken for one", 1, TimeForged),
		by("behind those of no use", clauseSets, 1, TimeNobody, TimeUnset, TimeRefuses, TimeUnknown,
			TimeServer),
		{Name: "a failure behind it", Run: func(x *clockBench, t *testing.T) {
			x.fails(t, TimeUnset)
			x.now(t, false, true)
		}, Clause: "a clock that was set stays set"},
	}
}

func clockCalls() []Case[*clockBench] {
	const cancelled = "a call that is cancelled ends within a second"
	return []Case[*clockBench]{
		{Name: "cancelled", Clause: cancelled, Run: func(x *clockBench, t *testing.T) {
			x.dropped(t, TimeSilent)
		}},
		{Name: "cancelled amid several", Clause: cancelled, Run: func(x *clockBench, t *testing.T) {
			x.dropped(t, TimeNobody, TimeSilent, TimeServer)
		}},
		{Name: "two at once", Clause: "each call has its outcome", Run: (*clockBench).twice,
			Loose: "which of the two is the first"},
		{Name: "nailed down", Needs: NeedsNail, Run: (*clockBench).nailed,
			Clause: "FaultFailed: the system did not let its clock be set; Retry"},
		{Name: "a power cut amid a call", Run: (*clockBench).cutAmid,
			Clause: "a crash may lose any outcome; repeating is safe"},
	}
}

func clockBoots() []Case[*clockBench] {
	const own = "RTC: the device has a clock that runs without power"
	return []Case[*clockBench]{
		{Name: "the next boot", Run: (*clockBench).nextBoot, Clause: "Synced: set since boot"},
		{Name: "a process that starts again", Needs: NeedsProcess, Run: (*clockBench).process,
			Clause: "Synced: set since boot, which is that of the kernel"},
		{Name: "a clock of its own", Clause: own, Run: func(x *clockBench, t *testing.T) {
			x.outside(t, func() { x.s.Own(true) })
			x.restart(t)
			x.now(t, true, true)
		}},
		by("a server beside it", clauseSets, 1, TimeServer),
		{Name: "no server beside it", Clause: clauseNone, Run: func(x *clockBench, t *testing.T) {
			x.fails(t, TimeUnset)
			x.now(t, true, true)
		}},
		{Name: "without it again", Clause: own, Run: func(x *clockBench, t *testing.T) {
			x.outside(t, func() { x.s.Own(false) })
			x.restart(t)
			x.now(t, false, false)
		}},
	}
}

func (x *clockBench) again(t *testing.T) {
	var before, after uint64
	x.turn(t, func() { before = x.seen.Rev("clock") })
	x.sets(t, TimeAhead, TimeServer)
	x.turn(t, func() { after = x.seen.Rev("clock") })
	if before != after {
		t.Errorf("a clock that is set is set again: its row went from revision %d to %d", before, after)
	}
}

// twice has two calls under way at once.
func (x *clockBench) twice(t *testing.T) {
	over := make(chan struct{})
	x.ask(func() {
		left := 2
		for _, key := range []string{"a", "b"} {
			x.sync.use.Want(key, clock.SyncReq{Servers: []string{TimeServer}})
			x.sync.wait[key] = func(c agent.Call[clock.None]) {
				if c.Phase != agent.Done {
					t.Errorf("call %s: %+v", key, c.Fault)
				}
				if left--; left == 0 {
					close(over)
				}
			}
		}
	})
	await(t, "the end of two calls", over)
	x.now(t, false, true)
}

func (x *clockBench) nailed(t *testing.T) {
	x.outside(t, func() { x.s.Nail(true) })
	x.sync.refuses(t, clock.SyncReq{Servers: []string{TimeServer}}, clock.FaultFailed, true)
	x.outside(t, func() { x.s.Nail(false) })
	x.sets(t, TimeAhead, TimeServer)
}

func (x *clockBench) cutAmid(t *testing.T) {
	x.turn(t, func() { x.sync.use.Want("x", clock.SyncReq{Servers: []string{TimeSilent}}) })
	x.restart(t)
	x.now(t, false, false)
	x.sets(t, TimeAhead, TimeServer)
}

// process is two starts of the process: what was not set is not taken for set.
func (x *clockBench) process(t *testing.T) {
	for _, synced := range []bool{false, true} {
		if synced {
			x.sets(t, TimeAhead, TimeServer)
		}
		x.outside(t, x.s.Restart)
		x.restart(t)
		x.now(t, false, synced)
	}
}

func (x *clockBench) nextBoot(t *testing.T) {
	x.sets(t, TimeAhead, TimeServer)
	x.restart(t)
	x.now(t, false, false)
}
