package plan

// doom finds the seen items that have to go: each with a reason of its own, then those that
// stand on them.
func (p *planner) doom() error {
	var due []int32
	for i := range p.nodes {
		if n := &p.nodes[i]; n.mine() && p.mustGo(n) {
			n.doomed = true
			due = append(due, int32(i))
		}
	}
	if len(due) == 0 {
		return nil
	}
	users := p.users()
	for len(due) > 0 {
		last := due[len(due)-1]
		due = due[:len(due)-1]
		for _, i := range users.of(last) {
			if n := &p.nodes[i]; !n.doomed {
				n.doomed = true
				due = append(due, i)
			}
		}
	}
	_, err := p.walk("seen", func(n *node) (span, bool) { return n.base, n.doomed })
	return err
}

// mustGo reports whether a seen item has to be deleted whatever becomes of the others.
func (p *planner) mustGo(n *node) bool {
	if n.want == nil || !n.ok || n.changes && n.want.Replace {
		return true
	}
	for e := n.base.from; e < n.base.to; e++ {
		if !p.carries(&p.edges[e]) {
			return true
		}
	}
	if n.changes {
		for e := n.need.from; e < n.need.to; e++ {
			if to := p.edges[e].to; to == nowhere || p.nodes[to].seen == nil {
				return true // its new form needs what stage 2 has yet to create
			}
		}
	}
	return false
}

// carries reports whether a seen item may keep standing on a need: it is there, it suits, and
// the change that awaits it does no harm.
func (p *planner) carries(e *edge) bool {
	if e.to == nowhere || p.nodes[e.to].seen == nil {
		return false
	}
	m := &p.nodes[e.to]
	if !e.need.holds(m.seen) {
		return false
	}
	return !m.changes || !p.breaks(e)
}

// breaks reports whether the change awaiting the needed item takes the ground from its user.
func (p *planner) breaks(e *edge) bool {
	m := &p.nodes[e.to]
	return m.changes && (e.need.Recreate || !e.need.holds(m.want))
}

// reverse lists, per node, the seen nodes that go when it goes.
type reverse struct {
	start []int32
	list  []int32
}

// of returns the users of a node.
func (r *reverse) of(i int32) []int32 { return r.list[r.start[i]:r.start[i+1]] }

// users turns the edges of the seen items around; an item that changes also uses what its new
// form needs.
func (p *planner) users() *reverse {
	r := &reverse{start: make([]int32, len(p.nodes)+2)}
	each := func(do func(user, used int32)) {
		for i := range p.nodes {
			n := &p.nodes[i]
			if !n.mine() {
				continue
			}
			p.each(n.base, func(e *edge) { do(int32(i), e.to) })
			if n.changes && n.need != n.base {
				p.each(n.need, func(e *edge) { do(int32(i), e.to) })
			}
		}
	}
	total := 0
	each(func(_, used int32) { r.start[used+2]++; total++ })
	for i := 2; i < len(r.start); i++ {
		r.start[i] += r.start[i-1]
	}
	r.list = make([]int32, total)
	each(func(user, used int32) {
		r.list[r.start[used+1]] = user
		r.start[used+1]++
	})
	return r
}

// each visits the edges of a span whose end is known.
func (p *planner) each(s span, do func(*edge)) {
	for e := s.from; e < s.to; e++ {
		if p.edges[e].to != nowhere {
			do(&p.edges[e])
		}
	}
}
