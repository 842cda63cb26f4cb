package nim

import (
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/topics/network"
)

// trial is what nim remembers of the verification: which configuration is in use, what is being
// done with it, and when that began. It is rebuilt from DeviceNetworkStatus after a crash.
type trial struct {
	Current identity         // in use; zero if none is
	State   network.DPCState // of the one in use, as it is now
	Since   time.Duration    // since when State is what it is
	Running bool             // under verification
	Started time.Duration    // when the verification began
	Parked  time.Duration    // while it waits: when to test again, 0 if a test is due
	Probing time.Duration    // when the test under way was asked for, 0 if there is none
	Print   uint64           // what the last test was based on
	Broken  bool             // the last test of the configuration in use failed
	Test    time.Duration    // when to test the one in use again
	Better  time.Duration    // when to look for a better one, 0: not at all
}

// Key is "trial".
func (trial) Key() string { return "trial" }

// failure remembers within a boot when a configuration failed last: the wall clock may have jumped.
type failure struct {
	DPC        identity
	LastFailed time.Time     // as in the list: another one means another content or outcome
	At         time.Duration // since boot
}

// Key is the configuration's.
func (f failure) Key() string { return f.DPC.text() }

// taken remembers which row of a source was taken in, so that it is looked at once.
type taken struct {
	Source string // owner and key of the row
	Rev    uint64
}

// Key is the source.
func (t taken) Key() string { return t.Source }

var (
	trials = bus.NewTopic[trial](bus.Decl{Owner: "nim", Name: "Trial", Life: bus.Local, MaxRows: 1,
		MaxPuts: 1000}) // it follows links, which flap
	failures = bus.NewTopic[failure](bus.Decl{Owner: "nim", Name: "Failure", Life: bus.Local})
	takens   = bus.NewTopic[taken](bus.Decl{Owner: "nim", Name: "Taken", Life: bus.Local})
)
