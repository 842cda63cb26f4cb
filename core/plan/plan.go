package plan

import (
	"cmp"
	"slices"
)

// Plan returns what to do next. It fails only on a graph that makes no sense: a key twice in one
// list, or items that need each other; the error names them.
func Plan(g Graph) (Steps, error) {
	p, err := newPlanner(&g)
	if err != nil {
		return Steps{}, err
	}
	p.vanish()
	if err := p.aim(); err != nil {
		return Steps{}, err
	}
	if err := p.doom(); err != nil {
		return Steps{}, err
	}
	p.hold()
	var creates []*node
	for i := range p.nodes {
		n := &p.nodes[i]
		switch {
		case !p.inside(n):
		case n.busy():
			p.follow(n)
		case n.doomed:
			p.remove(n)
		case n.changes:
			p.change(n)
		case n.want != nil && n.seen == nil:
			creates = append(creates, n)
		default:
			p.rest(n)
		}
	}
	p.create(creates)
	p.steps.sort()
	return p.steps, nil
}

// want asks for an action, unless it failed before and its time has not come.
func (p *planner) want(n *node, a Action) {
	if n.call != nil && n.call.same(a) {
		if n.call.Phase == Failed && !n.call.due(p.graph) {
			p.block(n)
			return
		}
		a.Again = true
	}
	p.staged = p.staged || a.Verb != Create
	p.steps.Want = append(p.steps.Want, a)
}

// postpone puts an action off. The failure of the same action is kept, so that its time to retry
// is; any other outcome has served.
func (p *planner) postpone(n *node, a Action, why Reason, on string) {
	kept := n.call != nil && n.call.Phase == Failed && n.call.same(a)
	pending := why == Missing || why == Unmet
	if n.call != nil && (!kept || pending) {
		p.steps.Drop = append(p.steps.Drop, n.key)
	}
	if pending {
		p.steps.Pending = append(p.steps.Pending, Hold{Key: n.key, Why: why, On: on})
		return
	}
	p.steps.wait(n.key, why, on)
}

// block reports a failure; its action is wanted again at its time to retry, or never without one.
func (p *planner) block(n *node) {
	s := &p.steps
	s.Blocked = append(s.Blocked, Hold{Key: n.key, Why: Faulty, Fault: n.call.Fault})
	if at := n.call.RetryAt; at > 0 && (s.Next == 0 || at < s.Next) {
		s.Next = at
	}
}

// wait notes an item whose turn comes later.
func (s *Steps) wait(key string, why Reason, on string) {
	s.Waiting = append(s.Waiting, Hold{Key: key, Why: why, On: on})
}

// sort puts every list in its documented order.
func (s *Steps) sort() {
	slices.SortStableFunc(s.Want, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Key, b.Key))
	})
	slices.Sort(s.Drop)
	for _, list := range [][]Hold{s.Pending, s.Waiting, s.Blocked} {
		slices.SortFunc(list, func(a, b Hold) int { return cmp.Compare(a.Key, b.Key) })
	}
}
