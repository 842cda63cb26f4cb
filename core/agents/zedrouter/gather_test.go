package zedrouter

import (
	"fmt"
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/host/rig"
	"github.com/evetwin/evetwin/core/topics/network"
)

// With many instances what is new waits for the next look, which comes soon, and for no longer.
func TestManyObjectsAreLookedAtNowAndThen(t *testing.T) {
	b := newBench(t)
	b.Step()
	for n := range gatherFrom + 2 {
		b.instance(local(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n), "eth0", n))
	}
	every := gatherTime(gatherFrom + 2)
	told := func() int { return len(rig.Rows(b.Rig, network.InstanceStatus)) }
	b.Advance(every - b.Now()%every + time.Millisecond)
	if n := told(); n != gatherFrom+2 {
		t.Fatalf("%d instances were looked at, want %d", n, gatherFrom+2)
	}
	rig.Delete(b.Rig, network.Instances, "00000000-0000-4000-8000-000000000000")
	b.Step()
	if n := told(); n != gatherFrom+2 {
		t.Fatalf("%d instances are left although it is not time yet", n)
	}
	b.Advance(every)
	if n := told(); n != gatherFrom+1 {
		t.Fatalf("%d instances are left, want %d", n, gatherFrom+1)
	}
}
