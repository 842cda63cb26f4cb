package scenario

import (
	"errors"
	"time"

	"github.com/evetwin/evetwin/scenarios/twin"
)

// ErrOver ends a scenario at an instant, whatever it would have done and expected later. Its world
// stands still there and may be taken further by whoever made it; the result is as of the instant.
var ErrOver = errors.New("the scenario is over here")

// over ends a scenario without a failure.
type over struct{}

// Instant is an instant of a run in virtual time at which somebody looks at the world or turns it
// another way. It moves nothing by itself.
type Instant struct {
	at    time.Duration
	f     func(w World) error
	armed bool
	come  bool
}

// At has f called once, before what happens at the given time of the run and behind all that
// happens earlier. An error ends the run with it, ErrOver without one.
func At(at time.Duration, f func(w World) error) *Instant { return &Instant{at: at, f: f} }

// Reseed has a run go on with the draws of another seed from an instant on; see sim.World.Reseed.
func Reseed(at time.Duration, seed uint64) *Instant {
	return At(at, func(w World) error {
		w.Sim.Reseed(seed)
		return nil
	})
}

// Come reports whether the run came to the instant.
func (i *Instant) Come() bool { return i.come }

// Shape sets the instant in the world of the first device.
func (i *Instant) Shape(w World, _ *twin.DeviceOptions) {
	if i.armed {
		return
	}
	i.armed = true
	w.Sim.Before(i.at, func() {
		i.come = true
		switch err := i.f(w); {
		case errors.Is(err, ErrOver):
			panic(over{})
		case err != nil:
			panic(failure{err.Error()})
		}
	})
}

// Made needs nothing of the device.
func (i *Instant) Made(World, *twin.Device) {}

var _ Around = (*Instant)(nil)
