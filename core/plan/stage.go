package plan

// remove deletes a doomed item once nobody holds it.
func (p *planner) remove(n *node) {
	a := Action{Verb: Delete, Key: n.key, Spec: n.seen.Spec, Item: n.seen}
	if p.free(n, a) {
		p.want(n, a)
	}
}

// change modifies an item once nobody holds it and what its new form needs is settled.
func (p *planner) change(n *node) {
	a := Action{Verb: Modify, Key: n.key, Spec: n.want.Spec, Item: n.want}
	if !p.free(n, a) {
		return
	}
	for e := n.need.from; e < n.need.to; e++ {
		if m := &p.nodes[p.edges[e].to]; !m.settled() {
			p.postpone(n, a, Ordered, m.key)
			return
		}
	}
	p.want(n, a)
}

// free reports whether an item may be deleted or changed now.
func (p *planner) free(n *node, a Action) bool {
	switch {
	case p.orphan:
		p.staged = true
		p.postpone(n, a, Ending, "")
	case n.heldBy != nowhere:
		holder := &p.nodes[n.heldBy]
		p.staged = p.staged || holder.busy()
		p.postpone(n, a, Ordered, holder.key)
	default:
		return true
	}
	return false
}

// create is stage 2.
func (p *planner) create(list []*node) {
	for _, n := range list {
		a := Action{Verb: Create, Key: n.key, Spec: n.want.Spec, Item: n.want}
		if why, on, ready := p.ready(n); !ready {
			p.postpone(n, a, why, on)
		} else if p.staged {
			p.postpone(n, a, Staged, "")
		} else {
			p.want(n, a)
		}
	}
}

// ready reports whether all that an item needs is there in its intended form; if not, which need
// is not and why.
func (p *planner) ready(n *node) (why Reason, on string, ready bool) {
	for e := n.need.from; e < n.need.to; e++ {
		d := &p.edges[e]
		switch {
		case d.to == nowhere:
			return Missing, d.need.Key, false
		case !p.nodes[d.to].settled():
			if p.reachable(d) {
				why, on = Ordered, d.need.Key
				continue // a need that is missing for good says more
			}
			return Missing, d.need.Key, false
		case !d.need.holds(p.nodes[d.to].seen):
			return Unmet, d.need.Key, false
		}
	}
	return why, on, why == 0
}

// rest looks at an item that is as it should be, or that nobody asked for.
func (p *planner) rest(n *node) {
	if n.call != nil {
		p.steps.Drop = append(p.steps.Drop, n.key)
	}
	if n.want != nil && n.foreign() && n.want.Spec != n.seen.Spec {
		p.steps.Pending = append(p.steps.Pending, Hold{Key: n.key, Why: Foreign})
	}
}
