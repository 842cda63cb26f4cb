package snapshot

import (
	"slices"
	"time"

	"github.com/evetwin/evetwin/core/fault"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/corpus"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/storm"
)

// Life is all that a run in virtual time depends on, beside the code.
type Life struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	// Shaken says that agents are rebuilt before one turn in three and every other turn is followed by
	// a full one; that moves no trace.
	Shaken bool `json:"shaken,omitempty"`
	// Profile is what the newest faults were drawn from, for people.
	Profile string        `json:"profile,omitempty"`
	Faults  []fault.Fault `json:"faults,omitempty"`
	// Branches are where the run took on the draws of other seeds, in order.
	Branches []corpus.Branch `json:"branches,omitempty"`
}

// Begin makes a world for the life, with others around its devices: first its faults, then the
// others, last what turns it another way.
func (l *Life) Begin(around ...scenario.Around) (scenario.Host, error) {
	o := sim.Options{Seed: l.Seed}
	if l.Shaken {
		o.Rebuild, o.FullTurn = 3, 2
	}
	all := append([]scenario.Around{storm.New(l.Plan())}, around...)
	for _, b := range l.Branches {
		all = append(all, scenario.Reseed(b.At.Duration(), b.Seed))
	}
	return scenario.NewVirtualWorld(o, nil, all...)
}

// Plan is what goes wrong in it.
func (l *Life) Plan() fault.Plan {
	return fault.Plan{Seed: l.Seed, Profile: l.Profile, Faults: l.Faults}
}

// Current is the seed of the draws at the end: that of the newest branch, else its own.
func (l *Life) Current() uint64 {
	if n := len(l.Branches); n > 0 {
		return l.Branches[n-1].Seed
	}
	return l.Seed
}

// Reseeded is the life with the draws of another seed from an instant on; with its current seed it
// is the life itself.
func (l Life) Reseeded(at time.Duration, seed uint64) Life {
	if seed != l.Current() {
		l.Branches = append(slices.Clone(l.Branches),
			corpus.Branch{At: fault.Seconds(at.Seconds()), Seed: seed})
	}
	return l
}

// Replanned is the life with other faults behind an instant: those that have begun by then end as
// they would; the others are replaced by what a profile draws from the current seed for what is
// left of a span.
func (l Life) Replanned(at time.Duration, p fault.Profile, span time.Duration) Life {
	list := []fault.Fault{}
	for _, f := range l.Faults {
		if f.At.Duration() < at {
			list = append(list, f)
		}
	}
	if left := span - at; left > 0 {
		for _, f := range fault.Draw(p, l.Current(), storm.Usual(), left).Faults {
			f.At = fault.Seconds((f.At.Duration() + at).Seconds())
			list = append(list, f)
		}
	}
	l.Faults, l.Profile = list, p.Name
	return l
}
