package zedrouter

import (
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/bridge"
	"github.com/evetwin/evetwin/core/plan"
)

// doings are the calls for items.
var doings = bus.NewTopic[plan.Doing](bus.Decl{Owner: "zedrouter", Name: "Doing", Life: bus.Local,
	MaxRows: bridge.MaxItems})

// maxCalls bounds how many items are carried out at once, or wait for that.
const maxCalls = 500

// reconcile brings the device closer to the items that should be.
func (s *sheet) reconcile() {
	g := plan.Graph{InFlight: s.inFlight(), Now: s.t.Now}
	for i := range s.want {
		g.Intended = append(g.Intended, item(s.want[i].key, s.want[i].spec))
	}
	for key, row := range s.z.items.All() {
		g.Seen = append(g.Seen, item(key, row.Spec))
	}
	steps, err := plan.Plan(g)
	if err != nil {
		panic("zedrouter: " + err.Error()) // keys are unique and needs have no cycle
	}
	under := s.z.doing.Len()
	for i := range steps.Want {
		a := &steps.Want[i]
		if s.z.doing.Get(plan.Doing{Item: a.Key}.Key()) == nil {
			if under++; under > maxCalls {
				continue // its turn comes when others have ended
			}
		}
		s.carryOut(a)
	}
	for _, key := range steps.Drop {
		s.z.set.Drop(key)
		s.z.clear.Drop(key)
		s.z.doing.Delete(plan.Doing{Item: key}.Key())
	}
	for _, h := range steps.Blocked {
		s.holds[h.Key] = h.Fault
	}
	if steps.Next > s.t.Now {
		s.t.WakeAt("items", steps.Next)
	}
}

// carryOut wants the call of one action. Set and Clear are two ops with a fence each, so the one
// waits here until the other has ended for the item.
func (s *sheet) carryOut(a *plan.Action) {
	again := func(p agent.Phase) bool { return a.Again && p >= agent.Done }
	if a.Verb == plan.Delete {
		if plan.UnderWay(s.z.set.Get(a.Key).Phase) {
			return
		}
		s.z.set.Drop(a.Key)
		s.z.doing.Put(plan.Doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
		if again(s.z.clear.Want(a.Key, bridge.ClearReq{Item: a.Key}).Phase) {
			s.z.clear.Redo(a.Key)
		}
		return
	}
	if plan.UnderWay(s.z.clear.Get(a.Key).Phase) {
		return
	}
	s.z.clear.Drop(a.Key)
	s.z.doing.Put(plan.Doing{Item: a.Key, Verb: a.Verb, Spec: a.Spec})
	spec, _ := a.Item.Data.(bridge.Spec)
	if again(s.z.set.Want(a.Key, bridge.SetReq{Item: a.Key, Spec: spec}).Phase) {
		s.z.set.Redo(a.Key)
	}
}

// inFlight lists the calls for items as the planner wants to know them.
func (s *sheet) inFlight() []plan.Call {
	var out []plan.Call
	for _, d := range s.z.doing.All() {
		c := s.z.set.Get(d.Item)
		if d.Verb == plan.Delete {
			c = s.z.clear.Get(d.Item)
		}
		if call, made := plan.CallOf(d, c); made {
			out = append(out, call)
		}
	}
	return out
}
