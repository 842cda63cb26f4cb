package conform

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/led"
)

// LedSetup is a part led to check.
type LedSetup struct {
	Setup
	// Looks says how the light turned while f ran and for so long after it; nil: the backend has no
	// light to look at.
	Looks func(d time.Duration, f func()) []LedTurn
	// Break takes the light away, or gives it back; nil: it cannot.
	Break func(broken bool)
	// Turn is somebody else who turns the light; nil: there is none.
	Turn func(on bool)
	// Left has the next power cut leave the light on, as it was in the middle of a pattern.
	Left func()
	// Trigger is what else turns the light, "none" for nothing.
	Trigger func() string
}

// LedTurn is a light that is turned on or off.
type LedTurn struct {
	At time.Duration
	On bool
}

// NeedsLight is a light that can be looked at.
const NeedsLight = "a light"

// Led checks a part led on a backend. mk makes one; it is called more than once and cleans up with
// t.
func Led(t *testing.T, b Backend, mk func(t *testing.T) LedSetup) {
	s := suite[*ledBench]{part: "led", groups: []Group[*ledBench]{
		{Name: "pattern", Cases: []Case[*ledBench]{
			{Name: "after boot", Run: (*ledBench).afterBoot,
				Clause: "a table is Complete when all was looked at; the light is off"},
			{Name: "on", Run: (*ledBench).on, Clause: "Blink sets the pattern"},
			{Name: "again", Run: (*ledBench).again,
				Clause: "doing what is done already is a success that changes nothing"},
			{Name: "another", Run: (*ledBench).another, Clause: "it goes on until another is set"},
			{Name: "off", Run: (*ledBench).off, Clause: "0 turns it off"},
			{Name: "many", Run: (*ledBench).many, Clause: "Blinks times on and off"},
			{Name: "dropped", Run: (*ledBench).dropped,
				Loose:  "a cancelled call may still take effect",
				Clause: "a call that is cancelled ends within a second"},
			{Name: "quick changes", Run: (*ledBench).quick, Clause: "each pattern is seen once it is set"},
			{Name: "off and off again", Run: (*ledBench).offAgain,
				Clause: "doing what is done already is a success that changes nothing"},
			{Name: "two at once", Run: (*ledBench).twice, Loose: "which of the two is the first",
				Clause: "each call has its outcome, the light one of the two patterns"},
			{Name: "a power cut amid a call", Run: (*ledBench).cutAmid,
				Loose:  "whether the power goes before the pattern is set",
				Clause: "a crash may lose any outcome; repeating is safe"},
			{Name: "the next boots", Run: (*ledBench).boots, Clause: "the light is off after a boot"},
		}},
		{Name: "light", Cases: []Case[*ledBench]{
			{Name: "blinks", Needs: NeedsLight, Run: (*ledBench).blinks,
				Clause: "200 ms on and 200 ms off, then 1200 ms off, again and again"},
			{Name: "dark", Needs: NeedsLight, Run: (*ledBench).dark, Clause: "0 turns it off"},
			{Name: "broken", Needs: NeedsLight, Run: (*ledBench).broken,
				Clause: "FaultFailed: the light does not take it; Retry"},
			{Name: "refused, the old one stays", Needs: NeedsLight, Run: (*ledBench).oldStays,
				Clause: "what is seen is what the light does, not what was asked for"},
			{Name: "gone and back", Needs: NeedsLight, Run: (*ledBench).goneAndBack,
				Clause: "it goes on until another is set"},
			{Name: "written over", Needs: NeedsLight, Run: (*ledBench).writtenOver,
				Clause: "it goes on, whatever others do to the light"},
			{Name: "nothing else turns it", Needs: NeedsLight, Run: (*ledBench).ours,
				Clause: "the light is the part's alone"},
			{Name: "another amid a pattern", Needs: NeedsLight, Run: (*ledBench).amid,
				Clause: "a pattern begins anew when it is set"},
			{Name: "power cut", Run: (*ledBench).powerCut, Clause: "the light is off after a boot"},
			{Name: "left on", Needs: NeedsLight, Run: (*ledBench).leftOn,
				Clause: "the light is off after a boot"},
			{Name: "on after a power cut", Run: (*ledBench).on, Clause: "Blink sets the pattern"},
		}}}}
	s.run(t, b, func(t *testing.T) *ledBench { return newLedBench(t, mk) })
}

// ledBench is a device with a part led alone.
type ledBench struct {
	*bench
	LedSetup
	light *bus.Sub[led.LedSeen]
	blink *calls[led.BlinkReq, led.None]
}

func newLedBench(t *testing.T, mk func(t *testing.T) LedSetup) *ledBench {
	t.Helper()
	x := &ledBench{LedSetup: mk(t), blink: newCalls(led.Blink)}
	state := func() string { return rows("light", x.light) }
	x.bench = newBench(t, x.Setup, "ledmanager", state, func(b *bench, p bus.Port) []looker {
		x.light = bus.Subscribe(p, led.Light)
		x.blink.attach(b, p)
		return []looker{x.blink}
	})
	x.booted(t)
	return x
}

func (x *ledBench) booted(t *testing.T) {
	t.Helper()
	x.until(t, "a complete table", func() bool { return x.light.Complete() })
}

// shows wants the light seen with so many blinks now.
func (x *ledBench) shows(t *testing.T, blinks int) {
	t.Helper()
	if row := x.light.Get("led"); row == nil || row.Blinks != blinks {
		t.Errorf("the light is seen as %+v, want %d blinks", row, blinks)
	}
}

// set has the light blink, and wants it seen in the turn that brings the outcome.
func (x *ledBench) set(t *testing.T, blinks int) {
	t.Helper()
	x.blink.does(t, led.BlinkReq{Blinks: blinks}, func() { x.shows(t, blinks) })
}

func (x *ledBench) afterBoot(t *testing.T) { x.turn(t, func() { x.shows(t, 0) }) }
func (x *ledBench) on(t *testing.T)        { x.set(t, 3) }
func (x *ledBench) another(t *testing.T)   { x.set(t, 4); x.set(t, 2) }
func (x *ledBench) off(t *testing.T)       { x.set(t, 0) }
func (x *ledBench) many(t *testing.T)      { x.set(t, 18) }

func (x *ledBench) again(t *testing.T) {
	var before, after uint64
	x.turn(t, func() { before = x.light.Rev("led") })
	x.set(t, 3)
	x.turn(t, func() { after = x.light.Rev("led") })
	if before != after {
		t.Errorf("the same again put the row: revision %d was %d", after, before)
	}
}

func (x *ledBench) dropped(t *testing.T) {
	got := x.blink.cancels(t, led.BlinkReq{Blinks: 5}, led.BlinkReq{Blinks: 1}, nil, nil)
	if got.Phase != agent.Done {
		t.Errorf("behind a cancelled one: %+v", got)
	}
	x.turn(t, func() { x.shows(t, 1) })
}

// blinks wants two blinks and a pause, and the next round's first.
func (x *ledBench) blinks(t *testing.T) {
	turns := x.Looks(2500*time.Millisecond, func() { x.set(t, 2) })
	want := []time.Duration{200, 200, 200, 1400, 200}
	if len(turns) < len(want) {
		t.Fatalf("the light turned %v", turns)
	}
	const slack = 120 * time.Millisecond // other work on this machine
	for i, w := range want[:min(len(want), len(turns)-1)] {
		if got := turns[i+1].At - turns[i].At; got < w*time.Millisecond-slack ||
			got > w*time.Millisecond+slack || turns[i].On != (i%2 == 0) {
			t.Errorf("piece %d of %v took %v, want %d ms", i, turns, got, w)
		}
	}
}

func (x *ledBench) dark(t *testing.T) {
	turns := x.Looks(600*time.Millisecond, func() { x.set(t, 0) })
	if n := len(turns); n > 0 && (turns[n-1].On || turns[n-1].At > 300*time.Millisecond) {
		t.Errorf("turned off, the light turned %v", turns)
	}
}

func (x *ledBench) broken(t *testing.T) {
	x.outside(t, func() { x.Break(true) })
	x.blink.refuses(t, led.BlinkReq{Blinks: 6}, led.FaultFailed, true)
	x.turn(t, func() { x.shows(t, 0) })
	x.outside(t, func() { x.Break(false) })
	x.set(t, 6)
}

func (x *ledBench) powerCut(t *testing.T) {
	x.set(t, 7)
	x.cycle(t)
	x.booted(t)
	x.turn(t, func() { x.shows(t, 0) })
}
