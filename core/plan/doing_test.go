package plan

import (
	"testing"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// A call that failed is to be made again after a second, then after twice the time, up to a minute,
// but not if it would fail again.
func TestCallOfSaysWhenToTryAgain(t *testing.T) {
	d := &Doing{Item: "bridge/bn1", Verb: Create, Spec: "x"}
	if _, made := CallOf(d, agent.Call[int]{}); made {
		t.Error("there is a call although none was made")
	}
	for _, c := range []struct {
		tries int
		fault agent.Fault
		want  time.Duration
	}{
		{1, agent.Fault{Retry: true}, time.Hour + time.Second},
		{4, agent.Fault{Retry: true}, time.Hour + 8*time.Second},
		{50, agent.Fault{Code: agent.FaultLimit}, time.Hour + time.Minute},
		{2, agent.Fault{Code: agent.FaultCancelled}, time.Hour + 2*time.Second},
		{1, agent.Fault{Code: "invalid"}, 0},
	} {
		call, made := CallOf(d, agent.Call[int]{Phase: agent.Failed, Fault: &c.fault, Tries: c.tries,
			Ended: time.Hour})
		if !made || call.RetryAt != c.want || call.Phase != Failed || call.Key != d.Item {
			t.Errorf("%d tries, %+v: %+v, want again at %v", c.tries, c.fault, call, c.want)
		}
	}
	for phase, want := range map[agent.Phase]Phase{
		agent.Queued: Running, agent.Running: Running, agent.Done: Done} {
		if call, made := CallOf(d, agent.Call[int]{Phase: phase}); !made || call.Phase != want {
			t.Errorf("phase %v: %+v", phase, call)
		}
		if UnderWay(phase) != (want == Running) {
			t.Errorf("phase %v is under way: %v", phase, UnderWay(phase))
		}
	}
}
