package nim

import (
	"strings"

	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/nic"
	"github.com/evetwin/evetwin/core/plan"
	"github.com/evetwin/evetwin/core/topics/network"
)

// doings are the calls for items.
var doings = bus.NewTopic[plan.Doing](bus.Decl{Owner: "nim", Name: "Doing", Life: bus.Local})

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
		s.n.doing.Delete(plan.Doing{Item: key}.Key())
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
		if plan.UnderWay(s.n.set.Get(d.Item).Phase) || plan.UnderWay(s.n.clear.Get(d.Item).Phase) {
			return true
		}
	}
	return false
}

// carryOut wants the call of one action. Set and Clear are two ops with one fence each, so the one
// waits here until the other has ended for the item.
func (s *sheet) carryOut(a *plan.Action) {
	if a.Verb == plan.Delete {
		if plan.UnderWay(s.n.set.Get(a.Key).Phase) {
			return
		}
		s.n.set.Drop(a.Key)
		s.n.doing.Put(plan.Doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
		if c := s.n.clear.Want(a.Key, nic.ClearReq{Item: a.Key}); c.Over() && a.Again {
			s.n.clear.Redo(a.Key)
		}
		return
	}
	if plan.UnderWay(s.n.clear.Get(a.Key).Phase) {
		return
	}
	s.n.clear.Drop(a.Key)
	s.n.doing.Put(plan.Doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
	spec, _ := a.Item.Data.(nic.Spec)
	if c := s.n.set.Want(a.Key, nic.SetReq{Item: a.Key, Spec: spec}); c.Over() && a.Again {
		s.n.set.Redo(a.Key)
	}
}

// inFlight lists the calls for items, as the planner wants to know them.
func (s *sheet) inFlight() []plan.Call {
	var out []plan.Call
	for _, d := range s.n.doing.All() {
		c := s.n.set.Get(d.Item)
		if d.Verb == plan.Delete {
			c = s.n.clear.Get(d.Item)
		}
		if call, made := plan.CallOf(d, c); made {
			out = append(out, call)
		}
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
