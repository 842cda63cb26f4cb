package plan

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
)

// Doing is the row of an agent's own topic that tells what the call under way or ended for an item
// is for: the planner must know it, and a call itself does not say.
type Doing struct {
	// Item is the key of the item and of its call.
	Item string
	// Verb and Spec are those of the Action.
	Verb Verb
	Spec string
}

// Key is the item's, which may not hold "/" as a row's key.
func (d Doing) Key() string { return strings.Replace(d.Item, "/", "!", 1) }

// A failed item is tried again after a second, then after twice the time, up to a minute.
const (
	retryFirst = time.Second
	retryLast  = time.Minute
)

// CallOf tells the planner of a call made for an item, with the time to try again if it failed and
// that may go away. It reports false if there is no call.
func CallOf[Res any](d *Doing, c agent.Call[Res]) (call Call, made bool) {
	call = Call{Verb: d.Verb, Key: d.Item, Spec: d.Spec}
	switch c.Phase {
	case agent.None:
		return Call{}, false
	case agent.Done:
		call.Phase = Done
	case agent.Failed:
		call.Phase, call.Fault = Failed, c.Fault.Text
		if c.Fault.Retry || c.Fault.Code == agent.FaultCancelled || c.Fault.Code == agent.FaultLimit {
			call.RetryAt = c.Ended + min(retryFirst<<min(max(c.Tries-1, 0), 10), retryLast)
		}
	}
	return call, true
}

// UnderWay reports whether a call has not ended.
func UnderWay(p agent.Phase) bool { return p == agent.Queued || p == agent.Running }
