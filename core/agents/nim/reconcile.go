package nim

import (
	"strings"
	"time"

	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/plan"
	"github.com/evetwin/evetwin/core/topics/network"
)

// doing is the call under way or ended for an item: what the planner must be told of it, for a call
// itself does not say what it was for.
type doing struct {
	Item string
	Verb plan.Verb
	Spec string // plan's name of the spec
}

// Key is the item's, which may not hold "/" as a row's key.
func (d doing) Key() string { return strings.Replace(d.Item, "/", "!", 1) }

var doings = bus.NewTopic[doing](bus.Decl{Owner: "nim", Name: "Doing", Life: bus.Local})

// A failed item is tried again after a second, then after twice the time, up to a minute.
const (
	retryFirst = time.Second
	retryLast  = time.Minute
)

// reconciled is what became of a plan.
type reconciled struct {
	busy   bool        // something is under way
	failed []plan.Hold // items that failed, until their time to retry
}

// reconcile brings the device closer to a port configuration and says how far it is.
func (s *sheet) reconcile(d *network.DevicePortConfig) reconciled {
	if s.asBefore() {
		return reconciled{}
	}
	graph := plan.Graph{Intended: s.intended(d), Seen: s.seenItems(), InFlight: s.inFlight(),
		Now: s.t.Now}
	steps, err := plan.Plan(graph)
	if err != nil {
		panic("nim: " + err.Error()) // keys are unique and needs have no cycle by construction
	}
	for _, a := range steps.Want {
		s.carryOut(&a)
	}
	for _, key := range steps.Drop {
		s.n.set.Drop(key)
		s.n.clear.Drop(key)
		s.n.doing.Delete(doing{Item: key}.Key())
	}
	if steps.Next > s.t.Now {
		s.t.WakeAt("items", steps.Next)
	}
	// Items that wait with no call under way wait for one that failed.
	return reconciled{busy: len(steps.Want) > 0 || s.underWay(), failed: steps.Blocked}
}

// asBefore reports whether nothing that a plan depends on has moved since the turn before, which
// left nothing to do: the common case of a turn on a calm device.
func (s *sheet) asBefore() bool {
	n := s.n
	return !s.t.Full && !s.other && n.doing.Len() == 0 && !n.items.Moved() && !n.links.Moved() &&
		!n.addrs.Moved() && !n.adapters.Moved() && !n.config.Moved()
}

// underWay reports whether a call for an item runs.
func (s *sheet) underWay() bool {
	for _, d := range s.n.doing.All() {
		if underWay(s.n.set.Get(d.Item).Phase) || underWay(s.n.clear.Get(d.Item).Phase) {
			return true
		}
	}
	return false
}

// carryOut wants the call of one action. Set and Clear are two ops with one fence each, so the one
// waits here until the other has ended for the item.
func (s *sheet) carryOut(a *plan.Action) {
	if a.Verb == plan.Delete {
		if underWay(s.n.set.Get(a.Key).Phase) {
			return
		}
		s.n.set.Drop(a.Key)
		s.n.doing.Put(doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
		if c := s.n.clear.Want(a.Key, nic.ClearReq{Item: a.Key}); c.Over() && a.Again {
			s.n.clear.Redo(a.Key)
		}
		return
	}
	if underWay(s.n.clear.Get(a.Key).Phase) {
		return
	}
	s.n.clear.Drop(a.Key)
	s.n.doing.Put(doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
	spec, _ := a.Item.Data.(nic.Spec)
	if c := s.n.set.Want(a.Key, nic.SetReq{Item: a.Key, Spec: spec}); c.Over() && a.Again {
		s.n.set.Redo(a.Key)
	}
}

func underWay(p agent.Phase) bool { return p == agent.Queued || p == agent.Running }

// inFlight lists the calls for items, as the planner wants to know them.
func (s *sheet) inFlight() []plan.Call {
	var out []plan.Call
	for _, d := range s.n.doing.All() {
		c := s.n.set.Get(d.Item)
		if d.Verb == plan.Delete {
			c = s.n.clear.Get(d.Item)
		}
		call := plan.Call{Verb: d.Verb, Key: d.Item, Spec: d.Spec}
		switch c.Phase {
		case agent.None:
			continue
		case agent.Done:
			call.Phase = plan.Done
		case agent.Failed:
			call.Phase, call.Fault = plan.Failed, c.Fault.Text
			if c.Fault.Retry || c.Fault.Code == agent.FaultCancelled || c.Fault.Code == agent.FaultLimit {
				wait := min(retryFirst<<min(c.Tries-1, 10), retryLast)
				call.RetryAt = c.Ended + wait
			}
		}
		out = append(out, call)
	}
	return out
}

// portOf is the interface an item is for, empty for the name service.
func portOf(key string) string {
	kind, name, _ := strings.Cut(key, "/")
	if kind == kindResolv {
		return ""
	}
	return name
}
