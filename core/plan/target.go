package plan

// aim finds, needed items first, which intended items can be there in the end.
func (p *planner) aim() error {
	order, err := p.walk("intended", func(n *node) (span, bool) { return n.need, n.want != nil })
	if err != nil {
		return err
	}
	for _, i := range order {
		n := &p.nodes[i]
		n.ok = !n.foreign()
		for e := n.need.from; e < n.need.to && n.ok; e++ {
			n.ok = p.reachable(&p.edges[e])
		}
	}
	return nil
}

// reachable reports whether a need can be met in the end.
func (p *planner) reachable(e *edge) bool {
	if e.to == nowhere {
		return false
	}
	m := &p.nodes[e.to]
	switch {
	case m.foreign():
		return e.need.holds(m.seen)
	case m.want == nil || !m.ok:
		return false
	case m.changes:
		return e.need.holds(m.want)
	case m.mine():
		return e.need.holds(m.seen)
	}
	return true // to be created; how it turns out is judged when it is seen
}

// vanish forgets the seen items that went with an external base. All are judged before any is
// forgotten: only what was never ours takes others along.
func (p *planner) vanish() {
	var gone []*node
	for i := range p.nodes {
		n := &p.nodes[i]
		if !n.mine() {
			continue
		}
		for e := n.base.from; e < n.base.to; e++ {
			if p.edges[e].need.Vanishes && p.gone(p.edges[e].to) {
				gone = append(gone, n)
				break
			}
		}
	}
	for _, n := range gone {
		n.seen, n.base, n.changes = nil, span{}, false
	}
}

// gone reports whether a needed key is neither there nor ours to make.
func (p *planner) gone(to int32) bool {
	return to == nowhere || p.nodes[to].seen == nil && p.nodes[to].want == nil
}
