package plan_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/evetwin/evetwin/core/plan"
)

// world is a small working model of what an agent and its parts do with a plan. It carries out
// calls in any order it is told and watches the two laws: nothing is created or modified without
// what it needs, nothing is deleted while something stands on it.
type world struct {
	intended []plan.Item
	seen     map[string]plan.Item
	calls    map[string]*job
	ended    map[string]plan.Call
	broken   []string
	actions  int
}

// job is a call being carried out. The call it supersedes is cancelled and ends first.
type job struct {
	plan.Action
	over *job
}

func newWorld(intended []plan.Item, externals ...plan.Item) *world {
	w := &world{intended: intended, seen: map[string]plan.Item{}, calls: map[string]*job{},
		ended: map[string]plan.Call{}}
	for _, it := range externals {
		w.seen[it.Key] = it
	}
	return w
}

// graph is what the agent reads from its tables. A seen item keeps the needs it was made with.
func (w *world) graph() plan.Graph {
	g := plan.Graph{Intended: w.intended}
	for _, k := range slices.Sorted(maps.Keys(w.seen)) {
		g.Seen = append(g.Seen, w.seen[k])
	}
	for _, k := range slices.Sorted(maps.Keys(w.calls)) {
		j := w.calls[k]
		g.InFlight = append(g.InFlight, plan.Call{Verb: j.Verb, Key: k, Spec: j.Spec})
	}
	for _, k := range slices.Sorted(maps.Keys(w.ended)) {
		g.InFlight = append(g.InFlight, w.ended[k])
	}
	return g
}

// turn plans and hands the steps to the call table. It returns the plan.
func (w *world) turn() (plan.Steps, error) {
	s, err := plan.Plan(w.graph())
	if err != nil {
		return s, err
	}
	for _, key := range s.Drop {
		if w.calls[key] != nil {
			w.broken = append(w.broken, "drop of a running call of "+key)
		}
		delete(w.ended, key)
	}
	for _, a := range s.Want {
		if j := w.calls[a.Key]; j != nil {
			switch {
			case j.Verb == a.Verb && j.Spec == a.Spec:
			case j.Verb == plan.Create && a.Verb == plan.Delete:
				w.calls[a.Key] = &job{Action: a, over: j}
			default:
				w.broken = append(w.broken, fmt.Sprint(a.Verb, " ", a.Key, " wanted over ", j.Verb))
			}
			continue
		}
		if c, ok := w.ended[a.Key]; ok && c.Verb == a.Verb && c.Spec == a.Spec && !a.Again {
			w.broken = append(w.broken, fmt.Sprint(a.Verb, " ", a.Key, " joins an ended call"))
		}
		delete(w.ended, a.Key)
		w.calls[a.Key] = &job{Action: a}
		w.actions++
	}
	return s, nil
}

// running lists the keys of calls under way.
func (w *world) running() []string { return slices.Sorted(maps.Keys(w.calls)) }

// finish ends a call with success. If it supersedes a cancelled one, that one ends first, in a
// step of its own; late says whether it took effect all the same.
func (w *world) finish(key string, late bool) {
	j := w.calls[key]
	if j.over != nil {
		if late {
			w.apply(j.over)
		}
		j.over = nil
		return
	}
	delete(w.calls, key)
	w.apply(j)
	w.ended[key] = plan.Call{Verb: j.Verb, Key: key, Spec: j.Spec, Phase: plan.Done}
}

// fail ends a call with a fault.
func (w *world) fail(key, fault string, retryAt int64) {
	j := w.calls[key]
	delete(w.calls, key)
	w.ended[key] = plan.Call{Verb: j.Verb, Key: key, Spec: j.Spec, Phase: plan.Failed,
		Fault: fault, RetryAt: timeOf(retryAt)}
}

// crash forgets every call of the agent; those that lucky names take effect all the same.
func (w *world) crash(lucky func(key string) bool) {
	for _, key := range w.running() {
		j := w.calls[key]
		delete(w.calls, key)
		if j.over != nil {
			j = j.over
		}
		if lucky(key) {
			w.apply(j)
		}
	}
	clear(w.ended)
}

// apply changes what is seen, and checks the laws at that moment.
func (w *world) apply(j *job) {
	if j.Verb == plan.Delete {
		for _, k := range slices.Sorted(maps.Keys(w.seen)) {
			for _, n := range w.seen[k].Needs {
				if n.Key == j.Key {
					w.broken = append(w.broken, "delete "+j.Key+" under "+k)
				}
			}
		}
		delete(w.seen, j.Key)
		return
	}
	for _, n := range j.Item.Needs {
		have, ok := w.seen[n.Key]
		if !ok {
			w.broken = append(w.broken, j.Verb.String()+" "+j.Key+" without "+n.Key)
		} else if n.Holds != nil && !n.Holds(&have) {
			w.broken = append(w.broken, j.Verb.String()+" "+j.Key+" on unfit "+n.Key)
		}
	}
	if _, there := w.seen[j.Key]; there != (j.Verb == plan.Modify) {
		w.broken = append(w.broken, fmt.Sprint(j.Verb, " ", j.Key, " though seen: ", there))
	}
	if j.Verb == plan.Modify {
		if j.Item.Replace {
			w.broken = append(w.broken, "modify of "+j.Key+", to be replaced")
		}
		w.checkUsers(j)
	}
	w.seen[j.Key] = *j.Item
}

// checkUsers checks that a modify breaks nobody that stands on the item.
func (w *world) checkUsers(j *job) {
	for _, k := range slices.Sorted(maps.Keys(w.seen)) {
		for _, n := range w.seen[k].Needs {
			if n.Key == j.Key && (n.Recreate || n.Holds != nil && !n.Holds(j.Item)) {
				w.broken = append(w.broken, "modify "+j.Key+" under "+k)
			}
		}
	}
}

// specs is what is there, externals left out.
func (w *world) specs() map[string]string {
	out := map[string]string{}
	for k, it := range w.seen {
		if !it.External {
			out[k] = it.Spec
		}
	}
	return out
}

// expected is the end to reach, found the slow way: items whose needs can be met, again and
// again until nothing is added.
func (w *world) expected() map[string]string {
	out := map[string]string{}
	there := map[string]plan.Item{}
	for k, it := range w.seen {
		if it.External {
			there[k] = it
		}
	}
	for again := true; again; {
		again = false
		for _, it := range w.intended {
			if _, done := there[it.Key]; done || !met(it, there) {
				continue
			}
			there[it.Key], out[it.Key], again = it, it.Spec, true
		}
	}
	return out
}

// met reports whether all needs of an item are there.
func met(it plan.Item, there map[string]plan.Item) bool {
	for _, n := range it.Needs {
		have, ok := there[n.Key]
		if !ok || n.Holds != nil && !n.Holds(&have) {
			return false
		}
	}
	return true
}
