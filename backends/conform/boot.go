package conform

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/boot"
	"github.com/evetwin/evetwin/core/device/clock"
	"github.com/evetwin/evetwin/core/device/led"
)

// BootSetup is a part boot to check: IMGA is active and runs, IMGB is unused, and it is the first
// boot. A power cut is followed by what the boot loader does.
type BootSetup struct {
	Setup
	// Version is that of the image on IMGA; on IMGB is none.
	Version string
	// Shelve is somebody else who gives a partition another state, on the device's loop.
	Shelve func(label, state string)
	// Spoil damages the first copy of the partition table, on the device's loop, if there are two.
	Spoil func()
	// Bite has the watchdog reset the device at the next power cut.
	Bite func()
	// Tear has the power go amid the next mark: after so many steps nothing gets to the disk.
	Tear func(steps int)
}

// Boot checks a part boot on a backend. mk makes one; it is called more than once and cleans up
// with t.
func Boot(t *testing.T, b Backend, mk func(t *testing.T) BootSetup) {
	// Backends may have neighbours of the part beside it.
	s := suite[*bootBench]{part: "boot", groups: bootCases(), show: map[string]func(any) string{
		boot.Boot.String(): showBoot, clock.Clock.String(): nothing, led.Light.String(): nothing}}
	s.run(t, b, func(t *testing.T) *bootBench { return newBootBench(t, mk) })
}

// showBoot leaves out times, the size of a long stack, and what a device is equipped with.
func showBoot(row any) string {
	b := *row.(*boot.BootSeen)
	b.RebootTime, b.CountsPower, b.HWWatchdog = time.Time{}, false, false
	return fmt.Sprintf("%.500s", fmt.Sprintf("%+v", b))
}

// bootBench is a bench with a part boot.
type bootBench struct {
	*bench
	s      BootSetup
	reason *calls[boot.ReasonReq, boot.None]
	mark   *calls[boot.MarkReq, boot.None]
	parts  *bus.Sub[boot.PartSeen]
	seen   *bus.Sub[boot.BootSeen]
}

func newBootBench(t *testing.T, mk func(*testing.T) BootSetup) *bootBench {
	t.Helper()
	x := &bootBench{s: mk(t), reason: newCalls(boot.SetReason), mark: newCalls(boot.Mark)}
	state := func() string { return rows("parts", x.parts) + rows("boot", x.seen) }
	x.bench = newBench(t, x.s.Setup, "nodeagent", state, func(b *bench, p bus.Port) []looker {
		x.parts, x.seen = bus.Subscribe(p, boot.Parts), bus.Subscribe(p, boot.Boot)
		x.reason.attach(b, p)
		x.mark.attach(b, p)
		return []looker{x.reason, x.mark}
	})
	x.ready(t)
	return x
}

func (x *bootBench) ready(t *testing.T) {
	t.Helper()
	x.until(t, "complete tables", func() bool { return x.parts.Complete() && x.seen.Complete() })
}

// restart cuts the power, and waits until the part has looked at everything.
func (x *bootBench) restart(t *testing.T) {
	t.Helper()
	x.cycle(t)
	x.ready(t)
}

// states wants partitions in states; the current one is the one that ends in a star.
func (x *bootBench) states(t *testing.T, a, b string) {
	t.Helper()
	var got [2]string
	x.turn(t, func() {
		for i, label := range []string{boot.ImgA, boot.ImgB} {
			p := x.parts.Get(label)
			if p == nil {
				got[i] = "none"
				continue
			}
			got[i] = p.State
			if p.Current {
				got[i] += "*"
			}
		}
	})
	if got != [2]string{a, b} {
		t.Errorf("IMGA and IMGB are %v, want %s and %s", got, a, b)
	}
}

// story is the row of this boot.
func (x *bootBench) story(t *testing.T) (row boot.BootSeen) {
	t.Helper()
	x.turn(t, func() { row = *x.seen.Get("boot") })
	return row
}

// marks gives a partition a state.
func (x *bootBench) marks(t *testing.T, label, state string) {
	t.Helper()
	x.mark.does(t, boot.MarkReq{Label: label, State: state}, nil)
}

func bootCases() []Group[*bootBench] {
	return []Group[*bootBench]{{"partitions", bootPartitions()}, {"updates", bootUpdates()},
		{"damage", bootDamage()}, {"records", bootRecords()}, {"counts", bootCounts()}}
}

func bootPartitions() []Case[*bootBench] {
	return []Case[*bootBench]{
		{Name: "complete after boot", Run: (*bootBench).complete,
			Clause: "Parts is what is on the disk; one of them is the one that the device booted from"},
		{Name: "wrong marks", Run: (*bootBench).wrongMarks,
			Clause: "FaultNoPart: no such partition; FaultRefused: not a state to give to it"},
		{Name: "update waits", Run: (*bootBench).updateWaits,
			Clause: "Mark gives the other partition the state updating"},
		{Name: "update waits, again", Run: (*bootBench).again,
			Clause: "doing what is done already is a success that changes nothing"},
		{Name: "update called off", Run: (*bootBench).calledOff,
			Clause: "Mark gives the other partition the state unused"},
		{Name: "durable", Run: (*bootBench).durable,
			Clause: "an op that writes is done only when what it wrote survives a power cut"},
		{Name: "cancelled", Run: (*bootBench).cancelled, Loose: "a cancelled mark may still take effect",
			Clause: "a call that is cancelled ends within a second"},
	}
}

func bootUpdates() []Case[*bootBench] {
	return []Case[*bootBench]{
		{Name: "tried", Run: (*bootBench).tried,
			Clause: "what is updating is booted from once, and is inprogress then"},
		{Name: "not for those that run", Run: (*bootBench).notCurrent,
			Clause: "the one that runs becomes active and nothing else; the other never active"},
		{Name: "fallback", Run: (*bootBench).fallback,
			Clause: "what is inprogress is not booted from again; it stays as it is"},
		{Name: "tried again", Run: (*bootBench).tried,
			Clause: "what failed as an update may be updating again"},
		{Name: "committed", Run: (*bootBench).committed,
			Clause: "Active for the one that runs makes the other unused in the same instant"},
		{Name: "booted after that", Run: (*bootBench).bootedAfter,
			Clause: "what is active is booted from"},
		{Name: "and back", Run: (*bootBench).back,
			Clause: "both partitions are alike: the next update goes to the other"},
	}
}

func bootDamage() []Case[*bootBench] {
	return []Case[*bootBench]{
		{Name: "changed by somebody else", Run: (*bootBench).intruder,
			Clause: "an op shows what there is, whoever made it so"},
		{Name: "table damaged", Run: (*bootBench).spoiled,
			Clause: "the second copy of a damaged table counts, and mends the first"},
		{Name: "power cut amid a mark", Run: (*bootBench).torn, Loose: chance,
			Clause: "the boot loader sees the old states or the new ones, whatever happens meanwhile"},
	}
}

func bootRecords() []Case[*bootBench] {
	return []Case[*bootBench]{
		{Name: "no record", Run: (*bootBench).noRecord,
			Clause: "Reason is empty if none was recorded; RebootImage is what runs now"},
		{Name: "wrong records", Run: (*bootBench).wrongRecords,
			Clause: "FaultRefused: a reason is a word"},
		{Name: "recorded", Run: (*bootBench).recorded,
			Clause: "a record is durable, shown by the next boot, and of what ran then"},
		{Name: "only once", Run: (*bootBench).onlyOnce,
			Clause: "the boot that shows a record takes it away"},
		{Name: "the first stays", Run: (*bootBench).firstStays,
			Clause: "the first record stays until the next boot"},
		{Name: "long", Run: (*bootBench).long,
			Clause: "of a text the first MaxText bytes are kept, of a stack the last MaxStack"},
		{Name: "without text", Run: (*bootBench).bare, Clause: "a record is its reason alone, too"},
		{Name: "power cut amid a record", Run: (*bootBench).tornRecord, Loose: chance,
			Clause: "a record is there whole or not at all"},
	}
}

func bootCounts() []Case[*bootBench] {
	return []Case[*bootBench]{
		{Name: "first boot", Run: (*bootBench).first,
			Clause: "First: the first boot of this installation"},
		{Name: "boots", Run: (*bootBench).boots, Clause: "RestartCounter counts boots"},
		{Name: "power", Run: (*bootBench).power,
			Clause: "PowerCycled: the power was off since the last boot, and no reason was recorded"},
		{Name: "watchdog", Run: (*bootBench).watchdog, Clause: "Watchdog: it reset the device"},
	}
}
