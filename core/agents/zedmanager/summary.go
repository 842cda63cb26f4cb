package zedmanager

import (
	"math"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/app"
	"github.com/evetwin/evetwin/core/topics/entity"
)

// round is a turn with the sums over all applications.
type round struct {
	*agent.Turn
	ledger
}

// ledger adds up what applications see of each other, so that none has to look at all others.
type ledger struct {
	Contest contest
	// How many applications have an error, run, stop and start; each counts once.
	Failed, Running, Stopping, Starting int
}

// Key is "global".
func (ledger) Key() string { return entity.Global }

// contest is what those see that wait for memory or for their turn to boot.
type contest struct {
	Taken   uint64 // memory in bytes of those that run or are about to
	Halting uint64 // what of it those take that are not to run any more
	Users   int    // how many take memory
	Before  int    // applications that ran before the boot, are to run and are not up yet
}

var ledgers = bus.NewTopic[ledger](bus.Decl{Owner: "zedmanager", Name: "Ledger", Life: bus.Local,
	MaxRows: 1, MaxPuts: 3000})

// share is what one application adds to the sums.
func (a *zedmanager) share(id string) (l ledger) {
	st, cfg := a.status.Get(id), a.configs.Get(id)
	wanted := cfg != nil && a.effective(cfg)
	if wanted && a.comesFirst(id, st) {
		l.Contest.Before = 1
	}
	if st == nil {
		return l
	}
	if st.Activated || st.ActivateInprogress {
		l.Contest.Taken, l.Contest.Users = a.demand(&st.FixedResources), 1
		if !wanted {
			l.Contest.Halting = l.Contest.Taken
		}
	}
	switch {
	case st.HasError():
		l.Failed = 1
	case wanted && st.Activated:
		l.Running = 1
	case st.Activated:
		l.Stopping = 1
	case wanted:
		l.Starting = 1
	}
	return l
}

// count adds all applications up.
func (a *zedmanager) count(t *round) {
	t.ledger = ledger{}
	for id := range a.status.All() {
		t.add(a.share(id))
	}
	for id := range a.markers.All() {
		if a.status.Get(id) == nil {
			t.add(a.share(id))
		}
	}
}

func (t *round) add(l ledger) {
	c := &t.Contest
	c.Taken += l.Contest.Taken
	c.Halting += l.Contest.Halting
	c.Users += l.Contest.Users
	c.Before += l.Contest.Before
	t.Failed += l.Failed
	t.Running += l.Running
	t.Stopping += l.Stopping
	t.Starting += l.Starting
}

func (t *round) subtract(l ledger) {
	c := &t.Contest
	c.Taken -= l.Contest.Taken
	c.Halting -= l.Contest.Halting
	c.Users -= l.Contest.Users
	c.Before -= l.Contest.Before
	t.Failed -= l.Failed
	t.Running -= l.Running
	t.Stopping -= l.Stopping
	t.Starting -= l.Starting
}

// summarize publishes how many applications are at what.
func (a *zedmanager) summarize(l *ledger) {
	count := func(n int) uint8 { return uint8(min(n, math.MaxUint8)) }
	a.summary.Put(app.AppInstanceSummary{TotalError: count(l.Failed), TotalRunning: count(l.Running),
		TotalStopping: count(l.Stopping), TotalStarting: count(l.Starting)})
}
