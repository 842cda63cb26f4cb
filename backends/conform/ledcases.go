package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/led"
)

func (x *ledBench) quick(t *testing.T) {
	for n := range 30 {
		x.set(t, 1+n%5)
	}
	x.set(t, 0)
}

func (x *ledBench) offAgain(t *testing.T) {
	var before, after uint64
	x.turn(t, func() { before = x.light.Rev("led") })
	x.set(t, 0)
	x.set(t, 0)
	x.turn(t, func() { after = x.light.Rev("led") })
	if before != after {
		t.Errorf("off again put the row: revision %d was %d", after, before)
	}
}

func (x *ledBench) twice(t *testing.T) {
	over := make(chan struct{})
	x.ask(func() {
		left := 2
		for n, key := range []string{"a", "b"} {
			x.blink.use.Want(key, led.BlinkReq{Blinks: 8 + n})
			x.blink.wait[key] = func(c agent.Call[led.None]) {
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
	x.turn(t, func() {
		if n := x.light.Get("led").Blinks; n != 8 && n != 9 {
			t.Errorf("of 8 and 9 blinks the light is seen with %d", n)
		}
	})
}

func (x *ledBench) cutAmid(t *testing.T) {
	x.turn(t, func() { x.blink.use.Want("x", led.BlinkReq{}) }) // no row: it may be lost
	x.cycle(t)
	x.booted(t)
	x.turn(t, func() { x.shows(t, 0) })
	x.set(t, 3)
}

func (x *ledBench) boots(t *testing.T) {
	for n := range 3 {
		x.cycle(t)
		x.booted(t)
		x.turn(t, func() { x.shows(t, 0) })
		x.set(t, n+1)
	}
}

func (x *ledBench) oldStays(t *testing.T) {
	x.outside(t, func() { x.Break(true) })
	x.blink.refuses(t, led.BlinkReq{Blinks: 2}, led.FaultFailed, true)
	x.turn(t, func() { x.shows(t, 6) })
	x.outside(t, func() { x.Break(false) })
}

// lit wants the light turned on so often at least in some time.
func (x *ledBench) lit(t *testing.T, times int, d time.Duration, f func()) {
	t.Helper()
	turns, n := x.Looks(d, f), 0
	for _, at := range turns {
		if at.On {
			n++
		}
	}
	if n < times {
		t.Errorf("in %v the light turned %v, want it on %d times", d, turns, times)
	}
}

func (x *ledBench) goneAndBack(t *testing.T) {
	x.outside(t, func() { x.Break(true) })
	x.passes(t, 300*time.Millisecond) // a piece of the pattern at least is not taken
	x.lit(t, 1, 1500*time.Millisecond, func() { x.outside(t, func() { x.Break(false) }) })
	x.turn(t, func() { x.shows(t, 6) })
}

func (x *ledBench) writtenOver(t *testing.T) {
	turns := x.Looks(time.Second, func() {
		x.set(t, 4)
		x.outside(t, func() { x.Turn(false) })
	})
	if n := len(turns); n < 4 {
		t.Errorf("a light that somebody turned off turns %v", turns)
	}
}

func (x *ledBench) ours(t *testing.T) {
	x.outside(t, func() {
		if got := x.Trigger(); got != "none" {
			t.Errorf("the light is turned by %q, too", got)
		}
	})
}

// amid sets patterns in the pause of others and amid their blinks, which are not waited for.
func (x *ledBench) amid(t *testing.T) {
	x.set(t, 1)
	x.passes(t, 500*time.Millisecond)
	for _, blinks := range []int{2, 3} {
		turns := x.Looks(500*time.Millisecond, func() { x.set(t, blinks) })
		if len(turns) != 3 || !turns[0].On || turns[0].At > 120*time.Millisecond ||
			turns[1].At > 320*time.Millisecond {
			t.Errorf("set amid another, the pattern of %d blinks turns the light %v", blinks, turns)
		}
	}
}

func (x *ledBench) leftOn(t *testing.T) {
	x.outside(t, x.Left)
	x.set(t, 1)
	turns := x.Looks(100*time.Millisecond, func() {
		x.cycle(t)
		x.booted(t)
	})
	if n := len(turns); n == 0 || turns[n-1].On {
		t.Errorf("left on, the light is turned %v", turns)
	}
}
