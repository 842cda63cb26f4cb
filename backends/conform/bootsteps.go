package conform

import (
	"strings"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/device/boot"
)

func (x *bootBench) complete(t *testing.T) {
	x.states(t, "active*", "unused")
	var a, b boot.PartSeen
	x.turn(t, func() { a, b = *x.parts.Get(boot.ImgA), *x.parts.Get(boot.ImgB) })
	if a.Version != x.s.Version || b.Version != "" {
		t.Errorf("the versions are %q and %q, want %q and none", a.Version, b.Version, x.s.Version)
	}
}

func (x *bootBench) wrongMarks(t *testing.T) {
	for _, q := range []boot.MarkReq{{Label: "IMGC", State: boot.Updating}, {Label: "P3",
		State: boot.Unused}, {State: boot.Unused}} {
		x.mark.refuses(t, q, boot.FaultNoPart, false)
	}
	for _, q := range []boot.MarkReq{{Label: boot.ImgA, State: boot.Unused},
		{Label: boot.ImgA, State: boot.Updating}, {Label: boot.ImgB, State: boot.Active},
		{Label: boot.ImgB, State: boot.InProgress}, {Label: boot.ImgB, State: "ready"},
		{Label: boot.ImgB}} {
		x.mark.refuses(t, q, boot.FaultRefused, false)
	}
	x.states(t, "active*", "unused")
}

func (x *bootBench) updateWaits(t *testing.T) {
	x.marks(t, boot.ImgB, boot.Updating)
	x.states(t, "active*", "updating")
}

func (x *bootBench) again(t *testing.T) {
	var before, after [2]uint64
	revs := func(to *[2]uint64) func() {
		return func() { *to = [2]uint64{x.parts.Rev(boot.ImgA), x.parts.Rev(boot.ImgB)} }
	}
	x.turn(t, revs(&before))
	x.mark.does(t, boot.MarkReq{Label: boot.ImgB, State: boot.Updating}, revs(&after))
	if after != before {
		t.Errorf("doing it again changed revisions %v to %v", before, after)
	}
}

func (x *bootBench) calledOff(t *testing.T) {
	for range 2 {
		x.marks(t, boot.ImgB, boot.Unused)
		x.states(t, "active*", "unused")
	}
}

func (x *bootBench) durable(t *testing.T) {
	x.marks(t, boot.ImgA, boot.Active)
	x.restart(t)
	x.states(t, "active*", "unused")
}

func (x *bootBench) cancelled(t *testing.T) {
	up, off := boot.MarkReq{Label: boot.ImgB, State: boot.Updating},
		boot.MarkReq{Label: boot.ImgB, State: boot.Unused}
	if got := x.mark.cancels(t, up, off, nil, nil); got.Phase != agent.Done {
		t.Fatalf("a cancelled mark keeps the next from its end: %+v", *got.Fault)
	}
	x.states(t, "active*", "unused")
}

// tried boots from the other partition.
func (x *bootBench) tried(t *testing.T) {
	x.marks(t, boot.ImgB, boot.Updating)
	x.restart(t)
	x.states(t, "active", "inprogress*")
}

func (x *bootBench) notCurrent(t *testing.T) {
	for _, q := range []boot.MarkReq{{Label: boot.ImgB, State: boot.Unused},
		{Label: boot.ImgB, State: boot.Updating}, {Label: boot.ImgA, State: boot.Active}} {
		x.mark.refuses(t, q, boot.FaultRefused, false)
	}
	x.states(t, "active", "inprogress*")
}

func (x *bootBench) fallback(t *testing.T) {
	for range 2 {
		x.restart(t)
		x.states(t, "active*", "inprogress")
	}
}

func (x *bootBench) committed(t *testing.T) {
	for range 2 {
		x.marks(t, boot.ImgB, boot.Active)
		x.states(t, "unused", "active*")
	}
}

func (x *bootBench) bootedAfter(t *testing.T) {
	x.restart(t)
	x.states(t, "unused", "active*")
}

func (x *bootBench) back(t *testing.T) {
	x.marks(t, boot.ImgA, boot.Updating)
	x.states(t, "updating", "active*")
	x.restart(t)
	x.states(t, "inprogress*", "active")
	x.marks(t, boot.ImgA, boot.Active)
	x.states(t, "active*", "unused")
}

func (x *bootBench) intruder(t *testing.T) {
	x.outside(t, func() { x.s.Shelve(boot.ImgB, boot.InProgress) })
	x.marks(t, boot.ImgA, boot.Active)
	x.states(t, "active*", "unused")
	x.outside(t, func() { x.s.Shelve(boot.ImgB, boot.Updating) })
	x.mark.refuses(t, boot.MarkReq{Label: boot.ImgB, State: boot.Active}, boot.FaultRefused, false)
	x.states(t, "active*", "updating")
}

func (x *bootBench) spoiled(t *testing.T) {
	for _, state := range []string{boot.Updating, boot.Unused} {
		x.outside(t, x.s.Spoil)
		x.marks(t, boot.ImgB, state)
		x.states(t, "active*", state)
	}
	x.outside(t, x.s.Spoil)
	x.restart(t)
	x.states(t, "active*", "unused")
}

// torn cuts the power after each of the steps of a mark, every other time of a damaged table.
func (x *bootBench) torn(t *testing.T) {
	old, done := 0, 0
	for n := range 24 {
		steps, damaged := n/2, n%2 == 1
		x.outside(t, func() {
			x.s.Shelve(boot.ImgA, boot.Active)
			x.s.Shelve(boot.ImgB, boot.Unused)
		})
		x.marks(t, boot.ImgA, boot.Active)
		x.outside(t, func() {
			if damaged {
				x.s.Spoil()
			}
			x.s.Tear(steps)
		})
		x.mark.outcome(t, "x", boot.MarkReq{Label: boot.ImgB, State: boot.Updating}, nil)
		x.restart(t)
		var b string
		x.turn(t, func() { b = x.parts.Get(boot.ImgB).State })
		if b == boot.Unused {
			old++
			x.states(t, "active*", "unused")
			continue
		}
		done++
		x.states(t, "active", "inprogress*")
		x.restart(t) // nobody committed it
	}
	if done == 0 {
		t.Errorf("the power cut came %d times before anything was written", old)
	}
}

func (x *bootBench) noRecord(t *testing.T) {
	got := x.story(t)
	if got.Reason != "" || got.RebootReason != "" || got.RebootStack != "" ||
		!got.RebootTime.IsZero() || got.RebootImage != x.s.Version {
		t.Errorf("without a record the boot is %+v", got)
	}
}

func (x *bootBench) wrongRecords(t *testing.T) {
	for _, reason := range []string{"", "two words", "line\n", strings.Repeat("x", boot.MaxReason+1)} {
		x.reason.refuses(t, boot.ReasonReq{Reason: reason, Text: "text"}, boot.FaultRefused, false)
	}
	x.restart(t)
	x.noRecord(t)
}

// record records, reboots, and returns what is shown.
func (x *bootBench) record(t *testing.T, q boot.ReasonReq) boot.BootSeen {
	t.Helper()
	x.reason.does(t, q, nil)
	x.restart(t)
	return x.story(t)
}

func (x *bootBench) recorded(t *testing.T) {
	q := boot.ReasonReq{Reason: "BootReasonRebootCmd", Text: "as asked\nby somebody", Stack: "none"}
	from := time.Now().Add(-time.Minute)
	got := x.record(t, q)
	if got.Reason != q.Reason || got.RebootReason != q.Text || got.RebootStack != q.Stack ||
		got.RebootImage != x.s.Version || got.PowerCycled {
		t.Errorf("the boot is %+v, want the record %+v", got, q)
	}
	if got.RebootTime.Before(from) || got.RebootTime.After(time.Now().Add(time.Minute)) {
		t.Errorf("recorded at %v", got.RebootTime)
	}
}

func (x *bootBench) onlyOnce(t *testing.T) {
	x.restart(t)
	x.noRecord(t)
}

func (x *bootBench) firstStays(t *testing.T) {
	x.reason.does(t, boot.ReasonReq{Reason: "BootReasonFatal", Text: "first", Stack: "stack"}, nil)
	got := x.record(t, boot.ReasonReq{Reason: "BootReasonUnknown", Text: "second"})
	if got.Reason != "BootReasonFatal" || got.RebootReason != "first" || got.RebootStack != "stack" {
		t.Errorf("the boot is %+v, want the first record", got)
	}
}

func (x *bootBench) long(t *testing.T) {
	text := strings.Repeat("t", boot.MaxText)
	stack := strings.Repeat("s", boot.MaxStack)
	got := x.record(t, boot.ReasonReq{Reason: "BootReasonOOM", Text: text + "end",
		Stack: "begin" + stack})
	if got.RebootReason != text || got.RebootStack != stack {
		t.Errorf("%d bytes of text and %d of stack are kept, want %d and %d", len(got.RebootReason),
			len(got.RebootStack), len(text), len(stack))
	}
}

func (x *bootBench) bare(t *testing.T) {
	got := x.record(t, boot.ReasonReq{Reason: "BootReasonUpdate"})
	if got.Reason != "BootReasonUpdate" || got.RebootReason != "" || got.RebootStack != "" {
		t.Errorf("the boot is %+v, want a reason alone", got)
	}
}

func (x *bootBench) tornRecord(t *testing.T) {
	q := boot.ReasonReq{Reason: "BootReasonKernel", Text: "text", Stack: strings.Repeat("s", 1<<16)}
	for range 5 {
		x.turn(t, func() { x.reason.use.Want("x", q) })
		x.restart(t)
		got := x.story(t)
		whole := got.Reason == q.Reason && got.RebootReason == q.Text && got.RebootStack == q.Stack
		if !whole && (got.Reason != "" || got.RebootReason != "" || got.RebootStack != "") {
			t.Errorf("after a power cut the record is %.200s", got.Reason+got.RebootReason)
		}
	}
}

func (x *bootBench) first(t *testing.T) {
	if got := x.story(t); !got.First || got.RestartCounter != 1 || got.PowerCycled {
		t.Errorf("the first boot is %+v", got)
	}
}

func (x *bootBench) boots(t *testing.T) {
	for n := range uint32(3) {
		x.restart(t)
		if got := x.story(t); got.First || got.RestartCounter != n+2 {
			t.Errorf("boot %d is %+v", n+2, got)
		}
	}
}

func (x *bootBench) power(t *testing.T) {
	x.restart(t)
	if got := x.story(t); !got.PowerCycled {
		t.Errorf("after a power cut the boot is %+v", got)
	}
	if got := x.record(t, boot.ReasonReq{Reason: "BootReasonPowerFail"}); got.PowerCycled {
		t.Errorf("with a record the boot is %+v", got)
	}
}

func (x *bootBench) watchdog(t *testing.T) {
	x.outside(t, x.s.Bite)
	x.restart(t)
	if got := x.story(t); !got.Watchdog {
		t.Errorf("after its bite the watchdog is not seen: %+v", got)
	}
	x.restart(t)
	if got := x.story(t); got.Watchdog {
		t.Errorf("the watchdog is seen again: %+v", got)
	}
}
