package plan

// hold notes for each item who must let go of it before it is deleted or changed: a user that
// goes, a user that its change would break, a user with a call in flight. Only users that go can
// stand on an item that is not there.
func (p *planner) hold() {
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.busy() {
			p.orphan = p.orphan || n.isOrphan()
			keep := func(e *edge) { p.nodes[e.to].heldBy = int32(i) }
			p.each(n.need, keep)
			p.each(n.base, keep)
			continue
		}
		if !n.mine() || !n.doomed {
			continue
		}
		p.each(n.base, func(e *edge) {
			if m := &p.nodes[e.to]; m.doomed || m.busy() || p.breaks(e) {
				m.heldBy = int32(i)
			}
		})
	}
}

// isStale reports whether the call in flight makes a form that nobody intends any more.
func (n *node) isStale() bool {
	return n.call.Verb != Delete && (n.want == nil || n.call.Spec != n.want.Spec)
}

// isOrphan reports whether the call in flight may stand on needs that nobody knows: those of a
// stale form, or of a create that a delete has superseded and that has not ended.
func (n *node) isOrphan() bool {
	return n.isStale() || n.call.Verb == Delete && n.seen == nil
}

// follow judges a call in flight. A right one is wanted on. A create that is not is superseded by
// a delete, which cancels it, waits for its end and clears what it left. A modify or a delete that
// is not runs to its end, as does a create that something stands on already: only then is it known
// what there is.
func (p *planner) follow(n *node) {
	c := n.call
	a := Action{Verb: c.Verb, Key: n.key, Spec: c.Spec, Item: n.want}
	var right bool
	switch c.Verb {
	case Delete:
		a.Item = n.seen
		right = n.seen == nil || n.doomed
	case Modify:
		right = !n.isStale() && n.mine() && !n.doomed
	case Create:
		right = !n.isStale() && n.ok && !n.doomed && !n.changes && p.grounded(n)
		if !right && n.heldBy == nowhere {
			a.Verb, a.Item, right = Delete, n.seen, true
		}
	}
	p.staged = p.staged || a.Verb != Create
	if right {
		p.steps.Want = append(p.steps.Want, a)
	} else {
		p.steps.wait(n.key, Ending, "")
	}
}

// grounded reports whether all that a running create needs is there to stay.
func (p *planner) grounded(n *node) bool {
	for e := n.need.from; e < n.need.to; e++ {
		m := &p.nodes[p.edges[e].to]
		if m.seen == nil || m.doomed || !p.carries(&p.edges[e]) {
			return false
		}
	}
	return true
}

// same reports whether a call is the one an action asks for.
func (c *Call) same(a Action) bool { return c.Verb == a.Verb && c.Spec == a.Spec }

// due reports whether a failed call may be made again.
func (c *Call) due(g *Graph) bool { return c.RetryAt > 0 && c.RetryAt <= g.Now }
